"""One payout cycle on a real subtensor node: VALTRAC_TEST_SUBTENSOR_URL=ws://... make e2e

The node must know the well-known rehearsal keys and give //Alice free TAO (a local development
chain does). VALTRAC_TEST_HOTKEY names a delegate that has nominators already; without it one is
registered and staked to.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.e2e.seeding import seeded_hotkey
from valtrac.chains.bittensor import connect
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.payments import send
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import ledger
from valtrac.payouts import approvals, drafts
from valtrac.people import users
from valtrac.settings import Settings
from valtrac.snapshots import snapshots
from valtrac.wiring.payouts import App

URL = os.environ.get("VALTRAC_TEST_SUBTENSOR_URL", "")
POOL_RAO = 1_000_000_000

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not URL, reason="VALTRAC_TEST_SUBTENSOR_URL names no node")]


def test_a_whole_cycle_pays_everyone_exactly_once(tmp_path) -> None:
    hotkey = os.environ.get("VALTRAC_TEST_HOTKEY") or seeded_hotkey(URL)
    app = App(Settings(home=tmp_path, network=URL, wallet_name="//Alice", hotkeys=(hotkey,), chunk_size=1))
    try:
        taken = snapshots.take(app.engine, app.chain, hotkey)
        snapshot = max((snapshot for snapshot, _ in taken.stored), key=lambda found: len(found.stakes))
        assert snapshot.verified
        assert snapshot.stakes
        for number, address in enumerate(sorted(snapshot.stakes)[:5]):
            users.add(app.engine, f"user {number}", [address])
        batch = drafts.draft(
            app.engine,
            drafts.Request(hotkey, POOL_RAO, app.wallet_address, netuid=snapshot.netuid, chunk_size=1),
            app.chain,
        )
        approvals.approve(app.engine, app.settings, app.caps, batch.id, decimal_text(batch.total))
        before = balances(app, batch)
        door = replace(app.door(tell=print), patience_s=600)
        settled = send.send(door, app.unlock(), batch.id, accept_history=True)
        assert settled.state == "settled"
        after = balances(app, batch)
        assert {a: after[a] - before[a] for a in after} == {line.address: line.amount for line in batch.payout.lines}
        assert reconcile(app.door()) == []
        with reading(app.engine) as conn:
            assert len(ledger.receipts(conn)) == len(batch.payout.lines)
            assert ledger.broken_receipt(conn) is None
    finally:
        app.close()


def balances(app: App, batch) -> dict[str, int]:
    head = app.chain.finalized()
    return {line.address: app.chain.balance(line.address, head) for line in batch.payout.lines}


def test_a_wallet_of_the_node_is_read() -> None:
    chain = connect.open_node(URL, network=URL)
    try:
        assert chain.balance(connect.dev_address("//Alice"), chain.finalized()) > 0
    finally:
        chain.close()
