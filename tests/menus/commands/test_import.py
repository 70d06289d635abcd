"""`run.py import valtrac`: it says what it would take, and asks; the menu does the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.coming_over.old_valtrac import OldValTrac, usual
from tests.menus.commands.conftest import Call
from tests.payout_world import World
from valtrac.people import users


@pytest.fixture
def old(tmp_path: Path) -> OldValTrac:
    """One whose blocks the rehearsal chain has got to."""
    made = usual()
    made.first_block = 1
    made.stakes = made.stakes[:1]
    made.paid = [(*made.paid[0][:3], 1, 1, "12.5")]
    made.layers.append(("L2", "nobody", "0.5", ["ann"]))
    return made


def test_a_dry_run_then_all_of_it_then_nothing_is_left(
    call: Call, world: World, tmp_path: Path, old: OldValTrac
) -> None:
    folder = str(old.write(tmp_path / "old"))
    said = call("import", "valtrac", folder, "--dry-run")
    assert said.code == 0
    assert "delegate_info.log: 1 snapshot to take, 0 here already" in said.err
    assert "not taken: row 5: 'nobody' is no user" in said.err
    assert "Nothing was changed." in said.err
    assert users.list_users(world.engine) == []
    done = call("import", "valtrac", folder, "--yes", "--json")
    assert (done.code, done.record["changed"]) == (0, True)
    assert [(part["file"], part["taken"]) for part in done.record["files"]] == [
        ("delegate_info.log", 1),
        ("user_data.json", 5),
        ("referral_layers.csv", 4),
        ("payout_log.csv, its payments", 1),
        ("payout_log.csv", 1),
    ]
    again = call("import", "valtrac", folder)
    assert again.code == 0
    assert "all of it is here already" in again.err


def test_what_is_not_agreed_to_is_not_done(call: Call, world: World, tmp_path: Path, old: OldValTrac) -> None:
    folder = str(old.write(tmp_path / "old"))
    assert call("import", "valtrac", folder).code != 0
    assert users.list_users(world.engine) == []


@pytest.mark.parametrize(("zone", "words"), [("Mars/Base", "is no time zone"), ("../../etc", "is no time zone")])
def test_a_zone_that_is_none_is_refused(
    call: Call, world: World, tmp_path: Path, old: OldValTrac, zone: str, words: str
) -> None:
    said = call("import", "valtrac", str(old.write(tmp_path / "old")), "--zone", zone)
    assert said.code == 2
    assert words in said.err


def test_a_folder_without_anything_of_it(call: Call, world: World, tmp_path: Path) -> None:
    said = call("import", "valtrac", str(tmp_path))
    assert said.code == 2
    assert "looked for user_data.json" in " ".join(said.err.split())


def test_from_the_menu(press: Callable[..., str], world: World, tmp_path: Path, old: OldValTrac) -> None:
    from tests.menus.conftest import ENTER, line, pick

    folder = old.write(tmp_path / "old")
    said = press(pick(4), pick(3), line(str(folder)), ENTER, line("y"))
    assert "Brought over." in said
    assert len(users.list_users(world.engine)) == 5
