"""Rates of return over a range, and the stakes that they are of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from valtrac.core.errors import Refused
from valtrac.payouts.model.plans import UNASSIGNED
from valtrac.people.model.terms import Span
from valtrac.reports.model import history as hist
from valtrac.reports.model import replay
from valtrac.reports.model.history import Floats, History
from valtrac.reports.model.income import MOST_POINTS, evenly_timed, take_income, tao_of
from valtrac.reports.model.record import Payout, Record, covered, spread
from valtrac.reports.model.statistics import RatePoint

Share = Callable[[replay.Shares], float]  # whose part of a pool
WHOLE = 1.0 - 1e-9
MOST_YIELD = 100  # a hundredfold a year is a rehearsal's figure and nobody's return


def rates(record: Record) -> list[RatePoint]:
    """The validator's rates over time, in percent a year: one point for each of up to a year of days."""
    return _rates(record, record.history.others, {payout.batch: payout.shared for payout in record.payouts}, _of_all)


def rates_of(record: Record, name: str) -> list[RatePoint]:
    """One user's rates over time: as the chain pays, and with what payouts gave that user."""
    earned = {payout.batch: payout.earned.get(name, 0.0) for payout in record.payouts}
    return _rates(record, stakes_of(record, name), earned, lambda shares: shares.adjusted.get(name, 0.0))


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


def unpaid(record: Record) -> float:
    """Which part of the range's time no settled payout covers, 0..1."""
    history = evenly_timed(record)
    if len(history) < 2:
        return 1.0
    spans = np.diff(history.seconds)
    whole = float(spans.sum())
    return 1.0 - float(covered(_settled(record), history.blocks) @ spans) / whole if whole else 1.0


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rates(record: Record, stake: Floats, rebates: Mapping[int, float], share: Share) -> list[RatePoint]:
    places = hist.evenly(record.history, MOST_POINTS)
    history = record.history.rows(places)
    if len(history) < 2:
        return []
    yearly = hist.yearly(hist.growth(history), history)
    spans, worth = np.diff(history.seconds), tao_of(record, history)
    settled = _settled(record)
    paid, given = covered(settled, history.blocks), np.diff(spread(settled, rebates, history.blocks))
    held = (stake[places][:-1] * worth[:-1] + stake[places][1:] * worth[1:]) / 2
    extra = _projected(record, history, held * spans, rebates, share)
    points = []
    for row in range(len(history) - 1):
        after, take = float(yearly[row]), float(history.take[row + 1])
        if math.isnan(after) or (not held[row] and not given[row]):
            continue
        of_paid = held[row] * spans[row] * paid[row]
        rebate = after + float(given[row] / of_paid * hist.YEAR_S) if of_paid > 0 and spans[row] >= 1 else None
        ahead = after + extra if extra is not None and paid[row] < WHOLE else None
        before = None if math.isnan(take) or take >= 1 else 100 * after / (1 - take)
        points.append(RatePoint(history.at[row + 1], before, 100 * after, _times_100(rebate), _times_100(ahead)))
    return points


def _projected(
    record: Record, history: History, held: Floats, rebates: Mapping[int, float], share: Share
) -> float | None:
    """What the time that is not paid would bring on top, as a fraction a year: what batches that are not settled give
    for it, and beyond them the take income by the shares that referrals and policies make. held: TAO times seconds of
    each stretch. None where the income is not known, or nobody had stake."""
    income, spans = take_income(record), held
    paid, claimed = (covered(some, history.blocks) for some in (_settled(record), record.payouts))
    open_ = 1.0 - paid
    if income is None or not float(spans @ open_) > 0:
        return None
    rows = np.flatnonzero(open_ > 1.0 - WHOLE)
    try:
        part = share(replay.shares(history.rows(np.union1d(rows, rows + 1).tolist()), record.terms))
    except Refused:
        return None
    waiting = [payout for payout in record.payouts if not payout.settled]
    given = float(np.diff(spread(waiting, rebates, history.blocks)).sum())
    given += part * float(np.diff(income) @ np.clip(1.0 - claimed, 0, 1))
    return given / float(spans @ open_) * hist.YEAR_S


def _of_all(shares: replay.Shares) -> float:
    """The part of a pool that goes to users."""
    return sum(part for name, part in shares.adjusted.items() if name != UNASSIGNED)


def _settled(record: Record) -> list[Payout]:
    return [payout for payout in record.payouts if payout.settled]


def _mean_rates(record: Record) -> tuple[float | None, float | None, float | None, float | None]:
    """Before and after take, with rebate, projected, as fractions: means over the points, evenly spread in time."""
    points = rates(record)
    before, after, rebate, projected = (
        mean([getattr(point, name) for point in points]) for name in ("before", "after", "rebate", "projected")
    )
    return _hundredth(before), _hundredth(after), _hundredth(rebate), _hundredth(projected)


def rows_of(span: Span, blocks: npt.NDArray[np.int64]) -> slice:
    """The rows at whose blocks a term is in force."""
    until = span.until_block
    last = len(blocks) if until is None else int(np.searchsorted(blocks, until))
    return slice(int(np.searchsorted(blocks, span.from_block)), last)


def _times_100(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate


def _hundredth(rate: float | None) -> float | None:
    return None if rate is None else rate / 100


def _yield(rate: float | None) -> float | None:
    """Compounded; None for what is too much to be told, as after hours of a rehearsal."""
    if rate is None or abs(rate) > MOST_YIELD:
        return None
    percents = 100 * hist.compounded(rate)
    return percents if percents <= 100 * MOST_YIELD else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
