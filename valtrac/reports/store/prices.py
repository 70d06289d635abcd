"""Prices in the database: the only SQL for them. Rows are added and never changed.

Of several rows for one time and currency the one written last counts, so that a correction is one more row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from valtrac.reports.model.prices import Price
from valtrac.reports.store import tables as t

P = t.prices.c


def add(conn: sa.Connection, prices: Iterable[Price]) -> None:
    """Write prices down, in their order."""
    now = datetime.now(UTC)
    rows = [
        {
            "at": price.at,
            "currency": price.currency,
            "price_nano": price.price_nano,
            "source": price.source,
            "words": price.words,
            "created_at": now,
        }
        for price in prices
    ]
    if rows:
        conn.execute(t.prices.insert(), rows)


def at(conn: sa.Connection, currency: str, moment: datetime, max_age_s: int) -> Price | None:
    """The last price at or before a moment, unless it is more than `max_age_s` seconds older; None: unknown."""
    oldest = moment - timedelta(seconds=max_age_s)
    rows = _newest(currency).where(P.at <= moment, P.at >= oldest).limit(1)
    return next(map(_price, conn.execute(rows)), None)


def exactly(conn: sa.Connection, currency: str, moments: Iterable[datetime]) -> dict[datetime, Price]:
    """The prices of just these moments, for those that have one."""
    wanted, prices = sorted(set(moments)), dict[datetime, Price]()
    for start in range(0, len(wanted), 500):
        rows = sa.select(t.prices).where(P.currency == currency, P.at.in_(wanted[start : start + 500]))
        prices |= {row.at: _price(row) for row in conn.execute(rows.order_by(P.id))}
    return prices


def latest(conn: sa.Connection, currency: str, last: int = 1) -> list[Price]:
    """The newest prices by their time, the newest first, with what later rows corrected."""
    return [_price(row) for row in conn.execute(_newest(currency).limit(last))]


def between(conn: sa.Connection, currency: str, first: datetime, last: datetime) -> list[Price]:
    """The prices with first <= at <= last, the oldest first; one for each time, the one that counts."""
    rows = _newest(currency).where(P.at >= first, P.at <= last)
    newest = dict[datetime, Price]()
    for row in conn.execute(rows):
        newest.setdefault(row.at, _price(row))
    return [newest[moment] for moment in sorted(newest)]


def _newest(currency: str) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(t.prices).where(P.currency == currency).order_by(P.at.desc(), P.id.desc())


def _price(row: sa.Row[*tuple[Any, ...]]) -> Price:
    return Price(row.at, row.currency, row.price_nano, row.source, row.words)
