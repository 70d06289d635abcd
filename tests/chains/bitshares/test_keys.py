"""Private keys: nothing shows, nothing is written but the wallet, and no node is asked."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from valtrac.chains.bitshares import keys as account_keys
from valtrac.chains.bitshares.keys import Keys, create_wallet, dev_keys, wallet_keys
from valtrac.core.errors import BadInput, Refused
from valtrac.devnet.bitshares import dev_public, dev_wif

WIFS = [dev_wif("custodian", "active"), dev_wif("custodian", "memo")]


def test_a_wallet_gives_back_its_keys_for_its_password_alone(tmp_path: Path) -> None:
    create_wallet(tmp_path / "w", "pass word", WIFS)
    keys = wallet_keys(tmp_path / "w", "pass word")

    assert set(keys.active) == set(keys.memo) == set(WIFS)
    assert set(keys.by_public) == {dev_public("custodian", "active"), dev_public("custodian", "memo")}
    for wrong in ("pass wor", "pass word ", "", "Ünpass"):
        with pytest.raises(Refused) as refused:
            wallet_keys(tmp_path / "w", wrong)
        assert not any(wif in str(refused.value.as_dict()) for wif in WIFS)


def test_the_file_is_for_its_owner_only_and_holds_no_key_in_clear(tmp_path: Path) -> None:
    create_wallet(tmp_path / "a" / "w", "x", WIFS)
    (path,) = (tmp_path / "a" / "w").iterdir()

    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not any(wif.encode() in path.read_bytes() for wif in WIFS)
    path.chmod(0o644)
    wallet_keys(path.parent, "x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_works_offline_and_writes_nothing_into_the_home_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = f"""
import socket
def forbidden(*_, **__): raise SystemExit("a connection")
socket.socket.connect = forbidden
from valtrac.chains.bitshares.keys import create_wallet, wallet_keys
create_wallet({str(tmp_path / "w")!r}, "x", {WIFS!r})
assert len(wallet_keys({str(tmp_path / "w")!r}, "x").by_public) == 2
"""
    environment = {**os.environ, "HOME": str(home), "UNLOCK": "x"}
    environment.pop("XDG_DATA_HOME", None)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=120)
    assert list(home.rglob("*")) == []


def test_the_environment_does_not_open_a_wallet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_wallet(tmp_path, "x", WIFS[:1])
    monkeypatch.setenv("UNLOCK", "x")
    for wrong in ("", "y"):
        with pytest.raises(Refused):
            wallet_keys(tmp_path, wrong)


def test_a_wallet_is_never_overwritten_and_half_of_one_is_never_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_wallet(tmp_path / "w", "x", WIFS[:1])
    before = (tmp_path / "w" / account_keys.WALLET_FILE).read_bytes()
    with pytest.raises(BadInput, match="already"):
        create_wallet(tmp_path / "w", "y", WIFS)
    assert (tmp_path / "w" / account_keys.WALLET_FILE).read_bytes() == before

    monkeypatch.setattr(account_keys, "_store", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        create_wallet(tmp_path / "v", "x", WIFS)
    assert list((tmp_path / "v").iterdir()) == []


def test_what_makes_no_wallet_is_said_without_telling_the_key(tmp_path: Path) -> None:
    for password, wifs in (("", WIFS), ("x", []), ("x", ["5not a key"])):
        with pytest.raises(BadInput) as bad:
            create_wallet(tmp_path / "w", password, wifs)
        assert "5not" not in str(bad.value.as_dict())
    assert not (tmp_path / "w").exists()


def test_where_there_is_no_wallet_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no wallet"):
        wallet_keys(tmp_path / "w", "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0", b"garbage" * 100])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / account_keys.WALLET_FILE).write_bytes(damage)
    with pytest.raises(Refused):
        wallet_keys(tmp_path, "x")


def test_keys_never_show() -> None:
    keys = dev_keys("custodian")
    keys.by_public  # noqa: B018 - now they are there twice

    for shown in (repr(keys), str(keys), f"{keys}", repr({"keys": keys})):
        assert not any(wif in shown for wif in WIFS)
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def test_something_that_is_no_key_is_refused_without_showing() -> None:
    with pytest.raises(Refused) as refused:
        Keys(("5secret",), ()).by_public  # noqa: B018
    assert "secret" not in str(refused.value.as_dict())


def test_rehearsal_keys_are_of_the_rehearsal_node() -> None:
    assert dev_keys("alice") == Keys((dev_wif("alice", "active"),), (dev_wif("alice", "memo"),))
    assert Path(account_keys.WALLET_FILE).name == "bitshares.sqlite"
