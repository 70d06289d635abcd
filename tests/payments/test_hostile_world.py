"""Whatever the chain, the machine or the past does, nobody is paid twice and the owner is told in words."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.payments.doorway import ready
from tests.payout_world import World, address, owed
from valtrac.chains.bittensor import connect
from valtrac.core.chain import DecodedTx, Identity, Payment, SignedTx
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign, send, wallets
from valtrac.payments.model.batches import Attempt, Batch
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import attempts, batches


def copied(database: Path, to: Path) -> None:
    """A whole copy of a database in use."""
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("VACUUM INTO ?", (str(to),))


def tried(world: World, batch: Batch) -> list[Attempt]:
    with reading(world.engine) as conn:
        return attempts.of_batch(conn, batch.id)


def test_an_evicted_transaction_is_handed_over_again_as_the_same_bytes(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    evicted = False

    def evict_once(seconds: float) -> None:
        nonlocal evicted
        if not evicted:
            evicted = True
            devnet.misbehave(world.node, evict=True, hold_pool=False)
        devnet.advance(world.node, 1)

    send.send(world.door(sleep=evict_once), world.app.unlock(), batch.id)
    assert evicted
    assert world.received() == owed(batch)
    assert [attempt.state for attempt in tried(world, batch)] == ["landed"] * 3


def test_a_node_that_is_behind_the_journal_is_not_paid_through(world: World, tmp_path: Path) -> None:
    batch = ready(world)
    early = tmp_path / "early.sqlite"
    copied(world.node, early)
    world.send(batch)
    second = world.day(1).approved()
    world.app.close()
    for leftover in world.node.parent.glob("devnet.sqlite*"):
        leftover.unlink()
    shutil.copy(early, world.node)
    world.engine = world.app.engine
    with pytest.raises((ChainUnreachable, Refused)):
        world.send(second)
    assert tried(world, second) == []


def test_two_nodes_that_disagree_leave_a_lost_transaction_unknown(world: World, tmp_path: Path) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, lose_request=1)
    with pytest.raises(OutcomeUnknown):
        send.send(world.door(sleep=lambda s: None, patience_s=1), world.app.unlock(), batch.id)
    behind = tmp_path / "other" / "data" / "devnet.sqlite"
    behind.parent.mkdir(parents=True)
    copied(world.node, behind)
    devnet.advance(world.node, 100)
    other = connect.open_devnet(behind)
    (finding,) = reconcile(world.door(witnesses=(other,)))
    assert finding.state is None
    assert "second node" in finding.words
    devnet.advance(behind, 100)
    (finding,) = reconcile(world.door(witnesses=(other,)))
    assert finding.state == "dead"
    other.close()
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_runtime_upgrade_between_signing_and_sending_is_noticed_before_sending(world: World) -> None:
    batch = ready(world)
    chain = world.app.chain

    class Upgrading:
        """The node's runtime changes once something was decoded: between signing and the journal."""

        upgraded = False

        def __getattr__(self, name: str) -> Any:
            return getattr(chain, name)

        def decode(self, raw: bytes) -> DecodedTx:
            self.upgraded = True
            return chain.decode(raw)

        def identity(self) -> Identity:
            identity = chain.identity()
            return replace(identity, spec_version=identity.spec_version + self.upgraded)

    with pytest.raises(Refused, match="runtime version"):
        send.send(replace(world.door(), chain=Upgrading()), world.app.unlock(), batch.id)
    assert tried(world, batch) == []
    assert world.received() == {}


def test_a_database_that_is_locked_is_said_in_words_and_nothing_is_sent(world: World) -> None:
    batch = ready(world)
    holder = sa.create_engine(world.app.settings.url, connect_args={"timeout": 0.1})
    world.app.close()
    app_engine = world.app.engine
    with app_engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout=50")
    with holder.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        world.engine = app_engine
        with pytest.raises(ValtracError, match="cannot be used") as told:
            world.send(batch)
        assert "locked" in told.value.why
        assert told.value.moved == "no"
        conn.rollback()
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_database_that_fills_up_after_the_broadcast_leaves_the_outcome_unknown_and_nothing_twice(
    world: World,
) -> None:
    batch = ready(world)
    payer = world.app.unlock()

    class FillingUp:
        """A wallet during whose broadcast the disk becomes full."""

        address = payer.address

        def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
            return payer.sign(payments, nonce=nonce, period=period)

        def broadcast(self, raw: bytes) -> None:
            payer.broadcast(raw)
            with world.engine.connect() as conn:
                pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            world.engine.dispose()

            @sa.event.listens_for(world.engine, "connect")
            def limit(dbapi: Any, _record: object) -> None:
                dbapi.execute(f"PRAGMA max_page_count={pages}")
                dbapi.execute("PRAGMA query_only=1")

    with pytest.raises(OutcomeUnknown) as unknown:
        send.send(world.door(), FillingUp(), batch.id)
    assert unknown.value.moved == "unknown"
    world.reopened()
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_database_from_yesterday_refuses_to_pay_what_the_chain_has_paid(world: World, tmp_path: Path) -> None:
    batch = ready(world)
    backup = tmp_path / "backup.sqlite"
    copied(world.home / "data" / "valtrac-devnet.sqlite", backup)
    world.send(batch)
    paid = world.received()
    restored(world, backup)
    with pytest.raises(Refused, match=r"does not know|not in the journal"):
        world.send(batch)
    assert world.received() == paid
    with reading(world.engine) as conn:
        assert batches.get(conn, batch.id).state == "approved"


def test_a_fault_of_the_library_after_the_broadcast_leaves_the_outcome_unknown(world: World) -> None:
    batch = ready(world)
    payer = world.app.unlock()

    class Breaking:
        """A wallet whose library breaks in a way that nobody thought of, once the bytes are out."""

        address = payer.address

        def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
            return payer.sign(payments, nonce=nonce, period=period)

        def broadcast(self, raw: bytes) -> None:
            payer.broadcast(raw)
            raise RuntimeError("'NoneType' object is not subscriptable")

    with pytest.raises(OutcomeUnknown, match="NoneType"):
        send.send(world.door(), Breaking(), batch.id)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_stopping_while_a_transaction_is_on_its_way_says_so(world: World) -> None:
    batch = ready(world)

    def stopped(seconds: float) -> None:
        raise KeyboardInterrupt

    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(OutcomeUnknown, match="stopped"):
        send.send(world.door(sleep=stopped), world.app.unlock(), batch.id)
    devnet.misbehave(world.node, clear=True)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def restored(world: World, backup: Path) -> None:
    """The ledger as it was when the backup was made."""
    world.app.close()
    database = world.home / "data" / "valtrac-devnet.sqlite"
    for leftover in database.parent.glob("valtrac-devnet.sqlite*"):
        leftover.unlink()
    shutil.copy(backup, database)
    world.engine = world.app.engine


def test_what_an_older_database_forgot_is_adopted_from_the_chain_and_paid_once(world: World, tmp_path: Path) -> None:
    first = ready(world)
    world.send(first)
    batch = world.day(1).approved()
    copied(world.home / "data" / "valtrac-devnet.sqlite", tmp_path / "backup.sqlite")
    world.send(batch)
    (world.home / "logs" / "payout_log.csv").unlink()  # even without the log, the chain knows
    restored(world, tmp_path / "backup.sqlite")
    wallet = world.app.wallet_address
    with pytest.raises(Refused, match="not in the journal"):
        world.send(batch)
    with pytest.raises(Refused, match="paid 3 payments of batch"):
        foreign.rule(world.door(), wallet, "hm, no idea")
    for _ in range(3):
        foreign.adopt(world.door(), wallet)
        (finding,) = reconcile(world.door())
        assert finding.state == "landed"
    assert world.send(batch).state == "settled"
    total = {name: owed(first).get(name, 0) + owed(batch).get(name, 0) for name in owed(first)}
    assert world.received() == total


def test_a_foreign_payment_that_matches_nothing_is_not_adopted(world: World) -> None:
    batch = ready(world)
    wallets.adopt(world.door(), world.app.wallet_address)
    payer = world.app.unlock()
    payer.broadcast(payer.sign((Payment(address(99), 10**9),), nonce=0, period=64).raw)
    devnet.advance(world.node, 3)
    with pytest.raises(Refused, match="not what an approved batch owes"):
        foreign.adopt(world.door(), payer.address)
    assert tried(world, batch) == []


def test_a_log_that_knows_more_than_the_ledger_stops_the_door(world: World, tmp_path: Path) -> None:
    batch = ready(world)
    copied(world.home / "data" / "valtrac-devnet.sqlite", tmp_path / "backup.sqlite")
    world.send(batch)
    paid = world.received()
    restored(world, tmp_path / "backup.sqlite")
    with pytest.raises(Refused, match="does not know") as refused:
        world.send(batch, accept_history=True)
    assert len(refused.value.problems) == 3
    assert world.received() == paid


def test_an_error_after_some_payments_says_that_they_landed(tmp_path: Path) -> None:
    world = World(tmp_path, cap_day=3 * 10**9)
    batch = ready(world)
    with pytest.raises(Refused, match="within 24 hours") as refused:
        world.send(batch)
    assert refused.value.moved == "yes"
    assert f"of batch #{batch.id} had landed before" in refused.value.why
    world.app.close()


def test_being_stopped_between_two_transactions_says_what_landed(world: World) -> None:
    batch = ready(world)

    def stop_after_the_first(words: str) -> None:
        if "landed" in words:
            raise KeyboardInterrupt

    with pytest.raises(Refused, match="stopped between") as refused:
        send.send(world.door(tell=stop_after_the_first), world.app.unlock(), batch.id)
    assert refused.value.moved == "yes"
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_snapshot_entered_into_a_paid_range_is_not_paid_again_unnoticed(world: World) -> None:
    from dataclasses import replace as changed

    from valtrac.database.engine import writing
    from valtrac.payouts import approvals
    from valtrac.snapshots.store import snapshots

    batch = ready(world)
    with writing(world.engine) as conn:
        (known, *_) = snapshots.load(conn, batch.hotkey, 0, 0, 10**9)
        assert snapshots.add(conn, changed(known, block=batch.from_block + 7))
    late = world.draft(from_block=batch.from_block + 5, to_block=batch.from_block + 9)
    assert any("--allow-overlap" in note for note in late.payout.notes)
    with pytest.raises(Refused, match="already pays for blocks"):
        approvals.approve(world.engine, world.app.settings, world.app.caps, late.id, f"{late.total / 10**9:.9f}")


def test_a_replaced_address_that_would_still_be_paid_is_named_before_the_approval(world: World) -> None:
    from valtrac.core.addresses import shortened
    from valtrac.database.engine import reading
    from valtrac.payments.store import batches
    from valtrac.people import destinations, users

    world.people().day()
    users.add_address(world.engine, "u002", address(50))
    users.set_payout(world.engine, "u002", address(50))
    draft = world.draft()
    with reading(world.engine) as conn:
        lines = batches.lines_of(conn, draft.id)
        meant = [destinations.Destination(line.id, line.name, line.person, line.address) for line in lines]
        held = destinations.waits(conn, meant, world.app.settings.quarantine)
    ((line, words),) = [(line, held[line.id]) for line in lines if line.id in held]
    assert (line.name, line.address) == ("u002", address(2))
    assert shortened(address(50)) in words
