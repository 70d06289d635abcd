"""The pool on a real network asks for a second node, which has to serve the same chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.menus.conftest import menu
from valtrac import settings
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server

Press = Callable[..., str]
POOL = menu("Qtum pool")
ASKED = "is trusted with your payments"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("qtum") / "first"
    qtum.seed(folder, people=[Person("pool", 10**12, 5, wallet="", stakes=True)], maturity=5)
    with Server(folder) as server:
        yield server


@pytest.fixture
def file(home: Path, node: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that names a network with one node."""
    path = tmp_path / "settings"
    named = {
        "NETWORK": "regtest",
        "NODE": node.url,
        "LOGIN": str(node.directory / ".cookie"),
        "STAKER": qtum.addresses(node.directory)["pool"],
        "SECOND_LOGIN": str(tmp_path / "second" / ".cookie"),
    }
    path.write_text("".join(f"VALTRAC_QTUM_{name}={value}\n" for name, value in named.items()))
    monkeypatch.setenv("VALTRAC_ENV_FILE", str(path))
    return path


def test_the_second_node_is_asked_for_once_and_kept(file: Path, node: Server, press: Press, tmp_path: Path) -> None:
    qtum.second(tmp_path / "second", of=node.directory)
    with Server(tmp_path / "second") as second:
        assert ASKED in press(POOL, second.url + "\r")
        assert settings.load().qtum_second_node == second.url
        assert ASKED not in press(POOL)


def test_one_node_is_enough_for_who_says_so(file: Path, press: Press) -> None:
    press(POOL, "none\r")
    assert settings.load().trusts_one_qtum_node
    assert ASKED not in press(POOL)


def test_the_first_node_is_no_second_one(file: Path, node: Server, press: Press) -> None:
    said = press(POOL, node.url + "\r")
    assert ASKED in said
    assert settings.load().qtum_second_node == ""
