"""Another copy of the program, with a database of its own, that pays from the same wallet: seen by what it sent."""

from __future__ import annotations

from valtrac.core.errors import Refused
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.store import attempts
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book


def refuse_unknown(pool: Pool, wallet: str) -> None:
    """Raise Refused where the wallet has paid a delegate, since our last payment or the beginning, by a transaction
    that is in no journal here: a coin is spent once, but two copies take different ones."""
    with reading(pool.engine) as conn:
        last, begun = attempts.last_landed(conn, wallet), blocks.beginning(conn)
        delegates = book.accounts(conn)
    if begun is None:
        return
    sent = pool.chain.sent_since(last.birth_block if last else begun[1])
    ours = {tx_id: paid for tx_id, paid in sent.items() if any(address in delegates for address, _ in paid)}
    with reading(pool.engine) as conn:
        unknown = sorted(set(ours) - attempts.known(conn, ours))
    if unknown:
        raise Refused(
            f"the wallet has paid delegates in transaction {plain(unknown[0], 64)}, which this database does not know",
            why="an older or another copy of it pays from this wallet: they would be paid twice",
            fix="bring the newest database back and end the other program; "
            "where you sent it by hand, for something else: run.py pool pay --sent-by-hand",
            problems=unknown[:10],
        )
