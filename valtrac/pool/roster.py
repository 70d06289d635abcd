"""Who delegates to whom, read from the chain's events and kept for as long as the process lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from valtrac.core.errors import ChainUnreachable
from valtrac.core.staking import DelegationEvent
from valtrac.pool.model.delegates import Delegation, following, of_staker
from valtrac.ports import PoolChain

TRIES = 3


@dataclass(slots=True)
class Roster:
    """events: every delegation up to a block, in order. read_to, read_hash: that block, as the chain had it then."""

    events: list[DelegationEvent] = field(default_factory=list)
    read_to: int = 0
    read_hash: str = ""

    def at(self, chain: PoolChain, block: int) -> dict[str, Delegation]:
        """delegate -> its delegation after a block. What is not deep enough to have been read is asked for anew."""
        later = chain.delegations(self.read_to + 1, block) if block > self.read_to else []
        return following({}, (event for event in [*self.events, *later] if event.block <= block))

    def read(self, chain: PoolChain, block: int, witnesses: Sequence[PoolChain] = ()) -> None:
        """Read on up to a block that is deep enough to stay; all anew where the chain has another history by now.

        Raises ChainUnreachable where a witness has other events: nothing is kept then.
        """
        if block < 1:
            return
        last = chain.head(block)
        if self.read_to and chain.head(self.read_to).hash != self.read_hash:
            self.forget()
        if block <= self.read_to:
            return
        fresh = chain.delegations(self.read_to + 1, block)
        for witness in witnesses:
            if witness.delegations(self.read_to + 1, block) != fresh:
                raise ChainUnreachable(
                    f"the nodes tell of different delegations up to block {block}",
                    why="one of them hides or invents some",
                    fix="nothing is credited until they agree",
                )
        if chain.head(block).hash != last.hash:
            raise ChainUnreachable("the chain has changed at this moment", fix="it is tried again")
        self.events += fresh
        self.read_to, self.read_hash = block, last.hash

    def forget(self) -> None:
        """Forget everything: it is read anew."""
        self.events, self.read_to, self.read_hash = [], 0, ""


def check_events(chain: PoolChain, roster: Roster, staker: str) -> dict[str, int]:
    """delegate -> fee at the newest block, as the node's list of delegates and its events both have it.

    Raises ChainUnreachable where one of the two hides or invents somebody; what was read is forgotten then, as nobody
    knows which of them is wrong.
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
        roster.forget()
        raise ChainUnreachable(
            "the node's list of delegates is not what its events add up to",
            why=f"the list has {len(told)}, the events leave {len(of_staker(known, staker))}",
            fix="nothing is credited until they agree: start the node with -reindex, or ask another",
        )
    raise ChainUnreachable("new blocks came in faster than delegates could be read", fix="it is tried again")
