"""A database that came out of a backup: it pays nobody before it was compared with the chain.

What was paid after the backup was made stands on the chain, and in the list of payments, and not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import foreign, payment_log, reconcile
from valtrac.payments.door import Door
from valtrac.payments.model.states import Restore
from valtrac.payments.producer import Words
from valtrac.payments.store import attempts, histories, restores
from valtrac.payments.verify import verify


def refuse_unless_compared(conn: sa.Connection, words: Words) -> None:
    """Raise Refused where nothing was compared since this database was restored."""
    made_at = restores.not_compared(conn)
    if made_at is not None:
        raise Refused(
            f"this database was restored from a backup of {made_at:%Y-%m-%d %H:%M} UTC",
            why="what was paid since is not in it, and nothing has been compared with the chain yet",
            fix=words.compare_restored,
        )


def mark(engine: sa.Engine, made_at: datetime) -> None:
    """Write down that a database came out of a backup. made_at: when that was made, UTC."""
    with writing(engine) as conn:
        restores.note(conn, Restore.RESTORED, made_at, "restored")


def compare(door: Door, wallet: str, business: Callable[[], list[str]], *, accept_history: bool = False) -> bool:
    """Compare a restored database with the chain and the list of payments, and let it pay again; whether it had to.

    wallet: that pays; those of earlier batches are looked at too. accept_history: the owner's word that nothing which a
    wallet sent before its first batch here was a payment. business: what its own comparison says is wrong, in words.
    Raises Refused naming what does not fit, and what to do; then it still pays nobody. Raises ChainUnreachable.
    """
    with reading(door.engine) as conn:
        made_at = restores.not_compared(conn)
    if made_at is None:
        return False
    if door.log is not None:
        payment_log.check(door, door.log)
    reconcile.reconcile(door)
    with reading(door.engine) as conn:
        wallets = sorted({*restores.wallets(conn), *([wallet] if wallet else [])})
    problems = _open_or_gone(door)
    problems += [words for each in wallets if (words := _unknown(door, each, accept_history=accept_history))]
    problems += business()
    if problems:
        raise Refused(
            "the restored database is not what the chain has",
            why="nobody is paid before it is",
            fix=f"mend what is named, and compare again: {door.producer.words.compare_restored}",
            problems=problems,
        )
    with writing(door.engine) as conn:
        restores.note(conn, Restore.COMPARED, made_at, "compared with the chain and the list of payments")
    return True


def _open_or_gone(door: Door) -> list[str]:
    """What is still on its way, and what is not where the ledger has it."""
    with reading(door.engine) as conn:
        unresolved = attempts.unresolved(conn)
    said = [f"{attempt.tx_id} is still on its way: {door.producer.words.reconcile}" for attempt in unresolved]
    return said + [f"{gone.attempt.tx_id}: {gone.words}" for gone in verify(door, _hand_nothing_over).gone]


def _unknown(door: Door, wallet: str, *, accept_history: bool) -> str:
    """What a wallet did that this ledger does not know, and what to do; "" where there is nothing."""
    if door.numbers is None:
        return ""
    with reading(door.engine) as conn:
        begun, open_ = histories.baseline(conn, wallet) is not None, attempts.unresolved(conn, wallet)
    if open_:
        return ""  # it is named already
    if not begun:
        made = 0 if accept_history else door.numbers.nonce(wallet, door.chain.finalized())
        early = f"wallet {wallet} made {made} transactions, and this is of a time before its first one was counted"
        words = door.producer.words.compare_restored
        way = f"restore a later backup, or give your word that none was a payment: {words} -h"
        return f"{early}: {way}" if made else ""
    try:
        used = foreign.find(door, wallet).used
    except BadInput:
        return ""  # every transaction of the wallet is accounted for
    unknown = f"the wallet made a transaction that is not in it ({plain(used.tx_id or 'unknown')})"
    return f"{unknown}: take it over: {door.producer.words.take_over_log or door.producer.words.adopt}"


def _hand_nothing_over(raw: bytes) -> None:
    """What is gone is named."""
