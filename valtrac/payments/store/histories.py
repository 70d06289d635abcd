"""The history of a wallet: from which nonce on this ledger answers for it, and which nonces it can account for."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.database.engine import genesis_of, insert
from valtrac.payments.model.states import INCLUDED
from valtrac.payments.store import tables as t

A, W = t.attempts.c, t.wallets.c


def baseline(conn: sa.Connection, wallet: str) -> tuple[int, int] | None:
    """(block, nonce) from which this ledger answers for the wallet; None before its first use."""
    row = conn.execute(
        sa.select(W.baseline_block, W.baseline_nonce).where(W.genesis == genesis_of(conn), W.address == wallet)
    ).first()
    return None if row is None else (row.baseline_block, row.baseline_nonce)


def set_baseline(conn: sa.Connection, wallet: str, head: Head, nonce: int) -> None:
    """Begin to answer for a wallet."""
    conn.execute(
        insert(conn, t.wallets)
        .values(
            genesis=genesis_of(conn),
            address=wallet,
            baseline_block=head.number,
            baseline_hash=head.hash,
            baseline_nonce=nonce,
            at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
    )


def nonces_used(conn: sa.Connection, wallet: str) -> int:
    """How many nonces since the baseline the journal can account for: included attempts and rulings."""
    genesis = genesis_of(conn)
    ours = conn.execute(
        sa.select(sa.func.count())
        .select_from(t.attempts)
        .where(A.genesis == genesis, A.wallet == wallet, A.state.in_(INCLUDED))
    ).scalar_one()
    ruled = conn.execute(
        sa.select(sa.func.count())
        .select_from(t.rulings)
        .where(t.rulings.c.genesis == genesis, t.rulings.c.wallet == wallet)
    ).scalar_one()
    return int(ours) + int(ruled)


def rule(conn: sa.Connection, wallet: str, nonce: int, *, tx_id: str, block: int, words: str) -> None:
    """Record the owner's word that the transaction which used a nonce is not a payment of ours."""
    conn.execute(
        t.rulings.insert().values(
            genesis=genesis_of(conn),
            wallet=wallet,
            nonce=nonce,
            tx_id=tx_id,
            block=block,
            ruling="foreign",
            words=words[:500],
            at=datetime.now(UTC),
        )
    )
