"""What goes wrong in the world around: said in words that the owner can act on, never as a fault of ours."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import run as program
from tests.homes import move_in


@pytest.mark.parametrize(
    ("in_the_way", "command"),
    [
        ("a file for data", "logger status"),
        ("a file for data", "devnet seed"),
        ("a file for pm2", "logger status"),
        ("a link to nowhere for pm2", "logger status"),
    ],
)
def test_a_folder_that_cannot_be_made_is_no_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    in_the_way: str,
    command: str,
) -> None:
    # pm2's socket needs a short path; a long one, as tests have, would be made elsewhere
    home = move_in(monkeypatch, Path(tempfile.mkdtemp(prefix="vt-", dir="/tmp")))
    if in_the_way == "a file for data":
        (home / "data").write_text("", encoding="utf-8")
    else:
        (home / "data").mkdir()
        if "nowhere" in in_the_way:
            (home / "data" / "pm2").symlink_to("/nonexistent/z")
        else:
            (home / "data" / "pm2").write_text("", encoding="utf-8")
    assert program.main(command.split()) == 1
    said = capsys.readouterr().err
    assert "unforeseen" not in said
    assert str(home / "data") in "".join(said.split())
    assert "fix" in said
