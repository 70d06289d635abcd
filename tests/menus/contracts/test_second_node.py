"""Stake contracts on a real network ask for a second node, which has to serve the same chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.menus.conftest import CTRL_C
from tests.menus.contracts.test_secrets import CONTRACTS
from valtrac import settings
from valtrac.devnet import bitshares

Press = Callable[..., str]


def seeded(path: Path, units: int) -> Path:
    bitshares.seed(path, accounts=[bitshares.dev_account("custodian", satoshi=units)], lib_lag=2)
    bitshares.produce(path, 10)
    return path


@pytest.fixture
def file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A settings file that names a network with one node."""
    with bitshares.serve(seeded(tmp_path / "somewhere.sqlite", 1)) as server:
        path = tmp_path / "settings"
        path.write_text(f"VALTRAC_BITSHARES_NETWORK=somewhere\nVALTRAC_BITSHARES_NODES={server.url}\n")
        monkeypatch.setenv("VALTRAC_ENV_FILE", str(path))
        yield path


def test_the_second_node_is_asked_for_once_and_kept(file: Path, press: Press, tmp_path: Path) -> None:
    with bitshares.serve(tmp_path / "somewhere.sqlite") as second:
        assert "is trusted with your payments" in press(CONTRACTS, second.url + "\r")
        assert settings.load().bitshares_second_node == second.url
        assert "is trusted with your payments" not in press(CONTRACTS)


def test_a_node_of_another_chain_is_not_kept(file: Path, press: Press, tmp_path: Path) -> None:
    with bitshares.serve(seeded(tmp_path / "elsewhere.sqlite", 2)) as second:
        assert "serves another chain" in press(CONTRACTS, second.url + "\r")
        assert settings.load().bitshares_second_node == ""


def test_one_node_is_enough_for_who_says_so(file: Path, press: Press) -> None:
    press(CONTRACTS, "none\r")
    assert settings.load().trusts_one_bitshares_node
    assert "is trusted with your payments" not in press(CONTRACTS)


def test_who_has_answered_is_not_asked_again_in_the_same_session(file: Path, press: Press, tmp_path: Path) -> None:
    with bitshares.serve(tmp_path / "somewhere.sqlite") as second:
        said = press(CONTRACTS, second.url + "\r", CTRL_C, CONTRACTS)
        assert said.count("is trusted with your payments") == 1
        assert settings.load().bitshares_second_node == second.url
