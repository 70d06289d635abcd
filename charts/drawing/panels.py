"""The sheet that every picture is drawn on: a heading, room for panels, quiet axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import lines
from charts.drawing.labels import figure_text, wrapped
from charts.drawing.paint import GRID, INK, PAPER, QUIET

WIDTH_IN, HEAD_IN, EDGE_IN = 11.0, 0.84, 0.16
UNDER = 12  # columns of text to an inch, under the title
STEPS = (1, 2, 2.5, 5, 10)  # of the figures beside an axis


def sheet(
    title: str, under: str, *, height: float, width: float = WIDTH_IN, panels: int = 1, **how: Any
) -> tuple[Any, list[Any]]:
    """A figure with its heading and some panels, one above the other.

    height: of the panels together, width: of the sheet, in inches. how: for matplotlib's `subplots`, such as sharex.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = wrapped(under, round(width * UNDER))
    head = HEAD_IN + 0.17 * (len(rows) - 1)
    whole = height + head
    edge_x, edge_y = EDGE_IN / width, EDGE_IN / whole
    figure = Figure(
        figsize=(width, whole),
        dpi=120,
        facecolor=PAPER,
        layout=ConstrainedLayoutEngine(
            w_pad=0.06,
            h_pad=0.06,
            hspace=0.02,
            rect=(edge_x, edge_y, 1 - 2 * edge_x, 1 - head / whole - edge_y),
        ),
    )
    drawn = list(figure.subplots(panels, 1, squeeze=False, **how)[:, 0])
    left = (EDGE_IN + 0.06) / width
    name = figure.suptitle(
        title, x=left, y=1 - 0.2 / whole, ha="left", va="top", fontsize=16, fontweight="bold", color=INK
    )
    name.set_in_layout(False)
    figure.text(left, 1 - 0.56 / whole, "\n".join(rows), ha="left", va="top", fontsize=10, color=QUIET)
    for axes in drawn:
        quiet(axes)
    return figure, drawn


def timed(title: str, under: str, labels: Sequence[str], *, height: float = 2.4, **how: Any) -> tuple[Any, list[Any]]:
    """A sheet with one panel for each label, one above the other, sharing the time (UTC) below."""
    figure, stacked = sheet(title, under, height=max(height * len(labels), 3.9), panels=len(labels), sharex=True, **how)
    for axes, label in zip(stacked, labels, strict=True):
        numbers(axes, label)
    lines.times(stacked[-1])
    figure.align_ylabels(stacked)
    return figure, stacked


def nothing(title: str, words: str) -> Any:
    """A figure that says why there is nothing to draw."""
    figure, (axes,) = sheet(title, "", height=3.0)
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, fontsize=12, color=QUIET)
    axes.set_axis_off()
    return figure


def quiet(axes: Any) -> None:
    """Axes that stay behind what they measure."""
    axes.set_facecolor("none")
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(length=0, labelsize=9, colors=INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def numbers(axes: Any, label: str, *, across: bool = False) -> None:
    """An axis of numbers with its name and unit."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if across else axes.yaxis
    axis.set_label_text(label, fontsize=10)
    axis.set_major_locator(MaxNLocator(7 if across else 5, steps=STEPS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: figure_text(value)))


def legend(axes: Any, drawn: Sequence[Any], names: Sequence[str], *, beside: bool = False) -> None:
    """Which line is whose: above the panel at its right, or beside it from above to below."""
    where: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1.0), "ncols": len(names)}
    if beside:
        where = {"loc": "upper left", "bbox_to_anchor": (1.005, 1.0), "ncols": 1}
    axes.legend(
        drawn, names, frameon=False, fontsize=9.5, borderaxespad=0.2, labelcolor=INK, columnspacing=1.6, **where
    )


def listed(axes: Any, names: Sequence[str]) -> None:
    """One row for each name, the first on top: for bars that lie."""
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", pad=8)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    axes.spines["bottom"].set_visible(False)


def aside(axes: Any, columns: Sequence[tuple[str, int, str, Sequence[str]]]) -> None:
    """Columns of figures at the right of the rows: a heading, the place in points, "left" or "right", the texts."""
    for head, place, side, texts in columns:
        for row, text in enumerate([head, *texts]):
            axes.annotate(
                text,
                (1, row - 1),
                xycoords=axes.get_yaxis_transform(),
                xytext=(place, 0),
                textcoords="offset points",
                ha=side,
                va="center_baseline",
                fontsize=9,
                color=INK if row else QUIET,
                annotation_clip=False,
            )
