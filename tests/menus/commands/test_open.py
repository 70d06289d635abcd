"""`run.py open`: what was written last is found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from menus.shell.commands import open_
from tests.menus.commands.conftest import Call


def file(home: Path, name: str, age_s: float) -> Path:
    path = home / "data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (1_800_000_000 - age_s, 1_800_000_000 - age_s))
    return path


def test_the_newest_is_told_and_of_what_was_written_together_what_shows_best(home: Path, call: Call) -> None:
    assert "nothing was written here yet" in call("open").err
    old = file(home, "charts/stake.png", 500)
    picture, page = file(home, "charts/pool.png", 1), file(home, "charts/pool.svg", 0)
    file(home, "backups/none-of-these.tar.gz", 0)
    assert call("open").out.strip() == str(page)
    assert call("open", "--list").out.split() == [str(page), str(picture), str(old)]
    assert call("open", "STAKE").out.strip() == str(old)
    assert "holds 'zzz'" in call("open", "zzz").err
    file(home, "statements/2026-04/ann.html", -100)
    assert call("open").out.strip().endswith("ann.html")


def test_where_there_is_a_desktop_it_is_opened(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = file(home, "charts/pool.svg", 0), list[str]()
    monkeypatch.setattr(typer, "launch", opened.append)
    call("open")
    assert opened == []  # nobody looks at a terminal
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(open_, "_is_looked_at", lambda: True)
    call("open")
    assert opened == [str(path)]


def test_a_link_to_elsewhere_is_not_followed(home: Path, call: Call, tmp_path: Path) -> None:
    file(home, "charts/pool.svg", 0).unlink()
    (home / "data" / "charts" / "link.svg").symlink_to("/etc/passwd")
    assert "nothing was written" in call("open").err
