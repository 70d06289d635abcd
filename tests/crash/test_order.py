"""What is sent was committed before, and the commit is the last thing before the broadcast."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.payout_world import World, owed
from valtrac.core.chain import Payment, SignedTx


def test_a_transaction_is_on_disk_before_it_is_handed_to_the_node(tmp_path: Path) -> None:
    world = World(tmp_path)
    batch = world.people().day().approved()
    payer = world.app.unlock()
    sent = []

    class Watching:
        """A wallet that looks into the database file, as another process would, at each broadcast."""

        address = payer.address

        def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
            return payer.sign(payments, nonce=nonce, period=period)

        def broadcast(self, raw: bytes) -> None:
            with closing(sqlite3.connect(world.home / "data" / "valtrac-devnet.sqlite")) as conn:
                sent.append(conn.execute("SELECT COUNT(*) FROM attempts WHERE raw = ?", (raw,)).fetchone()[0])
            payer.broadcast(raw)

    from valtrac.payments import send

    send.send(world.door(), Watching(), batch.id)
    assert sent == [1, 1, 1]
    assert world.received() == owed(batch)
    world.app.close()
