"""Streams that are full, closed, or lack a letter: words degrade, records are told, money goes on."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import run as program
from tests.homes import CHECKOUT, HOTKEY, move_in
from tests.payments.doorway import ready
from tests.payout_world import World, address
from valtrac.database.engine import reading
from valtrac.payments.store import batches
from valtrac.people import users


def run(world: World, *arguments: str, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, in the home of a world, through a shell that redirects its streams."""
    world.app.close()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VALTRAC_")},
        "VALTRAC_HOME": str(world.home),
        "VALTRAC_ENV_FILE": os.devnull,
        "VALTRAC_HOTKEYS": HOTKEY,
        "VALTRAC_CHUNK_SIZE": "3",
        "COLUMNS": "100",
        **environment,
    }
    env.pop("PYTHONUNBUFFERED", None)  # an owner's shell has no such thing: a full screen is noticed when it is flushed
    command = f"{sys.executable} run.py {' '.join(arguments)} {redirect}"
    return subprocess.run(
        ["bash", "-c", command], cwd=CHECKOUT, env=env, capture_output=True, text=True, encoding="latin-1", check=False
    )


def settled(world: World) -> bool:
    with reading(world.reopened().engine) as conn:
        return batches.get(conn, 1).state == "settled"


@pytest.mark.parametrize(
    "redirect",
    [">/dev/full 2>/dev/full", "2>&1 | head -n 1", "2>&-", ">&- 2>&-"],
)
def test_a_screen_that_is_full_or_gone_stops_no_payout(world: World, redirect: str) -> None:
    ready(world)
    said = run(world, "payout", "send", "1", redirect=redirect)
    assert said.returncode == 0
    assert "Nothing was sent" not in said.stderr
    assert "Exception" not in said.stderr
    assert settled(world)


def at_home(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process are at home in a world."""
    world.app.close()
    move_in(monkeypatch, world.home, hotkeys=HOTKEY, chunk_size="3")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("full", ["stdout", "stderr"])
def test_one_stream_that_is_full_stops_no_payout(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full: str
) -> None:
    ready(world)
    at_home(world, monkeypatch)
    with open("/dev/full", "w", encoding="utf-8") as no_room, monkeypatch.context() as patched:
        patched.setattr(sys, full, no_room)
        code = program.main(["payout", "send", "1"])
    said = capsys.readouterr().err
    assert code == 0
    assert "Nothing was sent" not in said
    assert "Exception" not in said
    assert settled(world)


@pytest.fixture(scope="module")
def home_of_lukasz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an approved batch for somebody with a letter that not every terminal has, to copy."""
    made = World(tmp_path_factory.mktemp("lukasz") / "home")
    users.add(made.engine, "Łukasz", [address(1)])
    made.day().approved()
    made.app.close()
    return made.home


@pytest.fixture
def of_lukasz(tmp_path: Path, home_of_lukasz: Path) -> Iterator[World]:
    """A copy of that home."""
    made = World(Path(shutil.copytree(home_of_lukasz, tmp_path / "home")))
    yield made
    made.app.close()


def test_a_letter_that_the_terminal_lacks_is_replaced_by_a_process(of_lukasz: World) -> None:
    said = run(of_lukasz, "payout", "send", "1", PYTHONIOENCODING="latin-1")
    assert "unforeseen" not in said.stderr
    assert said.returncode == 0
    assert "?ukasz" in said.stdout


@pytest.mark.parametrize("command", ["users list", "payout send 1", "ledger show", "payout show 1", "users nonsense"])
def test_a_letter_that_the_terminal_lacks_is_replaced(
    of_lukasz: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    at_home(of_lukasz, monkeypatch)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="latin-1") for _ in range(2))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        code = program.main(command.split())
    shown, said = (stream.buffer.getvalue().decode("latin-1") for stream in (out, err))
    assert "unforeseen" not in said
    assert code == (2 if "nonsense" in command else 0)
    if "nonsense" not in command:
        assert "?ukasz" in shown


def test_a_record_that_cannot_be_written_is_told_and_is_no_fault_of_ours(world: World) -> None:
    world.people()
    said = run(world, "users", "list", "--json", redirect=">/dev/full")
    assert said.returncode == 1
    assert "what was to be shown cannot be written" in said.stderr
    assert "unforeseen" not in said.stderr


def test_an_error_that_nobody_can_read_keeps_its_exit_code(world: World, tmp_path: Path) -> None:
    assert run(world, "users", "import", "no-such.csv", redirect="2>/dev/full").returncode == 2


def test_a_reader_who_left_before_what_was_paid_could_be_shown_is_named(world: World) -> None:
    ready(world)
    said = run(world, "payout", "send", "1", redirect="| true")
    assert "What was done stands" in said.stderr
    assert "noted down: whoever read it has stopped reading" in " ".join(said.stderr.split())
    assert settled(world)
