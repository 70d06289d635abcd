"""A wallet's history: from which nonce on this ledger answers for it, and whether it is whole."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.domain.chain import Head
from valtrac.errors import ChainUnreachable, Refused
from valtrac.ports import Chain
from valtrac.store import attempts
from valtrac.store.engine import claim_identity, reading, writing


class Busy(Refused):
    """Another process is paying from the wallet at this moment; nothing is wrong."""


def adopt(engine: sa.Engine, chain: Chain, wallet: str, *, accept_history: bool = False) -> None:
    """Begin to answer for a wallet, once: note its nonce at a finalized block.

    Raises Refused when it has sent transactions that this ledger knows nothing of, unless the
    owner accepts that in words (accept_history), and when the node serves another chain.
    """
    identity, head = chain.identity(), chain.finalized()
    account = chain.account(wallet, head)
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
        if attempts.baseline(conn, wallet) is not None:
            return
        if account.nonce and not accept_history:
            raise Refused(
                f"wallet {wallet} has sent {account.nonce} transactions that this ledger does not know",
                "if some of them were payouts, their ranges would be paid again",
                "bring the old database or payout log over first, or say that none of them matters: --accept-history",
            )
        attempts.set_baseline(conn, wallet, head, account.nonce)


def nonce_to_sign(engine: sa.Engine, chain: Chain, wallet: str, head: Head) -> int:
    """The nonce for the next transaction: the chain's, the journal's and the pool's, all the same.

    Raises Refused when a transaction that is not ours used a nonce or is waiting in the pool, and
    ChainUnreachable when the node is behind what the journal knows. 0 on a chain that numbers nothing: there the
    listener, which reads every block, finds what is not ours.
    """
    if not chain.counts_nonces:
        with reading(engine) as conn:
            if attempts.unresolved(conn, wallet):
                raise Busy("another process is paying from this wallet right now", "", "wait for it")
        return 0
    with reading(engine) as conn:
        start = attempts.baseline(conn, wallet)
        used = attempts.nonces_used(conn, wallet)
    if start is None:
        raise Refused(f"wallet {wallet} is not known to this ledger yet", "", "unlock it first: run.py payout send")
    expected, account = start[1] + used, chain.account(wallet, head)
    if account.nonce < expected:
        raise ChainUnreachable(
            f"the node is behind: it counts {account.nonce} transactions of the wallet, the journal {expected}",
            "",
            "wait until it has caught up, or use another node",
        )
    if account.nonce > expected:
        _not_ours(engine, wallet, used)
        raise Refused(
            f"nonce {expected} of wallet {wallet} was used by a transaction that is not in the journal",
            "an older database is in use, another database of ValTrac signs with this key, or somebody else does",
            "see what it was and take it over where it paid lines of yours: run.py payout adopt",
        )
    waiting = chain.next_index(wallet)
    if waiting != account.nonce:
        _not_ours(engine, wallet, used)
        raise Refused(
            f"a transaction of wallet {wallet} that is not in the journal waits in the node's pool",
            f"the finalized chain counts {account.nonce}, the pool {waiting}",
            "wait until it has landed or died, then look again",
        )
    return account.nonce


def next_nonce(conn: sa.Connection, wallet: str) -> int | None:
    """The nonce that the journal expects now; None for a wallet that it does not answer for."""
    start = attempts.baseline(conn, wallet)
    return None if start is None else start[1] + attempts.nonces_used(conn, wallet)


def _not_ours(engine: sa.Engine, wallet: str, used: int) -> None:
    """Raise Busy where the journal has grown since it was read: the transaction is another process' of ours."""
    with reading(engine) as conn:
        if attempts.unresolved(conn, wallet) or attempts.nonces_used(conn, wallet) != used:
            raise Busy("another process is paying from this wallet right now", "", "wait for it")
