"""A wallet's history: from which nonce on this ledger answers for it, and whether it is whole."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable, Refused
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.payments import rivals
from valtrac.payments.door import Door
from valtrac.payments.nonces import who_used
from valtrac.payments.restored import refuse_unless_compared
from valtrac.payments.store import attempts, histories


class Busy(Refused):
    """Another process is paying from the wallet at this moment; nothing is wrong."""


class UnknownHistory(Refused):
    """The wallet has sent transactions that this ledger knows nothing of, and nobody has said that none matters."""


def adopt(door: Door, wallet: str, *, accept_history: bool = False) -> None:
    """Begin to answer for a wallet, once: note its nonce at a finalized block.

    Raises UnknownHistory when it has sent transactions that this ledger knows nothing of, unless the
    owner accepts that in words (accept_history), and Refused when the node serves another chain.
    """
    identity, head = door.chain.identity(), door.chain.finalized()
    _same_history(door, wallet, head)
    sent_before = 0 if door.numbers is None else door.numbers.nonce(wallet, head)
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
        if histories.baseline(conn, wallet) is not None:
            return
        refuse_unless_compared(conn, door.producer.words)  # or what was paid since would count as nobody's
        if sent_before and not accept_history:
            raise UnknownHistory(
                f"wallet {wallet} has sent {sent_before} transactions that this ledger does not know",
                why="if some of them were payments of yours, they would be made again",
                fix="bring the old database or the log of payments over first, or say that none of them matters: "
                + door.producer.words.accept_history,
            )
        histories.set_baseline(conn, wallet, head, sent_before)


def _same_history(door: Door, wallet: str, head: Head) -> None:
    """Raise Refused where the block of the wallet's last payment is another one on this chain, and none of its other
    blocks holds that payment."""
    with reading(door.engine) as conn:
        last = attempts.last_landed(conn, wallet)
    if last is None or last.block is None or last.block > head.number:
        return  # a node that is behind is seen by its nonce
    if door.chain.block(last.block).head.hash == last.block_hash:
        return
    if not door.coins or rivals.elsewhere(door, last) is None:
        raise Refused(
            f"block {last.block}, which holds the last payment of this wallet, is another one on this node",
            why="its chain has the same first block and another history: it was begun anew, or lies",
            fix=f"ask another node, and look the payments up: {door.producer.words.verify}",
        )


def nonce_to_sign(door: Door, wallet: str, head: Head) -> int:
    """The nonce for the next transaction: the chain's, the journal's and the pool's, all the same; after those that are
    on their way where several may be.

    Raises Refused when a transaction that is not ours used a nonce or is waiting in the pool, and
    ChainUnreachable when the node is behind what the journal knows. 0 on a chain that numbers nothing.
    """
    with reading(door.engine) as conn:
        start = histories.baseline(conn, wallet)
        used = histories.nonces_used(conn, wallet)
        on_its_way = attempts.unresolved(conn, wallet)
    if door.numbers is None:
        if on_its_way:
            raise Busy("another process is paying from this wallet right now", fix="wait for it")
        return 0
    if start is None:
        raise Refused(f"wallet {wallet} is not known to this ledger yet", fix="send a batch from it first")
    settled, known = start[1] + used, len(on_its_way) if door.parallel > 1 else 0
    expected = settled + known
    counted = door.numbers.nonce(wallet, head)
    if counted < settled:
        raise ChainUnreachable(
            f"the node is behind: it counts {counted} transactions of the wallet, the journal {settled}",
            fix="wait until it has caught up, or use another node",
        )
    if counted > expected:
        _not_ours(door.engine, wallet, used, known)
        _refuse_the_dead(door, wallet, expected, start[0], head)
        raise Refused(
            f"nonce {expected} of wallet {wallet} was used by a transaction that is not in the journal",
            why="an older database is in use, another database of ValTrac signs with this key, or somebody else does",
            fix=f"see what it was and take it over where it paid lines of yours: {door.producer.words.adopt}",
        )
    waiting = door.numbers.next_index(wallet)
    if waiting > expected or (door.parallel == 1 and waiting != counted):
        _not_ours(door.engine, wallet, used, known)
        raise Refused(
            f"a transaction of wallet {wallet} that is not in the journal waits in the node's pool",
            why=f"the finalized chain counts {counted}, the pool {waiting}",
            fix="wait until it has landed or died, then look again",
        )
    return expected


def _refuse_the_dead(door: Door, wallet: str, nonce: int, after: int, head: Head) -> None:
    """Raise Refused where what used a nonce is a transaction that was ruled dead."""
    with reading(door.engine) as conn:
        dead = attempts.dead_with_nonce(conn, wallet, nonce)
    if dead is None or door.numbers is None or who_used(door.numbers, wallet, nonce, after, head.number).tx_id != dead:
        return
    raise Refused(
        f"transaction {dead}, which was ruled dead, has landed after all",
        why="a node told another history when it was ruled; nothing was paid twice, as its nonce is used once",
        fix=f"see what it paid: {door.producer.words.adopt}",
    )


def next_nonce(conn: sa.Connection, wallet: str) -> int | None:
    """The nonce that the journal expects now; None for a wallet that it does not answer for."""
    start = histories.baseline(conn, wallet)
    if start is None:
        return None
    return start[1] + histories.nonces_used(conn, wallet) + len(attempts.unresolved(conn, wallet))


def _not_ours(engine: sa.Engine, wallet: str, used: int, known: int) -> None:
    """Raise Busy where the journal has grown since it was read: the transaction is another process' of ours."""
    with reading(engine) as conn:
        if len(attempts.unresolved(conn, wallet)) > known or histories.nonces_used(conn, wallet) != used:
            raise Busy("another process is paying from this wallet right now", fix="wait for it")
