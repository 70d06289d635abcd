"""Who referred whom, and what flows along each branch."""

from __future__ import annotations

from typing import Any

from charts.drawing import blocks, labels, paint, panels, trees
from valtrac.reports.model import referral_figures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import ReferralTree

TITLE = "Referral tree"
NAME = "referral-tree"
ORDER = 80
OF = "payouts"
WHAT = (
    "Referrers at the left, whom they referred at the right. Beside each name its adjusted share in percent of the "
    "whole; on each branch the rate that goes to the referrer, the thicker the more flows along it (percent of the "
    "whole)."
)
EMPTY = "nobody refers or is referred in this range"
MOST, MOST_ROWS, DEEPEST = 200, 100, 8
ROW_IN, SIGN_IN, FLAT_IN, NAME_COLUMNS = 0.3, 0.074, 0.36, 16


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return referral_figures.tree(source.record, source.shares), {}


def draw(rows: ReferralTree, *, unit: str) -> Any:
    """A matplotlib Figure: levels from left to right, branches as wide as what flows. unit: of the pool."""
    forest = trees.planted(rows, most=MOST, deepest=DEEPEST)
    if not forest.tops:
        return panels.nothing(TITLE, EMPTY)
    nodes = [node for node, _ in trees.walk(forest.tops)]
    levels = max(node.depth for node in nodes) + 1
    step = min(max((panels.WIDTH_IN - 0.5) / levels, 2.8), 3.6)
    down = _down(nodes)
    height = ROW_IN * (max(down.values()) + 1) + 0.3
    width = max(panels.WIDTH_IN, levels * step + 0.5)
    figure, (axes,) = panels.sheet(TITLE, _under(rows, forest, unit), height=height, width=width)
    axes.set_axis_off()
    axes.set_xlim(-0.1, width - 0.5)
    axes.set_ylim(max(down.values()) + 0.7, -0.7)
    _branches(axes, nodes, down, step)
    axes.plot([node.depth * step for node in nodes], [down[id(node)] for node in nodes], "o", color=paint.BLUE, ms=5)
    for node in nodes:
        x, y = node.depth * step + 0.08, down[id(node)]
        colour = paint.QUIET if node.again else paint.INK
        axes.text(x, y, _label(node), va="center", fontsize=8.5, color=colour)
        if node.more:
            more = f"+ {node.more:,} more below"
            axes.annotate(
                more, (x, y), xytext=(0, -9), textcoords="offset points", va="center", fontsize=7, color=paint.QUIET
            )
    return figure


def sketch(rows: ReferralTree, *, unit: str, width: int) -> str:
    """An indented tree: the rate, the name, the adjusted share, and what flows to the one above."""
    width, forest = labels.fitted(width), trees.planted(rows, most=MOST_ROWS, deepest=DEEPEST)
    if not forest.tops:
        return EMPTY
    drawn = labels.head(TITLE, _under(rows, forest, unit), width)
    figures = 10 if width < 60 else 20
    drawn.append(f"{'':{width - figures}}{'adjusted %':>10}" + (f"{'gives %':>10}" if figures > 10 else ""))
    for node, lasts in trees.walk(forest.tops):
        stem = "".join("   " if last else "│  " for last in lasts[:-1])
        stem += ("└─ " if lasts[-1] else "├─ ") if lasts else ""
        rate = f"{node.flow.rate_bps / 100:g} % " if node.flow else ""
        note = " (see above)" if node.again else f" (+ {node.more:,} more below)" if node.more else ""
        room = width - figures - len(stem) - len(rate) - 1
        named = labels.cell(labels.short(trees.label(node), max(room - len(note), 4)) + note, room)
        share = f"{node.share.adjusted:.2f}" if node.share and not node.again else ""
        gives = f"{node.flow.percent:.2f}" if node.flow else ""
        branch = blocks.painted(stem, blocks.GREY) + blocks.painted(rate, blocks.YELLOW)
        drawn.append(f"{branch}{named} {share:>10}" + (f"{gives:>10}" if figures > 10 else ""))
    return "\n".join(row.rstrip() for row in drawn)


def _down(nodes: list[trees.Node]) -> dict[int, float]:
    """Which row each node is in: leaves one below the other, everyone else beside the middle of their own."""
    rows: dict[int, float] = {}
    row = 0
    for node in nodes:
        if not node.below:
            rows[id(node)] = row
            row += 1
    for node in reversed(nodes):
        if node.below:
            rows[id(node)] = (rows[id(node.below[0])] + rows[id(node.below[-1])]) / 2
    return rows


def _branches(axes: Any, nodes: list[trees.Node], down: dict[int, float], step: float) -> None:
    """Curves from each referrer to its referees, with the rate where they arrive."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    most = max((node.flow.percent for node in nodes if node.flow), default=0.0) or 1.0
    paths, widths = [], []
    for node in nodes:
        x0 = node.depth * step + 0.14 + labels.width_of(_label(node)) * SIGN_IN
        for child in node.below:
            x1, (y0, y1) = child.depth * step - 0.06, (down[id(node)], down[id(child)])
            flat = x1 - FLAT_IN  # where the curve has come down to the row, under its rate
            bend = (x0 + flat) / 2
            flow = child.flow.percent if child.flow else 0.0
            thick = 0.6 + 6.4 * max(flow, 0.0) / most
            paths.append(Path([(x0, y0), (bend, y0), (bend, y1), (flat, y1), (x1, y1)], [1, 4, 4, 4, 2]))
            widths.append(thick)
            if child.flow:
                axes.annotate(
                    f"{child.flow.rate_bps / 100:g} %",
                    (x1 - 0.05, y1),
                    xytext=(0, thick / 2 + 0.5),
                    textcoords="offset points",
                    ha="right",
                    va="bottom",
                    fontsize=7,
                    color=paint.QUIET,
                )
    axes.add_collection(
        PathCollection(paths, linewidths=widths, facecolors="none", edgecolors=paint.COLOURS[4], zorder=1)
    )


def _label(node: trees.Node) -> str:
    name = labels.apart(labels.short(trees.label(node), NAME_COLUMNS))
    if node.again:
        return f"{name} (see above)"
    return f"{name}  {node.share.adjusted:.2f} %" if node.share else name


def _under(rows: ReferralTree, forest: trees.Forest, unit: str) -> str:
    names = labels.count(forest.shown + forest.left_out, "name")
    text = f"{names}, {labels.count(len(rows.flows), 'branch', 'branches')}, shares of a pool in {unit}"
    if not forest.left_out:
        return text
    return f"{text}; drawn are {forest.shown:,}, those with the largest flows and up to {DEEPEST} levels"
