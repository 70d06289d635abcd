"""A real network asks for a second node, and says what is weak about the first."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from menus.frame.commands import loaded
from tests.homes import move_in
from valtrac import settings
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.wiring.payouts import App

FIRST, SECOND = "wss://first.example:443", "wss://second.example:443"
Press = Callable[..., str]


class Node:
    """A node that only tells which chain it serves."""

    def __init__(self, genesis: str) -> None:
        self.genesis_hash = genesis

    def identity(self) -> Node:
        if not self.genesis_hash:
            raise ChainUnreachable("the node does not answer")
        return self

    def close(self) -> None:
        pass


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that names a real network."""
    move_in(monkeypatch, tmp_path)
    path = tmp_path / "settings"
    path.write_text(f"# mine\nVALTRAC_NETWORK={FIRST}\nVALTRAC_WALLET_NAME=pays\nVALTRAC_HOTKEYS=\n")
    monkeypatch.setenv("VALTRAC_ENV_FILE", str(path))
    monkeypatch.setattr(App, "chain", Node("0x01"))
    return path


def serves(monkeypatch: pytest.MonkeyPatch, genesis: str) -> None:
    monkeypatch.setattr(App, "open_second", lambda app, url: Node(genesis))


def test_a_real_network_asks_for_a_second_node_and_keeps_it(
    file: Path, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(monkeypatch, "0x01")
    said = press(SECOND + "\r")
    assert "is trusted with your payments" in said
    assert file.read_text().startswith("# mine\n")
    assert settings.load().second_endpoint == SECOND
    assert "is trusted with your payments" not in press()


def test_a_node_of_another_chain_is_not_kept(file: Path, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    serves(monkeypatch, "0x02")
    before = file.read_text()
    assert "serves another chain" in press(SECOND + "\r")
    assert file.read_text() == before


@pytest.mark.parametrize(("answer", "kept"), [("y\r", SECOND), ("n\r", "")])
def test_a_node_that_does_not_answer_is_kept_on_the_owners_word(
    answer: str, kept: str, file: Path, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(monkeypatch, "")
    press(SECOND + "\r", answer)
    assert settings.load().second_endpoint == kept


def test_nobody_is_asked_again_who_goes_on_with_one_node(file: Path, press: Press) -> None:
    assert "is trusted with your payments" in press("none\r")
    assert settings.load().trusts_one_node
    assert "is trusted with your payments" not in press()


def test_without_an_answer_nothing_is_written_and_it_is_asked_next_time(file: Path, press: Press) -> None:
    before = file.read_text()
    press("\r")
    assert file.read_text() == before
    assert "is trusted with your payments" in press("\r")


def test_the_first_node_is_no_second_one(file: Path) -> None:
    with pytest.raises(BadInput, match="agrees with itself"):
        settings.write("VALTRAC_SECOND_ENDPOINT", FIRST + "/key")
    with pytest.raises(BadInput, match="ws:// or wss://"):
        settings.write("VALTRAC_SECOND_ENDPOINT", "second.example")
    assert settings.load().second_endpoint == ""


def test_a_new_settings_file_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)
    monkeypatch.setattr(settings, "usual_home", lambda: tmp_path)
    monkeypatch.delenv("VALTRAC_ENV_FILE")
    path = settings.write("VALTRAC_SECOND_ENDPOINT", SECOND)
    assert path == tmp_path / ".env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings.load().second_endpoint == SECOND


def test_what_the_environment_sets_is_not_written_behind_its_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALTRAC_SECOND_ENDPOINT", SECOND)
    before = file.read_text()
    with pytest.raises(BadInput, match="goes before"):
        settings.write("VALTRAC_SECOND_ENDPOINT", "wss://third.example")
    assert file.read_text() == before


@pytest.mark.parametrize(
    "lines",
    [
        "VALTRAC_SECOND_ENDPOINT=wss://old.example\nvaltrac_second_endpoint=wss://older.example\n",
        "VALTRAC_SECOND_ENDPOINT=wss://old.example\nVALTRAC_SECOND_ENDPOINT=wss://older.example\n",
        "export Valtrac_Second_Endpoint=wss://old.example\r\nOTHER=1\r\n",
    ],
)
def test_what_is_written_is_what_holds_though_another_line_sets_the_same(file: Path, lines: str) -> None:
    file.write_text(file.read_text() + lines, newline="")
    settings.write("VALTRAC_SECOND_ENDPOINT", SECOND)
    assert settings.load().second_endpoint == SECOND
    assert "old" not in file.read_text()


def test_the_environment_goes_before_the_file_in_whatever_letters(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("valtrac_second_endpoint", SECOND)
    before = file.read_text()
    with pytest.raises(BadInput, match="goes before"):
        settings.write("VALTRAC_SECOND_ENDPOINT", "wss://third.example")
    assert file.read_text() == before


def test_who_writes_a_value_is_alone_with_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"VALTRAC_TIMEOUT_S": "7", "VALTRAC_CHUNK_SIZE": "11", "VALTRAC_FALLBACK_ENDPOINTS": "wss://other.example"}
    writing, most = list[str](), list[int]()
    really = settings._set

    def slowly(path: Path, name: str, *rest: str) -> None:
        writing.append(name)
        time.sleep(0.02)
        most.append(len(writing))
        really(path, name, *rest)
        writing.remove(name)

    monkeypatch.setattr(settings, "_set", slowly)
    with ThreadPoolExecutor(len(wanted)) as threads:
        list(threads.map(lambda item: settings.write(*item), wanted.items()))
    assert set(most) == {1}
    held = settings.load()
    assert (held.timeout_s, held.chunk_size, held.fallback_endpoints) == (7, 11, ("wss://other.example",))


def test_what_would_come_back_as_something_else_is_not_written(file: Path) -> None:
    before = file.read_text()
    with pytest.raises(BadInput, match="would not keep VALTRAC_DATABASE_URL"):
        settings.write("VALTRAC_DATABASE_URL", "sqlite:////tmp/a\rb")
    assert file.read_text() == before


def test_a_program_without_a_settings_file_says_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)
    assert os.environ["VALTRAC_ENV_FILE"] == os.devnull
    with pytest.raises(BadInput, match="without a settings file") as caught:
        settings.write("VALTRAC_SECOND_ENDPOINT", SECOND)
    assert f"VALTRAC_SECOND_ENDPOINT={SECOND}" in caught.value.fix


def test_an_unencrypted_node_elsewhere_is_warned_of(
    file: Path, press: Press, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VALTRAC_FALLBACK_ENDPOINTS", "ws://10.1.2.3:9944/KEY")
    monkeypatch.setenv("VALTRAC_SECOND_ENDPOINT", "none")
    monkeypatch.setenv("VALTRAC_BITSHARES_NETWORK", "mainnet")
    monkeypatch.setenv("VALTRAC_BITSHARES_NODES", "ws://bts.example,ws://127.0.0.1:8090")
    (fallback, node) = settings.load().warnings
    assert fallback.startswith("VALTRAC_FALLBACK_ENDPOINTS: ws://10.1.2.3:9944/... is not encrypted")
    assert node.startswith("VALTRAC_BITSHARES_NODES: ws://bts.example is not encrypted")
    assert "not encrypted" in press()
    loaded()
    assert "not encrypted" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["run.py", "settings", "--json"])
    loaded()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("answer", "kept"), [("y\r", "ws://second.example"), ("n\r", "")])
def test_an_unencrypted_second_node_is_kept_on_the_owners_word(
    answer: str, kept: str, file: Path, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(monkeypatch, "0x01")
    assert "is not encrypted" in press("ws://second.example\r", answer)
    assert settings.load().second_endpoint == kept
