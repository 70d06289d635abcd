"""Doing something in a menu, and the same again in a copy of the home by the command that the menu has shown."""

from __future__ import annotations

import io
import shlex
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import menus
import run as program
from menus.frame.palette import Action
from menus.frame.ui import Ui
from tests.menus.conftest import LEAVE
from valtrac.settings import load
from valtrac.wiring.payouts import App

SHOWN = "$ run.py "
# when something happened and what follows from that moment is another with each try
OF_THE_MOMENT = {
    "at",
    "now",
    "hash",
    "previous_hash",
    "body",
    "raw",
    "tx_id",
    "digest",
    "inputs_hash",
    "key",
    "msg",
    "cause",
}
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Done:
    """What a menu did. lines: the commands that it has shown; out, err: what was on the screen."""

    lines: list[str]
    out: str
    err: str


class Twins:
    """A home, and a copy of it as it was before something was done there."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.twin = home, home.with_name(home.name + "-twin")
        self._patch, self._capsys = monkeypatch, capsys

    def do(self, action: Action, keys: str) -> Done:
        """Do it in the menu, with keys for what it asks."""
        shutil.copytree(self.home, self.twin)
        self._capsys.readouterr()
        app, ui = App(load()), Ui()
        try:
            with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
                pipe.send_text(keys + LEAVE)
                assert menus.go_to(app, ui, menus.found(), action) is None
        finally:
            app.close()
        said = self._capsys.readouterr()
        lines = [line[2:] for line in said.err.splitlines() if line.startswith(SHOWN)]
        return Done(lines, said.out, said.err)

    def again(self, line: str, typed: str = "") -> tuple[int, str, str]:
        """Run a command that was shown, in the twin; (exit code, what was on stdout, on stderr)."""
        self._patch.setenv("VALTRAC_HOME", str(self.twin))
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        try:
            line = line.replace(str(self.home), str(self.twin)) if str(self.home) in line else line
            code = program.main(shlex.split(line)[1:])
        finally:
            self._patch.setenv("VALTRAC_HOME", str(self.home))
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def rows(self) -> tuple[Rows, Rows]:
        """What stands in the databases of both."""
        return rows_of(self.home), rows_of(self.twin)


def rows_of(home: Path) -> Rows:
    """database and table -> its rows, without what is of the moment; tables without rows are left out."""
    found: Rows = {}
    for path in sorted((home / "data").glob("valtrac*.sqlite")):
        with closing(sqlite3.connect(path)) as conn:
            for (table,) in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall():
                columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
                kept = [name for name in columns if name not in OF_THE_MOMENT and not name.endswith(("_at", "_hash"))]
                wanted = ", ".join(f'"{name}"' for name in kept)
                rows = conn.execute(f"SELECT {wanted} FROM {table}").fetchall()
                if rows and table not in ("sqlite_sequence", "swap_sightings", "log_marks"):
                    found[f"{path.name} {table}"] = rows
    return found
