"""Rates of return over a range, and the stakes that they are of."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from valtrac.people.model.terms import Span
from valtrac.reports.model import history as hist
from valtrac.reports.model.history import Floats, History
from valtrac.reports.model.record import Record, spread
from valtrac.reports.model.statistics import RatePoint

MOST_POINTS = 370  # rates are medians over all nominators: a year of days is as much as a chart can show


MOST_YIELD = 100  # a hundredfold a year is a rehearsal's figure and nobody's return


def rates(record: Record) -> list[RatePoint]:
    """The validator's rates over time, in percent a year: one point for each of up to a year of days."""
    return _rates(record, record.history.others, {payout.batch: payout.shared for payout in record.payouts})


def rates_of(record: Record, name: str) -> list[RatePoint]:
    """One user's rates over time: as the chain pays, and with what payouts gave that user."""
    return _rates(
        record, stakes_of(record, name), {payout.batch: payout.earned.get(name, 0.0) for payout in record.payouts}
    )


def stakes_of(record: Record, name: str) -> Floats:
    """What a user's addresses (or one nominator's address) had together, by snapshot."""
    history = record.history
    if name in history.addresses:
        return hist.total_of(history, {name: None})
    takes = np.zeros(len(history))
    for term in record.terms.addresses:
        if term.user != name or term.span.empty or term.address not in history.addresses:
            continue
        rows = rows_of(term.span, history.blocks)
        takes[rows] += history.stakes[rows, history.addresses.index(term.address)]
    return takes


def evenly_timed(record: Record) -> History:
    """The history in at most `MOST_POINTS` rows, evenly spread."""
    return record.history.rows(hist.evenly(record.history, MOST_POINTS))


def _rates(record: Record, stake: Floats, rebates: Mapping[int, float]) -> list[RatePoint]:
    places = hist.evenly(record.history, MOST_POINTS)
    history = record.history.rows(places)
    if len(history) < 2:
        return []
    yearly = hist.yearly(hist.growth(history), history)
    spans, worth = np.diff(history.seconds), _tao(record, history)
    given = np.diff(spread(record.payouts, rebates, history.blocks))
    mean = (stake[places][:-1] * worth[:-1] + stake[places][1:] * worth[1:]) / 2
    points = []
    for row in range(len(history) - 1):
        after, take = float(yearly[row]), float(history.take[row + 1])
        if math.isnan(after) or (not mean[row] and not given[row]):
            continue
        extra = given[row] / mean[row] * hist.YEAR_S / spans[row] if mean[row] > 0 and spans[row] >= 1 else 0.0
        before = None if math.isnan(take) or take >= 1 else 100 * after / (1 - take)
        points.append(RatePoint(history.at[row + 1], before, 100 * after, 100 * (after + float(extra))))
    return points


def _mean_rates(record: Record) -> tuple[float | None, float | None, float | None]:
    """Before, after take, with rebate, as fractions: means over the points, which are evenly spread in time."""
    points = rates(record)
    before = [point.before for point in points if point.before is not None]
    if not points:
        return None, None, None
    return (
        sum(before) / len(before) / 100 if before else None,
        sum(point.after for point in points) / len(points) / 100,
        sum(point.rebate for point in points) / len(points) / 100,
    )


def rows_of(span: Span, blocks: npt.NDArray[np.int64]) -> slice:
    """The rows at whose blocks a term is in force."""
    until = span.until_block
    last = len(blocks) if until is None else int(np.searchsorted(blocks, until))
    return slice(int(np.searchsorted(blocks, span.from_block)), last)


def _tao(record: Record, history: History | None = None) -> Floats:
    """TAO per unit of stake, by row; 0 where no price was known."""
    return (history or record.history).price


def _times_100(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate


def _yield(rate: float | None) -> float | None:
    """Compounded; None for what is too much to be told, as after hours of a rehearsal."""
    if rate is None or abs(rate) > MOST_YIELD:
        return None
    percents = 100 * hist.compounded(rate)
    return percents if percents <= 100 * MOST_YIELD else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
