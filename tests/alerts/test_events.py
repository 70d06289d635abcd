"""What each business offers: its own facts, read out of what it stores anyway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contracts_world import World as Custody
from tests.payments.test_evidence import Forgetful, landed_but_not_booked, looked
from tests.payments.test_reconcile import advance_to_finalized
from tests.payout_world import World, address
from valtrac.contracts.events import ContractEvents
from valtrac.core.errors import OutcomeUnknown
from valtrac.core.events import OWNER, PUBLIC, payee
from valtrac.core.money import rao
from valtrac.database.engine import reading, writing
from valtrac.devnet import bittensor as devnet
from valtrac.loggers.events import LoggerEvents
from valtrac.loggers.loop import Beat, beat
from valtrac.loggers.pm2 import Job
from valtrac.payments import foreign, reconcile, send
from valtrac.payments.events import PaymentEvents
from valtrac.payments.store import attempts
from valtrac.payouts.events import PayoutEvents
from valtrac.payouts.liquidity import Liquidity
from valtrac.payouts.producer import WORDS
from valtrac.people import destinations, users
from valtrac.people.events import PeopleEvents
from valtrac.snapshots.events import SnapshotEvents
from valtrac.wiring.alerts import AlertsApp

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def kinds(events: object) -> list[str]:
    return sorted(event.kind for event in events)  # type: ignore[attr-defined]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.app.close()


# -- payments ---------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(world: World) -> World:
    world.send(world.people().day().approved())
    return world


def test_a_settled_batch_is_told_to_owner_public_and_each_payee(paid: World) -> None:
    events = PaymentEvents(paid.engine, "payouts", WORDS)
    told = {event.audience: event for event in events.facts(LONG_AGO)}
    assert set(told) == {OWNER, PUBLIC, *(payee(f"u{number:03}") for number in range(1, 8))}
    assert all(event.kind == "payouts.settled" for event in told.values())
    assert {event.tx_ids for event in (told[OWNER], told[PUBLIC])} == {told[OWNER].tx_ids}
    received = paid.received()
    assert {name: told[payee(name)].amounts[0].units for name in received} == received
    assert told[OWNER].amounts[0].units == sum(received.values())
    assert told[OWNER].fix == "run.py payout show 1"


def test_nothing_of_the_wallet_is_in_what_others_hear(paid: World) -> None:
    wallet, owners = paid.app.wallet_address, PaymentEvents(paid.engine, "payouts", WORDS).facts(LONG_AGO)
    for event in owners:
        if event.audience != OWNER:
            assert wallet not in repr(event)
            assert "run.py" not in repr(event)


def test_facts_have_the_same_ids_at_each_reading_and_only_new_ones_are_read(paid: World) -> None:
    events = PaymentEvents(paid.engine, "payouts", WORDS)
    first, second = ([event.id for event in events.facts(LONG_AGO)] for _ in range(2))
    assert first == second
    assert len(first) == len(set(first))
    assert list(events.facts(now() + HOUR)) == []


def test_a_transaction_whose_outcome_is_open_is_a_state_until_it_is_known(world: World) -> None:
    batch = world.people().day().approved()
    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(OutcomeUnknown):
        send.send(world.door(patience_s=1), world.app.unlock(), batch.id)
    events = PaymentEvents(world.engine, "payouts", WORDS)
    assert list(events.states(now())) == []
    (open_,) = events.states(now() + HOUR)
    assert open_.kind == "payouts.unknown"
    assert open_.fix == "run.py payout reconcile"
    devnet.misbehave(world.node, clear=True)
    devnet.advance(world.node, 5)
    reconcile.reconcile(world.door())
    (half_way,) = events.states(now() + 2 * HOUR)
    assert (half_way.kind, half_way.fix) == ("payouts.stands", f"run.py payout resume {batch.id}")


def test_a_batch_that_nobody_sends_is_a_state_and_not_where_a_job_sends(world: World) -> None:
    batch = world.people().day().approved()
    events = PaymentEvents(world.engine, "payouts", WORDS)
    assert list(events.states(now())) == []
    (stands,) = events.states(now() + 2 * HOUR)
    assert stands.fix == f"run.py payout send {batch.id}"
    assert list(PaymentEvents(world.engine, "payouts", WORDS, standing=True).states(now() + 2 * HOUR)) == []


def test_a_dead_transaction_is_told_and_once_more_when_it_is_seen(world: World) -> None:
    batch, _ = landed_but_not_booked(world)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn)
    advance_to_finalized(world, attempt.valid_until + 1)
    assert looked(world, Forgetful(world.app.chain, attempt)).state == "dead"
    events = PaymentEvents(world.engine, "payouts", WORDS)
    (dead,) = events.facts(LONG_AGO)
    assert (dead.kind, dead.tx_ids) == ("payouts.dead", (attempt.tx_id,))
    foreign.adopt(world.door(), world.app.wallet_address)
    assert kinds(events.facts(LONG_AGO)) == ["payouts.seen"]
    world.send(batch)
    seen = [event for event in events.facts(LONG_AGO) if event.kind == "payouts.seen"]
    assert [event.tx_ids for event in seen] == [(attempt.tx_id,)]


# -- the record, people, the wallet -----------------------------------------------------------------------------


def test_a_gap_in_the_record_is_told_and_an_even_record_is_not(world: World) -> None:
    world.day(3)
    events = SnapshotEvents(world.engine, interval=50, block_s=None)
    assert list(events.facts(LONG_AGO)) == []
    devnet.advance(world.node, 300)
    world.day(1)
    (gap,) = events.facts(LONG_AGO)
    assert gap.kind == "snapshots.gap"
    assert list(events.states(now())) == []
    assert "stakes blk" in events.status(now()).short  # type: ignore[union-attr]


def test_a_record_that_stands_still_is_a_state(world: World) -> None:
    world.day(1)
    events = SnapshotEvents(world.engine, interval=50, block_s=12.0)
    assert kinds(events.states(now() + timedelta(days=30))) == ["snapshots.late"]


def test_an_address_that_waits_is_a_state_until_it_waits_no_more(world: World) -> None:
    world.people().day()
    users.add_address(world.engine, "u001", address(99))
    users.set_payout(world.engine, "u001", address(99))
    events = PeopleEvents(world.engine, timedelta(hours=24))
    (waits,) = events.states(now())
    assert address(99) in waits.words
    assert "1 addresses wait" in events.status(now()).short  # type: ignore[union-attr]
    destinations.confirm(world.engine, timedelta(hours=24), "u001", address(99)[-6:])
    assert (list(events.states(now())), events.status(now())) == ([], None)


@pytest.mark.parametrize(
    ("missing", "lasts", "kind"),
    [(5, None, "payouts.lacks"), (0, 1, "payouts.low"), (0, 2, ""), (0, None, "")],
)
def test_a_wallet_that_lacks_money_or_runs_low_is_a_state(missing: int, lasts: int | None, kind: str) -> None:
    asked = list[int]()

    def ask() -> Liquidity:
        asked.append(1)
        return Liquidity("5Wallet", 100, 0, 0, 0, missing, 10, lasts, 0)

    events = PayoutEvents(ask, clock=lambda: 0.0)
    assert kinds(events.states(now())) == ([kind] if kind else [])
    assert list(events.states(now())) is not None
    assert len(asked) == 1  # a node is not asked at each round
    assert str(rao(100)) in events.status(now()).words  # type: ignore[union-attr]


def test_a_wallet_from_which_nothing_was_paid_has_nothing_to_tell() -> None:
    events = PayoutEvents(lambda: None)
    assert (list(events.states(now())), events.status(now())) == ([], None)


# -- stake contracts --------------------------------------------------------------------------------------------


@pytest.fixture
def custody(tmp_path: Path) -> object:
    made = Custody(tmp_path)
    yield made
    made.close()


def test_what_the_trail_says_is_told(custody: Custody) -> None:
    custody.take("ann", 25_000, "three_months")
    events = ContractEvents(custody.engine)
    assert "contracts.began" in kinds(events.facts(LONG_AGO))
    assert list(events.facts(now() + HOUR)) == []
    assert "contracts blk" in events.status(now()).short  # type: ignore[union-attr]


def test_what_left_and_is_not_in_the_journal_is_a_critical_state(custody: Custody) -> None:
    custody.send("custodian", 7, to="ann")
    custody.listen()
    states = list(ContractEvents(custody.engine).states(now()))
    (unruled,) = [event for event in states if event.kind == "contracts.unruled"]
    assert "7.00000 BTS to ann" in unruled.words
    assert unruled.fix.startswith("run.py contracts rule ")
    assert unruled.tx_ids


def test_a_delinquent_payment_is_told_and_waits_as_a_state(custody: Custody) -> None:
    custody.take("ann", 25_000, "three_months")
    with writing(custody.engine) as conn:
        conn.exec_driver_sql("UPDATE dues SET state = 'delinquent' WHERE type = 'reward' AND number = 1")
    (waits,) = [event for event in ContractEvents(custody.engine).states(now()) if event.kind == "contracts.by-hand"]
    assert "2000.00000 BTS" in waits.words


def test_the_same_words_of_an_audit_are_told_once_a_day(custody: Custody) -> None:
    from valtrac.contracts.store import audit_events

    with writing(custody.engine) as conn:
        for _ in range(3):
            audit_events.add(conn, "alert", {"warn": "the account lacks 5 BTS", "block_num": 1})
    told = [event for event in ContractEvents(custody.engine).facts(LONG_AGO) if event.kind == "contracts.alert"]
    assert len(told) == 3
    assert len({event.id for event in told}) == 1


# -- background jobs --------------------------------------------------------------------------------------------


def job(state: str, words: str = "", failures: int = 0) -> Job:
    told = Beat("valtrac-stakes", now(), 1, words, failures, 1)
    return Job("valtrac-stakes", state, 1, 0, None, told, words)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (job("running"), ""),
        (job("running", "silent for 200 s"), "loggers.silent"),
        (job("failed", "no such hotkey"), "loggers.silent"),
        (job("restarting"), "loggers.silent"),
        (job("stopped"), ""),
        (job("running", "starting"), ""),
        (job("running", "no answer; trying again in 2 s", failures=1), ""),
        (job("running", "no answer; trying again in 32 s", failures=5), "loggers.node-away"),
    ],
)
def test_a_job_is_told_of_as_it_really_is(tmp_path: Path, found: Job, kind: str) -> None:
    events = LoggerEvents(tmp_path, lambda: [found])
    assert kinds(events.states(now())) == ([kind] if kind else [])
    assert list(LoggerEvents(tmp_path, lambda: [found], own="valtrac-stakes").states(now())) == []


def test_a_node_that_was_left_is_told_once_a_day(tmp_path: Path) -> None:
    words = "block 300: 7 readings; not asked any more: ws://node.example: it contradicted itself"
    beat(tmp_path, Beat("valtrac-stakes", now(), 300, words, 0, 1))
    events = LoggerEvents(tmp_path, list)
    (left,) = events.facts(now() - HOUR)
    assert left.kind == "loggers.node-left"
    assert "it contradicted itself" in left.words
    assert [event.id for event in events.facts(now() - HOUR)] == [left.id]
    assert list(events.facts(now() + HOUR)) == []


# -- all together -----------------------------------------------------------------------------------------------


def test_only_databases_that_are_there_are_read_and_every_kind_is_declared(world: World, tmp_path: Path) -> None:
    app = AlertsApp(world.app.settings)
    try:
        names = [source.name for source in app.sources()]
        assert names == ["payouts-payments", "snapshots", "people", "payouts"]
        declared = {kind.name for kind in app.kinds()}
        assert {kind.name for source in app.sources() for kind in source.kinds} <= declared
        assert {"payouts.settled", "contracts.settled", "contracts.parked", "status.daily"} <= declared
        assert not (tmp_path / "data" / "valtrac-bitshares-devnet.sqlite").exists()
    finally:
        app.close()
    assert AlertsApp(world.app.settings.model_copy(update={"home": tmp_path / "empty"})).sources() == ()


def test_a_state_of_each_kind_has_words_for_its_end() -> None:
    app = AlertsApp.__new__(AlertsApp)
    for kind in AlertsApp.kinds(app):
        assert kind.title
        assert kind.again_after is None or kind.over, kind
        assert len(kind.name) <= 80
