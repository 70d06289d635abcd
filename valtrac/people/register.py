"""What every change of users and referrals shares: from which block it holds, and who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import writing
from valtrac.people.model.terms import AddressTerm, ReferralTerm, Span, Terms, UserTerm
from valtrac.people.model.user_sheet import same_text
from valtrac.people.store import people
from valtrac.snapshots.store import bounds

T = TypeVar("T")
LAST_BLOCK = 2**32 - 1  # block numbers of the chain have 32 bits


@dataclass(frozen=True, slots=True)
class Blocks:
    """unpaid: the first block that no payout covers. change: where a change begins unless told otherwise."""

    unpaid: int
    change: int


def blocks(conn: sa.Connection) -> Blocks:
    """The block after what was paid, and the block after what is known, which is never below it."""
    unpaid = bounds.first_unpaid(conn)
    return Blocks(unpaid, max(unpaid, bounds.after_last_snapshot(conn)))


def check_block(from_block: int | None, bound: Blocks) -> None:
    """Whether the owner may let something begin there. None, for the default, always may.

    Raises BadInput: negative or beyond the chain's numbers. Refused: it was paid already.
    """
    if from_block is None:
        return
    if type(from_block) is not int or not 0 <= from_block <= LAST_BLOCK:
        raise BadInput(
            f"from block: {plain(from_block, 40)} is no block number",
            why=f"blocks are counted from 0 to {LAST_BLOCK}",
            fix=f"take block {bound.unpaid} or a later one",
        )
    if from_block < bound.unpaid:
        raise Refused(
            f"block {from_block} is paid already; the first unpaid block is {bound.unpaid}",
            why="the past that was paid is never rewritten",
            fix=f"take block {bound.unpaid} or a later one",
        )


def start(from_block: int | None, default: int, *, floor: int = 0, why: str = "") -> int:
    """Where a term begins: the wanted block, else the default, raised to `floor`.

    Raises BadInput, with `why`, where the wanted block lies below `floor`.
    """
    if from_block is None:
        return max(default, floor)
    if from_block < floor:
        raise BadInput(f"block {from_block} is too early", why=why, fix=f"take block {floor} or a later one")
    return from_block


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends together with a user, all at the same block."""

    name: str
    block: int
    addresses: tuple[str, ...]
    referrer: str | None
    referees: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{plain(self.name)} ends, from block {self.block}"]
        if self.addresses:
            said.append(f"with {len(self.addresses)} address{'es' if len(self.addresses) > 1 else ''}")
        if self.referrer is not None:
            said.append(f"no longer referred by {plain(self.referrer)}")
        if self.referees:
            said.append(f"{', '.join(map(plain, self.referees))} then without referrer")
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Register:
    """The terms, looked up by name; addresses, payouts, referrers: what is open, that is, without an end.

    users: name -> its latest term. folded: the name without capitals -> the name. ever: who took part
    at some block. held: address -> the terms in which someone had it. referees: referrer -> referees.
    """

    users: Mapping[str, UserTerm]
    folded: Mapping[str, str]
    ever: frozenset[str]
    addresses: Mapping[str, tuple[str, ...]]
    payouts: Mapping[str, str]
    held: Mapping[str, tuple[AddressTerm, ...]]
    referrers: Mapping[str, ReferralTerm]
    referees: Mapping[str, tuple[str, ...]]
    since: Mapping[tuple[str, str], int]

    def takes_part(self, name: str) -> bool:
        """Whether the user is known and has not ended."""
        return name in self.users and self.users[name].span.until_block is None

    def owner_of(self, address: str) -> str | None:
        """Whose the address is, without an end; None: nobody's."""
        return next((term.user for term in self.held.get(address, ()) if term.span.until_block is None), None)


def register(terms: Terms) -> Register:
    """The terms, looked up by name."""
    addresses: dict[str, list[str]] = {}
    held: dict[str, list[AddressTerm]] = {}
    referees: dict[str, list[str]] = {}
    for term in terms.addresses:
        if not term.span.empty:
            held.setdefault(term.address, []).append(term)
        if term.span.until_block is None:
            addresses.setdefault(term.user, []).append(term.address)
    referrers = {term.referee: term for term in terms.referrals if term.span.until_block is None}
    for referee in sorted(referrers):
        referees.setdefault(referrers[referee].referrer, []).append(referee)
    return Register(
        users=_latest(terms.users),
        folded={term.name.casefold(): term.name for term in terms.users},
        ever=frozenset(term.name for term in terms.users if not term.span.empty),
        addresses=_tuples(addresses),
        payouts={term.user: term.address for term in terms.payouts if term.span.until_block is None},
        held=_tuples(held),
        referrers=referrers,
        referees=_tuples(referees),
        since={
            (term.user, term.address): term.span.from_block for term in terms.addresses if term.span.until_block is None
        },
    )


def named(known: Register, text: str) -> str:
    """The name of a user, ended or not. Raises BadInput with the nearest name when there is none."""
    name = same_text(text)
    if name in known.users:
        return name
    near = known.folded.get(name.casefold()) or next(iter(get_close_matches(name, known.users, 1)), None)
    raise BadInput(
        f"there is no user {plain(name, 60)!r}",
        why="names are told apart by their capitals too",
        fix=f"did you mean {plain(near)!r}?" if near else "list them: run.py users list",
    )


def current(known: Register, text: str) -> str:
    """The name of a user who has not ended. Raises BadInput otherwise."""
    name = named(known, text)
    span = known.users[name].span
    if span.until_block is not None:
        raise BadInput(
            f"{plain(name)!r} takes part until block {span.until_block} only",
            why="the user was ended",
            fix=f"add {plain(name)!r} again first",
        )
    return name


def check_new_name(known: Register, name: str) -> None:
    """Raises BadInput when a user is called the same apart from capitals."""
    other = known.folded.get(name.casefold())
    if other not in (None, name):
        raise BadInput(
            f"{plain(name)!r} differs from the user {plain(other)!r} by capitals only",
            why="the two would be mixed up",
            fix=f"write {plain(other)!r}, or choose another name",
        )


def user_start(known: Register, bound: Blocks, name: str, from_block: int | None = None) -> int:
    """From which block a user who does not take part does. Raises BadInput before its last end."""
    if name not in known.ever:
        return start(from_block, bound.unpaid)
    until = known.users[name].span.until_block or 0
    return start(from_block, bound.change, floor=until, why=f"{plain(name)!r} takes part until block {until} already")


def address_start(
    known: Register,
    bound: Blocks,
    user: str,
    address: str,
    *,
    floor: int,
    from_block: int | None = None,
    freed_at: Mapping[str, int] | None = None,
) -> int:
    """From which block an address is a user's.

    floor: since when the user takes part. freed_at: address -> the block at which the same change takes
    it from its owner. Raises BadInput: it is someone's at that block, who is named.
    """
    freed, until, last = freed_at or {}, 0, user
    for term in known.held.get(address, ()):
        if term.span.until_block is None and address not in freed:
            whose = "the user's own" if term.user == user else f"{plain(term.user)}'s"
            raise BadInput(
                f"{address} is {whose} already",
                why="an address belongs to one user at a time",
                fix="leave it away" if term.user == user else f"end it at {plain(term.user)!r} first",
            )
        ends = term.span.until_block if address not in freed else max(freed[address], term.span.from_block)
        if ends is not None and ends >= until:
            until, last = ends, term.user
    default = bound.change if address in known.held else bound.unpaid
    why = (
        f"{address} is {plain(last)}'s until block {until}"
        if until >= floor
        else f"{plain(user)!r} takes part from block {floor} on"
    )
    return start(from_block, default, floor=max(floor, until), why=why)


def ending(known: Register, name: str, block: int) -> Ending:
    """What ends together with a user."""
    referral = known.referrers.get(name)
    return Ending(
        name,
        block,
        known.addresses.get(name, ()),
        referral.referrer if referral else None,
        known.referees.get(name, ()),
    )


def close(conn: sa.Connection, ends: Mapping[str, int]) -> None:
    """End users (name -> block) with all that ends together with them."""
    people.end_users(conn, ends)
    people.end_all_addresses(conn, ends)
    people.end_payouts(conn, ends)
    people.end_referrals(conn, ends, as_referrer=True)
    people.end_all_rates(conn, ends)


@contextmanager
def changing(
    engine: sa.Engine,
    from_block: int | None,
) -> Iterator[tuple[sa.Connection, Terms, Register, Blocks]]:
    """One writing transaction in which nobody else changes terms, and what they are now."""
    with writing(engine) as conn:
        people.lock(conn)
        bound = blocks(conn)
        check_block(from_block, bound)
        terms = people.terms(conn)
        yield conn, terms, register(terms), bound


def last_end(spans: Iterable[Span]) -> int:
    """The largest end of spans that were in force; 0 without any."""
    return max((span.until_block for span in spans if not span.empty and span.until_block is not None), default=0)


def _latest(users: Iterable[UserTerm]) -> dict[str, UserTerm]:
    """Each name's open term, else the one in force that ended last, else any."""
    user_terms: dict[str, UserTerm] = {}
    for term in users:
        other = user_terms.get(term.name)
        if other is None or _rank(term.span) >= _rank(other.span):
            user_terms[term.name] = term
    return user_terms


def _rank(span: Span) -> tuple[bool, bool, int]:
    return span.until_block is None, not span.empty, span.until_block or 0


def _tuples(lists: Mapping[str, list[T]]) -> dict[str, tuple[T, ...]]:
    return {key: tuple(values) for key, values in lists.items()}
