"""The journal: chunks, signed attempts, and the wallets whose history they are."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head, Outcome, SignedTx
from valtrac.core.errors import Refused
from valtrac.database.columns import identity
from valtrac.database.engine import genesis_of, insert
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import INCLUDED, SPENDING, UNRESOLVED, AttemptState, ChunkState, LineState
from valtrac.payments.store import batches
from valtrac.payments.store import tables as t

A, K, CL, W = t.attempts.c, t.chunks.c, t.chunk_lines.c, t.wallets.c
_NAMES = [name for name in Attempt.__dataclass_fields__ if name != "batch_id"]
_ATTEMPTS = sa.select(K.batch_id, *(A[name] for name in _NAMES)).join(t.chunks, K.id == A.chunk_id).order_by(A.id)
_UNRESOLVED = _ATTEMPTS.where(A.state.in_(UNRESOLVED))
_UNRESOLVED_OF_WALLET = _UNRESOLVED.where(A.wallet == sa.bindparam("wallet"))
_OF_BATCH = _ATTEMPTS.where(K.batch_id == sa.bindparam("batch_id"))
_LINES_OF_CHUNK = (
    sa.select(t.lines)
    .join(t.chunk_lines, CL.line_id == t.lines.c.id)
    .where(CL.chunk_id == sa.bindparam("chunk_id"))
    .order_by(CL.position)
)
_DEAD_OF_WALLET = sa.select(A.tx_id).where(
    A.genesis == sa.bindparam("genesis"), A.wallet == sa.bindparam("wallet"), A.state == AttemptState.DEAD
)
LAST_FEES = 20
SEEN = "ruled dead before, and seen in a block"
REFUSED = "refused: "  # how the words of a node that said no begin, as against those of one that was not heard


def lock_wallet(conn: sa.Connection, wallet: str) -> None:
    """Let nobody else write about money until the transaction ends.

    SQLite: the transaction holds the only write lock already. PostgreSQL: the row of the
    database's identity (the chain of receipts is one for all wallets), then the wallet's.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(identity.c.id).with_for_update())
        conn.execute(sa.select(W.id).where(W.genesis == genesis_of(conn), W.address == wallet).with_for_update())


def open_attempt(conn: sa.Connection, batch_id: int, lines: Sequence[BatchLine], tx: SignedTx, head: Head) -> int:
    """Write a signed transaction and its chunk down before it is sent; return the attempt's id.

    The caller commits first and broadcasts second. Raises Refused when a line is on its way
    already or the wallet has an unresolved attempt in this lane: the indexes allow one of each.
    """
    genesis, now = genesis_of(conn), datetime.now(UTC)
    chunk_id = _chunk(conn, batch_id, lines, now)
    row = {
        "genesis": genesis,
        "chunk_id": chunk_id,
        "wallet": tx.signer,
        "lane": tx.lane,
        "tx_id": tx.tx_id,
        "raw": tx.raw,
        "nonce": tx.nonce,
        "birth_block": tx.birth_number,
        "birth_hash": tx.birth_hash,
        "valid_until": tx.valid_until,
        "spec_version": tx.spec_version,
        "units": sum(line.amount for line in lines),
        "chain_at": head.at,
        "created_at": now,
        "state": AttemptState.SIGNED,
    }
    attempt_id = conn.execute(insert(conn, t.attempts).values(row).on_conflict_do_nothing().returning(A.id)).scalar()
    if attempt_id is None:
        raise Refused(
            "another process is paying from this wallet right now",
            why="one transaction per wallet may be on its way",
            fix="wait for it, or reconcile",
        )
    return int(attempt_id)


def _chunk(conn: sa.Connection, batch_id: int, lines: Sequence[BatchLine], now: datetime) -> int:
    """The number of a new chunk that these lines are in now."""
    batches.move_lines(conn, [line.id for line in lines], LineState.OWED, LineState.CHUNKED)
    chunk_id = int(
        conn.execute(
            t.chunks.insert().values(batch_id=batch_id, state=ChunkState.ATTEMPTED, created_at=now).returning(K.id)
        ).scalar_one()
    )
    conn.execute(
        t.chunk_lines.insert(),
        [
            {"chunk_id": chunk_id, "line_id": line.id, "position": place, "live": True}
            for place, line in enumerate(lines)
        ],
    )
    return chunk_id


def spent_since(conn: sa.Connection, wallet: str, at: datetime) -> int:
    """Units in attempts signed, sent or landed by a wallet in the 24 hours of chain time up to `at`."""
    spending = (A.genesis == genesis_of(conn), A.wallet == wallet, A.state.in_(SPENDING))
    rows = conn.execute(sa.select(A.units).where(*spending, A.chain_at > at - timedelta(hours=24)))
    return sum(row.units for row in rows)


def spent_by_batch(conn: sa.Connection, batch_id: int) -> int:
    """Units in attempts signed, sent or landed for a batch."""
    rows = conn.execute(
        sa.select(A.units).join(t.chunks, K.id == A.chunk_id).where(K.batch_id == batch_id, A.state.in_(SPENDING))
    )
    return sum(row.units for row in rows)


def mark_sent(conn: sa.Connection, attempt_id: int, words: str = "") -> None:
    """Note that the bytes left this machine; nothing happens where it is resolved already."""
    conn.execute(
        t.attempts.update()
        .where(A.id == attempt_id, A.state == AttemptState.SIGNED)
        .values(state=AttemptState.SENT, sent_at=datetime.now(UTC), error=words[:500])
    )


def note_scan(conn: sa.Connection, attempt: Attempt, number: int, block_hash: str) -> None:
    """Remember how far the finalized chain was read without finding the attempt."""
    conn.execute(
        t.attempts.update()
        .where(A.id == attempt.id, A.state.in_(UNRESOLVED))
        .values(scanned_to=number, scanned_hash=block_hash)
    )


def resolve(
    conn: sa.Connection,
    attempt: Attempt,
    state: AttemptState,
    *,
    head: Head | None = None,
    outcome: Outcome | None = None,
) -> bool:
    """Compare-and-set an unresolved attempt and its chunk to landed, failed or dead; False: someone else did."""
    values: dict[str, Any] = {"state": state, "resolved_at": datetime.now(UTC)}
    if head is not None:
        values |= {"block": head.number, "block_hash": head.hash}
    if outcome is not None:
        values |= {"fee": outcome.fee_units} | ({"error": outcome.error[:500]} if outcome.error else {})
    done = conn.execute(t.attempts.update().where(A.id == attempt.id, A.state.in_(UNRESOLVED)).values(values))
    if done.rowcount != 1:
        return False
    conn.execute(t.chunks.update().where(K.id == attempt.chunk_id).values(state=ChunkState(state)))
    if state != AttemptState.LANDED:
        conn.execute(t.chunk_lines.update().where(CL.chunk_id == attempt.chunk_id).values(live=False))
    return True


def revive(conn: sa.Connection, tx_id: str) -> Attempt | None:
    """Open an attempt again that was ruled dead and stands in a block; None where there is none of that id.

    Raises Refused where something else has become of one of its lines since.
    """
    dead = next(iter(_attempts(conn, _ATTEMPTS.where(A.tx_id == tx_id, A.state == AttemptState.DEAD))), None)
    if dead is None:
        return None
    lines = [line.id for line in lines_of_chunk(conn, dead.chunk_id)]
    batches.move_lines(conn, lines, LineState.OWED, LineState.CHUNKED)
    conn.execute(t.chunk_lines.update().where(CL.chunk_id == dead.chunk_id).values(live=True))
    conn.execute(t.chunks.update().where(K.id == dead.chunk_id).values(state=ChunkState.ATTEMPTED))
    conn.execute(
        t.attempts.update()
        .where(A.id == dead.id)
        .values(state=AttemptState.SENT, resolved_at=None, scanned_to=None, scanned_hash=None, error=SEEN)
    )
    return dead


def unresolved(conn: sa.Connection, wallet: str | None = None) -> list[Attempt]:
    """Attempts whose fate is not known yet, the oldest first."""
    if wallet is None:
        return _attempts(conn, _UNRESOLVED)
    return _attempts(conn, _UNRESOLVED_OF_WALLET, wallet=wallet)


def landed_units(conn: sa.Connection, batch_id: int | None) -> int:
    """What of a batch was paid: the units of its transactions in final blocks; 0 where there is no batch."""
    if batch_id is None:
        return 0
    return sum(attempt.units for attempt in of_batch(conn, batch_id) if attempt.state == AttemptState.LANDED)


def of_batch(conn: sa.Connection, batch_id: int) -> list[Attempt]:
    """Every attempt of a batch, in order."""
    return _attempts(conn, _OF_BATCH, batch_id=batch_id)


def ended(conn: sa.Connection, producer: str) -> list[Attempt]:
    """The transactions of a business that have come to an end, whatever became of them, in order."""
    chosen = _ATTEMPTS.join(t.batches, t.batches.c.id == K.batch_id)
    return _attempts(conn, chosen.where(t.batches.c.producer == producer, A.state.not_in(UNRESOLVED)))


def landed(conn: sa.Connection, batch_id: int | None = None) -> list[Attempt]:
    """The transactions that landed, of one batch or of all, in order."""
    which = () if batch_id is None else (K.batch_id == batch_id,)
    return _attempts(conn, _ATTEMPTS.where(A.state == AttemptState.LANDED, *which))


def last_landed(conn: sa.Connection, wallet: str) -> Attempt | None:
    """The newest transaction of a wallet that landed."""
    newest = sa.select(sa.func.max(A.id)).where(
        A.genesis == genesis_of(conn), A.wallet == wallet, A.state == AttemptState.LANDED
    )
    return next(iter(_attempts(conn, _ATTEMPTS.where(A.id == newest.scalar_subquery()))), None)


def of_line(conn: sa.Connection, line_id: int) -> list[Attempt]:
    """Every attempt that carried a line, in order."""
    return _attempts(conn, _ATTEMPTS.where(A.chunk_id.in_(sa.select(CL.chunk_id).where(CL.line_id == line_id))))


def known(conn: sa.Connection, tx_ids: Iterable[str], *conditions: sa.ColumnElement[bool]) -> set[str]:
    """Those of the transactions that are in the journal, and meet some conditions there."""
    wanted, known = sorted(tx_ids), set[str]()
    for start in range(0, len(wanted), 500):
        chosen = sa.select(A.tx_id).where(A.tx_id.in_(wanted[start : start + 500]), *conditions)
        known |= set(conn.execute(chosen).scalars())
    return known


def ruled_dead(conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
    """Those of the transactions of which it was said that they can never be included."""
    return known(conn, tx_ids, A.state == AttemptState.DEAD)


def dead_of(conn: sa.Connection, wallet: str) -> set[str]:
    """The transactions of a wallet that were ruled dead."""
    return set(conn.execute(_DEAD_OF_WALLET, {"genesis": genesis_of(conn), "wallet": wallet}).scalars())


def dead_with_nonce(conn: sa.Connection, wallet: str, nonce: int) -> str | None:
    """A transaction of a wallet that had this nonce and was ruled dead."""
    chosen = sa.select(A.tx_id).where(
        A.genesis == genesis_of(conn), A.wallet == wallet, A.nonce == nonce, A.state == AttemptState.DEAD
    )
    return conn.execute(chosen.order_by(A.id.desc()).limit(1)).scalar()


def usual_fee(conn: sa.Connection, wallet: str) -> int | None:
    """The median of what the last transactions of a wallet cost for each payment; None before any landed."""
    counted = sa.select(CL.chunk_id, sa.func.count().label("size")).group_by(CL.chunk_id).subquery()
    rows = conn.execute(
        sa.select(A.fee, counted.c.size)
        .join(counted, counted.c.chunk_id == A.chunk_id)
        .where(A.genesis == genesis_of(conn), A.wallet == wallet, A.state == AttemptState.LANDED, A.fee.is_not(None))
        .order_by(A.id.desc())
        .limit(LAST_FEES)
    )
    each = sorted(-(-row.fee // row.size) for row in rows)
    return each[len(each) // 2] if each else None


def lines_of_chunk(conn: sa.Connection, chunk_id: int) -> list[BatchLine]:
    """The lines of a chunk in the order in which they were signed."""
    return [batches.line_of(row) for row in conn.execute(_LINES_OF_CHUNK, {"chunk_id": chunk_id})]


def failures(conn: sa.Connection, batch_id: int) -> dict[int, tuple[int, str]]:
    """line id -> (size of the smallest chunk it failed in, the chain's words).

    A chunk that the node refused and that then died counts as failed: there are chains that hold no failures.
    """
    failures: dict[int, tuple[int, str]] = {}
    for row in conn.execute(_failures(), {"batch_id": batch_id}):
        if row.line_id not in failures or row.size <= failures[row.line_id][0]:
            failures[row.line_id] = (row.size, row.error)
    return failures


@functools.cache
def _failures() -> sa.Select[Any]:
    of_batch = sa.select(K.id).where(K.batch_id == sa.bindparam("batch_id"))
    counted = sa.select(CL.chunk_id, sa.func.count().label("size")).where(CL.chunk_id.in_(of_batch))
    sizes = counted.group_by(CL.chunk_id).subquery()
    return (
        sa.select(CL.line_id, sizes.c.size, A.error)
        .join(sizes, sizes.c.chunk_id == CL.chunk_id)
        .join(t.chunks, K.id == CL.chunk_id)
        .join(t.attempts, A.chunk_id == K.id)
        .where(
            K.batch_id == sa.bindparam("batch_id"),
            sa.or_(A.state == AttemptState.FAILED, sa.and_(A.state == AttemptState.DEAD, A.error.startswith(REFUSED))),
        )
        .order_by(A.id)
    )


def refusals(conn: sa.Connection, batch_id: int) -> dict[int, int]:
    """line id -> how many transactions that held it alone were refused by the node and died, or failed on chain."""
    alone = sa.select(CL.chunk_id).group_by(CL.chunk_id).having(sa.func.count() == 1)
    rows = conn.execute(
        sa.select(CL.line_id, sa.func.count().label("times"))
        .join(t.attempts, A.chunk_id == CL.chunk_id)
        .join(t.chunks, K.id == CL.chunk_id)
        .where(
            K.batch_id == batch_id,
            CL.chunk_id.in_(alone),
            sa.or_(A.state == AttemptState.FAILED, sa.and_(A.state == AttemptState.DEAD, A.error.startswith(REFUSED))),
        )
        .group_by(CL.line_id)
    )
    return {row.line_id: int(row.times) for row in rows}


def fees_of_batch(conn: sa.Connection, batch_id: int) -> int | None:
    """Units that the chain took for a batch's transactions; None where one did not say."""
    fees = [attempt.fee for attempt in of_batch(conn, batch_id) if attempt.state in INCLUDED]
    return None if None in fees else sum(fee for fee in fees if fee is not None)


def landed_at(conn: sa.Connection, batch_id: int) -> datetime | None:
    """The chain's time when the last transaction of a batch that landed was signed; None before any did."""
    chosen = sa.select(sa.func.max(A.chain_at)).join(t.chunks, K.id == A.chunk_id)
    return conn.execute(chosen.where(K.batch_id == batch_id, A.state == AttemptState.LANDED)).scalar()


def _attempts(conn: sa.Connection, chosen: sa.Select[Any], **values: object) -> list[Attempt]:
    rows = (dict(row._mapping) for row in conn.execute(chosen, values))
    return [Attempt(**{**row, "state": AttemptState(row["state"])}) for row in rows]
