"""What the chart of keeps is drawn from: percentages over time. Pure; floats, for drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

USUAL, COURTESY, SEVERE = 130, 125, 110


@dataclass(frozen=True, slots=True)
class Collateral:
    """Percentages as they were seen. times: whenever any of them changed; lowest: of all that could be redeemed then,
    None where none could; series: deposit -> its own (time, percent), None where it has none any more; thresholds: the
    owner's, that of the courtesy call, that of liquidation."""

    times: tuple[datetime, ...]
    lowest: tuple[float | None, ...]
    series: Mapping[str, tuple[tuple[datetime, float | None], ...]]
    thresholds: tuple[int, int, int] = (USUAL, COURTESY, SEVERE)


def collateral(
    seen: Mapping[str, Sequence[tuple[datetime, float | None]]], thresholds: tuple[int, int, int]
) -> Collateral:
    """Out of what was seen of each deposit, oldest first: (when, percent), None once it cannot be redeemed."""
    changes = sorted((at, deposit, percent) for deposit, points in seen.items() for at, percent in _by_time(points))
    now: dict[str, float | None] = {}
    times, lowest = list[datetime](), list[float | None]()
    for at, deposit, percent in changes:
        now[deposit] = None if percent < 0 else percent
        known = [value for value in now.values() if value is not None]
        if times and times[-1] == at:
            lowest[-1] = min(known, default=None)
            continue
        times.append(at)
        lowest.append(min(known, default=None))
    series = {deposit: tuple(points) for deposit, points in seen.items()}
    return Collateral(tuple(times), tuple(lowest), series, thresholds)


def _by_time(points: Sequence[tuple[datetime, float | None]]) -> list[tuple[datetime, float]]:
    """The same with -1 in place of None, so that they can be sorted."""
    return [(at, -1.0 if percent is None else percent) for at, percent in points]
