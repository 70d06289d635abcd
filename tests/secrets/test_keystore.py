"""The wallet file of Ethereum: readable by its owner and every wallet program, and by nobody else."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valtrac.core.errors import BadInput, Refused
from valtrac.core.home import CHECKOUT
from valtrac.secrets import keyring, keystore, memory

PASSWORD = "correct horse, über battery"
CHEAP = 2  # the n of scrypt
# Web3 Secret Storage Definition, the test vectors of version 3 (scrypt, PBKDF2); their password and key
SPEC_PASSWORD, SPEC_KEY = "testpassword", "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
SPEC_ADDRESS = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"
SPEC_PBKDF2 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
TRANSACTION = {
    "to": "0xF0109fC8DF283027b6285cc889F5aA624EaC1F55",
    "value": 1,
    "gas": 21_000,
    "maxFeePerGas": 2 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "nonce": 0,
    "chainId": 1,
}


@pytest.fixture(autouse=True)
def kept_to_itself(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often the memory was closed to others: not really, for the debugger of whoever runs the tests."""
    calls = list[bool]()
    monkeypatch.setattr(memory, "keep_to_itself", lambda: calls.append(True))
    return calls


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wallets" / "main.json"


def test_a_new_wallet_is_opened_with_its_password_and_signs(file: Path, kept_to_itself: list[bool]) -> None:
    from eth_account import Account

    address = keystore.create(file, PASSWORD, rounds=CHEAP)
    assert keystore.address_of(file) == address
    assert kept_to_itself == []
    key = keystore.open_wallet(file, PASSWORD)
    assert (key.address, kept_to_itself) == (address, [True])
    raw = key.sign_transaction(TRANSACTION)
    assert Account.recover_transaction(raw) == address
    digest = bytes(range(32))
    signature = key.sign_hash(digest)
    assert len(signature) == 65
    assert Account._recover_hash(digest, signature=signature) == address


def test_two_wallets_have_two_keys(tmp_path: Path) -> None:
    made = {keystore.create(tmp_path / f"{n}.json", PASSWORD, rounds=CHEAP) for n in range(3)}
    assert len(made) == 3


def test_only_the_owner_can_read_the_file_and_its_folder(file: Path) -> None:
    before = os.umask(0)
    try:
        keystore.create(file, PASSWORD, rounds=CHEAP)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_can_read_is_refused_until_it_is_closed_to_them(file: Path) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    file.chmod(0o640)
    for read in (lambda: keystore.open_wallet(file, PASSWORD), lambda: keystore.address_of(file)):
        with pytest.raises(Refused, match="can be read by others") as refused:
            read()
        assert refused.value.fix == f"chmod 600 {file}"


def test_a_wallet_is_never_overwritten(file: Path) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    before = file.read_bytes()
    other = file.with_name("other.json")
    keystore.create(other, PASSWORD, rounds=CHEAP)
    again: list[Callable[[], object]] = [
        lambda: keystore.create(file, PASSWORD, rounds=CHEAP),
        lambda: keystore.import_key(file, SPEC_KEY, PASSWORD, rounds=CHEAP),
        lambda: keystore.import_file(file, other, opened_with=PASSWORD, password=PASSWORD, rounds=CHEAP),
    ]
    for write in again:
        with pytest.raises(BadInput, match="is there already"):
            write()
    assert file.read_bytes() == before


def test_not_even_one_that_appeared_meanwhile_or_a_link_to_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    link = file.with_name("link.json")
    link.symlink_to(file.with_name("nowhere.json"))
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    for place in (file, link):
        with pytest.raises(BadInput, match="is there already"):
            keystore.create(place, PASSWORD, rounds=CHEAP)
    assert keystore.open_wallet(file, PASSWORD)
    assert not file.with_name("nowhere.json").exists()


def test_no_wallet_is_made_in_the_source_tree(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(CHECKOUT / "data")
    for folder in (CHECKOUT, CHECKOUT / "data" / "new", link):
        with pytest.raises(BadInput, match="source tree"):
            keystore.create(folder / "wallet.json", PASSWORD, rounds=CHEAP)


def test_what_cannot_be_opened_again_does_not_stay(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> dict[str, Any]:
        return {"version": 3, "crypto": {"kdfparams": {}}}

    monkeypatch.setattr("eth_account.Account.encrypt", broken)
    with pytest.raises(BadInput, match="no wallet file"):
        keystore.create(file, PASSWORD, rounds=CHEAP)
    assert not file.exists()


@pytest.mark.parametrize("password", ["", "short"])
def test_a_wallet_needs_a_password_that_is_one(file: Path, password: str) -> None:
    with pytest.raises(BadInput, match="password"):
        keystore.create(file, password, rounds=CHEAP)
    assert not file.exists()


@pytest.mark.parametrize("password", ["wrong password", PASSWORD + " ", PASSWORD.upper(), ""])
def test_a_wrong_password_opens_nothing_and_is_not_repeated(file: Path, password: str) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    with pytest.raises(Refused) as refused:
        keystore.open_wallet(file, password)
    assert not password or password not in f"{refused.value.as_dict()}"


def test_the_vector_of_the_specification_is_imported_and_its_key_typed(tmp_path: Path) -> None:
    source, typed, imported = tmp_path / "source.json", tmp_path / "typed.json", tmp_path / "imported.json"
    source.write_text(json.dumps({key.upper() if key == "id" else key: part for key, part in SPEC_PBKDF2.items()}))
    source.chmod(0o644)
    made = keystore.import_file(imported, source, opened_with=SPEC_PASSWORD, password=PASSWORD, rounds=CHEAP)
    assert made == SPEC_ADDRESS
    assert json.loads(imported.read_text())["crypto"]["kdf"] == "scrypt"
    assert keystore.open_wallet(imported, PASSWORD).address == made
    for text in (SPEC_KEY, f" 0x{SPEC_KEY.upper()}\n"):
        assert keystore.import_key(typed, text, PASSWORD, rounds=CHEAP) == made
        typed.unlink()
    with pytest.raises(Refused, match="does not open"):
        keystore.import_file(typed, source, opened_with=PASSWORD, password=PASSWORD, rounds=CHEAP)


@pytest.mark.parametrize("text", ["", "0x", SPEC_KEY[:-1], SPEC_KEY + "0", "z" * 64, "0" * 64, "f" * 64])
def test_what_is_no_key_is_refused_and_not_repeated(file: Path, text: str) -> None:
    with pytest.raises(BadInput, match="no private key") as refused:
        keystore.import_key(file, text, PASSWORD, rounds=CHEAP)
    assert len(text) < 8 or text not in f"{refused.value.as_dict()}"
    assert not file.exists()


def test_the_cost_of_an_owners_file_is_the_librarys_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eth_account import Account

    asked = list[Any]()
    real = Account.encrypt

    def cheap(key: Any, password: str, kdf: Any, iterations: int | None) -> Any:
        asked.append((kdf, iterations))
        return real(key, password, kdf=kdf, iterations=CHEAP)

    monkeypatch.setattr("eth_account.Account.encrypt", cheap)
    keystore.create(file, PASSWORD)
    assert asked == [("scrypt", None)]


def changed(content: dict[str, Any], **change: Any) -> dict[str, Any]:
    made = copy.deepcopy(content)
    for name, value in change.items():
        made["crypto"]["kdfparams" if name in ("n", "r", "p", "dklen", "salt") else name] = (
            {**made["crypto"]["kdfparams"], name: value} if name in ("n", "r", "p", "dklen", "salt") else value
        )
    return made


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda content: [content],
    "another version": lambda content: {**content, "version": 1},
    "no version": lambda content: {name: part for name, part in content.items() if name != "version"},
    "no crypto": lambda content: {**content, "crypto": 7},
    "no cost": lambda content: changed(content, kdfparams=None),
    "another address": lambda content: {**content, "address": "00" * 20},
    "more memory than there is": lambda content: changed(content, n=1 << 40),
    "a cost that is no number": lambda content: changed(content, n="2"),
    "a cost without end": lambda content: changed(content, p=1 << 30),
    "a negative cost": lambda content: changed(content, r=-8),
    "no salt": lambda content: changed(content, salt=None),
    "an unknown function": lambda content: changed(content, kdf="md5"),
    "no cipher": lambda content: changed(content, cipherparams={}),
    "no text": lambda content: changed(content, ciphertext="zz"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_as_one(file: Path, name: str) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    file.write_text(json.dumps(BROKEN[name](json.loads(file.read_text()))))
    with pytest.raises(BadInput, match="no wallet file"):
        keystore.open_wallet(file, PASSWORD)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b" " * 70_000])
def test_what_is_no_json_is_told_as_no_wallet(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadInput, match="no wallet file"):
        keystore.open_wallet(file, PASSWORD)


def test_a_missing_wallet_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no wallet"):
        keystore.open_wallet(tmp_path / "none.json", PASSWORD)
    with pytest.raises(BadInput):
        keystore.open_wallet(tmp_path, PASSWORD)


def test_a_key_shows_itself_nowhere_and_does_not_leave(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keystore.import_key(file, SPEC_KEY, PASSWORD, rounds=CHEAP)
    key = keystore.open_wallet(file, PASSWORD)
    assert f"{key!r} {key}" == f"EthereumKey({SPEC_ADDRESS}) EthereumKey({SPEC_ADDRESS})"
    leaving: list[Callable[[object], object]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for leave in leaving:
        with pytest.raises(TypeError, match="do not leave"):
            leave(key)
    assert not hasattr(key, "__dict__")
    assert SPEC_KEY not in caplog.text + file.read_text()
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    "change", [{"chainId": None}, {"chainId": 0}, {"to": "0x00"}, {"gas": None}, {"from": "0x" + "00" * 20}, {"x": 1}]
)
def test_a_transaction_that_is_none_is_not_signed(file: Path, change: dict[str, Any]) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    key = keystore.open_wallet(file, PASSWORD)
    wanted = {name: value for name, value in {**TRANSACTION, **change}.items() if value is not None}
    with pytest.raises(BadInput):
        key.sign_transaction(wanted)
    with pytest.raises(BadInput):
        key.sign_hash(b"short")


def test_a_locked_key_signs_nothing(file: Path) -> None:
    keystore.create(file, PASSWORD, rounds=CHEAP)
    key = keystore.open_wallet(file, PASSWORD)
    key.lock()
    signing: list[Callable[[], bytes]] = [lambda: key.sign_transaction(TRANSACTION), lambda: key.sign_hash(bytes(32))]
    for sign in signing:
        with pytest.raises(Refused, match="is locked"):
            sign()


def test_the_keyring_keeps_a_password_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = dict[tuple[str, str], str]()
    monkeypatch.setattr("keyring.set_password", lambda service, name, text: kept.update({(service, name): text}))
    monkeypatch.setattr("keyring.get_password", lambda service, name: kept.get((service, name)))
    monkeypatch.setattr("keyring.delete_password", lambda service, name: kept.pop((service, name)))
    assert keyring.kept_password("0xA") == ""
    assert keyring.keep_password("0xA", PASSWORD)
    assert (keyring.kept_password("0xA"), keyring.kept_address("0xA"), keyring.kept("0xA")) == (PASSWORD, "", {})
    keyring.forget_password("0xA")
    keyring.forget_password("0xA")
    assert kept == {}


def test_where_there_is_no_keyring_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise RuntimeError("no keyring")

    for name in ("set_password", "get_password", "delete_password"):
        monkeypatch.setattr(f"keyring.{name}", none)
    assert (keyring.keep_password("0xA", PASSWORD), keyring.kept_password("0xA")) == (False, "")
    keyring.forget_password("0xA")
