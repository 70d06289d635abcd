"""Who delegates to whom, read from the chain's events and kept for as long as the process lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from valtrac.core.errors import ChainUnreachable
from valtrac.core.staking import DelegationEvent
from valtrac.pool.model.delegates import Delegation, following, of_staker
from valtrac.ports import PoolChain

TRIES = 3


@dataclass(slots=True)
class Roster:
    """events: every delegation up to a block, in order. read_to: that block."""

    events: list[DelegationEvent] = field(default_factory=list)
    read_to: int = 0

    def at(self, chain: PoolChain, block: int) -> dict[str, Delegation]:
        """delegate -> its delegation after a block."""
        self.read(chain, block)
        return following({}, (event for event in self.events if event.block <= block))

    def read(self, chain: PoolChain, block: int) -> None:
        """Read on up to a block."""
        if block > self.read_to:
            self.events += chain.delegations(self.read_to + 1, block)
            self.read_to = block

    def forget(self, block: int) -> None:
        """Forget what was read of the blocks after this one: the chain has others there by now."""
        self.events = [event for event in self.events if event.block <= block]
        self.read_to = min(self.read_to, block)


def check_events(chain: PoolChain, roster: Roster, staker: str) -> dict[str, int]:
    """delegate -> fee at the newest block, as the node's list of delegates and its events both have it.

    Raises ChainUnreachable where one of the two hides or invents somebody.
    """
    for _ in range(TRIES):
        tip = chain.tip()
        told = chain.delegated_now(staker)
        later = chain.delegations(roster.read_to + 1, tip.number) if tip.number > roster.read_to else []
        if chain.tip().hash != tip.hash:
            continue
        known = following({}, [*roster.events, *later])
        if of_staker(known, staker) == told:
            return told
        raise ChainUnreachable(
            "the node's list of delegates is not what its events add up to",
            why=f"the list has {len(told)}, the events leave {len(of_staker(known, staker))}",
            fix="nothing is credited until they agree: start the node with -reindex, or ask another",
        )
    raise ChainUnreachable("new blocks came in faster than delegates could be read", fix="it is tried again")
