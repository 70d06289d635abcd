"""Whether a payment may leave for its address now: replaced, in quarantine, or about to change hands on chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from valtrac.core.addresses import is_address, shortened
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.people import policies as services
from valtrac.people.model import policies as domain
from valtrac.people.model.quarantine import quarantine_of
from valtrac.people.store import people, policies
from valtrac.ports import StakeSource
from valtrac.snapshots.store import bounds

LAST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a payment is meant to go. id: of whoever asks; name, person: who is paid, as the payment says."""

    id: int
    name: str
    person: str
    address: str


def look_for_swaps(
    engine: sa.Engine, chain: StakeSource, addresses: Iterable[str], others: Iterable[StakeSource] = ()
) -> frozenset[str]:
    """Those of the addresses whose coldkey swap is announced, each announcement noted once: when it has been carried
    out, the chain does not tell any more, and the old key may belong to nobody who is owed anything.

    others: further nodes, each of which is enough to tell of a swap: one that keeps it to itself hides nothing.
    """
    head, looked = chain.finalized(), sorted(set(addresses))
    announced = chain.swaps_announced(looked, head)
    for other in others:
        announced |= other.swaps_announced(looked, other.finalized())
    with reading(engine) as conn:
        new = policies.looks_new(conn, looked, announced)
    if new:
        with writing(engine) as conn:
            policies.sight_swaps(conn, looked, announced, head.number)
    return announced


def in_use(engine: sa.Engine) -> set[str]:
    """The addresses at which users are to be paid now, redirections included."""
    with reading(engine) as conn:
        terms, block = people.terms(conn), bounds.present(conn)
    addresses = set(terms.payout_addresses(block).values())
    addresses |= {term.value for term in terms.policies if term.kind == "redirect" and term.span.until_block is None}
    return addresses


def waits(
    conn: sa.Connection,
    meant: Sequence[Destination],
    quarantine: timedelta,
    *,
    block: int = 0,
    chain_at: datetime | None = None,
) -> dict[int, str]:
    """id -> why nothing is paid there now: the address was replaced, is in quarantine, or may change hands.

    block: the final one, 0 where no node was asked. chain_at: its time, where given, counts as well, so that a clock
    that is ahead ends no quarantine; and so many blocks must have passed, so that one that was behind shortens none.
    """
    if not meant:
        return {}
    block = bounds.present(conn, block)
    now = datetime.now(UTC) if chain_at is None else min(datetime.now(UTC), chain_at)
    known = _Known(conn, meant, block, counted=chain_at is not None)
    reasons = {destination.id: known.reason(destination, now, quarantine) for destination in meant}
    return {number: reason for number, reason in reasons.items() if reason}


class _Known:
    """What is stored about the people meant: since when an address holds, who vouched for it, which swaps were seen."""

    def __init__(self, conn: sa.Connection, meant: Sequence[Destination], block: int, *, counted: bool) -> None:
        terms = people.terms_about(
            conn,
            {destination.person for destination in meant},
            {destination.name for destination in meant if _by_address(destination)},
        )
        self.block, self.counted = block, counted
        self.vouched, self.swaps = policies.confirmed(conn), policies.swaps_seen(conn)
        self.view = domain.in_force(terms.policies, block)
        persons = {destination.person for destination in meant} | {term.person for term in terms.users}
        rows = policies.destinations(conn, persons | {f"addr:{d.name}" for d in meant if _by_address(d)})
        self.changes = {(entered.person, entered.address): entered for entered in rows if entered.change}
        self.names, self.paid_at = {term.person: term.name for term in terms.users}, terms.payout_addresses(block)
        self.of_nominators = domain.accounts("nominators", terms, block)

    def reason(self, destination: Destination, now: datetime, quarantine: timedelta) -> str:
        """Why nothing is paid to a destination now, or ""."""
        by_address = _by_address(destination)
        own = self.of_nominators(destination.name) if by_address else (destination.person,)
        paid_at = destination.name if by_address else self.paid_at.get(self.names[destination.person])
        latest = self.view.of("redirect", *own) or paid_at
        if latest != destination.address:
            now_at = "there is no address now" if latest is None else f"it is {shortened(latest)} now"
            return f"the address was replaced: {now_at}"
        keys = [(person, destination.address) for person in own]
        vouched_at = max((self.vouched[key] for key in keys if key in self.vouched), default=None)
        swap = self.swaps.get(destination.address)
        if swap is not None and (vouched_at is None or vouched_at < swap):
            return "a coldkey swap of the address was announced on chain: it may change hands"
        changes = [(self.changes[key].at, self.changes[key].block) for key in keys if key in self.changes]
        new = quarantine_of(changes, quarantine)
        why = new.why(now, self.block if self.counted else None) if new and vouched_at is None else ""
        return why and f"the address is new: {why}"


def _by_address(destination: Destination) -> bool:
    """Whether a payment is to the address that it is named by, as in a payout by nominators."""
    return destination.person.startswith("addr:") or is_address(destination.name)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An address to which nothing is paid for now, and why. until: end of the quarantine by the clock, None for a swap,
    and for a quarantine that lasts until a block."""

    whom: str
    address: str
    reason: str
    until: datetime | None


def waiting(engine: sa.Engine, quarantine: timedelta) -> list[Waiting]:
    """The addresses in use that wait: for the end of their quarantine, or for the owner's word after a swap.

    The newest block on record counts: one that is in quarantine until a later one can be vouched for here.
    """
    with reading(engine) as conn:
        terms, vouched, swaps = people.terms(conn), policies.confirmed(conn), policies.swaps_seen(conn)
        rows, block = policies.destinations(conn), bounds.present(conn)
    view = domain.in_force(terms.policies, block)
    names, paid_at = {term.person: term.name for term in terms.users}, terms.payout_addresses(block)
    now = datetime.now(UTC)
    waits_of: dict[tuple[str, str], Waiting] = {}
    for entered in rows:
        person, address, change = entered.person, entered.address, entered.change
        name = services.whom_of(person, names)
        latest = view.of("redirect", person) or paid_at.get(name)
        said, swap = vouched.get((person, address)), swaps.get(address)
        if latest != address:
            continue
        if swap is not None and (said is None or said < swap):
            waits_of[name, address] = Waiting(name, address, "a coldkey swap was announced on chain", None)
        elif change and said is None:
            new = quarantine_of([(entered.at, entered.block)], quarantine)
            why = new.why(now, block) if new else ""
            if new and why:
                by_clock = now < new.until
                reason = "new: in quarantine" if by_clock else f"new: {why}"
                waits_of[name, address] = Waiting(name, address, reason, new.until if by_clock else None)
    for address in swaps:  # nominators have no address but their own
        said = max(
            (vouched_at for (_, vouched_for), vouched_at in vouched.items() if vouched_for == address), default=None
        )
        listed = any(waiting.address == address for waiting in waits_of.values())
        if not listed and (said is None or said < swaps[address]):
            waits_of[address, address] = Waiting(address, address, "a coldkey swap was announced on chain", None)
    return list(waits_of.values())


def confirm(engine: sa.Engine, quarantine: timedelta, whom: str, last_six: str) -> str:
    """Vouch for the address at which someone is to be paid, by its last six characters; return the address.

    Raises BadInput where nothing waits or the characters are those of another address.
    """
    mine = [wait for wait in waiting(engine, quarantine) if wait.whom == whom.strip()]
    if not mine:
        raise BadInput(f"no address of {plain(whom)} waits", fix="see who waits: run.py users waiting")
    address = mine[-1].address
    if last_six.strip() != address[-LAST_PLACES:]:
        raise BadInput(
            f"the address of {plain(whom)} does not end in {plain(last_six, 20)!r}",
            why="its last six characters are the proof that you looked at it",
            fix=f"compare the address that waits with what {plain(whom)} told you: run.py users waiting",
        )
    with writing(engine) as conn:
        person = f"addr:{address}" if whom.strip() == address else services.account(conn, whom)
        policies.confirm(conn, person, address)
    return address
