"""How the keeps that are watched are now: two questions each, and all that is decided by for those that need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.database.engine import reading, writing
from valtrac.keeps.model.collateral import Thresholds, at_risk
from valtrac.keeps.model.policy import (
    Group,
    Holder,
    KeepNow,
    OpenCall,
    Wish,
    danger,
    open_to_anybody,
    urgency,
    wish,
)
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import keeps as store
from valtrac.keeps.store.keeps import Keep, Seen
from valtrac.keeps.watching import Watching

T = TypeVar("T")
NEAR = 10  # percent above a threshold from which on all is read that is decided by


@dataclass(frozen=True, slots=True)
class Watched:
    """A keep of ours as it is now. own: how many of its members are ours; value: what they would lose, in wei;
    threshold: below which it is to be redeemed; wish: what it asks for; open_calls: what anybody may call now."""

    keep: Keep
    now: KeepNow
    own: int
    value: int
    threshold: int
    wish: Wish
    open_calls: tuple[OpenCall, ...]

    @property
    def danger(self) -> Group | None:
        """In what danger its bond is, whether or not this wallet can redeem it."""
        return danger(self.now, threshold=self.threshold)


@dataclass(frozen=True, slots=True)
class Look:
    """All of them at one block, the most urgent first. asked: keeps that were asked about; changed: of those that are
    different from before."""

    head: Head
    watched: tuple[Watched, ...]
    asked: int
    changed: tuple[str, ...]


def look(watching: Watching) -> Look:
    """Ask about every keep of ours that is not over. What changed is stored. Raises ChainUnreachable."""
    head = watching.agreed_head()
    with reading(watching.engine) as conn:
        ours = [keep for keep in store.listed(conn) if keep.own_members(watching.settings.keeps_operators)]
    states = _told(ours, lambda some: watching.states([keep.deposit for keep in some], head))
    ours = _without_the_undecided(watching, [keep for keep in ours if keep.deposit in states], states)
    with writing(watching.engine) as conn:
        changed = store.see(conn, [Seen(keep, *states[keep.deposit]) for keep in ours], head)
    _read_closely(watching, ours, states, head)
    return Look(head, _watched(watching, ours, head), len(ours), tuple(each.keep.deposit for each in changed))


def _told(keeps: Sequence[Keep], ask: Callable[[list[Keep]], dict[str, T]]) -> dict[str, T]:
    """deposit -> what is told of it. Those that only the old cache knows may be no keeps at all: they hold no other
    up."""
    sure = [keep for keep in keeps if keep.confirmed]
    unsure = [keep for keep in keeps if not keep.confirmed]
    found = ask(sure) if sure else {}
    with suppress(ChainUnreachable):
        found |= ask(unsure) if unsure else {}
    return found


def _without_the_undecided(
    watching: Watching, ours: Sequence[Keep], states: dict[str, tuple[int, int | None]]
) -> list[Keep]:
    """Without those that are over in a block which may still be undone: a keep that is stored as over is never asked
    about again."""
    over = [keep.deposit for keep in ours if DepositState(states[keep.deposit][0]).final]
    settled = watching.states(over, watching.final_head()) if over else {}
    undecided = {deposit for deposit in over if not DepositState(settled[deposit][0]).final}
    return [keep for keep in ours if keep.deposit not in undecided]


def as_stored(watching: Watching, head: Head) -> tuple[Watched, ...]:
    """The same out of the database alone, as of a block that was looked at before."""
    with reading(watching.engine) as conn:
        ours = [keep for keep in store.listed(conn) if keep.own_members(watching.settings.keeps_operators)]
    return _watched(watching, ours, head)


def _watched(watching: Watching, ours: Sequence[Keep], head: Head) -> tuple[Watched, ...]:
    with reading(watching.engine) as conn:
        known = store.of_deposits(conn, [keep.deposit for keep in ours])
    read = [known[keep.deposit] for keep in ours if known[keep.deposit].state is not None]
    described = [describe(watching, keep, head) for keep in read]
    return tuple(sorted(described, key=lambda each: _order(each)))


def _order(each: Watched) -> tuple[int, tuple[int, int, int, str]]:
    """The redeemable ones by urgency, then those in liquidation, then the others."""
    state = each.now.state
    rank = 0 if state.redeemable else 1 if state.being_redeemed else 3 if state.final else 2
    return rank, urgency(each.now)


def describe(watching: Watching, keep: Keep, head: Head) -> Watched:
    """What a keep asks for, as it was read last."""
    settings = watching.settings
    assert keep.state is not None
    now = KeepNow(
        keep.deposit,
        keep.state,
        keep.percent,
        _holder(watching, keep),
        keep.called_at,
        int(head.at.timestamp()),
        at_term=keep.state is DepositState.ACTIVE and keep.bond > 0 and keep.left_s == 0,
        thresholds=Thresholds(keep.courtesy, keep.severe),
    )
    own = keep.own_members(settings.keeps_operators)
    threshold = settings.threshold_of(keep.members)
    wanted = wish(now, threshold=threshold, may_call=settings.keeps_courtesy_calls)
    value = at_risk(keep.bond, own, len(keep.members))
    return Watched(keep, now, own, value, threshold, wanted, open_to_anybody(now))


def _holder(watching: Watching, keep: Keep) -> Holder:
    if keep.holder == watching.first.contracts.machine:
        return Holder.MACHINE
    return Holder.OWN if keep.holder and keep.holder == watching.wallet else Holder.OTHER


def _read_closely(
    watching: Watching, ours: Sequence[Keep], states: dict[str, tuple[int, int | None]], head: Head
) -> None:
    """Read all that is decided by for those whose state or percentage may ask for something, and for those of which
    nothing is known yet."""
    wanted = {}
    for keep in ours:
        state, percent = DepositState(states[keep.deposit][0]), states[keep.deposit][1]
        near = percent is not None and percent < max(watching.settings.threshold_of(keep.members), keep.courtesy) + NEAR
        if state is DepositState.COURTESY_CALL or (state.redeemable and (near or not keep.bond)):
            wanted[keep.deposit] = keep
    if not wanted:
        return
    readings = _told(
        list(wanted.values()), lambda some: watching.readings({keep.deposit: keep.keep for keep in some}, head)
    )
    wanted = {deposit: keep for deposit, keep in wanted.items() if deposit in readings}
    called = {
        deposit: _called_at(watching, keep, head)
        for deposit, keep in wanted.items()
        if readings[deposit].state == DepositState.COURTESY_CALL
    }
    with writing(watching.engine) as conn:
        store.read(conn, [(keep, readings[deposit], called.get(deposit, 0)) for deposit, keep in wanted.items()])


def _called_at(watching: Watching, keep: Keep, head: Head) -> int:
    """When the courtesy call of a deposit was made; asked once."""
    if keep.called_at and keep.state is DepositState.COURTESY_CALL:
        return keep.called_at
    # it was active at the last look: the call came after that
    first = keep.seen_block if keep.state is DepositState.ACTIVE and keep.seen_block else keep.block
    calls = watching.agreed(
        "when a courtesy call was made",
        lambda side: side.contracts.times("CourtesyCalled", keep.deposit, min(first, head.number), head.number),
    )
    return calls[-1][1] if calls else 0
