"""Statements: what each person was paid in a period, with the value in money at the time of each payment."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain.prices import Price
from valtrac.domain.statements import COLUMNS, Payment, Statement, csv_rows
from valtrac.domain.text import plain
from valtrac.errors import BadInput
from valtrac.services import policies
from valtrac.store import ledger, people, prices
from valtrac.store.engine import reading


def every(engine: sa.Engine, settings: Settings, first: datetime, last: datetime) -> list[Statement]:
    """A statement for everyone who was paid with first <= time < last or has a balance, by name."""
    with reading(engine) as conn:
        names = {term.person: term.name for term in people.terms(conn).users}
        rows, held = ledger.payments(conn, first, last), ledger.held(conn)
        known: dict[datetime, Price | None] = {}
        for at in {row["at"] for row in rows}:
            known[at] = prices.at(conn, settings.currency, at, settings.price_max_age_s)
    payments: dict[str, list[Payment]] = {}
    for row in rows:
        payments.setdefault(row["person"], []).append(
            Payment(
                row["at"],
                row["user"],
                row["person"],
                row["batch"],
                row["from_block"],
                row["to_block"],
                row["address"],
                row["amount_rao"],
                row["from_pool_rao"],
                row["released_rao"],
                row["fee_share_rao"],
                row["tx_id"],
                row["block"],
                row["receipt"],
                known[row["at"]],
            )
        )
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
        key=lambda one: one.name,
    )


def of(engine: sa.Engine, settings: Settings, whom: str, first: datetime, last: datetime) -> Statement:
    """The statement of one user or address; empty where nothing was paid. Raises BadInput where there is nobody."""
    with reading(engine) as conn:
        person = policies.account(conn, whom)
        names = {term.person: term.name for term in people.terms(conn).users}
    found = next((one for one in every(engine, settings, first, last) if one.person == person), None)
    name = policies.whom_of(person, names)
    return found or Statement(name, person, first, last, settings.currency, (), 0)


def write_csv(path: Path, statements: Sequence[Statement]) -> int:
    """The payments of statements in one file, oldest first; how many. Raises BadInput where it cannot be written."""
    payments = sorted((one for each in statements for one in each.payments), key=lambda one: (one.at, one.name))
    with _written(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows(csv_rows(payments))
    return len(payments)


def write_text(path: Path, text: str) -> None:
    """A page. Raises BadInput where the file cannot be written."""
    with _written(path) as file:
        file.write(text)


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """A file that only its owner can read, and that replaces the old one when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(
            part, "w", encoding="utf-8", newline="", opener=lambda name, flags: os.open(name, flags, 0o600)
        ) as file:
            yield file
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise BadInput(f"{plain(path)} cannot be written", plain(error.strerror), "name another folder") from error
