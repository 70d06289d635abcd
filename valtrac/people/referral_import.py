"""Importing referrals from a sheet: all of them or none, in a time that grows with the sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.money import bps_text, parse_bps
from valtrac.core.text import plain
from valtrac.people.model import referrals
from valtrac.people.model.terms import RateTerm, ReferralTerm, Span, Terms
from valtrac.people.register import Blocks, Register, changing, current, last_end, start
from valtrac.people.store import people
from valtrac.tables import read
from valtrac.tables.records import Problem, header_of

COLUMNS = ("referrer", "referee", "rate")
FIX = f"the first line must be: {','.join(COLUMNS)}"
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A referral of the sheet. line: as an editor counts it; rate_bps: None where it names none."""

    line: int
    referrer: str
    referee: str
    rate_bps: int | None


@dataclass(frozen=True, slots=True)
class Imported:
    """How many referrals were new, and how many were known already."""

    new: int
    known: int


def import_file(engine: sa.Engine, path: Path, *, from_block: int | None = None) -> Imported:
    """Add the referrals of a sheet with columns referrer, referee and, where a referrer has no rate yet, rate.

    Blocks and rates are those of adding one at a time. A referral that holds already is passed over.
    Raises BadInput naming every row that cannot be added, or the path of a circle; Refused where a block is paid
    already. Then nothing is stored.
    """
    return add_all(engine, _read(path), plain(path.name), from_block=from_block)


def add_all(engine: sa.Engine, rows: Sequence[Row], source: str, *, from_block: int | None = None) -> Imported:
    """Add rows of a sheet, as `import_file` does. source: its name, for errors."""
    with changing(engine, from_block) as (conn, terms, known, bound):
        problems: list[str] = []
        new, passed = _new(rows, terms, known, bound, from_block, problems)
        rates = _rates(rows, new, terms, problems)
        if problems:
            raise BadInput(
                f"{source}: {len(problems)} rows cannot be added",
                why="no referral was stored",
                fix="mend these rows and import the sheet again",
                problems=problems[:MOST_PROBLEMS],
            )
        _check_circles([*terms.referrals, *new.values()], [term.span.from_block for term in new.values()])
        people.begin_referrals(conn, new.values())
        people.begin_rates(conn, rates)
    return Imported(len(new), passed)


def _read(path: Path) -> list[Row]:
    records, source = read.records(path), plain(path.name)
    names = [name.lower() for name in header_of(records, source, FIX).cells]
    missing = [name for name in COLUMNS[:2] if names.count(name) != 1]
    if missing or names.count("rate") > 1:
        raise BadInput(f"{source} has no column {(*missing, 'rate')[0]}, or has it twice", fix=FIX)
    rows, problems = list[Row](), list[str]()
    for record in records:
        if isinstance(record, Problem):
            problems.append(str(record))
            continue
        cells = dict(zip(names, record.cells, strict=False))
        problems += map(str, record.problems(names, [names.index(name) for name in COLUMNS if name in names]))
        try:
            rate = parse_bps(cells["rate"], field="rate") if cells.get("rate") else None
            rows.append(Row(record.line, cells.get("referrer", ""), cells.get("referee", ""), rate))
        except BadInput as error:
            problems.append(f"row {record.line}: {error.what}; {error.fix}")
    if problems:
        raise BadInput(f"{source} cannot be used", fix="mend these rows", problems=problems[:MOST_PROBLEMS])
    if not rows:
        raise BadInput(f"{source} lists no referral", fix=FIX)
    return rows


def _new(
    rows: Iterable[Row], terms: Terms, known: Register, bound: Blocks, from_block: int | None, problems: list[str]
) -> tuple[dict[int, ReferralTerm], int]:
    """(place in the rows -> the referral that begins, of those that are new; how many are known)."""
    earlier: dict[str, list[Span]] = {}
    for term in terms.referrals:
        if not term.span.empty:
            earlier.setdefault(term.referee, []).append(term.span)
    new, line_of, passed = dict[int, ReferralTerm](), dict[str, int](), 0
    for place, row in enumerate(rows):
        try:
            referrer, referee = current(known, row.referrer), current(known, row.referee)
            present = known.referrers.get(referee)
            if present is not None and present.referrer == referrer:
                passed += 1
                continue
            if present is not None or referee in line_of:
                by = f"by {plain(present.referrer)!r} already" if present else f"in row {line_of[referee]} too"
                raise BadInput(f"{plain(referee)!r} is referred {by}", fix="a referee has one referrer")
            spans = earlier.get(referee, [])
            why = f"{plain(referee)!r} has a referrer until block {last_end(spans)}"
            block = start(from_block, bound.change if spans else bound.unpaid, floor=last_end(spans), why=why)
        except BadInput as error:
            problems.append(f"row {row.line}: {error.what}; {error.fix}")
            continue
        new[place], line_of[referee] = ReferralTerm(referee, referrer, Span(block)), row.line
    return new, passed


def _rates(rows: Iterable[Row], new: Mapping[int, ReferralTerm], terms: Terms, problems: list[str]) -> list[RateTerm]:
    """The rates that begin: of each referrer its own where it has one, else the one that its rows name."""
    spans, own = dict[str, list[Span]](), dict[str, int]()
    for term in terms.rates:
        if term.referee is None:
            spans.setdefault(term.referrer, []).append(term.span)
            if term.span.until_block is None:
                own[term.referrer] = term.rate_bps
    begins: dict[str, int] = {}
    for place, row in enumerate(rows):
        if place not in new:
            continue
        referrer, block = new[place].referrer, new[place].span.from_block
        rate = own.setdefault(referrer, row.rate_bps) if row.rate_bps is not None else own.get(referrer)
        if rate is None:
            problems.append(
                f"row {row.line}: rate is missing; {plain(referrer)!r} has none yet: give it in its first row"
            )
            continue
        if row.rate_bps not in (None, rate):
            said = bps_text(row.rate_bps or 0)
            problems.append(
                f"row {row.line}: {plain(referrer)!r} takes {bps_text(rate)}, not {said}; leave the rate away"
            )
            continue
        begins[referrer] = min(block, begins.get(referrer, block))
    return [
        RateTerm(referrer, None, own[referrer], gap)
        for referrer, block in begins.items()
        for gap in referrals.uncovered(spans.get(referrer, []), block)
    ]


def _check_circles(terms: list[ReferralTerm], begins: Iterable[int]) -> None:
    """Raise BadInput where somebody would refer himself in the end, at any block from the first that begins on."""
    first = min(begins, default=None)
    if first is None:
        return
    held = [term for term in terms if not term.span.empty]
    for block in sorted({max(first, term.span.from_block) for term in held}):
        try:
            referrals.depths({term.referee: (term.referrer, 0) for term in _at(held, block)})
        except referrals.ReferralCycle as circle:
            raise BadInput(
                f"this would close a circle: {' -> '.join(map(plain, circle.path))}",
                why=f"at block {block} each of them would be referred by the next",
                fix="take one referral on that path out first",
            ) from circle


def _at(terms: Iterable[ReferralTerm], block: int) -> Iterator[ReferralTerm]:
    return (term for term in terms if term.span.holds(block))
