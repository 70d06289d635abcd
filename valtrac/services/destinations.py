"""Whether a payment may leave for its address now: replaced, in quarantine, or about to change hands on chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain import plans
from valtrac.domain import policies as domain
from valtrac.domain.addresses import is_address, shortened
from valtrac.domain.batches import BatchLine
from valtrac.domain.chain import Head
from valtrac.domain.text import plain
from valtrac.errors import BadInput
from valtrac.ports import Chain
from valtrac.services import policies as services
from valtrac.store import bounds, people, policies
from valtrac.store.engine import reading, writing

LAST_PLACES = 6


def holds(engine: sa.Engine, settings: Settings, chain: Chain | None, lines: Sequence[BatchLine]) -> dict[int, str]:
    """line id -> why its payment has to wait, of those that have to. chain None: what only the chain knows is left out.

    Raises ChainUnreachable where the node does not tell: then nothing may be signed.
    """
    head = None
    if chain is not None and lines:
        head = chain.finalized()
        look_for_swaps(engine, chain, {line.address for line in lines})
    with reading(engine) as conn:
        return entered(conn, settings, lines, head)


def look_for_swaps(engine: sa.Engine, chain: Chain, addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses whose coldkey swap is announced, each announcement noted once: when it has been carried
    out, the chain does not tell any more, and the old key may belong to nobody who is owed anything."""
    head, looked = chain.finalized(), sorted(set(addresses))
    found = chain.swaps_announced(looked, head)
    with reading(engine) as conn:
        new = policies.looks_new(conn, looked, found)
    if new:
        with writing(engine) as conn:
            policies.sight_swaps(conn, looked, found, head.number)
    return found


def in_use(engine: sa.Engine) -> set[str]:
    """The addresses at which users are to be paid now, redirections included."""
    with reading(engine) as conn:
        terms, block = people.terms(conn), bounds.present(conn)
    found = set(terms.payout_addresses(block).values())
    found |= {term.value for term in terms.policies if term.kind == "redirect" and term.span.until_block is None}
    return found


def entered(
    conn: sa.Connection, settings: Settings, lines: Sequence[BatchLine], head: Head | None = None
) -> dict[int, str]:
    """The part of `holds` that follows from what is stored here.

    head: where given, the time of the chain counts as well, so that a clock that is ahead ends no quarantine.
    """
    lines = [line for line in lines if not line.person.startswith("account:")]  # a named account is its own address
    if not lines:
        return {}
    terms, vouched, swaps = people.terms(conn), policies.confirmed(conn), policies.swaps_seen(conn)
    block = bounds.present(conn, 0 if head is None else head.number)
    view = domain.in_force(terms.policies, block)
    changes = {(person, address): at for person, address, at, change in policies.destinations(conn) if change}
    names, paid_at = {term.person: term.name for term in terms.users}, terms.payout_addresses(block)
    of_nominators = plans.accounts("nominators", terms, block)
    now, wait = datetime.now(UTC), timedelta(hours=settings.quarantine_hours)
    if head is not None and settings.network != "devnet":  # the rehearsal chain has a time of its own
        now = min(now, head.at)
    found: dict[int, str] = {}
    for line in lines:
        by_address = line.person.startswith("addr:") or is_address(line.name)
        own = of_nominators(line.name) if by_address else (line.person,)
        latest = view.of("redirect", *own) or (line.name if by_address else paid_at.get(names[line.person]))
        said = max((vouched[key] for person in own if (key := (person, line.address)) in vouched), default=None)
        at = max((changes[key] for person in own if (key := (person, line.address)) in changes), default=None)
        swap = swaps.get(line.address)
        if latest != line.address:
            now_at = "there is no address now" if latest is None else f"it is {shortened(latest)} now"
            found[line.id] = f"the address was replaced: {now_at}"
        elif swap is not None and (said is None or said < swap):
            found[line.id] = "a coldkey swap of the address was announced on chain: it may change hands"
        elif at is not None and said is None and now < at + wait:
            found[line.id] = f"the address is new: in quarantine until {at + wait:%Y-%m-%d %H:%M} UTC"
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """An address to which nothing is paid for now, and why. until: end of the quarantine, None for a swap."""

    whom: str
    address: str
    reason: str
    until: datetime | None


def waiting(engine: sa.Engine, settings: Settings) -> list[Waiting]:
    """The addresses in use that wait: for the end of their quarantine, or for the owner's word after a swap."""
    with reading(engine) as conn:
        terms, vouched, swaps = people.terms(conn), policies.confirmed(conn), policies.swaps_seen(conn)
        rows, block = policies.destinations(conn), bounds.present(conn)
    view = domain.in_force(terms.policies, block)
    names, paid_at = {term.person: term.name for term in terms.users}, terms.payout_addresses(block)
    now, wait = datetime.now(UTC), timedelta(hours=settings.quarantine_hours)
    found: dict[tuple[str, str], Waiting] = {}
    for person, address, at, change in rows:
        name = services.whom_of(person, names)
        latest = view.of("redirect", person) or paid_at.get(name)
        said, swap = vouched.get((person, address)), swaps.get(address)
        if latest != address:
            continue
        if swap is not None and (said is None or said < swap):
            found[name, address] = Waiting(name, address, "a coldkey swap was announced on chain", None)
        elif change and said is None and now < at + wait:
            found[name, address] = Waiting(name, address, "new: in quarantine", at + wait)
    for address in swaps:  # nominators have no address but their own
        said = max((at for (_, vouched_for), at in vouched.items() if vouched_for == address), default=None)
        if not any(one.address == address for one in found.values()) and (said is None or said < swaps[address]):
            found[address, address] = Waiting(address, address, "a coldkey swap was announced on chain", None)
    return list(found.values())


def confirm(engine: sa.Engine, settings: Settings, whom: str, last_six: str) -> str:
    """Vouch for the address at which someone is to be paid, by its last six characters; return the address.

    Raises BadInput where nothing waits or the characters are those of another address.
    """
    mine = [one for one in waiting(engine, settings) if one.whom == whom.strip()]
    if not mine:
        raise BadInput(f"no address of {plain(whom)} waits", "", "see who waits: run.py users waiting")
    address = mine[-1].address
    if last_six.strip() != address[-LAST_PLACES:]:
        raise BadInput(
            f"the address of {plain(whom)} does not end in {plain(last_six, 20)!r}",
            "its last six characters are the proof that you looked at it",
            f"compare the address that waits with what {plain(whom)} told you: run.py users waiting",
        )
    with writing(engine) as conn:
        person = f"addr:{address}" if whom.strip() == address else services.account(conn, whom)
        policies.confirm(conn, person, address)
    return address
