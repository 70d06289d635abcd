"""What the validator's take brings, at points that are evenly spread over a range. Pure."""

from __future__ import annotations

import numpy as np

from valtrac.reports.model import history as hist
from valtrac.reports.model.history import Floats, History
from valtrac.reports.model.record import Record

MOST_POINTS = 370  # rates are medians over all nominators: a year of days is as much as a chart can show


def evenly_timed(record: Record) -> History:
    """The history in at most `MOST_POINTS` rows, evenly spread."""
    return record.history.rows(hist.evenly(record.history, MOST_POINTS))


def tao_of(record: Record, history: History | None = None) -> Floats:
    """TAO per unit of stake, by row; 0 where no price was known."""
    return (history or record.history).price


def take_income(record: Record) -> Floats | None:
    """What the take brought, added up, at each point of `evenly_timed`, in TAO; None where a price is unknown."""
    history = evenly_timed(record)
    worth = tao_of(record, history)
    if len(history) < 2 or (worth == 0).any():
        return None if len(history) and (worth == 0).any() else np.zeros(len(history))
    grown = np.nan_to_num(hist.growth(history))
    take, others = history.take[1:], history.others[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        by_take = others * grown * take / (1 - take)
    beyond = np.clip(np.diff(history.owner_stake) - history.owner_stake[:-1] * grown, 0, None)
    gained = np.where(np.isfinite(by_take), np.clip(by_take, 0, None), beyond) * worth[1:]
    return np.concatenate([[0.0], np.cumsum(gained)])
