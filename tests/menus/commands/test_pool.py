"""The commands of the pool, each once for people and once for programs, on one small rehearsal."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import run
from tests.pool_world import COIN, World
from valtrac.devnet import qtum

Say = Callable[..., str]
NET = 4 * COIN * 88 // 100


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A pool with a payday behind it, a reward since, and one that was undone."""
    world = World(tmp_path_factory.mktemp("pool") / "home")
    world.look()
    world.win()
    world.midnight()
    world.pay()
    world.win()
    world.win(bury=False)
    world.blocks(6)
    world.look()
    qtum.reorganise(world.folder, 7)
    world.blocks(6)
    world.look()
    world.job.tick()
    yield world
    world.close()


@pytest.fixture
def say(pool: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command there; what it wrote. code: the exit code that it has to have."""
    import os

    for name in [name for name in os.environ if name.startswith("VALTRAC_")]:
        monkeypatch.delenv(name)
    for name, value in pool.given.items():
        monkeypatch.setenv(f"VALTRAC_{name}", value)
    monkeypatch.setenv("VALTRAC_ENV_FILE", os.devnull)
    monkeypatch.setenv("COLUMNS", "160")

    def act(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run.main(["pool", *words]) == code, capsys.readouterr()
        said = capsys.readouterr()
        return said.out if "--json" in words else said.out + said.err

    return act


def test_how_it_stands(say: Say, pool: World) -> None:
    told = json.loads(say("now", "--json"))
    told = told[0] if isinstance(told, list) else told
    assert told["owed_qtum"] == "4.00000000" and told["node"]["connections"] == 12
    assert told["looked_at"] == pool.height - 5 and told["staker"] == pool.pool.staker
    assert "400000000" not in say("now") and "4.00000000" in say("now")


def test_who_delegates_and_what_each_is_owed(say: Say, pool: World) -> None:
    told = {row["delegate"]: row for row in json.loads(say("delegates", "--json"))}
    ann, cid = told[pool.address("ann")], told[pool.address("cid")]
    assert (ann["fee"], ann["counts"]) == (100, True)
    assert (ann["weight_qtum"], ann["owed_qtum"]) == ("900.00000000", "3.00000000")
    assert (cid["fee"], cid["counts"]) == (60, False)
    assert pool.address("dan") not in told
    assert "900" in say("delegates")


def test_rewards_and_how_one_was_shared(say: Say, pool: World) -> None:
    rows = json.loads(say("rewards", "--json"))
    assert [row["undone"] for row in rows] == [True, False, False]
    height = rows[1]["height"]
    told = json.loads(say("explain", str(height), "--delegate", pool.address("bob"), "--json"))
    told = told[0] if isinstance(told, list) else told
    (share,) = told["shares"]
    assert share["share_qtum"] == "1.00000000" and len(share["coins"]) == 2
    assert sum(Decimal(coin["qtum"]) for coin in share["coins"]) == Decimal(share["weight_qtum"]) == 300
    assert str(height) in say("explain", str(height)).replace(",", "")
    assert "was not looked at" in say("explain", "1", code=2)
    assert "somebody else won it" in say("explain", str(height + 1), code=2)
    assert [row["reward_qtum"] for row in rows] == ["4.00000000"] * 3
    assert say("rewards")


def test_the_history_of_a_delegate_and_its_paydays(say: Say, pool: World) -> None:
    booked = json.loads(say("history", pool.address("ann"), "--json"))
    assert sum(Decimal(row["qtum"]) for row in booked) == 3
    (paid,) = [row for row in booked if row["kind"] == "payday"]
    assert (paid["qtum"], paid["fee_qtum"], paid["net_qtum"]) == ("-3.00000000", "0.36000000", "2.64000000")
    (payday,) = json.loads(say("payouts", "--json"))
    assert (payday["paid_qtum"], payday["delegates_paid"]) == ("3.52000000", 2)
    fees = Decimal(payday["network_fees_qtum"])
    assert fees > 0 and Decimal(payday["revenue_qtum"]) == Decimal("0.48") - fees
    assert [(tx["state"], tx["tx_id"]) for tx in payday["transactions"]] == [("landed", paid["tx_id"])]
    assert say("history", pool.address("ann")) and say("payouts")
    assert "never credited" in say("history", "nobody", code=2) and "no address" in say("history", "nobody", code=2)
    assert "no address" not in say("history", pool.address("dan"), code=2)


def test_a_statement_and_a_proof_tell_programs_what_was_written(say: Say, pool: World, tmp_path: Path) -> None:
    ann = pool.address("ann")
    table, proof = tmp_path / "ann.csv", tmp_path / "ann.json"
    told = json.loads(say("statement", ann, "--out", str(table), "--json"))
    assert told == {"file": str(table), "holds": "5 bookings", "owed_qtum": "3.00000000"}
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [row["net_qtum"] for row in rows if row["what"] == "payday"] == ["2.64000000"]
    told = json.loads(say("proof", ann, "--out", str(proof), "--json"))
    assert (told["rewards"], told["net_qtum"]) == (1, "2.64000000") and proof.exists()
    assert "no address" in say("proof", "WRONG", "--out", str(proof), code=2)


def test_the_log_of_payments_says_which_blocks_a_payday_is_for(pool: World) -> None:
    (row, *_) = csv.DictReader((pool.home / "logs" / "pool_payments.csv").open(encoding="utf-8"))
    assert int(row["Start Block"]) < int(row["End Block"])


def test_what_a_payday_would_pay_changes_nothing(say: Say, pool: World) -> None:
    before = pool.owed()
    told = json.dumps(json.loads(say("payout", "--dry-run", "--json")))
    assert '"net_qtum": "2.64000000"' in told
    assert "3.52" in say("payout", "--dry-run")
    assert pool.owed() == before and len(pool.paydays()) == 1


def test_what_is_not_due_is_not_paid(say: Say, pool: World) -> None:
    assert "Nothing is due" in say("pay")
    assert sum(pool.received().values()) == NET


def test_looking_and_adding_up(say: Say) -> None:
    assert "looked at" in say("look")
    assert set(json.loads(say("look", "--json"))) == {"blocks_looked_at", "looked_at"}
    assert json.loads(say("pay", "--json")) == {"payments_final": 0, "payday": None, "words": []}
    told = json.loads(say("verify", "--json"))
    told = told[0] if isinstance(told, list) else told
    assert (told["problems"], told["unexplained_qtum"], told["payments_looked_up"]) == ([], "0.00000000", 1)
    assert told["rewards_qtum"] == "8.00000000"
    assert say("verify")


def test_the_nodes_settings_beside_ours(say: Say, pool: World) -> None:
    rows = {row["check"]: row for row in json.loads(say("check", "--json"))}
    assert all(row["good"] is not False for row in rows.values()), rows
    qtum.configure(pool.folder, stakingminfee=50)
    try:
        assert "POOL_REQUIRED_FEE=50" in say("check", code=3)
    finally:
        qtum.configure(pool.folder, stakingminfee=100)


def test_what_has_begun_is_not_begun_or_taken_over_again(say: Say, pool: World) -> None:
    assert "counted from block" in say("begin-after", "6300000", code=2)
    file = pool.home / "currentpoolshare.csv"
    file.write_text(f"block,6300001,poolbalance,7,\npoolrevenue,0,\ndelegate,{pool.address('ann')},poolshare,5,\n")
    assert "Nothing was changed" in say("import", str(file), "--dry-run")
    assert "counted from block" in say("import", str(file), "--yes", code=2)
    config = pool.home / "PPMConfig.txt"
    config.write_text("hello\nworld\n")
    assert "none of the lines" in say("import", str(config), code=2)
    config.write_text('"poolFee": 12.5, # percent\n"emailPassword": secret,\n')
    said = say("import", str(config))
    assert "VALTRAC_POOL_FEE" in said and "secret" not in said


def test_a_job_that_does_not_run_cannot_be_unlocked(say: Say) -> None:
    assert "does not run" in say("unlock", code=2)
    assert "does not run" in say("stop")


def test_the_console_cuts_no_column_on_a_narrow_terminal(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = say("console")
    (heads,) = [line.split() for line in shown.splitlines() if "staker" in line]
    assert heads[:3] == ["time", "block", "balance"] and heads[-3:] == ["mypool", "pool", "bal"]
    assert "stkg" not in heads and "…" not in shown


def test_the_console_shows_blocks_and_leaves(say: Say) -> None:
    assert "blk" in say("console", "--seconds", "1") or "block" in say("console", "--seconds", "1")
