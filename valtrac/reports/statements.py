"""Statements: what each person was paid in a period, with the value in money at the time of each payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.payments.store import ledger
from valtrac.payouts import balances
from valtrac.people import policies
from valtrac.people.store import people
from valtrac.reports.model.prices import Price
from valtrac.reports.model.statements import COLUMNS, Payment, Statement, rows_of
from valtrac.reports.settings import ReportSettings
from valtrac.reports.store import old_payments, prices
from valtrac.snapshots.store import claims
from valtrac.tables import write


def every(engine: sa.Engine, settings: ReportSettings, first: datetime, last: datetime) -> list[Statement]:
    """A statement for everyone who was paid with first <= time < last or has a balance, by name."""
    with reading(engine) as conn:
        names = {term.person: term.name for term in people.terms(conn).users}
        rows, held = ledger.payments(conn, first, last), ledger.held(conn)
        ranges = claims.of_batches(conn, [row["batch"] for row in rows])
        known: dict[datetime, Price | None] = {}
        for paid_at in {row["at"] for row in rows}:
            known[paid_at] = prices.at(conn, settings.currency, paid_at, settings.price_max_age_s)
        old = _told(conn, settings, names, first, last)
    payments: dict[str, list[Payment]] = {}
    for payment in (*old, *(_paid(row, ranges.get(row["batch"]), known[row["at"]]) for row in rows)):
        payments.setdefault(payment.person, []).append(payment)
    return sorted(
        (
            Statement(
                policies.whom_of(person, names),
                person,
                first,
                last,
                settings.currency,
                tuple(payments.get(person, ())),
                held.get(person, 0),
            )
            for person in {*payments, *held}
        ),
        key=lambda statement: statement.name,
    )


def _paid(row: Mapping[str, Any], paid_for: claims.ClaimedRange | None, price: Price | None) -> Payment:
    """A payment of the ledger."""
    return Payment(
        row["at"],
        row["user"],
        row["person"],
        row["batch"],
        *_blocks(paid_for),
        row["address"],
        row["amount_rao"],
        row["from_pool_rao"],
        row["released_rao"],
        row["fee_share_rao"],
        row["tx_id"],
        row["block"],
        row["receipt"],
        price,
    )


def _told(
    conn: sa.Connection, settings: ReportSettings, names: dict[str, str], first: datetime, last: datetime
) -> list[Payment]:
    """What another program paid before, by its own log; of whoever is no user now, by the address."""
    persons = {name: person for person, name in names.items()}
    return [
        Payment(
            told.at,
            told.name,
            persons.get(told.name, f"addr:{told.address}"),
            0,
            told.from_block,
            told.to_block,
            told.address,
            told.amount,
            told.amount,
            0,
            0,
            "",
            0,
            "",
            prices.at(conn, settings.currency, told.at, settings.price_max_age_s),
            told_by=told.source,
        )
        for told in old_payments.between(conn, first, last)
    ]


def _blocks(paid_for: claims.ClaimedRange | None) -> tuple[int, int]:
    """The first and the last block that a batch pays for; the last before the first where it pays held balances."""
    return (0, -1) if paid_for is None else (paid_for.from_block, paid_for.to_block)


def of(engine: sa.Engine, settings: ReportSettings, whom: str, first: datetime, last: datetime) -> Statement:
    """The statement of one user or address; empty where nothing was paid. Raises BadInput where there is nobody."""
    with reading(engine) as conn:
        person = balances.person_of(conn, whom)
        names = {term.person: term.name for term in people.terms(conn).users}
    statement = next(
        (candidate for candidate in every(engine, settings, first, last) if candidate.person == person), None
    )
    name = policies.whom_of(person, names)
    return statement or Statement(name, person, first, last, settings.currency, (), 0)


def write_table(path: Path, statements: Sequence[Statement]) -> int:
    """The payments of statements in one file, oldest first; how many. The name's ending tells its format.

    Raises BadInput where it cannot be written.
    """
    payments = sorted(
        (payment for made in statements for payment in made.payments), key=lambda payment: (payment.at, payment.name)
    )
    return write.table(path, COLUMNS, rows_of(payments))
