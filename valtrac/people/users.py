"""Users: who takes part, under which addresses, and where each is paid.

Every change is one transaction, all of it or nothing. Where no block is given, a new user and an
address that nobody had yet hold from the first unpaid block (people are usually entered after the
snapshots began); changes, ends, and an address that someone had before, from the block after the last
snapshot. A block that is paid already is Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.people.model import user_sheet
from valtrac.people.model.terms import AddressTerm, PayoutTerm, RateTerm, ReferralTerm, Terms
from valtrac.people.register import (
    Ending,
    Register,
    address_start,
    blocks,
    changing,
    check_new_name,
    close,
    current,
    ending,
    last_end,
    named,
    register,
    start,
    user_start,
)
from valtrac.people.store import people
from valtrac.tables import write

Term = TypeVar("Term", AddressTerm, PayoutTerm, ReferralTerm, RateTerm)


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as it stands once every change entered is in force; an ended one as it was at its end.

    addresses: in the user's order. payout: the one that is paid, None without any. since, until: of its
    latest time of taking part. referrer_rate_bps: what the referrer takes of it. rate_bps: what it takes
    itself, of each of its `referees` that has no rate of its own.
    """

    name: str
    addresses: tuple[str, ...]
    payout: str | None
    since: int
    until: int | None
    referrer: str | None
    referrer_rate_bps: int | None
    rate_bps: int | None
    referees: int


# -- looking ---------------------------------------------------------------------------------


def list_users(engine: sa.Engine, *, ended: bool = False) -> list[UserView]:
    """The users by name; with `ended`, also those who take no part any more."""
    with reading(engine) as conn:
        terms, bound = people.terms(conn), blocks(conn)
    views = _views(terms)
    return [
        view for view in views if ended or view.until is None or (view.since < view.until and view.until > bound.change)
    ]


def get(engine: sa.Engine, name: str) -> UserView:
    """One user, ended or not. Raises BadInput when there is none of that name."""
    with reading(engine) as conn:
        terms = people.terms(conn)
    return _view(terms, named(register(terms), name))


def export(engine: sa.Engine, path: Path) -> int:
    """Write everyone who takes part as a sheet, the payout address first; return how many they are.

    Its format is told by the ending of the name. Importing the sheet changes nothing. Raises BadInput where it cannot
    be written; a folder that is missing is not made.
    """
    users = [view for view in list_users(engine) if view.until is None]
    header, rows = user_sheet.table([(view.name, paid_first(view.addresses, view.payout)) for view in users])
    return write.table(Path(path), header, rows, make_folder=False)


def paid_first(addresses: Sequence[str], payout: str | None) -> tuple[str, ...]:
    """The addresses as a sheet lists them: the payout address, then the others in their order."""
    return tuple(sorted(addresses, key=lambda address: address != payout))


# -- changing --------------------------------------------------------------------------------


def add(engine: sa.Engine, name: str, addresses: Sequence[str], *, from_block: int | None = None) -> UserView:
    """Add a user with any number of addresses; the first is where it is paid.

    A name that was ended is the same person again, who starts clean. Raises BadInput: the name is
    known or cannot be used, an address is wrong or someone's. Refused: the block is paid already.
    """
    name, wanted = _clean_name(name), _clean_addresses(addresses)
    with changing(engine, from_block) as (conn, _, known, bound):
        if known.takes_part(name):
            raise BadInput(
                f"there is a user {plain(name)!r} already", fix="add addresses to it, or choose another name"
            )
        check_new_name(known, name)
        since = user_start(known, bound, name, from_block)
        starts = {
            (name, address): address_start(known, bound, name, address, floor=since, from_block=from_block)
            for address in wanted
        }
        people.begin_users(conn, {name: since})
        people.begin_addresses(conn, starts)
        people.begin_payouts(conn, {key: block for key, block in starts.items() if key[1] == wanted[0]})
        return _view(people.terms(conn), name)


def rename(engine: sa.Engine, name: str, new_name: str) -> UserView:
    """Give a user another name; balance, terms and history stay the same person's.

    Raises BadInput: nobody of that name, or the new one is taken or cannot be used.
    """
    new = _clean_name(new_name)
    with changing(engine, None) as (conn, _, known, _bound):
        old = named(known, name)
        other = known.folded.get(new.casefold())
        if new == old:
            raise BadInput(f"{plain(old)!r} is the user's name already", fix="choose another name")
        if other not in (None, old):
            raise BadInput(
                f"there is a user {plain(other)!r} already",
                why=_why_taken(known, str(other), new),
                fix="choose another name",
            )
        people.rename(conn, old, new)
        return _view(people.terms(conn), new)


def end(engine: sa.Engine, name: str, *, from_block: int | None = None) -> Ending:
    """End a user: from the block on it takes no part; what it earned before stays its own.

    Its addresses, its payout address, its rates, its own referral and those of its referees end at the
    same block, so that adding it again starts clean and the referees have no referrer. The returned
    summary names them. Raises BadInput: no such user. Refused: the block is paid already.
    """
    with changing(engine, from_block) as (conn, _, known, bound):
        name = current(known, name)
        ended = ending(known, name, start(from_block, bound.change))
        close(conn, {name: ended.block})
        return ended


def payout_since(engine: sa.Engine, name: str) -> int | None:
    """From which block on a user's newest payout address holds; None without one."""
    with reading(engine) as conn:
        rows = [term for term in people.terms(conn).payouts if term.user == name and term.span.until_block is None]
    return rows[0].span.from_block if rows else None


def add_address(engine: sa.Engine, name: str, address: str, *, from_block: int | None = None) -> UserView:
    """Give a user one more address, after those it has; a user without any is paid there.

    Raises BadInput: no such user, or the address is wrong or someone's. Refused: the block is paid already.
    """
    (address,) = _clean_addresses([address])
    with changing(engine, from_block) as (conn, terms, known, bound):
        name = current(known, name)
        block = address_start(
            known, bound, name, address, floor=known.users[name].span.from_block, from_block=from_block
        )
        people.begin_addresses(conn, {(name, address): block})
        if name not in known.payouts:
            paid_until = last_end(term.span for term in terms.payouts if term.user == name)
            people.begin_payouts(conn, {(name, address): max(block, paid_until)})
        return _view(people.terms(conn), name)


def end_address(engine: sa.Engine, name: str, address: str, *, from_block: int | None = None) -> UserView:
    """Take an address from a user. Was it where the user is paid, the next in order follows.

    The last one may be ended too: what the user earns from then on is held. Raises BadInput: no such
    user, or not its address. Refused: the block is paid already.
    """
    with changing(engine, from_block) as (conn, _, known, bound):
        name = current(known, name)
        address = _own(known, name, address)
        block = start(from_block, bound.change)
        people.end_addresses(conn, {(name, address): block})
        if known.payouts.get(name) == address:
            people.end_payouts(conn, {name: block})
            following = next((other for other in known.addresses[name] if other != address), None)
            if following is not None:
                people.begin_payouts(conn, {(name, following): max(block, known.since[name, following])})
        return _view(people.terms(conn), name)


def set_payout(engine: sa.Engine, name: str, address: str, *, from_block: int | None = None) -> UserView:
    """Pay a user at another of its addresses; their order stays.

    Raises BadInput: no such user, not its address, or not yet at that block. Refused: the block is paid already.
    """
    with changing(engine, from_block) as (conn, _, known, bound):
        name = current(known, name)
        address = _own(known, name, address)
        since = known.since[name, address]
        block = start(from_block, bound.change, floor=since, why=f"{address} is {plain(name)}'s from block {since} on")
        if known.payouts.get(name) != address or from_block is not None:
            people.end_payouts(conn, {name: block})
            people.begin_payouts(conn, {(name, address): block})
        return _view(people.terms(conn), name)


def reorder(engine: sa.Engine, name: str, addresses: Sequence[str]) -> UserView:
    """Put a user's addresses into another order; where it is paid stays as it is.

    The order says which address follows when the payout address ends; it has no block. Raises BadInput
    unless the addresses are exactly those that the user has.
    """
    wanted = _clean_addresses(addresses)
    with changing(engine, None) as (conn, _, known, _bound):
        name = current(known, name)
        has = known.addresses.get(name, ())
        if sorted(wanted) != sorted(has):
            other = [f"{address} is missing" for address in has if address not in wanted]
            other += [f"{address} is not {plain(name)}'s" for address in wanted if address not in has]
            raise BadInput(
                f"the order must name each address of {plain(name)!r} once",
                why="; ".join(other),
                fix="name all of them; add or end addresses apart from this",
                problems=other,
            )
        people.place(conn, {name: wanted})
        return _view(people.terms(conn), name)


def _clean_name(text: str) -> str:
    """A new name as it is stored. Raises BadInput."""
    try:
        return user_sheet.clean_name(text)
    except user_sheet.BadCell as error:
        raise BadInput(f"name: {error.reason}", fix=error.fix) from error


def _clean_addresses(addresses: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for text in addresses:
        try:
            address = user_sheet.clean_address(text)
        except user_sheet.BadCell as error:
            raise BadInput(f"address: {error.reason}", fix=error.fix) from error
        if address in names:
            raise BadInput(f"{address} is written twice", fix="write it once")
        names.append(address)
    return tuple(names)


def _own(known: Register, name: str, address: str) -> str:
    address = address.strip()
    if address not in known.addresses.get(name, ()):
        owner = known.owner_of(address)
        has = known.addresses.get(name)
        raise BadInput(
            f"{plain(address, 60)} is no address of {plain(name)!r}",
            why=f"it is {plain(owner)}'s" if owner else "it is nobody's",
            fix=f"take one of {', '.join(has)}" if has else "add an address first",
        )
    return address


def _why_taken(known: Register, other: str, new: str) -> str:
    if other != new:
        return "the two would differ by capitals only"
    return "" if known.takes_part(other) else "it was ended, and what it earned stays its own"


def _view(terms: Terms, name: str) -> UserView:
    return next(view for view in _views(terms) if view.name == name)


def _views(terms: Terms) -> list[UserView]:
    """Every user, by name."""
    addresses = _grouped(terms.addresses, lambda term: term.user)
    payouts = _grouped(terms.payouts, lambda term: term.user)
    referrals = _grouped(terms.referrals, lambda term: term.referee)
    referees = _grouped(terms.referrals, lambda term: term.referrer)
    rates = _grouped(terms.rates, lambda term: (term.referrer, term.referee))
    views = []
    for name, span in sorted((name, term.span) for name, term in register(terms).users.items()):
        end = span.until_block
        referrer = next((term.referrer for term in _kept(referrals, name, end)), None)
        taken = [*_kept(rates, (referrer, name), end), *_kept(rates, (referrer, None), end)] if referrer else []
        views.append(
            UserView(
                name,
                tuple(term.address for term in _kept(addresses, name, end)),
                next((term.address for term in _kept(payouts, name, end)), None),
                span.from_block,
                end,
                referrer,
                taken[0].rate_bps if taken else None,
                next((term.rate_bps for term in _kept(rates, (name, None), end)), None),
                len(_kept(referees, name, end)),
            )
        )
    return views


def _grouped(terms: Iterable[Term], key: Callable[[Term], Hashable]) -> dict[Hashable, list[Term]]:
    terms_by_key: dict[Hashable, list[Term]] = {}
    for term in terms:
        terms_by_key.setdefault(key(term), []).append(term)
    return terms_by_key


def _kept(groups: Mapping[Hashable, list[Term]], key: Hashable, end: int | None) -> list[Term]:
    """The terms of a group that are open; for a user who ended, those in force just before its end."""
    return [
        term
        for term in groups.get(key, ())
        if (term.span.until_block is None if end is None else term.span.holds(end - 1))
    ]
