"""Who decides what is final on a chain, as it was pinned, and how far a block's being final is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from valtrac.core.grandpa import AuthoritySet, Weights


class Origin(StrEnum):
    """How a set of authorities came to be pinned. FORCED: it was not; a person has to say whether it counts."""

    ONE_NODE = "one node"
    TWO_NODES = "two nodes"
    FOLLOWED = "followed"
    OWNER = "owner"
    FORCED = "forced"


class Finality(StrEnum):
    """How far it is known that a block is final."""

    PROVEN = "proven"
    AGREED = "agreed"
    BELIEVED = "believed"


@dataclass(frozen=True, slots=True)
class Pin:
    """The set that decides every block after one of them, until the next pin.

    block, block_hash: where it was read or came into force. number: of the set. proven_block, proven_hash: the newest
    block that is known to be final under it, at first the block itself. id: 0 while it is not stored.
    """

    genesis: str
    block: int
    block_hash: str
    number: int
    weights: Weights
    origin: Origin
    words: str
    proven_block: int
    proven_hash: str
    id: int = 0

    @property
    def authorities(self) -> AuthoritySet:
        """The set itself."""
        return AuthoritySet(self.number, self.weights)

    @property
    def stopped(self) -> bool:
        """Whether nothing counts as proven until a person has decided."""
        return self.origin == Origin.FORCED


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a block is proven to be final, and by what, or why not, in words."""

    proven: bool
    words: str
