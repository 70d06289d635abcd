"""The doctor as a whole, on a rehearsal chain: what it reads, what it leaves alone, what it says where it is blind."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from menus.program import run
from tests.homes import move_in, small_world
from tests.payout_world import World
from valtrac.core.checks import Health, bad, good
from valtrac.core.errors import ChainUnreachable
from valtrac.doctor import examinations, examining
from valtrac.doctor.examinations import backups, machine, payouts
from valtrac.doctor.patient import Patient
from valtrac.loggers import pm2


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = small_world(monkeypatch, tmp_path)
    yield made
    made.app.close()


@pytest.fixture(autouse=True)
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for the version of Node."""
    monkeypatch.setattr(pm2, "node_version", lambda: "v20.0.0")


def told(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """The exit code, and name -> health of what the command says for programs."""
    capsys.readouterr()
    code = run(["doctor", "--json"])
    return code, {check["name"]: check["health"] for check in json.loads(capsys.readouterr().out)}


def test_a_rehearsal_that_is_under_way_is_well(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.day()
    code, found = told(capsys)
    assert code == 0
    assert len(found) >= 25
    assert "bad" not in found.values()
    assert found["payouts.node"] == found["payouts.balance"] == found["record.gaps"] == "good"
    assert "payouts.unknown" in found


def test_what_is_bad_is_said_with_the_fix_and_the_exit_code(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.app.close()
    world.node.unlink()
    code, found = told(capsys)
    assert (code, found["payouts.node"]) == (1, "bad")
    assert run(["doctor"]) == 1
    said = capsys.readouterr()
    assert "fix: make it: run.py devnet seed" in said.out
    assert "1 bad." in said.err


def test_a_place_where_nothing_was_begun_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = move_in(monkeypatch, tmp_path)
    before = sorted(home.rglob("*"))
    code, found = told(capsys)
    assert (code, found["databases"]) == (0, "warning")
    assert sorted(home.rglob("*")) == before


def test_an_old_database_is_named_and_not_brought_up_to_date(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.app.close()
    path = world.home / "data" / "valtrac-devnet.sqlite"
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0001'")
    conn.close()
    _, found = told(capsys)
    assert found["database.version"] == "warning"
    with sqlite3.connect(path) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    conn.close()


def test_a_database_that_is_broken_is_bad_and_the_rest_is_looked_at_all_the_same(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.app.close()
    (world.home / "data" / "valtrac-devnet.sqlite").write_bytes(b"SQLite format 3\x00" + os.urandom(5000))
    code, found = told(capsys)
    assert (code, found["database.whole"], found["machine.python"]) == (1, "bad", "good")


def test_settings_that_cannot_be_used_are_named_and_the_machine_is_looked_at_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VALTRAC_CHUNK_SIZE", "many")
    code, found = told(capsys)
    assert (code, found["settings"], found["machine.python"]) == (1, "bad", "good")
    assert "payouts.node" not in found


def test_an_examination_that_fails_is_a_line_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(patient: Patient) -> None:
        raise ChainUnreachable("the node \x1b[2J is away", fix="ask another")

    def unforeseen(patient: Patient) -> None:
        raise ZeroDivisionError("one by none")

    monkeypatch.setattr(payouts, "examine", away)
    monkeypatch.setattr(backups, "examine", unforeseen)
    code, found = told(capsys)
    assert (code, found["payouts"], found["backups"]) == (1, "bad", "bad")
    run(["doctor"])
    assert "\x1b[2J" not in capsys.readouterr().out


def test_of_one_name_the_worse_word_counts() -> None:
    assert examining.once([good("a.b", "Well."), bad("a.b", "Broken.", "mend it"), good("a.c", "Well.")]) == [
        bad("a.b", "Broken.", "mend it"),
        good("a.c", "Well."),
    ]


def test_the_examinations_are_found_by_themselves_in_their_order() -> None:
    names = [each.__name__.rpartition(".")[2] for each in examinations.found()]
    assert names[0] == "machine"
    assert {"payouts", "contracts", "pool", "keeps", "jobs", "lasting"} <= set(names)


def test_the_newest_backup_counts(tmp_path: Path) -> None:
    assert backups.newest(tmp_path / "none") is None
    for name in (
        "valtrac-20261101T000000Z.tar.gz",
        "valtrac-20261128T130000Z.tar.gz.sealed",
        "valtrac-0017.gz",
        ".lock",
    ):
        (tmp_path / name).write_bytes(b"x")
    assert backups.newest(tmp_path) == datetime(2026, 11, 28, 13, 0, tzinfo=UTC)


def test_the_lock_is_read_as_it_is_written(tmp_path: Path) -> None:
    facts = machine.gathered(tmp_path)
    assert len(facts.wanted) > 50
    assert facts.wanted["rich"] == facts.installed["rich"]
    assert facts.pm2_wanted
    assert Health.BAD not in {check.health for check in machine.judged(facts) if check.name == "machine.packages"}
