from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

import run as program
from tests.alerts.servers import Hook, hook
from tests.homes import move_in
from tests.menus.conftest import press as press

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose settings are in a file that may be written."""
    move_in(monkeypatch, tmp_path)
    file = tmp_path / "settings"
    file.write_text("VALTRAC_ALERTS_ADDRESSES=file\nVALTRAC_ALERTS_QUIET=none\nVALTRAC_ALERTS_DAILY=00:00\n")
    monkeypatch.setenv("VALTRAC_ENV_FILE", str(file))
    return tmp_path


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run one command of alerts; (exit code, stdout, stderr). typed: what it reads from stdin."""

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        code = program.main(["alerts", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
