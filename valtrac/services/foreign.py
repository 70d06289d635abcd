"""A transaction of the wallet that the journal does not know: take it over where it paid lines of ours,
or record in words that it was something else. Until then the wallet is frozen."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.domain.batches import Batch, BatchLine
from valtrac.domain.chain import DecodedTx, SignedTx
from valtrac.domain.money import rao
from valtrac.domain.text import plain
from valtrac.errors import BadInput, Refused
from valtrac.ports import Chain
from valtrac.services.nonces import Used, who_used
from valtrac.store import attempts, batches, people
from valtrac.store.engine import claim_identity, reading, writing


@dataclass(frozen=True, slots=True)
class Match:
    """The owed lines of a batch that a foreign transaction paid, in its order."""

    batch: Batch
    lines: list[BatchLine]


def find(engine: sa.Engine, chain: Chain, wallet: str) -> Used:
    """The first finalized transaction of the wallet that the journal cannot account for.

    Raises BadInput when there is none, Refused when the node serves another chain.
    """
    identity, head = chain.identity(), chain.finalized()
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
    with reading(engine) as conn:
        start = attempts.baseline(conn, wallet)
        used = attempts.nonces_used(conn, wallet)
        on_its_way = attempts.unresolved(conn, wallet)
    if on_its_way:
        raise Refused("a payment of this wallet is still on its way", "", "first: run.py payout reconcile")
    if start is None or chain.account(wallet, head).nonce <= start[1] + used:
        raise BadInput(f"every finalized transaction of wallet {wallet} is accounted for", "", "nothing to rule on")
    return who_used(chain, wallet, start[1] + used, start[0], head.number)


def match(conn: sa.Connection, foreign: Used) -> Match | None:
    """The batch that is approved or being sent and owes just these payments, if there is one."""
    if foreign.tx is None:
        return None
    for batch in reversed(batches.listed(conn, ("approved", "sending"))):
        if batch.wallet != foreign.wallet:
            continue
        owed = batches.lines_of(conn, batch.id, "owed")
        found: list[BatchLine] = []
        for payment in foreign.tx.payments:
            wanted = (line for line in owed if line not in found
                      and (line.address, line.amount) == (payment.address, payment.units))  # fmt: skip
            line = next(wanted, None)
            if line is None:
                break
            found.append(line)
        if len(found) == len(foreign.tx.payments):
            return Match(batch, found)
    return None


def adopt(engine: sa.Engine, chain: Chain, wallet: str) -> tuple[Used, Match]:
    """Write the journal entry that a lost database had: reconcile then books it like any other.

    Raises Refused when the transaction matches no payments that are owed.
    """
    foreign = find(engine, chain, wallet)
    with writing(engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = match(conn, foreign)
        if matched is None or foreign.tx is None or foreign.raw is None:
            raise Refused(
                f"the transaction in block {foreign.head.number} is not what an approved batch owes",
                described(foreign),
                "restore the newest database you have; if it was something else: run.py payout rule-foreign",
            )
        if matched.batch.state == "approved":
            batches.move(conn, matched.batch.id, "approved", "sending")
        attempts.open_attempt(conn, matched.batch.id, matched.lines, _signed(chain, foreign, foreign.tx, foreign.raw),
                              foreign.head)  # fmt: skip
    return foreign, matched


def rule(engine: sa.Engine, chain: Chain, wallet: str, words: str, *, pays_users: bool = False) -> Used:
    """Record the owner's word that the first unexplained transaction is no payment of a batch.

    words: what it was, kept for ever. Raises BadInput without them; Refused when it is what a batch
    owes (adopt it), or when it pays an address of a user, unless that is said too (pays_users).
    """
    if len(words.strip()) < 5:
        raise BadInput("say in a few words what that transaction was", "the ledger keeps them for ever",
                       '--words "moved the stake by hand"')  # fmt: skip
    foreign = find(engine, chain, wallet)
    with writing(engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = match(conn, foreign)
        if matched is not None:
            raise Refused(
                f"the transaction in block {foreign.head.number} paid {len(matched.lines)} payments of batch "
                f"#{matched.batch.id}",
                "counting it as foreign would pay them again",
                "take it over: run.py payout adopt",
            )
        known = {term.address: term.user for term in people.terms(conn).addresses}
        ours = [] if foreign.tx is None else [payment for payment in foreign.tx.payments if payment.address in known]
        if ours and not pays_users:
            raise Refused(
                f"the transaction in block {foreign.head.number} paid {len(ours)} addresses of your users",
                "if it was a payout that this database has lost, they would be paid again",
                "restore the newest database you have; if it really was no payout, add --it-pays-users",
                problems=[f"{plain(known[payment.address])}: {rao(payment.units)}" for payment in ours],
            )
        attempts.rule(conn, wallet, foreign.nonce, tx_id=foreign.tx_id, block=foreign.head.number, words=words.strip())
    return foreign


def described(foreign: Used) -> str:
    """What the transaction did, in a sentence."""
    if foreign.tx is None:
        return "it is no plain payment; look at it on an explorer"
    total = sum(payment.units for payment in foreign.tx.payments)
    return f"it pays {rao(total)} to {len(foreign.tx.payments)} addresses"


def _signed(chain: Chain, foreign: Used, tx: DecodedTx, raw: bytes) -> SignedTx:
    """The entry of the journal, from the bytes on the chain; its birth is the last one not after its block."""
    number, period, phase = foreign.head.number, tx.era_period, tx.era_phase
    birth = (max(number, phase) - phase) // period * period + phase
    birth_hash = chain.block(birth).head.hash
    return SignedTx(tx.tx_id, raw, tx.signer, tx.nonce, birth, birth_hash, birth + period - 1,
                    chain.identity().spec_version)  # fmt: skip
