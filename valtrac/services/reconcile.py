"""What became of the transactions in the journal, read from the finalized chain and never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.domain.batches import Attempt
from valtrac.domain.chain import Head, Outcome
from valtrac.domain.policies import OWNER
from valtrac.errors import ChainUnreachable, Refused
from valtrac.ports import Chain
from valtrac.services import payout_log
from valtrac.services.nonces import who_used
from valtrac.store import attempts, batches, contracts, events, ledger
from valtrac.store.engine import asset_of, claim_identity, reading, writing


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at the chain says of one attempt: landed, failed, dead, or still unknown, and why."""

    attempt: Attempt
    state: str
    words: str


def reconcile(
    engine: sa.Engine,
    chain: Chain,
    *,
    wallet: str | None = None,
    witnesses: Sequence[Chain] = (),
    log: Path | None = None,
) -> list[Finding]:
    """Look for every unresolved attempt and book what is certain; safe to run at any time, by anyone.

    witnesses: further nodes that must agree before an attempt counts as dead.
    Raises ChainUnreachable when the node does not answer or cannot be trusted; what was found
    before stays booked, the rest stays unknown.
    """
    identity = chain.identity()
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
    with reading(engine) as conn:
        open_attempts = attempts.unresolved(conn, wallet)
    found = [_resolve(engine, chain, witnesses, attempt) for attempt in open_attempts]
    if log is not None:
        payout_log.sync(engine, log)
    return found


def _resolve(engine: sa.Engine, chain: Chain, witnesses: Sequence[Chain], attempt: Attempt) -> Finding:
    where, seen_to = _look(engine, chain, attempt)
    if where is not None:
        return _included(engine, chain, witnesses, attempt, where)
    nonces = chain.counts_nonces
    if not chain.over(attempt.valid_until, seen_to) or (nonces and chain.finalized().number <= attempt.valid_until):
        until = f"block {attempt.valid_until}" if nonces else f"{datetime.fromtimestamp(attempt.valid_until, UTC)}"
        return Finding(attempt, "unknown", f"not found up to finalized block {seen_to}; it may land until {until}")
    for witness in witnesses:
        _same_chain(witness, attempt)
        there, seen_to, _ = scan(witness, attempt, attempt.birth_block, attempt.birth_hash)
        if there is not None:
            return Finding(attempt, "unknown", "the second node has it, the first does not")
        if not witness.over(attempt.valid_until, seen_to):
            return Finding(attempt, "unknown", "the second node has not got that far yet")
    if not nonces:
        _book(engine, attempt, "dead", None, None)
        return Finding(attempt, "dead", f"no irreversible block up to {seen_to} holds it, and none after may")
    head, birth = chain.finalized(), chain.block(attempt.birth_block).head
    if chain.account(attempt.wallet, birth).nonce > attempt.nonce:
        pass  # its nonce was used before it could have been included at all
    elif chain.account(attempt.wallet, head).nonce > attempt.nonce:
        used = who_used(chain, attempt.wallet, attempt.nonce, attempt.birth_block, head.number)
        if used.tx_id == attempt.tx_id:  # the blocks were shown without it before
            return _included(engine, chain, witnesses, attempt, used.head)
        if not used.tx_id:
            return Finding(attempt, "unknown", f"block {used.head.number} used its nonce and cannot be read")
    _book(engine, attempt, "dead", None, None)
    return Finding(attempt, "dead", f"no finalized block up to {attempt.valid_until} holds it, and none after may")


def _included(engine: sa.Engine, chain: Chain, witnesses: Sequence[Chain], attempt: Attempt, where: Head) -> Finding:
    """Landed or failed, as the events of its block say; failed only where every witness says so too."""
    with reading(engine) as conn:
        payments = len(attempts.lines_of_chunk(conn, attempt.chunk_id))
    outcome = _outcome(chain, attempt, where, payments)
    if any(outcome.items) and not outcome.ok:
        raise Refused(
            f"only a part of transaction {attempt.tx_id} was carried out",
            f"{sum(outcome.items)} of {len(outcome.items)} payments were made: {outcome.error}",
            "it must never happen to a payment that is all or nothing; look at it on an explorer",
        )
    for witness in witnesses if not outcome.ok else ():
        _same_chain(witness, attempt)
        if _outcome(witness, attempt, where, payments).items != outcome.items:
            return Finding(attempt, "unknown", "one node says that it failed, the other that it did not")
    state = "landed" if outcome.ok else "failed"
    _book(engine, attempt, state, where, outcome)
    return Finding(attempt, state, f"in block {where.number}" + (f": {outcome.error}" if outcome.error else ""))


def _outcome(chain: Chain, attempt: Attempt, where: Head, payments: int) -> Outcome:
    """What the block's events say, one result for each payment. Raises ChainUnreachable for anything else."""
    outcome = chain.outcome(attempt.tx_id, where)
    if outcome is None:
        raise ChainUnreachable(
            f"block {where.number} lists the transaction but tells nothing about it",
            "",
            "ask another node, then reconcile again",
        )
    if len(outcome.items) != payments or any(type(item) is not bool for item in outcome.items):
        raise ChainUnreachable(
            f"block {where.number} tells of {len(outcome.items)} results for {payments} payments",
            "what it says proves nothing",
            "ask another node, then reconcile again",
        )
    return outcome


def _same_chain(witness: Chain, attempt: Attempt) -> None:
    if witness.identity().genesis_hash != attempt.genesis:
        raise Refused("the second node serves another chain", "", "mend its address in .env")


def _look(engine: sa.Engine, chain: Chain, attempt: Attempt) -> tuple[Head | None, int]:
    """The block that holds the attempt, if any is final, and how far it looked, which is remembered.

    Dead is judged by how far this look went, never by a head read later.
    """
    number = attempt.birth_block if attempt.scanned_to is None else attempt.scanned_to
    block_hash = attempt.birth_hash if attempt.scanned_hash is None else attempt.scanned_hash
    where, number, block_hash = scan(chain, attempt, number, block_hash)
    if where is None and number != attempt.scanned_to:
        with writing(engine) as conn:
            attempts.note_scan(conn, attempt, number, block_hash)
    return where, number


def scan(chain: Chain, attempt: Attempt, number: int, block_hash: str) -> tuple[Head | None, int, str]:
    """Read finalized blocks after (number, block_hash), each linked to the one before by its parent's hash.

    Returns the block that holds the attempt or None, and how far it read. Raises ChainUnreachable
    where a block is missing or does not link: then nothing is known.
    """
    last = chain.finalized().number
    while number < last and not chain.over(attempt.valid_until, number):
        view = chain.block(number + 1)
        if view.head.parent_hash != block_hash or view.head.number != number + 1:
            raise ChainUnreachable(
                f"block {number + 1} does not follow from the block {number} that was signed against",
                "this node tells another history",
                "ask another node, then reconcile again",
            )
        if attempt.tx_id in view.tx_ids:
            return view.head, number, block_hash
        number, block_hash = view.head.number, view.head.hash
    return None, number, block_hash


def _book(engine: sa.Engine, attempt: Attempt, state: str, head: Head | None, outcome: Outcome | None) -> None:
    """One transaction: the attempt, its chunk and lines, the ledger and the receipts."""
    with writing(engine) as conn:
        attempts.lock_wallet(conn, attempt.wallet)
        if not attempts.resolve(conn, attempt, state, head=head, outcome=outcome):
            return
        lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
        ids, unit = [line.id for line in lines], asset_of(conn).unit
        if state != "landed" or head is None:
            batches.move_lines(conn, ids, "chunked", "owed")
            contracts.follow(conn, ids, "processing")
            return
        batches.move_lines(conn, ids, "chunked", "paid")
        for due in contracts.follow(conn, ids, "confirmed", block=head.number, tx_id=attempt.tx_id, at=head.at):
            events.paid(conn, due)
        rows: list[dict[str, Any]] = []
        for line in lines:
            common = {
                "person": line.person,
                "batch_id": line.batch_id,
                "line_id": line.id,
                "cause": f"tx {attempt.tx_id}",
            }
            rows += [
                {**common, "kind": "paid", "units": line.amount},
                {**common, "kind": "released", "units": line.released},
                {**common, "kind": "netted", "units": line.fee_share, "cause": "share of the network fee"},
            ]
        ledger.book(conn, rows)
        ledger.add_receipts(
            conn,
            attempt.id,
            [
                (
                    line.id,
                    {
                        "genesis": attempt.genesis,
                        "batch": line.batch_id,
                        "line": line.id,
                        "user": line.name,
                        "address": line.address,
                        f"amount_{unit}": line.amount,
                        f"from_pool_{unit}": line.from_pool,
                        f"released_{unit}": line.released,
                        f"fee_share_{unit}": line.fee_share,
                        "tx_id": attempt.tx_id,
                        "block": head.number,
                        "block_hash": head.hash,
                        "wallet": attempt.wallet,
                        **({"memo": line.memo} if line.memo else {}),
                    },
                )
                for line in lines
            ],
        )
        settle_if_done(conn, attempt.batch_id)


def settle_if_done(conn: sa.Connection, batch_id: int) -> bool:
    """Close a batch once every line is paid or set aside, and book what the network fee really was to the owner."""
    batch = batches.get(conn, batch_id)
    lines = batches.lines_of(conn, batch_id)
    live = [line for line in lines if line.state != "void"]
    if batch.state == "approved" and not live:  # only balances were booked; there is nothing to send
        batches.move(conn, batch_id, "approved", "sending")
    elif batch.state != "sending" or any(line.state != "paid" for line in live):
        return False
    batches.move(conn, batch_id, "sending", "settled", settled_at=datetime.now(UTC))
    taken = batch.plan["fee_from_pool"] + sum(line.fee_share for line in live)
    cost = attempts.fees_of_batch(conn, batch_id)
    unit = asset_of(conn).unit
    if cost is None:  # the chain did not say what it took: nothing is known to be left over
        return True
    ledger.book(
        conn,
        [
            {
                "person": OWNER,
                "kind": "netted",
                "units": cost - taken,
                "batch_id": batch_id,
                "cause": f"fee of {taken} {unit} taken, {cost} {unit} charged by the chain",
            }
        ],
    )
    return True
