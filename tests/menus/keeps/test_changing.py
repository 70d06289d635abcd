"""Settings of keeps by command and menu: before and after are said, and what is refused changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import run
from menus.keeps import changing
from tests.homes import move_in
from valtrac.settings import load

Call = Callable[..., str]
OURS = "0x" + "5a" * 20


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that may be written."""
    move_in(monkeypatch, tmp_path)
    file = tmp_path / "settings"
    file.write_text("VALTRAC_KEEPS_THRESHOLD=140\n", encoding="utf-8")
    monkeypatch.setenv("VALTRAC_ENV_FILE", str(file))
    return file


@pytest.fixture
def call(file: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run `keeps settings`; what it wrote. code: the exit code that it has to have."""

    def act(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run.main(["keeps", "settings", *words]) == code
        said = capsys.readouterr()
        return said.out if "--json" in words else " ".join((said.out + said.err).split())

    return act


@pytest.mark.parametrize(
    ("name", "value", "stands"),
    [
        ("VALTRAC_KEEPS_THRESHOLD", "150", "150"),
        ("thresholds", f"{OURS}=145", f"{OURS}=145"),
        ("REDEEM", "no", "no"),
        ("courtesy_calls", "yes", "yes"),
        ("cap_payment", "2.5", "2.5"),
        ("cap_day", "0.000000000000000001", "0.000000000000000001"),
        ("gas_cap", "0.5", "0.5"),
        ("operators", "ALL", "all"),
        ("bitcoin_address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("mint", "yes", "yes"),
    ],
)
def test_what_is_written_is_what_is_shown_and_goes_back(
    call: Call, file: Path, name: str, value: str, stands: str
) -> None:
    whole = name if name.startswith("VALTRAC_") else f"VALTRAC_KEEPS_{name.upper()}"
    before = json.loads(call("--json"))
    said = call(name, value)
    assert f"was {before[whole]}" in said
    assert json.loads(call("--json")) == {**before, whole: stands}
    call(name, stands)
    assert json.loads(call("--json"))[whole] == stands
    call(name, "none")
    assert changing.value_of(load(env_file=file), whole) == changing.value_of(load({}, Path("/dev/null")), whole)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("threshold", "100"), "at least 111"),
        (("threshold", "high"), "a whole number"),
        (("thresholds", "all=3"), "is written like"),
        (("cap_payment", "much"), "CAP_PAYMENT"),
        (("threshold",), "what threshold becomes is not said"),
        (("nodes", "http://127.0.0.1:1"), "is not changed here"),
        (("\x1b[31mthreshold", "150"), "is not changed here"),
    ],
)
def test_what_is_refused_changes_nothing(call: Call, file: Path, words: tuple[str, ...], fault: str) -> None:
    before = file.read_bytes()
    said = call(*words, code=2)
    assert fault in said
    assert "\x1b" not in said
    assert file.read_bytes() == before


def test_each_has_a_line_on_the_screen(call: Call) -> None:
    said = call()
    for words, value in (("Redeem below this collateral", "140"), ("Operators watched", "none"), ("Mint TBTC", "no")):
        assert words in said
        assert value in said.partition(words)[2]
