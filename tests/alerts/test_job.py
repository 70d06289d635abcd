"""The background job: settings of now, one at a time, and a fault in a round ends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.servers import Hook, hook
from tests.homes import move_in
from tests.payout_world import World
from valtrac import settings as config
from valtrac.alerts import rounds, targets
from valtrac.core.errors import Refused
from valtrac.loggers import loop
from valtrac.loggers.jobs import alerts as job
from valtrac.loggers.jobs import found
from valtrac.wiring.alerts import AlertsApp


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Hook) -> Iterator[AlertsApp]:
    move_in(monkeypatch, tmp_path, alerts_addresses="file", alerts_quiet="none", alerts_daily="none")
    made = AlertsApp(config.load())
    targets.add(made.engine, targets.NewTarget("hook", web.address()), made.addresses.keep)
    yield made
    made.close()


def test_the_job_is_found_by_itself() -> None:
    assert found()["alerts"] is job


def test_a_payout_is_told_by_the_job_from_the_chain_to_the_webhook(app: AlertsApp, web: Hook, tmp_path: Path) -> None:
    own = job.AlertJob(app)
    assert own.tick().words == ""
    world = World(tmp_path, 3)  # a database that is there from now on
    own.tick()
    world.send(world.people().day().approved())
    world.app.close()
    said = own.tick().words
    assert said.startswith("1 new; 1 sent")
    assert [called["title"].partition(" · ")[0] for called in web.taken] == ["Payout settled"]


def test_settings_that_change_hold_from_the_next_round_on(
    app: AlertsApp, web: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = job.AlertJob(app)
    own.tick()
    monkeypatch.setenv("VALTRAC_ALERTS_DAILY", "00:00")
    monkeypatch.setenv("VALTRAC_ALERTS_MACHINE", "LD18")
    own.tick()
    assert web.taken[0]["title"].startswith("Daily status")
    monkeypatch.setenv("VALTRAC_ALERTS_DAILY", "nonsense")
    assert own.tick().words == ""


def test_a_fault_in_a_round_is_said_and_the_job_goes_on(app: AlertsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    own = job.AlertJob(app)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by wss://node.example/key-1234")

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "go_round", broken)
        tick = own.tick()
    assert tick.words == "ZeroDivisionError: by wss://node.example/..."
    assert tick.wait_s == job.AFTER_A_FAULT_S
    assert own.tick().words == ""


def test_one_round_by_hand_is_refused_while_the_job_runs(app: AlertsApp) -> None:
    with loop.alone(app.settings.logs, job.NAME), pytest.raises(Refused, match="runs already"):
        job.once(app.settings)
    assert job.once(app.settings).failed == ()


def test_no_address_is_in_the_database_or_a_log(app: AlertsApp, web: Hook, tmp_path: Path) -> None:
    web.answer = 500
    own = job.AlertJob(app)
    own.tick()
    targets.test(own.alerting, targets.get(app.engine, "hook"), job.now())
    app.close()
    holding = [path.name for path in tmp_path.rglob("*") if path.is_file() and b"token-8899" in path.read_bytes()]
    assert holding == ["alert-addresses.json"]
