"""Who decides what is final, as nodes prove it now: what is pinned at the first contact, or on the owner's word."""

from __future__ import annotations

from collections.abc import Sequence

from valtrac.chains.bittensor.links import Links
from valtrac.chains.bittensor.node import BittensorChain
from valtrac.chains.untrusted import Untrusted
from valtrac.core import grandpa
from valtrac.core.chain import Head
from valtrac.core.errors import Refused
from valtrac.core.finality import Origin, Pin
from valtrac.core.grandpa import AuthoritySet, Unfounded, Weights

# twox128 of "Grandpa", then of "Authorities", "CurrentSetId" and "PendingChange"
_PALLET = bytes.fromhex("5f9cc45b7a00c5899361e1c6099678dc")
AUTHORITIES_KEY = _PALLET + bytes.fromhex("5e0621c4869aa60c02be9adcc98a0d1d")
SET_KEY = _PALLET + bytes.fromhex("8a2d09463effcc78a22d75b9cb87dffc")
PENDING_KEY = _PALLET + bytes.fromhex("2ff65991b1c915dd6cc8d4825eacfcb4")
PLACES = 32  # blocks of a period in which the one with votes is looked for: the first that was made final in it
_PERIODS = 2
_MOST_SETS = 1_024


def told(node: BittensorChain, second: BittensorChain | None) -> Pin:
    """The set that decides from now on, proven under the header of a final block that every node tells; not stored.

    second: another node, which has to have that block, too.
    Raises Refused where nodes differ, prove nothing, or a change is on its way; ChainUnreachable.
    """
    head = _agreed(node, second)
    weights, number = _proven(node, head)
    number = _number_signed(node, head, weights, number)
    origin = Origin.ONE_NODE if second is None else Origin.TWO_NODES
    words = "one node's word" if second is None else "two nodes have this block"
    genesis = node.identity().genesis_hash
    return Pin(genesis, head.number, head.hash, number, weights, origin, words, head.number, head.hash)


def places(number: int, final: int, every: int, periods: int) -> Sequence[int]:
    """The heights, from one on, at which nodes may keep votes: the first few of each period of blocks."""
    first = number // every * every
    return [
        place
        for start in range(first, min(final, first + periods * every) + 1, every)
        for place in range(start, start + min(PLACES, every))
        if max(1, number) <= place <= final
    ]


def _agreed(node: BittensorChain, second: BittensorChain | None) -> Head:
    """A final block that both nodes have."""
    head = node.finalized()
    if second is None:
        return head
    other = second.finalized()
    if other.number < head.number:
        head = node.block(other.number).head
    if (
        second.block(head.number).head.hash != head.hash
        or second.identity().genesis_hash != node.identity().genesis_hash
    ):
        raise Refused(
            f"the two nodes tell different blocks {head.number}",
            why="who decides what is final is pinned where both agree",
            fix="ask other nodes: VALTRAC_NETWORK, VALTRAC_SECOND_ENDPOINT",
        )
    return head


def _proven(node: BittensorChain, at: Head) -> tuple[Weights, int]:
    """(the authorities, the number of their set) in the state after a block."""

    async def read() -> list[tuple[bool, bytes | None]]:
        return [await node.proven(at, key) for key in (AUTHORITIES_KEY, SET_KEY, PENDING_KEY)]

    answers = node.ask("who decides what is final", read)
    listed, number, pending = (value for _, value in answers)
    if not all(is_proven for is_proven, _ in answers):
        raise Refused(
            "this node gives no proofs of storage, so that nobody can be pinned as deciding what is final",
            fix="ask a node that offers state_getReadProof",
        )
    if pending is not None:
        raise Refused(
            "a change of those who decide what is final is on its way", why=f"at block {at.number}", fix="wait for it"
        )

    async def taken_apart() -> tuple[Weights, int]:
        if listed is None or number is None or len(number) != 8:
            raise Untrusted("a state without authorities, or without the number of their set")
        try:
            weights = grandpa.read_weights(listed)
            return weights, AuthoritySet(int.from_bytes(number, "little"), weights).number
        except ValueError as error:
            raise Untrusted(str(error)) from error

    return node.ask("who decides what is final", taken_apart)


def _number_signed(node: BittensorChain, at: Head, weights: Weights, number: int) -> int:
    """The number that the authorities themselves sign with, where votes are kept; the state's may lag behind it, on a
    chain that once passed over changes of its sets. Never a smaller one: that would be of an older set."""
    every, links = node.justifies_every(), Links(node)
    oldest = max(1, at.number - _PERIODS * every)
    for place in reversed(places(oldest, at.number, every, _PERIODS)):
        _, raw = links.votes(place)
        if raw is None:
            continue
        try:
            said = grandpa.read_justification(raw)
            signed = (n for n in range(number, number + _MOST_SETS) if grandpa.signed_by(said.votes[0], said.round, n))
            signed_with = next(signed, number)
            grandpa.check(said, AuthoritySet(signed_with, weights))
        except (Unfounded, IndexError):
            return number
        return signed_with
    return number
