"""Addresses hold secrets: kept in the keyring, or in a file of their owner's alone, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from valtrac.core.errors import BadInput, Refused
from valtrac.secrets import keyring
from valtrac.secrets.addresses import AddressBook

SECRET = "json://127.0.0.1/token-8899"


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring in memory."""
    kept = dict[str, str]()
    monkeypatch.setattr(keyring, "kept_address", lambda name: kept.get(name, ""))
    monkeypatch.setattr(keyring, "keep_address", lambda name, address: not kept.update({name: address}))
    monkeypatch.setattr(keyring, "forget_address", lambda name: kept.pop(name, None))
    return kept


def test_an_address_is_kept_in_the_keyring_and_forgotten(ring: dict[str, str]) -> None:
    book = AddressBook(None)
    book.keep("mail", SECRET)
    assert (book.of("mail"), AddressBook(None).of("mail"), ring) == (SECRET, SECRET, {"mail": SECRET})
    book.forget("mail")
    assert (book.of("mail"), ring) == ("", {})


def test_without_a_keyring_nothing_is_kept_and_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "keep_address", lambda *_: False)
    with pytest.raises(Refused) as caught:
        AddressBook(None).keep("mail", SECRET)
    assert "VALTRAC_ALERTS_ADDRESSES=file" in caught.value.fix
    assert "token" not in str(caught.value.as_dict())


def test_in_a_file_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "alert-addresses.json"
    AddressBook(file).keep("mail", SECRET)
    AddressBook(file).keep("hook", SECRET + "/2")
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == {"mail": SECRET, "hook": SECRET + "/2"}
    book = AddressBook(file)
    book.forget("mail")
    assert (book.of("mail"), book.of("hook")) == ("", SECRET + "/2")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_others_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    AddressBook(file).keep("mail", SECRET)
    file.chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        AddressBook(file).of("mail")


def test_a_file_that_is_none_is_said_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    file.touch(0o600)
    file.write_text(f"mail = {SECRET}")
    with pytest.raises(BadInput) as caught:
        AddressBook(file).of("mail")
    assert "token" not in str(caught.value.as_dict())


def test_what_was_handed_in_is_in_memory_alone(tmp_path: Path, ring: dict[str, str]) -> None:
    book = AddressBook(None)
    assert book.of("mail") == ""
    book.hand_in({"mail": SECRET})
    assert (book.of("mail"), ring) == (SECRET, {})
    assert AddressBook(None).of("mail") == ""


def test_an_address_that_is_kept_meanwhile_is_found(ring: dict[str, str]) -> None:
    book = AddressBook(None)
    assert book.of("mail") == ""
    ring["mail"] = SECRET
    assert book.of("mail") == SECRET


def test_an_address_that_is_kept_nowhere_is_in_memory_until_the_process_ends(ring: dict[str, str]) -> None:
    book = AddressBook(None, kept=False)
    book.keep("mail", SECRET)
    assert (book.of("mail"), ring) == (SECRET, {})
    assert AddressBook(None, kept=False).of("mail") == ""
    book.forget("mail")
    assert book.of("mail") == ""
