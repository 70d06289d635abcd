"""The history of a wallet: from which nonce on this ledger answers for it, and which nonces it can account for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.database.engine import genesis_of, insert
from valtrac.payments.model.states import INCLUDED
from valtrac.payments.store import tables as t

A, W, R = t.attempts.c, t.wallets.c, t.rulings.c
_GENESIS: sa.BindParameter[str] = sa.bindparam("genesis")
_WALLET: sa.BindParameter[str] = sa.bindparam("wallet")
_BASELINE = sa.select(W.baseline_block, W.baseline_nonce).where(W.genesis == _GENESIS, W.address == _WALLET)
_INCLUDED = sa.select(sa.func.count()).where(A.genesis == _GENESIS, A.wallet == _WALLET, A.state.in_(INCLUDED))
_RULED = sa.select(sa.func.count()).where(R.genesis == _GENESIS, R.wallet == _WALLET)


def baseline(conn: sa.Connection, wallet: str) -> tuple[int, int] | None:
    """(block, nonce) from which this ledger answers for the wallet; None before its first use."""
    row = conn.execute(_BASELINE, {"genesis": genesis_of(conn), "wallet": wallet}).first()
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
    whose = {"genesis": genesis_of(conn), "wallet": wallet}
    return int(conn.execute(_INCLUDED, whose).scalar_one()) + int(conn.execute(_RULED, whose).scalar_one())


def rule(
    conn: sa.Connection, wallet: str, nonce: int, *, tx_id: str, block: int, words: str, adopted: bool = False
) -> None:
    """Record the owner's word on the transaction which used a nonce: that it is no payment of ours.

    adopted: that it is one, and its batch is lost.
    """
    conn.execute(
        t.rulings.insert().values(
            genesis=genesis_of(conn),
            wallet=wallet,
            nonce=nonce,
            tx_id=tx_id,
            block=block,
            ruling="adopted" if adopted else "foreign",
            words=words[:500],
            at=datetime.now(UTC),
        )
    )


def adopted(conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
    """Those of some transactions that count as payments whose batch this database has lost."""
    wanted, here = sorted(tx_ids), set[str]()
    for start in range(0, len(wanted), 500):
        chosen = sa.select(R.tx_id).where(
            R.genesis == genesis_of(conn), R.ruling == "adopted", R.tx_id.in_(wanted[start : start + 500])
        )
        here |= set(conn.execute(chosen).scalars())
    return here
