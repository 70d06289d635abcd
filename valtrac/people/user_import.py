"""Importing users from a sheet: first a preview, then exactly what it showed, or nothing.

Appending merges: addresses that a known user does not have yet come after its own, and its payout
address stays. Replacing takes the sheet for the whole user base: who is missing in it ends, so does a
missing address, and order and payout address (the first) are as in the sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.people.model import user_json, user_sheet
from valtrac.people.model.user_sheet import Row, Sheet
from valtrac.people.register import (
    Blocks,
    Ending,
    Register,
    address_start,
    blocks,
    changing,
    check_new_name,
    close,
    ending,
    last_end,
    register,
    user_start,
)
from valtrac.people.store import people
from valtrac.people.users import paid_first
from valtrac.tables import read
from valtrac.tables.records import Problem


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user who begins at a block; returns: the same person took part before."""

    name: str
    block: int
    returns: bool


@dataclass(frozen=True, slots=True)
class AddressChange:
    """An address that begins to be a user's at a block, or ends to."""

    user: str
    address: str
    block: int


@dataclass(frozen=True, slots=True)
class PayoutChange:
    """Where a user is paid from a block on; None: nowhere."""

    user: str
    old: str | None
    new: str | None
    block: int


@dataclass(frozen=True, slots=True)
class KeptPayout:
    """A user who goes on being paid elsewhere than at the first address of the sheet."""

    user: str
    paid: str
    first: str

    def __str__(self) -> str:
        return (
            f"{plain(self.user)}: the sheet's first address is {self.first}, but {plain(self.user)} is paid at "
            f"{self.paid}, and that stays; to change it: run.py users edit {quote(plain(self.user))} "
            f"--payout {self.first}"
        )


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What importing a sheet would change. orders: (user, its addresses in the new order); kept_payouts: what it does
    not change though it looks so."""

    path: Path
    replace: bool
    new_users: tuple[NewUser, ...]
    ended_users: tuple[Ending, ...]
    added: tuple[AddressChange, ...]
    ended: tuple[AddressChange, ...]
    payouts: tuple[PayoutChange, ...]
    orders: tuple[tuple[str, tuple[str, ...]], ...]
    unchanged: int
    kept_payouts: tuple[KeptPayout, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the import would change anything."""
        return any((self.new_users, self.ended_users, self.added, self.ended, self.payouts, self.orders))

    @property
    def lines(self) -> list[str]:
        """The same in words, one change per line, safe to show."""
        paid = {change.user for change in self.payouts}
        said = [
            f"{plain(user.name)}: {'returns' if user.returns else 'new user'}, from block {user.block}"
            + ("" if user.name in paid else "; no address yet")
            for user in self.new_users
        ]
        said += [str(ended) for ended in self.ended_users]
        said += [
            f"{plain(change.user)}: address {change.address} added, from block {change.block}" for change in self.added
        ]
        said += [
            f"{plain(change.user)}: address {change.address} ended, from block {change.block}" for change in self.ended
        ]
        said += [
            f"{plain(change.user)}: paid at {change.new or 'no address'}"
            + (f" instead of {change.old}" if change.old else "")
            + f", from block {change.block}"
            for change in self.payouts
        ]
        said += [f"{plain(user)}: addresses in another order" for user, _ in self.orders]
        return [*said, *map(str, self.kept_payouts), f"unchanged users: {self.unchanged}"]


def preview_import(engine: sa.Engine, path: Path, *, replace: bool = False) -> ImportPreview:
    """What importing the sheet would change; changes nothing.

    Raises BadInput: the file cannot be read or used, or, with every finding in `problems`, rows are wrong.
    """
    path = Path(path)
    sheet = _read(path)
    with reading(engine) as conn:
        return _preview(conn, path, sheet, replace=replace)


def apply_import(engine: sa.Engine, preview: ImportPreview) -> ImportPreview:
    """Do what a preview showed, in one transaction; return it.

    Sheet and database are read again. Raises Refused when the outcome would not be the one that was
    shown, because either has changed, and BadInput as the preview does; nothing is changed then.
    """
    sheet = _read(preview.path)
    with changing(engine, None) as (conn, *_):
        if _preview(conn, preview.path, sheet, replace=preview.replace) != preview:
            raise Refused(
                "the import would change something else than what was shown",
                why="users, snapshots, payouts or the sheet have changed since",
                fix="look at the preview once more",
            )
        _write(conn, preview)
    return preview


def names_in(path: Path) -> list[str]:
    """The names of a sheet's users, of the rows that can be used. Raises BadInput as the preview does for files."""
    return [row.name for row in _read(path).rows]


def _read(path: Path) -> Sheet:
    """The sheet in a file. Raises BadInput where the file cannot be read or used as a whole."""
    if path.suffix.lower() == ".json":  # ValTrac's own user_data.json
        return user_sheet.parse(user_json.records(read.whole(path), plain(path.name)), plain(path.name))
    return user_sheet.parse(read.records(path), plain(path.name))


@dataclass(slots=True)
class _Draft:
    """An import while it is being decided."""

    known: Register
    bound: Blocks
    replace: bool
    paid_until: Mapping[str, int]
    freed: dict[str, int] = field(default_factory=dict)
    new_users: list[NewUser] = field(default_factory=list)
    ended_users: list[Ending] = field(default_factory=list)
    added: list[AddressChange] = field(default_factory=list)
    ended: list[AddressChange] = field(default_factory=list)
    payouts: list[PayoutChange] = field(default_factory=list)
    orders: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    kept_payouts: list[KeptPayout] = field(default_factory=list)
    unchanged: int = 0


def _preview(conn: sa.Connection, path: Path, sheet: Sheet, *, replace: bool) -> ImportPreview:
    terms, bound = people.terms(conn), blocks(conn)
    paid_until: dict[str, int] = {}
    for term in terms.payouts:
        paid_until[term.user] = max(paid_until.get(term.user, 0), last_end([term.span]))
    draft = _Draft(register(terms), bound, replace, paid_until, problems=list(sheet.problems))
    if replace:
        _end_what_is_missing(draft, sheet.rows)
    for row in sheet.rows:
        _merge(draft, row)
    if draft.problems:
        _raise(draft.problems, plain(path.name))
    return ImportPreview(
        path,
        replace,
        tuple(draft.new_users),
        tuple(draft.ended_users),
        tuple(draft.added),
        tuple(draft.ended),
        tuple(draft.payouts),
        tuple(draft.orders),
        draft.unchanged,
        tuple(draft.kept_payouts),
    )


def _end_what_is_missing(draft: _Draft, rows: Sequence[Row]) -> None:
    """Users and addresses that the sheet, being the whole user base, does not have any more."""
    known, block = draft.known, draft.bound.change
    wanted = {row.name: set(row.addresses) for row in rows}
    for name in sorted(filter(known.takes_part, known.users)):
        if name not in wanted:
            draft.ended_users.append(ending(known, name, block))
        for address in known.addresses.get(name, ()):
            if address not in wanted.get(name, ()):
                draft.freed[address] = block
                if name in wanted:
                    draft.ended.append(AddressChange(name, address, block))


def _merge(draft: _Draft, row: Row) -> None:
    """What one row changes, or its problems."""
    known, name = draft.known, row.name
    try:
        check_new_name(known, name)
    except BadInput as error:
        draft.problems.append(Problem(row.line, "Name", _one_line(error), error.fix))
        return
    if not known.takes_part(name):
        draft.new_users.append(NewUser(name, user_start(known, draft.bound, name), name in known.ever))
        since = draft.new_users[-1].block
    else:
        since = known.users[name].span.from_block
    before = known.addresses.get(name, ())
    starts: dict[str, int] = {}
    for column, address in zip(row.columns, row.addresses, strict=True):
        if address not in before:
            try:
                starts[address] = address_start(known, draft.bound, name, address, floor=since, freed_at=draft.freed)
            except BadInput as error:
                draft.problems.append(Problem(row.line, column, _one_line(error), error.fix))
    draft.added += [AddressChange(name, address, block) for address, block in starts.items()]
    kept = [address for address in before if address not in draft.freed]
    if not any([_move(draft, row, kept, starts), starts, len(kept) < len(before), not known.takes_part(name)]):
        draft.unchanged += 1


def _move(draft: _Draft, row: Row, kept: Sequence[str], starts: Mapping[str, int]) -> bool:
    """Order and payout address after the import; whether either changes."""
    name, old = row.name, draft.known.payouts.get(row.name)
    after = row.addresses if draft.replace else (*kept, *starts)
    new = old if old is not None and not draft.replace else next(iter(after), None)
    if old is not None and new == old and row.addresses and row.addresses[0] != old:
        draft.kept_payouts.append(KeptPayout(name, old, row.addresses[0]))
    if old != new:
        begins = draft.bound.change if old is not None else draft.paid_until.get(name, 0)
        owned = starts.get(new or "", draft.known.since.get((name, new or ""), 0))
        draft.payouts.append(PayoutChange(name, old, new, max(begins, owned)))
    # both the stored order and the one that an export writes are the order that it has
    moved = after not in ((*kept, *starts), (*paid_first(kept, old), *starts))
    if moved:
        draft.orders.append((name, after))
    return old != new or moved


def _one_line(error: BadInput) -> str:
    return f"{error.what} ({error.why})" if error.why else error.what


def _raise(problems: Sequence[Problem], source: str) -> None:
    named = [str(problem) for problem in sorted(problems, key=lambda problem: problem.line)]
    what = f"{source}: {named[0]}" if len(named) == 1 else f"{source} has {len(named)} problems; the first: {named[0]}"
    raise BadInput(
        what, why="one wrong row and nothing is imported", fix="mend the sheet and import it again", problems=named
    )


def _write(conn: sa.Connection, preview: ImportPreview) -> None:
    """Ends first, so that an address is free before it begins to be another's."""
    if preview.ended_users:
        close(conn, {ended.name: ended.block for ended in preview.ended_users})
    people.end_addresses(conn, {(change.user, change.address): change.block for change in preview.ended})
    people.end_payouts(conn, {change.user: change.block for change in preview.payouts if change.old is not None})
    people.begin_users(conn, {user.name: user.block for user in preview.new_users})
    people.begin_addresses(conn, {(change.user, change.address): change.block for change in preview.added})
    people.begin_payouts(
        conn, {(change.user, change.new): change.block for change in preview.payouts if change.new is not None}
    )
    people.place(conn, dict(preview.orders))
