"""`run.py alerts ...`: everything by command, records as JSON, and no secret in any of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.servers import Hook
from tests.menus.alerts.conftest import Call
from valtrac.loggers import pm2

TOKEN = "token-8899"


@pytest.fixture
def hooked(call: Call, web: Hook) -> Call:
    """A home with a target."""
    assert call("targets", "add", "hook", "--address-stdin", typed=web.address() + "\n")[0] == 0
    return call


def records(call: Call, *arguments: str) -> Any:
    code, out, err = call(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_target_is_added_listed_tested_and_removed(hooked: Call, web: Hook) -> None:
    shown = f"json://127.0.0.1:{web.port}/..."
    assert records(hooked, "targets", "list") == [
        {
            "name": "hook",
            "for": "owner",
            "form": "long",
            "place": "everywhere",
            "address": shown,
            "address_at_hand": True,
        }
    ]
    assert records(hooked, "targets", "test", "hook") == {"target": "hook", "taken": True}
    assert web.taken[0]["message"].startswith("This is a test")
    assert hooked("targets", "remove", "hook", "--yes")[0] == 0
    assert records(hooked, "targets", "list") == []
    code, _, err = hooked("targets", "test", "hook")
    assert code == 2
    assert "there is no target" in err


def test_what_the_service_says_to_a_test_is_told(hooked: Call, web: Hook) -> None:
    web.answer = 403
    code, _, err = hooked("targets", "test", "hook")
    assert code == 3
    assert "403" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["targets", "add", "Hook!", "--address-stdin"], "no name for a target"),
        (["targets", "add", "dead-man", "--address-stdin"], "no name for a target"),
        (["targets", "add", "x", "--for", "everyone", "--address-stdin"], "nobody that can be told"),
        (["targets", "add", "hook", "--address-stdin"], "there is a target hook already"),
        (["targets", "add", "x"], "no terminal to ask on"),
        (["rules", "set", "payout.settled", "never"], "did you mean payouts.settled?"),
        (["rules", "set", "*", "never", "--target", "hok"], "did you mean hook?"),
        (["rules", "end", "7"], "no rule #7 is in force"),
        (["outbox", "--retry", "7"], "no message #7"),
        (["quiet", "--hours", "23-7"], "write them like 23:00-07:00"),
        (["quiet", "--zone", "Berlin"], "no time zone"),
        (["place", "moon"], "must be 'domestic' or 'international'"),
        (["unlock"], "does not listen"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(
    hooked: Call, web: Hook, arguments: list[str], words: str
) -> None:
    code, _, err = hooked(*arguments, typed=web.address() + "\n")
    assert code in (2, 3)
    assert words in " ".join(err.split())
    assert TOKEN not in err


def test_rules_are_set_listed_and_ended(hooked: Call) -> None:
    assert records(hooked, "rules", "set", "payouts.*", "daily", "--target", "hook", "--least", "warning") == [
        {"no": 1, "event": "payouts.*", "least": "warning", "target": "hook", "told": "daily"}
    ]
    assert hooked("rules", "set", "payouts.*", "never", "--target", "hook", "--least", "warning")[0] == 0
    (rule,) = records(hooked, "rules")
    assert (rule["no"], rule["told"]) == (2, "never")
    assert hooked("rules", "end", "2")[0] == 0
    assert records(hooked, "rules") == []
    kinds = {kind["event"]: kind for kind in records(hooked, "rules", "kinds")}
    assert kinds["payouts.unknown"]["severity"] == "critical"
    assert kinds["loggers.silent"]["over"] == "A background job works again"


def test_one_round_tells_and_the_outbox_shows_it(hooked: Call, web: Hook) -> None:
    made = records(hooked, "run", "--once")
    assert made == {"new": 1, "messages": 1, "sent": 1, "failed": [], "words": []}
    (message,) = records(hooked, "outbox")
    assert (message["target"], message["state"], message["tries"]) == ("hook", "sent", 1)
    assert message["code"] in web.taken[0]["message"]
    (alert,) = records(hooked, "list", "status.daily")
    assert (alert["code"], alert["told"], alert["to_be_told"]) == (message["code"], 1, 0)


def test_a_round_in_which_a_target_fails_says_so_by_its_exit_code_and_can_be_tried_again(
    hooked: Call, web: Hook
) -> None:
    web.answer = 500
    code, out, _ = hooked("run", "--once", "--json")
    assert code == 4
    assert json.loads(out)["failed"][0].startswith("hook: ")
    status = records(hooked, "status")
    assert status["targets"][0]["messages"] == 1
    web.answer = 200
    assert hooked("outbox", "--retry", "1")[0] == 0
    assert records(hooked, "run", "--once")["sent"] == 1


def test_quiet_hours_and_place_are_settings_that_are_written(call: Call, home: Path) -> None:
    code, out, _ = call("quiet", "--hours", "22:30-06:30", "--zone", "Asia/Kolkata", "--wake", "never", "--json")
    assert code == 0
    said = json.loads(out)
    assert (said["hours"], said["time_zone"], said["wakes"]) == (["22:30-06:30"], "Asia/Kolkata", "never")
    assert records(call, "place", "international") == {"place": "international"}
    written = (home / "settings").read_text()
    assert "VALTRAC_ALERTS_QUIET='22:30-06:30'" in written
    assert "VALTRAC_ALERTS_PLACE='international'" in written


def test_the_dead_mans_switch_is_set_and_removed(call: Call, home: Path) -> None:
    file = home / "data" / "alert-addresses.json"
    assert call("dead-man", "--address-stdin", typed="nonsense\n")[0] == 2
    assert call("dead-man", "--address-stdin", typed=f"https://hc.example/{TOKEN}\n")[0] == 0
    assert TOKEN in file.read_text()
    assert call("dead-man", "--remove")[0] == 0
    assert TOKEN not in file.read_text()


def test_every_command_that_shows_something_shows_it_where_there_is_nothing(call: Call) -> None:
    for words in ("status", "outbox", "list", "rules", "quiet", "place", "targets list"):
        code, out, err = call(*words.split())
        assert code == 0, err
        assert out + err
    assert records(call, "outbox") == records(call, "list") == records(call, "rules") == []
    assert records(call, "status")["job"]["state"] == "not started"
    assert pm2.SILENT_S
