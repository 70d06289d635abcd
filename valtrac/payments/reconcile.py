"""What became of the transactions in the journal, read from the finalized chain and never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head, Outcome
from valtrac.core.errors import BadInput, ChainUnreachable, Refused, ValtracError
from valtrac.core.ledger_accounts import OWNER
from valtrac.core.text import plain
from valtrac.database.engine import asset_of, claim_identity, reading, writing
from valtrac.payments import evidence, payment_log, rivals
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import AttemptState, BatchState, LineState
from valtrac.payments.nonces import Used, who_used
from valtrac.payments.producer import Fate, Producer
from valtrac.payments.scanning import scan
from valtrac.payments.store import attempts, batches, ledger
from valtrac.ports import PayingChain


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at the chain says of one attempt: what became of it, None while that is unknown, and why."""

    attempt: Attempt
    state: AttemptState | None
    words: str

    @property
    def called(self) -> str:
        """The state as it is told: unknown where there is none."""
        return "unknown" if self.state is None else self.state.value


def reconcile(door: Door, *, wallet: str | None = None) -> list[Finding]:
    """`look`, and bring the list of payments up to date.

    Raises Refused, which says what was found, where that list cannot be written.
    """
    findings = look(door, wallet=wallet)
    if door.log is None:
        return findings
    try:
        payment_log.sync(door, door.log)
    except ValtracError as error:
        booked = [finding for finding in findings if finding.state is not None]
        error.why = "; ".join(filter(None, (error.why, *(f"{f.attempt.tx_id}: {f.called}" for f in booked))))
        error.moved = "yes" if any(finding.state == AttemptState.LANDED for finding in booked) else error.moved
        raise
    return findings


def look(door: Door, *, wallet: str | None = None) -> list[Finding]:
    """Look for every unresolved attempt and book what is certain; safe to run at any time, by anyone.

    wallet: only of this one. The door's witnesses must agree before an attempt counts as dead or failed.
    Raises ChainUnreachable when the node does not answer or cannot be trusted; what was found
    before stays booked, the rest stays unknown.
    """
    identity = door.chain.identity()
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
    with reading(door.engine) as conn:
        open_attempts = attempts.unresolved(conn, wallet)
    return [_resolve(door, attempt) for attempt in open_attempts]


def _resolve(door: Door, attempt: Attempt) -> Finding:
    """Landed or failed where a final block holds it; dead where none does and none may any more; else unknown."""
    try:
        where, seen_to = _look(door, attempt)
    except ChainUnreachable:
        if not door.coins and birth_is_gone(door.chain, attempt):
            return _without_birth(door, attempt)
        raise
    if where is not None:
        return _included(door, attempt, where)
    if door.coins:
        return _spent_by_another(door, attempt, seen_to)
    if not door.chain.over(attempt.valid_until, seen_to):
        until = door.chain.until(attempt.valid_until)
        return Finding(attempt, None, f"not found up to finalized block {seen_to}; it may land until {until}")
    for witness in door.witnesses:
        doubt = _doubt_of(witness, attempt)
        if doubt:
            return Finding(attempt, None, doubt)
    used = _who_used_its_nonce(door, attempt)
    if used is not None and used.tx_id == attempt.tx_id:  # the blocks were shown without it before
        return _included(door, attempt, used.head)
    if used is not None and not used.tx_id:
        return Finding(attempt, None, f"block {used.head.number} used its nonce and cannot be read")
    head = door.chain.block(seen_to).head
    doubt = "" if used is not None else evidence.doubt_of_death(door, attempt, head)
    if doubt:
        return Finding(attempt, None, doubt)
    known = evidence.finality_of(door, head)
    _book(door, attempt, AttemptState.DEAD, None, None)
    said = f"no final block up to {seen_to} holds it, and none after may"
    return Finding(attempt, AttemptState.DEAD, said + evidence.in_words(door, known))


def _spent_by_another(door: Door, attempt: Attempt, seen_to: int) -> Finding:
    """Dead where another transaction has spent a coin of it for good, and pays nobody of the same; else unknown. Where
    that one makes the same payments, it is looked for from then on."""
    rival = rivals.rival_of(door, attempt, seen_to)
    if isinstance(rival, str):
        return Finding(attempt, None, rival)
    with reading(door.engine) as conn:
        lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
    if paid := rivals.made_by(door, lines, rival):
        rivals.exchange(door, attempt, rival, paid)
        rest = "" if len(paid) == len(lines) else f"{len(paid)} of "
        said = f"{rival.tx_id} has made {rest}the same payments, and is looked for in its place"
        return Finding(attempt, AttemptState.DEAD, said)
    doubt = rivals.doubt_of_rival(door, lines, rival)
    if doubt:
        return Finding(attempt, None, doubt)
    known = evidence.finality_of(door, door.chain.block(seen_to).head)
    _book(door, attempt, AttemptState.DEAD, None, None)
    door.coins[0].release(attempt.raw)
    said = f"another transaction has spent its coins, and no final block up to {seen_to} holds it"
    return Finding(attempt, AttemptState.DEAD, said + evidence.in_words(door, known))


def birth_is_gone(chain: PayingChain, attempt: Attempt) -> bool:
    """Whether the final block that a transaction was signed against is another one in a node's history. The chain
    takes a transaction only where that block is its own: there it can never be included."""
    if chain.finalized().number < attempt.birth_block:
        return False
    return chain.block(attempt.birth_block).head.hash != attempt.birth_hash


def _without_birth(door: Door, attempt: Attempt) -> Finding:
    """Dead where several nodes tell the same other history; else the owner has to say which one holds."""
    said = f"block {attempt.birth_block}, which it was signed against, is another one in this node's history"
    agreed = [birth_is_gone(witness, attempt) for witness in door.witnesses]
    if not agreed or not all(agreed):
        who = "the second node still has it" if agreed else "one node says so"
        words = door.producer.words
        return Finding(attempt, None, f"{said}; {who}: compare it with an explorer, then: {words.rule_gone}")
    _book(door, attempt, AttemptState.DEAD, None, None)
    return Finding(attempt, AttemptState.DEAD, f"{said}, and in the second node's: it can never be included")


def rule_gone(door: Door, tx_id: str, words: str) -> Attempt:
    """Book the owner's word that a history in which a transaction was signed is gone for good: it is dead.

    Raises BadInput without words or for a transaction that is not open, Refused where the node asked still has the
    block that it was signed against.
    """
    if len(words.strip()) < 5:
        raise BadInput("say in a few words how you know", fix='for example "finality broke, see the announcement"')
    with reading(door.engine) as conn:
        attempt = next((open_ for open_ in attempts.unresolved(conn) if open_.tx_id == tx_id.strip().lower()), None)
    if attempt is None:
        raise BadInput(f"no open transaction is called {plain(tx_id, 80)}", fix=f"see: {door.producer.words.reconcile}")
    if door.coins:
        raise Refused(
            f"transaction {attempt.tx_id} may land on any history, as long as its coins are unspent",
            fix=f"spend one of them otherwise, then: {door.producer.words.reconcile}",
        )
    if not birth_is_gone(door.chain, attempt):
        raise Refused(
            f"block {attempt.birth_block}, which it was signed against, is where it was",
            why="it may still land, or have landed",
            fix=f"find out what became of it: {door.producer.words.reconcile}",
        )
    ruled = Outcome((), None, f"ruled by the owner: {plain(words, 400)}")
    _book(door, attempt, AttemptState.DEAD, None, ruled)
    return attempt


def _doubt_of(witness: PayingChain, attempt: Attempt) -> str:
    """Why another node does not say that an attempt is dead, or ""."""
    _same_chain(witness, attempt)
    there, seen_to, _ = scan(witness, attempt, attempt.birth_block, attempt.birth_hash)
    if there is not None:
        return "the second node has it, the first does not"
    return "" if witness.over(attempt.valid_until, seen_to) else "the second node has not got that far yet"


def _who_used_its_nonce(door: Door, attempt: Attempt) -> Used | None:
    """What used the nonce of an attempt after its birth, on a chain that numbers transactions; None: nothing did."""
    if door.numbers is None:
        return None
    head, birth = door.chain.finalized(), door.chain.block(attempt.birth_block).head
    if door.numbers.nonce(attempt.wallet, birth) > attempt.nonce:
        return None  # it was used before this one could have been included at all
    if door.numbers.nonce(attempt.wallet, head) <= attempt.nonce:
        return None
    return who_used(door.numbers, attempt.wallet, attempt.nonce, attempt.birth_block, head.number)


def _included(door: Door, attempt: Attempt, where: Head) -> Finding:
    """Landed or failed, as the events of its block say, every witness says too, and the balance does not deny."""
    with reading(door.engine) as conn:
        lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
    outcome = _outcome(door.chain, attempt, where, len(lines))
    if any(outcome.items) and not outcome.ok:
        raise Refused(
            f"only a part of transaction {attempt.tx_id} was carried out",
            why=f"{sum(outcome.items)} of {len(outcome.items)} payments were made: {outcome.error}",
            fix="it must never happen to a payment that is all or nothing; look at it on an explorer",
        )
    for witness in door.witnesses:
        _same_chain(witness, attempt)
        other = _outcome(witness, attempt, where, len(lines))
        if other.items != outcome.items:
            return Finding(attempt, None, "one node says that it failed, the other that it did not")
        if evidence.doubt_of_movements(attempt, other, lines):
            return Finding(attempt, None, "the second node tells of other transfers than these")
    doubt = evidence.doubt_of_outcome(door, attempt, where, outcome, lines)
    if doubt:
        return Finding(attempt, None, doubt)
    known = evidence.finality_of(door, where)
    state = AttemptState.LANDED if outcome.ok else AttemptState.FAILED
    _book(door, attempt, state, where, outcome)
    said = f"in block {where.number}" + (f": {outcome.error}" if outcome.error else "")
    final = evidence.in_words(door, known)
    proven = "; proven under the block's header" if final and outcome.proven else ""
    return Finding(attempt, state, said + proven + final)


def _outcome(chain: PayingChain, attempt: Attempt, where: Head, payments: int) -> Outcome:
    """What the block's events say, one result for each payment. Raises ChainUnreachable for anything else."""
    outcome = chain.outcome(attempt.tx_id, where)
    if outcome is None:
        raise ChainUnreachable(
            f"block {where.number} lists the transaction but tells nothing about it",
            fix="ask another node, then reconcile again",
        )
    if len(outcome.items) != payments or any(type(item) is not bool for item in outcome.items):
        raise ChainUnreachable(
            f"block {where.number} tells of {len(outcome.items)} results for {payments} payments",
            why="what it says proves nothing",
            fix="ask another node, then reconcile again",
        )
    return outcome


def _same_chain(witness: PayingChain, attempt: Attempt) -> None:
    if witness.identity().genesis_hash != attempt.genesis:
        raise Refused("the second node serves another chain", fix="mend its address in .env")


def _look(door: Door, attempt: Attempt) -> tuple[Head | None, int]:
    """The block that holds the attempt, if any is final, and how far it looked, which is remembered.

    Dead is judged by how far this look went, never by a head read later.
    """
    number = attempt.birth_block if attempt.scanned_to is None else attempt.scanned_to
    block_hash = attempt.birth_hash if attempt.scanned_hash is None else attempt.scanned_hash
    with reading(door.engine) as conn:
        dead = attempts.dead_of(conn, attempt.wallet)
    if door.coins:
        number, block_hash = rivals.first_to_read(door, attempt, number, block_hash)
    where, number, block_hash = scan(door.chain, attempt, number, block_hash, dead)
    if where is None and number != attempt.scanned_to:
        with writing(door.engine) as conn:
            attempts.note_scan(conn, attempt, number, block_hash)
    return where, number


def _book(door: Door, attempt: Attempt, state: AttemptState, head: Head | None, outcome: Outcome | None) -> None:
    """One transaction: the attempt, its chunk and lines, the ledger and the receipts, and what the business books."""
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, attempt.wallet)
        if not attempts.resolve(conn, attempt, state, head=head, outcome=outcome):
            return
        lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
        ids = [line.id for line in lines]
        landed = state == AttemptState.LANDED and head is not None
        batches.move_lines(conn, ids, LineState.CHUNKED, LineState.PAID if landed else LineState.OWED)
        door.producer.moved(conn, lines, Fate(state, attempt.tx_id, head))
        if not landed or head is None:
            return
        taken = outcome.taken if outcome is not None and len(lines) == 1 else None
        ledger.book(conn, _paid_entries(attempt, lines, taken))
        unit = asset_of(conn).unit
        receipts = [(line.id, _receipt(attempt, line, head, unit, taken)) for line in lines]
        ledger.add_receipts(conn, attempt.id, receipts)
        settle_if_done(conn, door.producer, attempt.batch_id)


def _paid_entries(attempt: Attempt, lines: list[BatchLine], taken: int | None) -> list[dict[str, Any]]:
    """What the payments of a transaction that landed book, account by account. taken: what really left for its one
    payment, where that may be less."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        common = {"person": line.person, "batch_id": line.batch_id, "line_id": line.id, "cause": f"tx {attempt.tx_id}"}
        paid = line.amount if taken is None else taken
        rows += [
            {**common, "kind": "paid", "units": paid},
            {**common, "kind": "netted", "units": line.amount - paid, "cause": "the chain took another amount"},
            {**common, "kind": "released", "units": line.released},
            {**common, "kind": "netted", "units": line.fee_share, "cause": "share of the network fee"},
        ]
    return rows


def _receipt(attempt: Attempt, line: BatchLine, head: Head, unit: str, taken: int | None) -> dict[str, Any]:
    """The body of the receipt of one payment."""
    return {
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
        **({f"taken_{unit}": taken} if taken is not None else {}),
    }


def settle_if_done(conn: sa.Connection, producer: Producer, batch_id: int) -> bool:
    """Close a batch once every line is paid or set aside, and book what the network fee really was to the owner."""
    if batches.unfinished(conn, batch_id):
        return False
    batch = batches.get(conn, batch_id)
    lines = batches.lines_of(conn, batch_id)
    live = [line for line in lines if line.state != LineState.VOID]
    if batch.state == BatchState.APPROVED and not live:  # only balances were booked; there is nothing to send
        batches.set_state(conn, batch_id, BatchState.APPROVED, BatchState.SENDING)
    elif batch.state != BatchState.SENDING or any(line.state != LineState.PAID for line in live):
        return False
    batches.set_state(conn, batch_id, BatchState.SENDING, BatchState.SETTLED, settled_at=datetime.now(UTC))
    taken = producer.fee_set_aside(batch) + sum(line.fee_share for line in live)
    cost = attempts.fees_of_batch(conn, batch_id)
    if cost is None:  # the chain did not say what it took: nothing is known to be left over
        return True
    unit = asset_of(conn).unit
    cause = f"fee of {taken} {unit} taken, {cost} {unit} charged by the chain"
    ledger.book(
        conn, [{"person": OWNER, "kind": "netted", "units": cost - taken, "batch_id": batch_id, "cause": cause}]
    )
    return True
