"""What all charts share as pictures: a plain, legible style, and the file they are written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Okabe and Ito's palette: told apart by the colour-blind
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#000000")


def panels(title: str, under: str, labels: Sequence[str]) -> tuple[Any, list[Any]]:
    """A figure with one panel for each label, one above the other, sharing the time (UTC) below."""
    from datetime import UTC

    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(
        figsize=(11, 2.2 + 2.4 * len(labels)),
        dpi=120,
        layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12),
        facecolor="white",
    )
    stacked = list(figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0])
    figure.suptitle(title, x=0.012, ha="left", fontsize=16, fontweight="bold")
    stacked[0].set_title(under, loc="left", fontsize=10, color="#555555", pad=12)
    for axes, label in zip(stacked, labels, strict=True):
        axes.set_ylabel(label, fontsize=10)
        axes.grid(visible=True, axis="y", color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, labelsize=9, colors="#333333")
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: figure_text(value)))
    locator = AutoDateLocator(tz=UTC)
    stacked[-1].xaxis.set_major_locator(locator)
    stacked[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    stacked[-1].set_xlabel("time (UTC)", fontsize=10)
    figure.align_ylabels(stacked)
    return figure, stacked


def figure_text(value: float) -> str:
    """A number beside an axis: thousands apart, no more decimals than it has."""
    text = f"{value:,.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def line(axes: Any, at: Sequence[Any], values: Sequence[float], *, label: str, colour: str) -> None:
    """One line with its name and last value in a legend above it; a lone point is a dot."""
    axes.plot(at, values, color=colour, linewidth=2, marker="o" if len(values) < 3 else "", label=label)
    room = (max(values) - min(values)) * 0.12 or max(abs(max(values)) * 0.01, 1e-9)
    axes.set_ylim(max(0.0, min(values) - room), max(values) + room)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1.0), fontsize=10, borderaxespad=0.2)


def save(figure: Any, path: Path) -> Path:
    """Write a figure as PNG. Raises BadInput when the folder cannot be written or the name is no PNG."""
    from valtrac.errors import BadInput

    if path.suffix.lower() != ".png":
        raise BadInput(f"{path} is no name of a PNG file", "", "let it end in .png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png")
    except OSError as error:
        raise BadInput(f"{path} cannot be written", str(error.strerror), "name another file with --out") from error
    return path
