"""The installed command: what it is called, what it brings along, and where it keeps things."""

from __future__ import annotations

import fnmatch
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from menus import same
from menus.frame import calling
from menus.frame.ui import Ui
from tests.homes import CHECKOUT
from valtrac import __version__, settings
from valtrac.core import home
from valtrac.core.errors import BadInput
from valtrac.loggers import pm2_home
from valtrac.rehearsal import payouts

PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program lies in an environment, and is called by its own name; the home of its user."""
    monkeypatch.setattr(home, "CHECKOUT", tmp_path / "site-packages")
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/valtrac"])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def test_the_command_is_one_that_there_is() -> None:
    module, _, function = PROJECT["project"]["scripts"]["valtrac"].partition(":")
    assert callable(getattr(import_module(module), function))
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "valtrac.__version__"
    assert __version__[0].isdigit()


def test_what_it_depends_on_is_what_the_lock_is_made_of() -> None:
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"]["file"] == ["requirements.in"]


def test_every_file_that_the_program_reads_is_brought_along() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    patterns = setuptools["package-data"]["*"]
    for package in ("valtrac", "menus", "charts"):
        assert f"{package}*" in setuptools["packages"]["find"]["include"]
        for path in (CHECKOUT / package).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".md"):
                assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path
    beside = {Path(sys.prefix) / place: given for place, given in setuptools["data-files"].items()}
    assert beside[payouts.INSTALLED] == ["data/examples/*"]
    assert beside[Path(sys.prefix) / "share/man/man1"] == ["docs/reference/valtrac.1"]
    assert all(list(CHECKOUT.glob(pattern)) for given in beside.values() for pattern in given)


def test_in_a_checkout_everything_lies_there() -> None:
    assert home.usual_home() == CHECKOUT
    assert payouts.EXAMPLES == CHECKOUT / "data" / "examples"
    assert pm2_home.script() == CHECKOUT / "run.py"


def test_an_installed_command_keeps_to_the_place_of_the_systems_convention(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.usual_home() == installed / ".local" / "share" / "valtrac"
    assert settings.load({}).home == installed / ".local" / "share" / "valtrac"
    assert settings.settings_file({}) == installed / ".local" / "share" / "valtrac" / ".env"
    monkeypatch.setenv("XDG_DATA_HOME", str(installed / "data"))
    assert home.usual_home() == installed / "data" / "valtrac"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")  # the convention says to pass over it
    assert home.usual_home() == installed / ".local" / "share" / "valtrac"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert home.usual_home() == installed / "Library" / "Application Support" / "valtrac"


def test_its_settings_file_is_made_where_there_is_no_folder_yet(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VALTRAC_ENV_FILE", "VALTRAC_CURRENCY", "VALTRAC_HOME"):
        monkeypatch.delenv(name, raising=False)
    path = settings.write("VALTRAC_CURRENCY", "EUR")
    assert path == installed / ".local" / "share" / "valtrac" / ".env"
    assert settings.load({}).currency == "EUR"


def test_it_tells_commands_by_its_own_name(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert same.line_of("payout list") == "valtrac payout list"
    ui = Ui()
    ui.hint("Next: run.py payout approve 1")
    ui.error(BadInput("there is none", fix="make one: run.py devnet seed"))
    Ui(as_json=True).error(BadInput("there is none", fix="make one: run.py devnet seed"))
    said = capsys.readouterr().err
    assert "run.py" not in said
    assert said.count("valtrac devnet seed") == 2
    assert "valtrac payout approve 1" in said


def test_a_checkout_tells_them_by_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert calling.named("see: run.py --help") == "see: run.py --help"
    assert same.line_of("payout list") == "run.py payout list"


def test_pm2_runs_the_command_that_was_installed_and_is_looked_for_on_the_path(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pm2_home, "in_a_checkout", lambda: False)
    monkeypatch.setattr(pm2_home, "CHECKOUT", installed)
    monkeypatch.setattr(pm2_home, "node_folder", lambda: "/usr/bin")
    assert pm2_home.script() == Path(sys.prefix) / "bin" / "valtrac"
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Exception, match="pm2 is missing"):
        pm2_home.program()
    program = installed / "lib" / "pm2" / "bin" / "pm2"
    program.parent.mkdir(parents=True)
    program.write_text("", encoding="utf-8")
    monkeypatch.setattr("shutil.which", lambda name: str(program))
    assert pm2_home.program() == (program, "/usr/bin")
    assert pm2_home.pm2_folder() == installed / "lib" / "pm2"
