"""ValTrac's layers of referrals: read from its sheet, made into a tree, and how its own order would have paid. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from valtrac.core.text import plain
from valtrac.people.model.referrals import cascade
from valtrac.people.model.user_sheet import same_text
from valtrac.tables.records import Problem, Record

HEADER = ("Layer", "Referrer", "Tax")
FIX = "the first row is Layer,Referrer,Tax,Referee 1,Referee 2,..."
EACH = 10**30  # what everyone brings where two orders are compared: exact fractions would grow with every row
ALIKE = Fraction(1, 10**9)
_LABEL = re.compile(r"L(\d{1,4})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A row of `referral_layers.csv`. label: L1, L2, ...; tax_bps: what the referrer takes, in basis points."""

    line: int
    label: str
    referrer: str
    tax_bps: int
    referees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Referral:
    """What a row comes to here. own_rate: the rate holds for this referee alone, its referrer having another one."""

    line: int
    referrer: str
    referee: str
    rate_bps: int
    own_rate: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """rows: those that can be used. changed: what was taken otherwise than it was written; problems: the other rows."""

    rows: tuple[LayerRow, ...]
    changed: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The referrals of all layers. left_out: in words, each that has no place in a tree, and why."""

    referrals: tuple[Referral, ...]
    left_out: tuple[str, ...]


def parse(records: Iterable[Record | Problem], header: Record, source: str) -> Sheet:
    """The rows below the header. Names are written in one way (NFC); a tax is a fraction from 0 to 1."""
    rows, changed, problems = list[LayerRow](), list[str](), list[Problem]()
    names = ["".join(name.split()).casefold() for name in header.cells[:3]]
    if names != [name.casefold() for name in HEADER]:
        return Sheet((), (), (Problem(header.line, "", f"{source} does not begin with {', '.join(HEADER)}", FIX),))
    for record in records:
        if isinstance(record, Problem):
            problems.append(record)
            continue
        unclear = record.problems((*HEADER, *(f"Referee {n}" for n in range(1, len(record.cells)))))
        found = unclear or _row(record)
        if isinstance(found, LayerRow):
            rows.append(found)
            written = Decimal(record.cells[2])
            if written * 10_000 != found.tax_bps:
                changed.append(
                    f"row {record.line}: a tax of {plain(record.cells[2], 30)} is taken as "
                    f"{Decimal(found.tax_bps) / 10_000}, a whole number of hundredths of a percent"
                )
        else:
            problems += found
    return Sheet(tuple(rows), tuple(changed), tuple(problems))


def tree_of(rows: Sequence[LayerRow], users: Iterable[str]) -> Tree:
    """The tree that the layers make: each referee has one referrer, and nobody refers himself in the end.

    users: the names that take part. ValTrac passes over rows and referees of other names, and so does this.
    """
    known, referrals, left_out = set(users), list[Referral](), list[str]()
    tree: dict[str, tuple[str, int]] = {}
    general: dict[str, int] = {}
    first: dict[str, int] = {}
    for row in rows:
        if row.referrer not in known:
            left_out.append(f"row {row.line}: {plain(row.referrer)!r} is no user; ValTrac passes over it too")
            continue
        for referee in row.referees:
            why = _no_place(row, referee, known, tree, first)
            if why is None:
                rate = general.setdefault(row.referrer, row.tax_bps)
                tree[referee], first[referee] = (row.referrer, row.tax_bps), row.line
                own = row.tax_bps != rate
                referrals.append(Referral(row.line, row.referrer, referee, row.tax_bps, own))
            elif why:
                left_out.append(f"row {row.line}: {why}")
    return Tree(tuple(referrals), tuple(left_out))


def paid_otherwise(rows: Sequence[LayerRow], tree: Tree, users: Iterable[str]) -> list[str]:
    """Who ends with another part here than with ValTrac's order of layers, in words, when everyone brings the same.

    ValTrac sorts its layers as text, so that L10 comes before L2, and taxes within a layer row by row; here each
    referee is taxed after all of its own referees.
    """
    names = sorted(set(users))
    theirs = old_parts(rows, names)
    here = {referral.referee: (referral.referrer, referral.rate_bps) for referral in tree.referrals}
    ours, _ = cascade(dict.fromkeys(names, EACH), here)
    said = []
    for name in names:
        old, new = theirs[name], Fraction(ours.get(name, 0), EACH)
        if abs(old - new) > ALIKE:
            said.append(
                f"{plain(name)} ends with {_part(new)} of what it brings; in ValTrac's order it was {_part(old)}"
            )
    return said


def old_parts(rows: Sequence[LayerRow], users: Iterable[str]) -> dict[str, Fraction]:
    """What each ends with where everyone brings one, by ValTrac's own order, to thirty places.

    Source: ValTrac's payout by referral structure: the layers from the last to the first by their names as text, in a
    layer row by row, each referee's present part taxed and handed to the referrer.
    """
    parts = dict.fromkeys(users, EACH)
    for label in sorted({row.label for row in rows}, reverse=True):
        for row in rows:
            if row.label != label or row.referrer not in parts:
                continue
            for referee in row.referees:
                if referee in parts:
                    tax = parts[referee] * row.tax_bps // 10_000
                    parts[referee] -= tax
                    parts[row.referrer] += tax
    return {name: Fraction(part, EACH) for name, part in parts.items()}


def _row(record: Record) -> LayerRow | list[Problem]:
    cells, problems = record.cells, list[Problem]()
    if len(cells) < 3:
        return [Problem(record.line, "", "it has no layer, referrer and tax", FIX)]
    label = _LABEL.fullmatch(cells[0])
    if label is None:
        problems.append(Problem(record.line, "Layer", f"{plain(cells[0], 30)!r} is no layer", "write L1, L2, ..."))
    referrer = same_text(cells[1])
    if not referrer:
        problems.append(Problem(record.line, "Referrer", "there is no name", "write the referrer's name"))
    try:
        tax = Decimal(cells[2])
    except InvalidOperation:
        tax = Decimal("NaN")
    if not tax.is_finite() or not 0 <= tax <= 1:
        problems.append(
            Problem(record.line, "Tax", f"{plain(cells[2], 30)!r} is no fraction from 0 to 1", "write it like 0.25")
        )
    if problems or label is None:
        return problems
    referees = tuple(dict.fromkeys(filter(None, map(same_text, cells[3:]))))
    bps = int((tax * 10_000).to_integral_value())
    return LayerRow(record.line, f"L{int(label[1])}", referrer, bps, referees)


def _no_place(
    row: LayerRow, referee: str, known: set[str], tree: Mapping[str, tuple[str, int]], first: Mapping[str, int]
) -> str | None:
    """Why a referee has no place under a row's referrer; "" where it stands there already, None where it has one."""
    if referee not in known:
        return f"the referee {plain(referee)!r} is no user; ValTrac passes over it too"
    if referee in tree:
        if tree[referee] == (row.referrer, row.tax_bps):
            return ""
        return (
            f"{plain(referee)!r} is referred by {plain(tree[referee][0])!r} already (row {first[referee]}); a referee "
            "has one referrer and one rate here"
        )
    path = [referee, row.referrer]
    while path[-1] != referee and path[-1] in tree:
        path.append(tree[path[-1]][0])
    return f"that closes a circle: {' -> '.join(map(plain, reversed(path)))}" if path[-1] == referee else None


def _part(fraction: Fraction) -> str:
    return f"{float(fraction):.4f}"
