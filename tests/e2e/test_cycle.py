"""Payouts on a real subtensor node: VALTRAC_TEST_SUBTENSOR_URL=ws://... make e2e

The node must know the well-known rehearsal keys, give //Alice free TAO and sudo, and make blocks when it is told to
(`dev_newBlock`), as a development chain does. One whose headers are not made of its blocks: VALTRAC_TEST_UNBOUND=yes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import seeding
from tests.e2e.proxy import Proxy, between
from valtrac.chains.bittensor import connect
from valtrac.core.errors import OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.loggers.jobs import stakes
from valtrac.payments import send
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import ledger
from valtrac.payments.verify import verify
from valtrac.payouts import approvals, drafts
from valtrac.people import users
from valtrac.settings import Settings
from valtrac.snapshots import snapshots
from valtrac.wiring.payouts import App

URL = os.environ.get("VALTRAC_TEST_SUBTENSOR_URL", "")
UNBOUND = os.environ.get("VALTRAC_TEST_UNBOUND", "") == "yes"
TAO = 10**9

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not URL, reason="VALTRAC_TEST_SUBTENSOR_URL names no node")]


@pytest.fixture(scope="module")
def hotkey() -> str:
    """A delegate with nominators on two subnets, after an epoch of emission on one of them."""
    made = seeding.seeded_hotkey(URL)
    seeding.emitted(URL)
    return made


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with between(URL) as made:
        yield made


def opened(home: Path, hotkey: str, url: str = URL, **settings: Any) -> App:
    wallet = {"wallet_name": "//Alice", "chunk_size": 2, "snapshot_interval": 1, "price_sources": (), **settings}
    return App(Settings(home=home, network=url, hotkeys=(hotkey,), development_node=UNBOUND, timeout_s=60, **wallet))


@pytest.fixture
def app(tmp_path: Path, hotkey: str) -> Iterator[App]:
    made = opened(tmp_path, hotkey)
    yield made
    made.close()


def approved(app: App, hotkey: str, pool: int = TAO, **request: Any) -> Any:
    snapshots.take(app.engine, app.chain, hotkey)
    wanted = {"netuid": 1, "by": "nominators", "chunk_size": app.settings.chunk_size, **request}
    batch = drafts.draft(app.engine, drafts.Request(hotkey, pool, app.wallet_address, **wanted), app.chain)
    return approvals.approve(app.engine, app.settings, app.caps, batch.id, decimal_text(batch.total))


def paid(app: App, batch: Any, **door: Any) -> dict[str, int]:
    """Send a batch, and what each payee has more than before."""
    before = balances(app, batch)
    made = replace(app.door(tell=print), **{"patience_s": 600, **door})
    assert send.send(made, app.unlock(), batch.id, accept_history=True).state == "settled"
    after = balances(app, batch)
    return {address: after[address] - before[address] for address in after}


def owed(batch: Any) -> dict[str, int]:
    return {line.address: line.amount for line in batch.payout.lines}


def balances(app: App, batch: Any) -> dict[str, int]:
    head = app.chain.finalized()
    return {line.address: app.chain.balance(line.address, head) for line in batch.payout.lines}


def test_after_an_epoch_of_emission_stakes_are_recorded_and_several_payments_go_in_one_transaction(
    app: App, hotkey: str
) -> None:
    taken = snapshots.take(app.engine, app.chain, hotkey)
    assert taken.refused == ()
    assert {snapshot.netuid for snapshot, _ in taken.stored} == {0, 1}
    (alpha,) = (snapshot for snapshot, _ in taken.stored if snapshot.netuid == 1)
    assert alpha.dust is not None and 0 < alpha.dust <= len(alpha.stakes) + 2
    batch = approved(app, hotkey)
    assert len(owed(batch)) == 3
    assert paid(app, batch) == owed(batch)
    with reading(app.engine) as conn:
        assert len(ledger.receipts(conn)) == 3
        assert ledger.broken_receipt(conn) is None
    assert reconcile(app.door()) == []
    assert verify(app.door(), app.chain.send).gone == ()


@pytest.mark.parametrize("netuid", [0, None])
def test_the_root_and_all_subnets_are_paid(app: App, hotkey: str, netuid: int | None) -> None:
    batch = approved(app, hotkey, netuid=netuid)
    assert paid(app, batch) == owed(batch)


def test_a_second_hotkey_is_recorded_and_paid_beside_the_first(tmp_path: Path, hotkey: str) -> None:
    second = seeding.seeded_hotkey(URL, "//FerdieHot", "//Ferdie")
    app = opened(tmp_path, second)
    batch = approved(app, second, netuid=0)
    assert paid(app, batch) == owed(batch)
    app.close()


def test_a_locked_wallet_pays_once_its_password_is_given(tmp_path: Path, hotkey: str) -> None:
    from bittensor.keyfiles import Keypair
    from bittensor.wallet import Wallet

    key = Keypair.create_from_uri("//Eve")
    made = Wallet(name="eve", path=str(tmp_path / "wallets"))
    made._set_coldkey(key, True, True, False, "hunter2")
    made._set_coldkeypub(key, True)
    app = opened(tmp_path / "home", hotkey, wallet_name="eve", wallet_path=tmp_path / "wallets")
    batch = approved(app, hotkey, netuid=0)
    with pytest.raises(Refused, match="locked"):
        app.unlock("")
    before = balances(app, batch)
    send.send(app.door(), app.unlock("hunter2"), batch.id, accept_history=True)
    after = balances(app, batch)
    assert {address: after[address] - before[address] for address in after} == owed(batch)
    app.close()


def test_a_batch_that_fails_on_chain_pays_nothing_and_the_rest_follows(
    tmp_path: Path, hotkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "EXISTENTIAL_UNITS", 1)
    app = opened(tmp_path, hotkey, chunk_size=3, quarantine_hours=0)
    fresh = connect.dev_address(f"//nobody{random.randrange(10**12)}")
    for uri in seeding.NOMINATORS:
        users.add(app.engine, uri.strip("/"), [connect.dev_address(uri)])
    users.add_address(app.engine, "Bob", fresh)
    users.set_payout(app.engine, "Bob", fresh, from_block=0)
    snapshots.take(app.engine, app.chain, hotkey)
    wanted: dict[str, Any] = {"netuid": 0, "chunk_size": 3, "minimum": 1, "fee": 10**6, "fee_policy": "owner"}
    draft = drafts.draft(app.engine, drafts.Request(hotkey, 1_200, app.wallet_address, **wanted), None)
    batch = approvals.approve(app.engine, app.settings, app.caps, draft.id, decimal_text(draft.total))
    assert owed(batch)[fresh] < 500  # a new account must hold more: the chain fails all of them together
    before = balances(app, batch)
    door = replace(app.door(tell=print), patience_s=600)
    with pytest.raises(Refused, match="failed on chain"):
        send.send(door, app.unlock(), batch.id, accept_history=True)
    assert balances(app, batch) == before
    assert send.send(door, app.unlock(), batch.id, isolate=True).state == "sending"
    after = balances(app, batch)
    gained = {address: after[address] - before[address] for address in after}
    assert gained == {**owed(batch), fresh: 0}
    app.close()


def test_a_lost_reply_and_a_node_that_restarts_leave_everyone_paid_once(
    tmp_path: Path, hotkey: str, proxy: Proxy
) -> None:
    app = opened(tmp_path, hotkey, proxy.url)
    batch = approved(app, hotkey, netuid=0)
    before = balances(app, batch)
    proxy.lose_replies = 1
    proxy.submitted = 0
    send.send(replace(app.door(tell=print), patience_s=600), app.unlock(), batch.id, accept_history=True)
    second = approved(app, hotkey, netuid=1)
    proxy.gone = True
    with pytest.raises(ValtracError):
        send.send(replace(app.door(), patience_s=2), app.unlock(), second.id)
    proxy.gone = False
    with suppress(OutcomeUnknown):
        send.send(replace(app.door(tell=print), patience_s=600), app.unlock(), second.id)
    after = balances(app, batch)
    assert {a: after[a] - before[a] for a in after} == {a: owed(batch)[a] + owed(second)[a] for a in after}
    assert proxy.submitted == 4
    app.close()


def test_the_logger_records_what_is_due(app: App, hotkey: str) -> None:
    done = stakes.tick(app, hotkey)
    assert done.block == app.chain.finalized().number
    assert "readings" in done.words


def test_a_subnet_that_everyone_has_left_is_recorded_with_its_dust(app: App, hotkey: str) -> None:
    for uri in seeding.NOMINATORS:
        done, words = seeding.called(URL, "SubtensorModule", "unstake_all", uri, hotkey=hotkey)
        assert done, words
    taken = snapshots.take(app.engine, app.chain, hotkey)
    assert taken.refused == ()
