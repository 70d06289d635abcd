"""`--json`: records on stdout and nothing else there, `[]` when there are none, amounts as decimal strings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.menus.commands.conftest import Call
from tests.payout_world import HOTKEY, World, address
from valtrac.devnet import bittensor as devnet
from valtrac.people import referrals

DECIMAL = re.compile(r"\d+\.\d{9}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "list"),
        ("referrals", "list"),
        ("referrals", "tree"),
        ("snapshot", "list"),
        ("payout", "list"),
        ("payout", "reconcile"),
        ("logger", "status"),
    ],
)
def test_nothing_yet_is_an_empty_list(call: Call, world: World, arguments: tuple[str, ...]) -> None:
    said = call(*arguments, "--json")
    assert (said.code, said.record) == (0, [])


def test_a_plan_holds_everything_that_the_payout_rests_on(call: Call, world: World) -> None:
    world.people().day()
    said = call("payout", "plan", "--hotkey", HOTKEY, "--pool", "12.5", "--json")
    plan = said.record
    assert said.code == 0
    assert {"batch", "asset", "pool", "total", "fee", "unassigned", "lines", "held", "excluded", "inputs_hash"} <= set(
        plan
    )
    assert (plan["batch"], plan["asset"], plan["pool"]) == (1, "TAO", "12.500000000")
    assert [set(line) >= {"user", "address", "from_pool", "released", "amount"} for line in plan["lines"]] == [True] * 3
    amounts = [plan["total"], plan["fee"], plan["unassigned"], *(line["amount"] for line in plan["lines"])]
    assert all(DECIMAL.fullmatch(amount) for amount in amounts)
    assert sum(_rao(line["amount"]) for line in plan["lines"]) == _rao(plan["total"])
    assert re.fullmatch(r"[0-9a-f]{64}", plan["inputs_hash"])


def test_who_is_held_and_who_is_excluded_comes_with_the_reason(call: Call, world: World) -> None:
    world.people().day()
    call("users", "end", "u003", "--yes", "--from-block", "50")
    call("users", "add", "nowhere")
    plan = call("payout", "plan", "--pool", "12.5", "--minimum", "3", "--json").record
    kept = plan["held"] + plan["excluded"]
    assert kept
    assert all(one["reason"] and DECIMAL.fullmatch(one["amount"]) for one in kept)


def test_the_same_plan_twice_has_the_same_inputs_hash(call: Call, world: World) -> None:
    world.people().day()
    first, second = (call("payout", "plan", "--pool", "12.5", "--json").record for _ in range(2))
    assert first["inputs_hash"] == second["inputs_hash"]
    assert first["lines"] == second["lines"]


def test_a_plan_is_a_record_where_nobody_looks_and_a_table_when_shown(call: Call, world: World) -> None:
    world.people().day()
    said = call("payout", "plan", "--pool", "7")
    assert said.record["batch"] == 1
    assert "Next: run.py payout approve 1 --total" in said.err
    shown = call("payout", "show", "1")
    assert "Payments" in shown.out
    assert "{" not in shown.out


def test_a_whole_payout_by_commands(call: Call, world: World) -> None:
    world.people().day()
    total = call("payout", "plan", "--pool", "7", "--json").record["total"]
    assert call("payout", "approve", "1", "--total", "1").code == 2
    assert call("payout", "approve", "1", "--total", total, "--json").record["state"] == "approved"
    sent = call("payout", "send", "1", "--password-stdin", "--json")
    assert (sent.code, sent.record["state"]) == (0, "settled")
    assert set(sent.record["line_states"].values()) == {"paid"}
    assert [one["state"] for one in sent.record["transactions"]] == ["landed"]
    assert sum(world.received().values()) == _rao(total)
    assert [one["state"] for one in call("payout", "list", "--json").record] == ["settled"]


def test_words_never_mix_into_records(call: Call, world: World) -> None:
    world.people().day()
    for arguments in (
        ("snapshot", "take"),
        ("snapshot", "list"),
        ("users", "list"),
        ("devnet", "status"),
        ("devnet", "advance"),
        ("users", "add", "zoe"),
        ("payout", "plan", "--pool", "1"),
    ):
        json.loads(call(*arguments, "--json").out)


def test_a_problem_as_json_leaves_stdout_empty(call: Call, world: World) -> None:
    said = call("payout", "show", "99", "--json")
    assert said.out == ""
    assert set(said.problem) == {"error", "why", "fix", "moved", "problems", "exit_code"}


def test_users_are_imported_listed_edited_ended_and_exported(call: Call, world: World, tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_text(f"Name,Address1,Address2\nann,{address(1)},{address(2)}\nbob [/oops],{address(3)},\n")
    assert call("users", "import", str(sheet), "--yes", "--json").record == {
        "new": ["ann", "bob [/oops]"],
        "ended": [],
        "unchanged": 0,
    }
    assert "bob [/oops]" in call("users", "list").out
    assert call("users", "edit", "ann", "--payout", address(2), "--json").record["payout"] == address(2)
    again = tmp_path / "again.csv"
    assert call("users", "export", str(again)).code == 0
    assert call("users", "import", str(again), "--yes", "--json").record["unchanged"] == 2
    assert call("users", "end", "ann", "--yes").code == 0
    assert [user["name"] for user in call("users", "list", "--json").record] == ["bob [/oops]"]


def test_replacing_ends_who_is_missing_and_says_so_first(call: Call, world: World, tmp_path: Path) -> None:
    world.people()
    sheet = tmp_path / "people.csv"
    sheet.write_text(f"Name,Address1\nu001,{address(1)}\n")
    said = call("users", "import", str(sheet), "--replace", "--yes", "--json")
    assert said.record["ended"] == ["u002", "u003"]
    assert "u002: ends from block" in said.err


def test_an_import_without_a_terminal_and_without_yes_changes_nothing(call: Call, world: World, tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_text(f"Name,Address1\nann,{address(1)}\n")
    assert call("users", "import", str(sheet)).code == 2
    assert call("users", "list", "--json").record == []


def test_referrals_are_added_edited_removed_and_shown_as_a_tree(call: Call, world: World) -> None:
    world.people()
    added = call("referrals", "add", "u001", "u002", "--rate", "0.25", "--json").record
    assert (added["referrer"], added["referee"], added["rate_bps"]) == ("u001", "u002", 2500)
    assert call("referrals", "edit", "u001", "--rate", "10%").code == 0
    tree = call("referrals", "tree", "--json").record
    assert [(row["depth"], row["name"], row["rate_bps"]) for row in tree] == [(0, "u001", None), (1, "u002", 1000)]
    assert call("referrals", "remove", "u002").code == 0
    assert referrals.list_referrals(world.engine) == []


def test_the_rehearsal_chain_is_seeded_moved_and_misbehaves_by_command(call: Call, home: Path) -> None:
    assert call("devnet", "seed", "--json").record["genesis"].startswith("0x")
    assert call("devnet", "seed").code in (2, 3)  # a chain is not thrown away by asking twice
    assert call("devnet", "advance", "300", "--json").record == {"number": 300}
    assert call("devnet", "misbehave", "down=1000").code == 0
    assert call("snapshot", "take").code == 4
    assert call("devnet", "misbehave", "clear").code == 0
    taken = call("snapshot", "take", "--json").record
    assert {one["netuid"] for one in taken} == {0, 1}
    assert all(one["new"] for one in taken)
    assert not any(one["new"] for one in call("snapshot", "take", "--json").record)


def test_a_coldkey_swap_is_announced_and_taken_back_by_command(call: Call, world: World) -> None:
    number = devnet.status(world.node)["number"] + 1
    said = call("devnet", "announce-swap", address(1), "--json")
    assert said.record == {"address": address(1), "announced": True, "number": number}
    call("devnet", "advance")
    assert call("devnet", "status", "--json").record["swaps"] == [address(1)]
    assert call("devnet", "announce-swap", address(1), "--cancel").code == 0
    call("devnet", "advance")
    assert call("devnet", "status", "--json").record["swaps"] == []


def test_a_chart_goes_where_it_is_told(call: Call, world: World, tmp_path: Path) -> None:
    assert "there is no snapshot" in call("chart").err
    world.day()
    assert call("chart", "--out", str(tmp_path / "pictures" / "a.png")).code == 0
    assert (tmp_path / "pictures" / "a.png").read_bytes().startswith(b"\x89PNG")
    assert call("chart", "--out", str(tmp_path / "a.txt")).code == 2


def test_a_planned_payout_needs_no_node(call: Call, world: World) -> None:
    world.people().day()
    devnet.misbehave(world.node, down=1000)
    said = call("payout", "plan", "--pool", "7", "--json")
    assert said.code == 0
    assert "planning without a node" in said.err.lower()


def _rao(text: str) -> int:
    return int(text.replace(".", ""))


def test_an_import_is_compared_with_the_chain_and_a_slip_can_be_ruled_out(
    call: Call, world: World, tmp_path: Path
) -> None:
    world.people().day()
    assert call("snapshot", "export", str(tmp_path / "s.csv"), "--from", "148").code == 0
    slip = (tmp_path / "s.csv").read_text(encoding="utf-8").replace(",148,", ",1480000,")
    (tmp_path / "s.csv").write_text(slip, encoding="utf-8")
    said = call("snapshot", "import", str(tmp_path / "s.csv"))
    assert said.code == 2
    assert "far beyond the chain's last block" in " ".join(said.err.split())
    devnet.misbehave(world.node, down=1)
    said = call("snapshot", "import", str(tmp_path / "s.csv"))
    assert said.code == 0
    assert "Not compared with the chain's last block" in " ".join(said.err.split())
    assert call("payout", "plan", "--pool", "1").code == 3
    assert call("snapshot", "rule-out", "1480000", "--words", "one digit too many", "--json").record["netuids"] == [0]
    assert call("payout", "plan", "--pool", "1").code == 0
    assert call("snapshot", "list", "--json").record[0]["ruled_out"] == "one digit too many"
    assert "ruled out: one digit too many" in " ".join(call("snapshot", "list").out.split())


def test_the_record_is_read_back_by_command(call: Call, world: World) -> None:
    world.people().day()
    said = call("snapshot", "verify", "--json")
    listed = call("snapshot", "list", "--last", "1000", "--json").record
    assert said.record == {"snapshots": len(listed), "readings": sum(row["nominators"] for row in listed)}
    assert said.record["snapshots"] > 1


def test_what_was_paid_before_is_said_by_command(call: Call, world: World, tmp_path: Path) -> None:
    world.people().day()
    assert call("snapshot", "export", str(tmp_path / "s.csv"), "--from", "148").code == 0
    old = (tmp_path / "s.csv").read_text(encoding="utf-8").replace(",148,", ",10,")
    (tmp_path / "s.csv").write_text(old, encoding="utf-8")
    assert call("snapshot", "import", str(tmp_path / "s.csv")).code == 0
    said = call("payout", "plan", "--pool", "1")
    assert said.code == 3
    assert "payout begin-after BLOCK" in said.err
    assert call("payout", "begin-after", "10", "--json").record == {"paid_before": 10}
    assert call("payout", "plan", "--pool", "1").record["from_block"] == 11


@pytest.mark.parametrize(
    "command",
    [
        ("referrals", "add", "u001", "u002", "--rate", "1"),
        ("referrals", "edit", "u003", "--rate", "100%"),
        ("policy", "set", "u001", "cut", "100%"),
    ],
)
def test_a_rate_or_cut_of_everything_is_asked_about(call: Call, world: World, command: tuple[str, ...]) -> None:
    world.people()
    referrals.add(world.engine, "u003", "u001", 1000)
    said = call(*command)
    assert said.code == 2
    assert "needs an answer" in said.err
    assert call(*command, "--yes").code == 0


def test_the_backup_that_a_payout_makes_first_can_be_restored_and_finds_what_was_paid(call: Call, world: World) -> None:
    world.people().day()
    plan = call("payout", "plan", "--hotkey", HOTKEY, "--pool", "12.5", "--json").record
    call("payout", "approve", "1", "--total", plan["total"])
    assert call("payout", "send", "1").code == 0
    (backup,) = call("backup", "list", "--json").record
    assert call("backup", "verify", backup["name"]).code == 0
    assert call("backup", "restore", backup["name"], "--yes").code == 0
    received = world.received()
    refused = call("payout", "send", "1")
    assert refused.code == 3
    while call("backup", "compare").code:
        assert call("payout", "adopt").code == 0
    call("payout", "send", "1")
    assert world.received() == received
    assert [batch["state"] for batch in call("payout", "list", "--json").record] == ["settled"]
