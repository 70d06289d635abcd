"""A transaction of the wallet that the journal does not know: take it over where it paid lines of ours,
or record in words that it was something else. Until then the wallet is frozen."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import DecodedTx, SignedTx
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import Amount, Asset
from valtrac.core.text import plain
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import UNFINISHED, BatchState, LineState
from valtrac.payments.nonces import Used, who_used
from valtrac.payments.store import attempts, batches


@dataclass(frozen=True, slots=True)
class Match:
    """The owed lines of a batch that a foreign transaction paid, in its order."""

    batch: Batch
    lines: list[BatchLine]


def find(door: Door, wallet: str) -> Used:
    """The first finalized transaction of the wallet that the journal cannot account for.

    Raises BadInput when there is none, Refused when the node serves another chain.
    """
    identity, head = door.chain.identity(), door.chain.finalized()
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
    with reading(door.engine) as conn:
        start = attempts.baseline(conn, wallet)
        used = attempts.nonces_used(conn, wallet)
        on_its_way = attempts.unresolved(conn, wallet)
    if on_its_way:
        raise Refused("a payment of this wallet is still on its way", fix=f"first: {door.producer.words.reconcile}")
    if start is None or door.numbers is None or door.numbers.nonce(wallet, head) <= start[1] + used:
        raise BadInput(f"every finalized transaction of wallet {wallet} is accounted for", fix="nothing to rule on")
    return who_used(door.numbers, wallet, start[1] + used, start[0], head.number)


def match(conn: sa.Connection, foreign: Used) -> Match | None:
    """The batch that is approved or being sent and owes just these payments, if there is one."""
    if foreign.tx is None:
        return None
    for batch in reversed(batches.listed(conn, UNFINISHED)):
        if batch.wallet != foreign.wallet:
            continue
        owed = batches.lines_of(conn, batch.id, LineState.OWED)
        lines: list[BatchLine] = []
        for payment in foreign.tx.payments:
            paid = (payment.address, payment.units)
            wanted = (line for line in owed if line not in lines and (line.address, line.amount) == paid)
            line = next(wanted, None)
            if line is None:
                break
            lines.append(line)
        if len(lines) == len(foreign.tx.payments):
            return Match(batch, lines)
    return None


def adopt(door: Door, wallet: str) -> tuple[Used, Match]:
    """Write the journal entry that a lost database had: reconcile then books it like any other.

    Raises Refused when the transaction matches no payments that are owed.
    """
    foreign = find(door, wallet)
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = match(conn, foreign)
        if matched is None or foreign.tx is None or foreign.raw is None:
            raise Refused(
                f"the transaction in block {foreign.head.number} is not what an approved batch owes",
                why=described(foreign, door.chain.asset),
                fix="restore the newest database you have; if it was something else: "
                + door.producer.words.rule_foreign,
            )
        if matched.batch.state == BatchState.APPROVED:
            batches.set_state(conn, matched.batch.id, BatchState.APPROVED, BatchState.SENDING)
        signed = _signed(door, foreign, foreign.tx, foreign.raw)
        attempts.open_attempt(conn, matched.batch.id, matched.lines, signed, foreign.head)
    return foreign, matched


def rule(door: Door, wallet: str, words: str, *, pays_users: bool = False) -> Used:
    """Record the owner's word that the first unexplained transaction is no payment of a batch.

    words: what it was, kept for ever. Raises BadInput without them; Refused when it is what a batch
    owes (adopt it), or when it pays an address of somebody we pay, unless that is said too (pays_users).
    """
    if len(words.strip()) < 5:
        raise BadInput(
            "say in a few words what that transaction was",
            why="the ledger keeps them for ever",
            fix='--words "paid the rent by hand"',
        )
    foreign = find(door, wallet)
    asset = door.chain.asset
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = match(conn, foreign)
        if matched is not None:
            raise Refused(
                f"the transaction in block {foreign.head.number} paid {len(matched.lines)} payments of batch "
                f"#{matched.batch.id}",
                why="counting it as foreign would pay them again",
                fix=f"take it over: {door.producer.words.adopt}",
            )
        payments = () if foreign.tx is None else foreign.tx.payments
        known = door.producer.owners(conn, [payment.address for payment in payments])
        ours = [payment for payment in payments if payment.address in known]
        if ours and not pays_users:
            raise Refused(
                f"the transaction in block {foreign.head.number} paid {len(ours)} addresses of your users",
                why="if it was a payment that this database has lost, they would be paid again",
                fix="restore the newest database you have; if it really was none, add --it-pays-users",
                problems=[f"{plain(known[receiver.address])}: {Amount(receiver.units, asset)}" for receiver in ours],
            )
        attempts.rule(conn, wallet, foreign.nonce, tx_id=foreign.tx_id, block=foreign.head.number, words=words.strip())
    return foreign


def described(foreign: Used, asset: Asset) -> str:
    """What the transaction did, in a sentence."""
    if foreign.tx is None:
        return "it is no plain payment; look at it on an explorer"
    total = sum(payment.units for payment in foreign.tx.payments)
    return f"it pays {Amount(total, asset)} to {len(foreign.tx.payments)} addresses"


def _signed(door: Door, foreign: Used, tx: DecodedTx, raw: bytes) -> SignedTx:
    """The entry of the journal, from the bytes on the chain; its birth is the last one not after its block."""
    number, period, phase = foreign.head.number, tx.era_period, tx.era_phase
    birth = (max(number, phase) - phase) // period * period + phase
    birth_hash = door.chain.block(birth).head.hash
    version = door.chain.identity().spec_version
    return SignedTx(tx.tx_id, raw, tx.signer, tx.nonce, birth, birth_hash, birth + period - 1, version)
