"""The second fact: what has to agree with one node's word on a transaction before money is booked by it.

With further nodes, all of them must say the same. With one, what the wallet's balance says must fit what the block
says: a node that hides a payment, or calls one failed that was made, has to lie about the balance as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from valtrac.core.chain import Head, Outcome
from valtrac.core.errors import ChainUnreachable
from valtrac.core.finality import Finality, Proof
from valtrac.core.money import Amount
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, BatchLine


@dataclass(frozen=True, slots=True)
class Known:
    """How far it is known that a block is final, and by what, or why it is not proven."""

    finality: Finality
    words: str


def finality_of(door: Door, head: Head) -> Known:
    """How far it is known that a block is final: proven by votes, agreed between nodes, or believed.

    Raises ChainUnreachable where a node contradicts what is proven to be final.
    """
    proof = Proof(False, "") if door.finality is None else door.finality.proof(head)
    if proof.proven:
        return Known(Finality.PROVEN, proof.words)
    return Known(Finality.AGREED if door.witnesses else Finality.BELIEVED, proof.words)


def in_words(door: Door, known: Known) -> str:
    """What is added to the words on a payment: by what its block is final. "" where nobody needs to be told."""
    if known.finality == Finality.PROVEN:
        return f"; proven to be final: {known.words}"
    return door.evidence


def doubt_of_outcome(door: Door, attempt: Attempt, where: Head, outcome: Outcome, lines: list[BatchLine]) -> str:
    """Why what a block tells of an attempt is not booked yet, or "". outcome: all done, or nothing."""
    doubt = doubt_of_movements(attempt, outcome, lines)
    if doubt or door.witnesses or outcome.ok:
        return doubt
    spent = door.chain.left_between(attempt.wallet, _parent(door, where), where)
    fee = outcome.fee_units
    if spent is None or fee is None or spent <= fee:
        return ""
    return (
        f"block {where.number} calls it failed, yet {Amount(spent, door.chain.asset)} left the wallet there, "
        f"with a fee of {Amount(fee, door.chain.asset)}"
    )


def doubt_of_death(door: Door, attempt: Attempt, seen: Head) -> str:
    """Why an attempt that no block showed is not called dead yet, or "". seen: the last block that was read."""
    if door.witnesses:
        return ""
    birth = door.chain.block(attempt.birth_block).head
    spent = door.chain.left_between(attempt.wallet, birth, seen)
    if spent is None or spent < attempt.units:
        return ""
    return (
        f"no block shows it, yet {Amount(spent, door.chain.asset)} left the wallet since it was signed: "
        "a second node has to say that it is dead"
    )


def doubt_of_movements(attempt: Attempt, outcome: Outcome, lines: list[BatchLine]) -> str:
    """What moved must be what was to be paid where all was done, and nothing where nothing was."""
    if outcome.moved is None:
        return ""
    moved = Counter((movement.to, movement.units) for movement in outcome.moved if movement.source == attempt.wallet)
    meant = Counter((line.address, line.amount) for line in lines if line.address != attempt.wallet)
    if outcome.ok and moved != meant:
        return "its block says that all was paid, and tells of other transfers than these"
    if not outcome.ok and moved:
        return "its block says that it failed, and tells of transfers all the same"
    return ""


def left_by(door: Door, wallet: str, where: Head, outcome: Outcome) -> bool:
    """Whether just what a transaction is told to have moved, and its fee, left a wallet in its block. False also where
    that cannot be told."""
    moved, fee = outcome.moved, outcome.fee_units
    spent = door.chain.left_between(wallet, _parent(door, where), where)
    if moved is None or fee is None or spent is None:
        return False
    out = sum(movement.units for movement in moved if movement.source == wallet)
    back = sum(movement.units for movement in moved if movement.to == wallet)
    return spent == out - back + fee


def _parent(door: Door, where: Head) -> Head:
    parent = door.chain.block(where.number - 1).head
    if parent.hash != where.parent_hash:
        raise ChainUnreachable(
            f"block {where.number} does not follow from the block before it",
            why="this node tells another history",
            fix="ask another node, then reconcile again",
        )
    return parent
