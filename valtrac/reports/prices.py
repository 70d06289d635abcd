"""Prices: asked for, entered, imported, looked up. A price that is not known never stops anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.money import decimal_text
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.ports import Prices
from valtrac.reports.model import price_sheets
from valtrac.reports.model.prices import Price, Unknown, agreed, check_past, parse_price, span_text, usable
from valtrac.reports.settings import ReportSettings
from valtrac.reports.store import prices as stored
from valtrac.tables import read, write

MANUAL = "manual"
LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Imported:
    """How many prices were new, and how many were stored already just so."""

    new: int
    known: int


def refresh(engine: sa.Engine, source: Prices, at: datetime | None = None) -> Price | Unknown:
    """Ask the exchanges, write down the median of what they say as the price of `at` (None: of now), return it.

    Unknown, with a reason for each exchange, when none of them has a price that counts; then nothing is written.
    """
    answers = source.quotes()
    now = _now()
    asked = f"asked at {now:%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""
    price = agreed(usable(answers, now, source.stale_s), at or now, source.currency, asked)
    if isinstance(price, Price):
        with writing(engine) as conn:
            stored.add(conn, [price])
    return price


def note(engine: sa.Engine, source: Prices, at: datetime) -> str:
    """Give a snapshot or a payout the price of its time; the words for the log say what came of it.

    at: when that was. Nobody is asked where the price of just that moment is written down already, nor where it
    lies further back than a price may be old (a rehearsal chain apart): the price of now is not the price of then.
    No words where no exchange is set. Never raises: a price is worth less than what it is noted beside.
    """
    try:
        with reading(engine) as conn:
            if stored.exactly(conn, source.currency, [at]):
                return ""
        lag_s = abs((_now() - at).total_seconds())
        if lag_s > source.stale_s and not source.any_time:
            return f"price unknown: {span_text(lag_s)} from now, and exchanges tell the price of now; see price enter"
        price = refresh(engine, source, at)
    except Exception as error:  # whatever it was, what this was called for is done and stays done
        return f"price unknown: {type(error).__name__}: {plain(error)}"
    if isinstance(price, Unknown):
        return f"price unknown: {plain('; '.join(price.reasons), 600)}" if price.reasons else ""
    return f"price {price} ({price.source})"


def enter(engine: sa.Engine, text: str, currency: str, *, at: datetime | None = None, words: str = "") -> Price:
    """Write down a price that the owner says. at: UTC; None: now. Of two for one time the later entry counts.

    Raises BadInput: no price, zero, absurdly large, of the future, too many words.
    """
    now = _now()
    moment = at or now
    check_past(moment, now, field="at")
    if len(words) > LONGEST_WORDS:
        raise BadInput(f"words: {len(words)} characters, {LONGEST_WORDS} are allowed", fix="shorten them")
    price = Price(moment, currency, parse_price(text, field="price"), MANUAL, plain(words, LONGEST_WORDS))
    with writing(engine) as conn:
        stored.add(conn, [price])
    return price


def import_file(engine: sa.Engine, path: Path, currency: str) -> Imported:
    """Store the prices of a sheet (Date,Price), all or nothing; those that stand there already are passed over.

    Raises BadInput naming each bad row, its column and the fix; then nothing is stored.
    """
    source = plain(path.name)
    sheet = price_sheets.parse(read.records(path), source, _now())
    if sheet.problems:
        words = "a row cannot be used" if len(sheet.problems) == 1 else f"{len(sheet.problems)} rows cannot be used"
        raise BadInput(
            f"{source}: {words}",
            why="nothing was imported",
            fix="mend the rows and import the file again",
            problems=[str(problem) for problem in sorted(sheet.problems, key=lambda problem: problem.line)],
        )
    wanted = {row.at: row.price_nano for row in sheet.rows}
    with writing(engine) as conn:
        known = stored.exactly(conn, currency, wanted)
        fresh = [moment for moment, nano in wanted.items() if moment not in known or known[moment].price_nano != nano]
        stored.add(
            conn, [Price(moment, currency, wanted[moment], MANUAL, f"imported from {source}") for moment in fresh]
        )
    return Imported(len(fresh), len(wanted) - len(fresh))


def known(engine: sa.Engine, settings: ReportSettings, at: datetime | None = None) -> Price | None:
    """The price of a snapshot or a payment at its time (None: now); None: unknown, never a zero."""
    with reading(engine) as conn:
        return stored.at(conn, settings.currency, at or _now(), settings.price_max_age_s)


def listed(engine: sa.Engine, currency: str, last: int) -> list[Price]:
    """The newest prices by their time, the newest first; of two for one time the first is the one that counts."""
    with reading(engine) as conn:
        return stored.latest(conn, currency, last)


def export(path: Path, listed: Sequence[Price]) -> int:
    """Write prices as a table, in the format of the name's ending; return how many.

    Date and Price stand as an import reads them. Raises BadInput where it cannot be written.
    """
    rows = [
        (
            price.at.astimezone(UTC).isoformat(sep=" ").replace("+00:00", "Z"),
            Decimal(decimal_text(price.price_nano, 9)),
            price.currency,
            price.source,
            price.words,
        )
        for price in listed
    ]
    return write.table(path, ("Date", "Price", "Currency", "Source", "Words"), rows)


def between(engine: sa.Engine, currency: str, first: datetime, last: datetime) -> list[Price]:
    """One price for each time with first <= time <= last, the oldest first: the points of a chart."""
    with reading(engine) as conn:
        return stored.between(conn, currency, first, last)


def _now() -> datetime:
    """The time as it is stored: to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
