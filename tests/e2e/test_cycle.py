"""One payout cycle on a real subtensor node: VALTRAC_TEST_SUBTENSOR_URL=ws://... make e2e

The node must know the well-known rehearsal keys and give //Alice free TAO (a local development
chain does). VALTRAC_TEST_HOTKEY names a delegate that has nominators already; without it one is
registered and staked to.
"""

from __future__ import annotations

import os

import pytest

from tests.e2e.seeding import seeded_hotkey
from valtrac.app import App
from valtrac.chains import bittensor
from valtrac.config import Settings
from valtrac.domain.money import decimal_text
from valtrac.services import approvals, payouts, plans, snapshots, users
from valtrac.services.reconcile import reconcile
from valtrac.store import ledger
from valtrac.store.engine import reading

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
        batch = plans.draft(
            app.engine,
            plans.Request(hotkey, POOL_RAO, app.wallet_address, netuid=snapshot.netuid, chunk_size=1),
            app.chain,
        )
        approvals.approve(app.engine, app.settings, batch.id, decimal_text(batch.total))
        before = balances(app, batch)
        log = tmp_path / "logs" / "payout_log.csv"
        door = payouts.Door(app.engine, app.chain, app.settings, log=log, tell=print, patience_s=600)
        settled = payouts.send(door, app.unlock(), batch.id, accept_history=True)
        assert settled.state == "settled"
        after = balances(app, batch)
        assert {a: after[a] - before[a] for a in after} == {
            line["address"]: line["amount"] for line in batch.plan["lines"]
        }
        assert reconcile(app.engine, app.chain, log=log) == []
        with reading(app.engine) as conn:
            assert len(ledger.receipts(conn)) == len(batch.plan["lines"])
            assert ledger.broken_receipt(conn) is None
    finally:
        app.close()


def balances(app: App, batch) -> dict[str, int]:
    head = app.chain.finalized()
    return {line["address"]: app.chain.account(line["address"], head).free_units for line in batch.plan["lines"]}


def test_a_wallet_of_the_node_is_read() -> None:
    chain = bittensor.open_node(URL, network=URL)
    try:
        assert chain.account(bittensor.dev_address("//Alice"), chain.finalized()).free_units > 0
    finally:
        chain.close()
