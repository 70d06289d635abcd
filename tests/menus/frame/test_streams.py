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
    ["2>/dev/full >/dev/null", ">/dev/full 2>/dev/full", ">/dev/full", "2>&1 | head -n 1", "2>&-", ">&- 2>&-"],
)
def test_a_screen_that_is_full_or_gone_stops_no_payout(world: World, redirect: str) -> None:
    world.people().day().approved()
    said = run(world, "payout", "send", "1", redirect=redirect)
    assert said.returncode == 0
    assert "Nothing was sent" not in said.stderr
    assert "Exception" not in said.stderr
    assert settled(world)


@pytest.mark.parametrize("command", ["users list", "payout send 1", "ledger show", "payout show 1", "users nonsense"])
def test_a_letter_that_the_terminal_lacks_is_replaced(world: World, command: str) -> None:
    users.add(world.engine, "Łukasz", [address(1)])
    world.day().approved()
    said = run(world, *command.split(), PYTHONIOENCODING="latin-1")
    assert "unforeseen" not in said.stderr
    assert said.returncode == (2 if "nonsense" in command else 0)
    if "nonsense" not in command:
        assert "?ukasz" in said.stdout


def test_a_record_that_cannot_be_written_is_told_and_is_no_fault_of_ours(world: World) -> None:
    world.people()
    said = run(world, "users", "list", "--json", redirect=">/dev/full")
    assert said.returncode == 1
    assert "what was to be shown cannot be written" in said.stderr
    assert "unforeseen" not in said.stderr


def test_an_error_that_nobody_can_read_keeps_its_exit_code(world: World, tmp_path: Path) -> None:
    assert run(world, "users", "import", "no-such.csv", redirect="2>/dev/full").returncode == 2


def test_a_reader_who_left_before_what_was_paid_could_be_shown_is_named(world: World) -> None:
    world.people().day().approved()
    said = run(world, "payout", "send", "1", redirect="| true")
    assert "What was done stands" in said.stderr
    assert "noted down: whoever read it has stopped reading" in " ".join(said.stderr.split())
    assert settled(world)
