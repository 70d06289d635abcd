"""The exit codes: 0 done, 1 our fault, 2 bad input, 3 refused, 4 chain unreachable, 5 outcome unknown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.homes import CHECKOUT
from tests.menus.commands.conftest import Call
from tests.payout_world import HOTKEY, World, address
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send
from valtrac.wiring.payouts import App


def test_0_a_command_that_did_its_work(call: Call, world: World) -> None:
    assert call("users", "add", "ann", address(1)).code == 0


def test_1_a_fault_of_ours_says_where_its_details_are(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(devnet, "advance", broken)
    said = call("devnet", "advance")
    assert said.code == 1
    assert "logs/errors.log" in "".join(said.err.split())
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("payout", "show", "abc"),
        ("payout", "show", "99"),
        ("payout", "plan", "--pool", "1e3"),
        ("payout", "plan", "--pool", "1", "--by", "friends"),
        ("payout", "plan", "--pool", "1", "--hotkey", "5nonsense"),
        ("users", "import", "no-such-file.csv"),
        ("users", "edit", "ann"),
        ("referrals", "add", "nobody", "noone", "--rate", "0.25"),
        ("snapshot", "import", "no-such-file.csv"),
        ("logger", "start", "weather"),
        ("devnet", "misbehave", "down=often"),
        ("devnet", "announce-swap", "5nonsense"),
        ("chart", "no-such-chart"),
    ],
)
def test_2_input_that_cannot_be_used(call: Call, world: World, arguments: tuple[str, ...]) -> None:
    said = call(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "fix" in said.err


def test_2_a_setting_that_cannot_be_used(call: Call, home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALTRAC_CHUNK_SIZ", "5")
    said = call("users", "list")
    assert said.code == 2
    assert "VALTRAC_CHUNK_SIZ: no such setting; did you mean VALTRAC_CHUNK_SIZE?" in said.err


def test_3_a_payout_that_nobody_approved(call: Call, world: World) -> None:
    world.people().day().draft()
    said = call("payout", "send", "1")
    assert said.code == 3
    assert "nobody has approved it" in said.err
    assert world.received() == {}


def test_3_the_rehearsal_commands_on_another_network(call: Call, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALTRAC_NETWORK", "ws://127.0.0.1:1")
    assert call("devnet", "advance").code == 3


def test_4_a_node_that_does_not_answer(call: Call, world: World) -> None:
    devnet.misbehave(world.node, down=1000)
    said = call("snapshot", "take", "--json")
    assert (said.code, said.out) == (4, "")
    assert (said.problem["exit_code"], said.problem["moved"]) == (4, "no")


def test_4_a_rehearsal_chain_that_has_not_begun(call: Call, home: object) -> None:
    said = call("snapshot", "take", "--hotkey", HOTKEY)
    assert said.code == 4
    assert "make it: run.py devnet seed" in said.err


def test_5_a_payment_that_was_sent_and_not_seen_again(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people().day().approved()
    real = App.door
    monkeypatch.setattr(App, "door", lambda *a, **k: _impatient(real(*a, **k)))
    devnet.misbehave(world.node, hold_pool=True)
    said = call("payout", "send", "1", "--json")
    assert (said.code, said.problem["moved"]) == (5, "unknown")
    assert "reconcile" in said.problem["fix"]
    assert call("payout", "reconcile").code == 5
    devnet.misbehave(world.node, hold_pool=False)
    devnet.advance(world.node, 5)
    assert call("payout", "reconcile").code == 0
    assert sum(world.received().values()) > 0


def test_5_whatever_fails_while_a_payment_is_open(call: Call, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.people().day().approved()
    real = App.door
    monkeypatch.setattr(App, "door", lambda *a, **k: _impatient(real(*a, **k)))
    devnet.misbehave(world.node, hold_pool=True)
    assert call("payout", "send", "1").code == 5
    devnet.misbehave(world.node, down=1000)
    for command in (
        "payout reconcile",
        "payout send 1",
        "payout resume 1",
        "snapshot take",
        "payout void 1 --reason x",
    ):
        said = call(*command.split())
        assert (command, said.code) == (command, 5)
        assert "Nothing was sent" not in said.err
        said = call(*command.split(), "--json")
        assert (said.problem["moved"], said.problem["exit_code"]) == ("unknown", 5)
    said = call("payout", "show", "99", "--json")
    assert (said.code, said.problem["moved"]) == (2, "unknown")


def test_5_an_unforeseen_fault_while_a_payment_is_open(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people().day().approved()
    real = App.door
    monkeypatch.setattr(App, "door", lambda *a, **k: _impatient(real(*a, **k)))
    devnet.misbehave(world.node, hold_pool=True)
    assert call("payout", "send", "1").code == 5

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("menus.payouts.commands.payout.look", broken)
    said = call("payout", "reconcile", "--json")
    assert (said.code, said.problem["moved"]) == (5, "unknown")


def test_130_ctrl_c_stops_a_command_without_a_traceback(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(devnet, "advance", interrupted)
    said = call("devnet", "advance")
    assert (said.code, said.err) == (130, "Stopped.\n")


def test_ctrl_c_while_a_payment_is_under_way_is_an_unknown_outcome_and_resume_ends_it(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people().day().approved()
    real = App.door

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(App, "door", lambda *a, **k: replace(real(*a, **k), sleep=interrupt))
    devnet.misbehave(world.node, hold_finality=True)
    said = call("payout", "send", "1")
    assert said.code == 5
    assert "left this machine, and then: it was stopped" in " ".join(said.err.split())
    monkeypatch.setattr(App, "door", real)
    devnet.misbehave(world.node, hold_finality=False)
    devnet.advance(world.node, 5)
    assert call("payout", "resume", "1").code == 0
    assert call("payout", "show", "1", "--json").record["state"] == "settled"


def test_the_codes_are_documented_where_help_is_asked_for(call: Call, home: object) -> None:
    said = call("--help")
    words = " ".join(said.out.split())
    assert said.code == 0
    assert (
        "0 done, 1 our fault, 2 bad input, 3 refused by policy, 4 chain unreachable, 5 outcome unknown: reconcile"
        in words
    )


def test_a_reader_that_has_read_enough_is_no_error(world: World) -> None:
    world.people()
    said = subprocess.run(
        f"{sys.executable} run.py users list --json | head -n 1",
        shell=True,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.stdout, said.stderr) == ("[\n", "")


def _impatient(door: send.Door) -> send.Door:
    return replace(door, patience_s=0.0, poll_s=0.0)
