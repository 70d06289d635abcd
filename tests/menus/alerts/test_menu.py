"""The menu of alerts, by keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.alerts.servers import Hook
from tests.menus.conftest import CTRL_C, DOWN, ENTER, line, menu, pick

Press = Callable[..., str]
ALERTS = menu("Alerts")
ADD, TEST, REMOVE, RULES, QUIET, STATUS, OUTBOX, NEWEST, DEAD_MAN, START, STOP, UNLOCK, ONCE = map(pick, range(1, 14))


def added(web: Hook) -> str:
    """Keys that add a webhook for the owner."""
    return ADD + ENTER + line("hook") + ENTER + ENTER + line(web.address())


def test_a_target_is_added_tested_told_and_removed_by_keys(home: Path, press: Press, web: Hook) -> None:
    said = press(ALERTS, added(web), TEST, ENTER, ONCE, OUTBOX, NEWEST, REMOVE, ENTER, "y", ENTER)
    assert "hook receives alerts from now on: json://127.0.0.1:" in said
    assert "hook took the test." in said
    assert "1 new alert, 1 message made, 1 sent." in said
    assert "hook is told nothing any more." in said
    assert "token-8899" not in said
    assert [called["title"].partition(" · ")[0] for called in web.taken] == ["Test", "Daily status"]


def test_a_payee_and_the_public_have_targets_of_their_own(home: Path, press: Press, web: Hook) -> None:
    public = ADD + DOWN + ENTER + line("channel") + ENTER + ENTER + line(web.address())
    payee = ADD + DOWN * 2 + ENTER + line("ann") + line("ann-phone") + DOWN + ENTER + ENTER + line(web.address())
    said = press(ALERTS, public, payee, STATUS)
    assert "payee:ann" in said
    assert "public" in said


def test_a_rule_is_made_and_ended_by_keys(home: Path, press: Press, web: Hook) -> None:
    make = pick(1) + line("payouts.*") + ENTER + ENTER + pick(3)
    said = press(ALERTS, RULES, make, pick(2) + ENTER, pick(3))
    assert "Rule #1 holds: payouts.* never." in said
    assert "Rule #1 has ended." in said
    assert "snapshots.gap" in said


def test_quiet_hours_are_set_by_keys_and_a_slip_is_said(home: Path, press: Press) -> None:
    said = press(ALERTS, QUIET, ENTER, line("22:30-06:30"), QUIET, pick(3), pick(2))
    assert "VALTRAC_ALERTS_QUIET=22:30-06:30" in said
    assert "VALTRAC_ALERTS_PLACE=international" in said
    assert "VALTRAC_ALERTS_QUIET='22:30-06:30'" in (home / "settings").read_text()


def test_a_dead_mans_switch_is_set_by_keys(home: Path, press: Press) -> None:
    said = press(ALERTS, DEAD_MAN, line("https://hc.example/token-8899"))
    assert "It is called every 5 minutes while all is well." in said
    assert "token-8899" not in said


def test_where_there_is_nothing_the_next_step_is_said(home: Path, press: Press) -> None:
    said = press(ALERTS, TEST, REMOVE, OUTBOX, UNLOCK, STOP, CTRL_C)
    assert said.count("No targets yet. Next: Add a target.") == 2
    assert "there is no address to hand in" in said
    assert "there is no background logger" in said
