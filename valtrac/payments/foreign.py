"""A transaction of the wallet that the journal does not know: take it over where it paid lines of ours,
or record in words that it was something else. Until then the wallet is frozen.

What it paid is read from what moved, whatever call moved it; what cannot be read may have paid anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import Outcome, Payment, SignedTx
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import Amount, Asset
from valtrac.core.text import plain
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.payments import evidence, payment_log
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import UNFINISHED, BatchState, LineState
from valtrac.payments.nonces import Used, who_used
from valtrac.payments.store import attempts, batches, histories


@dataclass(frozen=True, slots=True)
class Foreign:
    """A transaction that used a nonce of the wallet, and what left the wallet by it.

    payments: None where the chain does not tell; empty where nothing left. whole: whether the payments are all that it
    did, each of them made, so that it can stand for payments of ours.
    """

    used: Used
    payments: tuple[Payment, ...] | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Match:
    """The owed lines of a batch that a foreign transaction paid, in its order."""

    batch: Batch
    lines: list[BatchLine]


def find(door: Door, wallet: str) -> Foreign:
    """The first finalized transaction of the wallet that the journal cannot account for.

    Raises BadInput when there is none, Refused when the node serves another chain.
    """
    identity, head = door.chain.identity(), door.chain.finalized()
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
    with reading(door.engine) as conn:
        start = histories.baseline(conn, wallet)
        used = histories.nonces_used(conn, wallet)
        on_its_way = attempts.unresolved(conn, wallet)
    if on_its_way:
        raise Refused("a payment of this wallet is still on its way", fix=f"first: {door.producer.words.reconcile}")
    if start is None:
        way = door.producer.words.take_over_log
        raise BadInput(
            f"this ledger does not answer for wallet {wallet} yet: it has sent nothing from it",
            fix=f"send a batch from it first; where it lost one: {way}" if way else "send a batch from it first",
        )
    if door.numbers is None or door.numbers.nonce(wallet, head) <= start[1] + used:
        raise BadInput(f"every finalized transaction of wallet {wallet} is accounted for", fix="nothing to rule on")
    return _with_payments(door, who_used(door.numbers, wallet, start[1] + used, start[0], head.number))


def _with_payments(door: Door, used: Used) -> Foreign:
    """A transaction with what its block tells of the money that it moved: proven under the block's header, or told by
    every node alike."""
    outcome = door.chain.outcome(used.tx_id, used.head) if used.tx_id else None
    if outcome is None or outcome.moved is None or not _is_sure(door, used, outcome):
        return Foreign(used, None, False)
    mine = tuple(Payment(moved.to, moved.units) for moved in outcome.moved if moved.source == used.wallet)
    return Foreign(used, mine, outcome.ok and len(mine) == len(outcome.items) == len(outcome.moved))


def _is_sure(door: Door, used: Used, outcome: Outcome) -> bool:
    """Whether one node alone cannot have made it up."""
    if outcome.proven:
        return True
    if not door.witnesses:
        return evidence.left_by(door, used.wallet, used.head, outcome)
    others = [witness.outcome(used.tx_id, used.head) for witness in door.witnesses]
    return all(other is not None and (other.items, other.moved) == (outcome.items, outcome.moved) for other in others)


def check_still_first(conn: sa.Connection, foreign: Foreign) -> None:
    """Raise Refused where the journal accounts for the transaction meanwhile: another process was faster."""
    used, start = foreign.used, histories.baseline(conn, foreign.used.wallet)
    if start is None or start[1] + histories.nonces_used(conn, used.wallet) != used.nonce:
        raise Refused(
            f"another process has just said what the transaction in block {used.head.number} was",
            fix="look what it said, and begin again",
        )


def match(conn: sa.Connection, foreign: Foreign) -> Match | None:
    """The batch that is approved or being sent and owes just these payments, if there is one."""
    if not foreign.payments or not foreign.whole:
        return None
    for batch in reversed(batches.listed(conn, UNFINISHED)):
        if batch.wallet != foreign.used.wallet:
            continue
        owed = batches.lines_of(conn, batch.id, LineState.OWED)
        lines: list[BatchLine] = []
        for payment in foreign.payments:
            paid = (payment.address, payment.units)
            wanted = (line for line in owed if line not in lines and (line.address, line.amount) == paid)
            line = next(wanted, None)
            if line is None:
                break
            lines.append(line)
        if len(lines) == len(foreign.payments):
            return Match(batch, lines)
    return None


def adopt(door: Door, wallet: str) -> tuple[Foreign, Match]:
    """Write the journal entry that a lost database had, or open one again that was ruled dead: reconcile then books it
    like any other.

    Raises Refused when the transaction matches no payments that are owed.
    """
    foreign = find(door, wallet)
    signed = _signed(door, foreign.used)
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        dead = attempts.revive(conn, foreign.used.tx_id)
        if dead is not None:  # it was ours all the time
            return foreign, Match(batches.get(conn, dead.batch_id), attempts.lines_of_chunk(conn, dead.chunk_id))
        matched = match(conn, foreign)
        if matched is None or signed is None:
            raise Refused(
                f"the transaction in block {foreign.used.head.number} is not what an approved batch owes",
                why=described(foreign, door.chain.asset),
                fix="restore the newest database you have; if it was something else: "
                + door.producer.words.rule_foreign,
            )
        if matched.batch.state == BatchState.APPROVED:
            batches.set_state(conn, matched.batch.id, BatchState.APPROVED, BatchState.SENDING)
        attempts.open_attempt(conn, matched.batch.id, matched.lines, signed, foreign.used.head)
    return foreign, matched


def rule(door: Door, wallet: str, words: str, *, pays_users: bool = False) -> Foreign:
    """Record the owner's word that the first unexplained transaction is no payment of a batch.

    words: what it was, kept for ever. Raises BadInput without them; Refused when it is what a batch
    owes (adopt it), or when it pays an address of somebody we pay or cannot be read, unless that is said too
    (pays_users).
    """
    if len(words.strip()) < 5:
        raise BadInput(
            "say in a few words what that transaction was",
            why="the ledger keeps them for ever",
            fix='for example "paid the rent by hand"',
        )
    foreign = find(door, wallet)
    used = foreign.used
    if door.log is not None and used.tx_id in payment_log.unknown(door, door.log):
        raise Refused(
            f"the log of payments lists the transaction in block {used.head.number} as a payment",
            why="counting it as foreign would pay its payees again",
            fix=f"take it over: {door.producer.words.take_over_log or door.producer.words.adopt}",
        )
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = match(conn, foreign)
        if matched is not None:
            raise Refused(
                f"the transaction in block {used.head.number} paid {len(matched.lines)} payments of batch "
                f"#{matched.batch.id}",
                why="counting it as foreign would pay them again",
                fix=f"take it over: {door.producer.words.adopt}",
            )
        if not pays_users:
            _pays_nobody_of_ours(conn, door, foreign)
        histories.rule(conn, wallet, used.nonce, tx_id=used.tx_id, block=used.head.number, words=words.strip())
    return foreign


def _pays_nobody_of_ours(conn: sa.Connection, door: Door, foreign: Foreign) -> None:
    """Raise Refused for a transaction that paid somebody of ours, or may have."""
    if foreign.payments is None:
        raise Refused(
            f"what the transaction in block {foreign.used.head.number} paid cannot be read",
            why="it may have paid your users, who would be paid again",
            fix=f"look at it on an explorer; if it really paid none of them: {door.producer.words.pays_users}",
        )
    known = door.producer.owners(conn, [payment.address for payment in foreign.payments])
    ours = [payment for payment in foreign.payments if payment.address in known]
    if ours:
        raise Refused(
            f"the transaction in block {foreign.used.head.number} paid {len(ours)} addresses of your users",
            why="if it was a payment that this database has lost, they would be paid again",
            fix=f"restore the newest database you have; if it really was none: {door.producer.words.pays_users}",
            problems=[
                f"{plain(known[payment.address])}: {Amount(payment.units, door.chain.asset)}" for payment in ours
            ],
        )


def described(foreign: Foreign, asset: Asset) -> str:
    """What the transaction did, in a sentence."""
    if foreign.payments is None:
        return "what it paid cannot be read; look at it on an explorer"
    if not foreign.payments:
        return "nothing left the wallet by it but its fee"
    total = sum(payment.units for payment in foreign.payments)
    return f"it pays {Amount(total, asset)} to {len(foreign.payments)} addresses"


def _signed(door: Door, used: Used) -> SignedTx | None:
    """The entry of the journal for what stands in a block: born just before it, and not looked for after it."""
    if used.raw is None:
        return None
    number, version = used.head.number, door.chain.identity().spec_version
    return SignedTx(used.tx_id, used.raw, used.wallet, used.nonce, number - 1, used.head.parent_hash, number, version)
