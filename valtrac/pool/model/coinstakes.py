"""What a block brought to whom, read from its coinstake: the second transaction of a block. Pure.

The staker's coins are put in and come back with the reward on top: in one output, or in two of the same script where
the staker won with coins of its own. A delegate whose fee is below 100 % has its part next, in its own script. What
follows gives gas back to those who called contracts, and is nobody's reward.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from valtrac.core.staking import Coinstake


class Won(StrEnum):
    """Whose block it is. DELEGATED: won for a delegate; OWN: with the staker's own coins; OTHERS: by another staker."""

    DELEGATED = "delegated"
    OWN = "own"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Reward:
    """staker, delegate: satoshi that each got by the block. percent: of both, what is the staker's, rounded; None where
    nobody else had a part in it."""

    won: Won
    staker: int
    delegate: int = 0
    percent: int | None = None


class NoCoinstake(ValueError):
    """Outputs that cannot be those of a block's coinstake."""


def reward(coinstake: Coinstake, staker: str) -> Reward:
    """Who won how much. staker: the address of our super staker.

    Raises NoCoinstake where the coins do not come back with something on top: such a block is told and credited to
    nobody, rather than with a figure that somebody made up.
    """
    if not coinstake.outputs or not coinstake.outputs[0].script:
        raise NoCoinstake("a coinstake without outputs")
    first = coinstake.outputs[0]
    back = 1
    if not coinstake.delegate:  # only own coins are split, in two of the same script
        back += len(coinstake.outputs) > 1 and coinstake.outputs[1].script == first.script
    brought = sum(output.satoshi for output in coinstake.outputs[:back]) - coinstake.put_in
    if coinstake.put_in <= 0 or brought < 0:
        raise NoCoinstake(f"{coinstake.put_in} satoshi went in, {coinstake.put_in + brought} came back")
    won = Won.OTHERS if first.address != staker else Won.DELEGATED if coinstake.delegate else Won.OWN
    if not coinstake.delegate:
        return Reward(won, brought)
    theirs = 0
    if len(coinstake.outputs) > 1 and coinstake.outputs[1].script == coinstake.delegate:
        theirs = coinstake.outputs[1].satoshi
    both = brought + theirs
    return Reward(won, brought, theirs, (200 * brought + both) // (2 * both) if both else None)
