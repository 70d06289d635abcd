"""Whatever a menu does, it shows the command that does the same; run in a copy of the home, it does."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import run as program
from menus.frame.palette import Action
from tests.homes import move_in, small_world
from tests.menus.conftest import ENTER, line, pick
from tests.menus.same_cases import CASES, CONTRACTS, HISTORY, OF_CONTRACTS, PROOF, Case
from tests.menus.same_world import Twins
from valtrac.core.money import decimal_text
from valtrac.devnet import bittensor as devnet
from valtrac.loggers import pm2

STATES = (
    "payout list",
    "payout show 1",
    "ledger show",
    "users list",
    "policy list",
    "referrals tree",
)  # of a menu itself


def same_as_done(case: Case, twins: Twins) -> None:
    """Do it in the menu, run what it has shown in the twin, and compare the two."""
    done = twins.do(Action(case.menu, case.path), case.keys.format(home=twins.home))
    told = [line for line in done.lines if line.removeprefix("run.py ") in case.shown or not of_a_state(line)]
    month = f"{datetime.now(UTC):%Y-%m}"
    assert told == [f"run.py {line.format(home=twins.home, month=month)}" for line in case.shown], done.err
    (twins.twin / PROOF).parent.mkdir(parents=True, exist_ok=True)  # as the menu has made it in the home
    for words in told:
        code, out, err = twins.again(words)
        assert code == case.code, err
        if not out.startswith("{"):  # else a record: nobody sits at a terminal here
            missing = [line for line in out.splitlines() if line.strip() and line not in done.out and "0x" not in line]
            assert [line for line in missing if str(twins.twin) not in line] == []
    one, other = twins.rows()
    assert one == other


def of_a_state(line: str) -> bool:
    return line.removeprefix("run.py ") in STATES


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.path or (case.menu,))[-1:]))
def test_the_command_that_is_shown_does_the_same(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    world = small_world(monkeypatch, home)
    case.ready(world)
    world.app.close()
    same_as_done(case, Twins(home, monkeypatch, capsys))


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a contract of ann's, to be copied."""
    home = tmp_path_factory.mktemp("custody") / "home"
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, home)
        for words in ("rehearse --client ann --send 25000 --memo three_months", "listen"):
            assert program.main(["contracts", *shlex.split(words)]) == 0
    return home


@pytest.mark.parametrize("case", OF_CONTRACTS, ids=lambda case: case.path[-1])
def test_so_does_the_one_of_a_contract(
    case: Case, custody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(custody, home)
    move_in(monkeypatch, home)
    same_as_done(case, Twins(home, monkeypatch, capsys))


def test_what_is_due_is_paid_the_same_way(
    custody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In which block it lands may differ: the chain goes on while the menu asks."""
    home = tmp_path / "home"
    shutil.copytree(custody, home)
    move_in(monkeypatch, home)
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action(CONTRACTS, ("Read the chain and pay what is due now",)), line("y"))
    assert "run.py contracts pay" in done.lines
    code, out, _ = twins.again("run.py contracts pay")
    assert code == 0 and "ann" in out
    states = []
    for place in (twins.home, twins.twin):
        with closing(sqlite3.connect(place / "data" / "valtrac-bitshares-devnet.sqlite")) as conn:
            states.append(conn.execute("SELECT id, type, units, state FROM dues ORDER BY id").fetchall())
    assert states[0] == states[1]
    assert any(state == "confirmed" for *_, state in states[0])


def test_a_batch_is_approved_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    world = small_world(monkeypatch, home)
    world.people().day()
    total = decimal_text(world.draft().total)
    world.app.close()
    shown = (f"payout approve 1 --total {total}",)
    same_as_done(Case(HISTORY, ("Approve it",), pick(1) + line(total) + ENTER, shown), Twins(home, monkeypatch, capsys))


def test_a_rehearsal_is_begun_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = move_in(monkeypatch, tmp_path / "home")
    home.mkdir()
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Network and wallet", ("Begin the rehearsal chain",)), "")
    assert done.lines == ["run.py devnet seed"]
    assert twins.again(done.lines[0])[0] == 0
    one, other = (devnet.status(place / "data" / "devnet.sqlite") for place in (twins.home, twins.twin))
    assert (one["number"], one["hotkeys"]) == (other["number"], other["hotkeys"])


@pytest.mark.parametrize(
    ("title", "state", "asked", "shown"),
    [
        ("Stop", "running", ENTER, ["logger stop valtrac-stakes-a"]),
        ("Restart", "running", ENTER, ["logger restart valtrac-stakes-a"]),
        ("Start", "stopped", ENTER, ["logger restart valtrac-stakes-a"]),
        ("Remove", "stopped", ENTER + "y" + ENTER, ["logger remove valtrac-stakes-a"]),
        ("See what it wrote", "running", ENTER, ["logger tail valtrac-stakes-a"]),
    ],
)
def test_what_is_done_to_a_job_is_done_by_the_command(
    title: str,
    state: str,
    asked: str,
    shown: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = move_in(monkeypatch, tmp_path / "home")
    (home / "data").mkdir(parents=True)
    called: list[tuple[str, str]] = []
    monkeypatch.setattr(pm2, "jobs", lambda settings: [pm2.Job("valtrac-stakes-a", state, 1, 0, None, None, "")])
    for verb in ("stop", "restart", "remove"):
        monkeypatch.setattr(pm2, verb, lambda settings, name, verb=verb: called.append((verb, name)))

    def tail(settings: object, name: str, lines: int = 20) -> list[str]:
        called.append(("tail", name))
        return ["it runs"]

    monkeypatch.setattr(pm2, "tail", tail)
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Background loggers", (title,)), asked)
    by_menu = list(called)
    assert [line.removeprefix("run.py ") for line in done.lines] == ["logger status", *shown]
    called.clear()
    assert twins.again(done.lines[1])[0] == 0
    assert called == by_menu != []


def test_a_job_is_started_by_the_command_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    small_world(monkeypatch, home).app.close()
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(pm2, "jobs", lambda settings: [])
    monkeypatch.setattr(pm2, "start", lambda settings, name, words: called.append((name, words)))
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Begin logging delegate info"), "y" + ENTER)
    assert done.lines == ["run.py logger start"]
    assert twins.again(done.lines[0])[0] == 0
    assert called[0] == called[1]
