"""Signed transactions read back from their bytes, and written again from what a node tells of them."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from valtrac.chains.ethereum.transactions import Envelope, opened, signed_bytes
from valtrac.chains.untrusted import Untrusted

KEY = Account.from_key("0x" + "5a" * 32)
TO = "0x" + "11" * 20
USUAL: dict[str, Any] = {"nonce": 7, "to": TO, "value": 3, "gas": 60_000, "data": "0xabcd", "chainId": 31337}
KINDS: dict[int, dict[str, Any]] = {
    0: {"gasPrice": 10**9},
    1: {"type": 1, "gasPrice": 10**9, "accessList": [{"address": TO, "storageKeys": ["0x" + "22" * 32]}]},
    2: {"type": 2, "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 5},
}


def signed(kind: int, **changed: Any) -> tuple[bytes, dict[str, Any]]:
    """The bytes, and the fields as nodes tell them."""
    transaction = {**USUAL, **KINDS[kind], **changed}
    made = KEY.sign_transaction(transaction)
    told: dict[str, Any] = {
        "type": hex(kind),
        "hash": "0x" + made.hash.hex().removeprefix("0x"),
        "input": transaction["data"],
        "to": transaction.get("to") or None,
        "accessList": transaction.get("accessList", []),
        **{name: hex(getattr(made, name)) for name in ("r", "s", "v")},
    }
    for name in ("nonce", "value", "gas", "chainId", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"):
        if name in transaction:
            told[name] = hex(transaction[name])
    return bytes(made.raw_transaction), told


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_that_wallets_sign_is_read_back_and_written_again(kind: int) -> None:
    raw, told = signed(kind)
    read = opened(raw)
    assert (read.signer, read.chain_id, read.nonce, read.to, read.value) == (KEY.address.lower(), 31337, 7, TO, 3)
    assert (read.data, read.gas, read.price, read.tip) == (b"\xab\xcd", 60_000, 10**9, 5 if kind == 2 else 10**9)
    assert read.tx_id == told["hash"]
    assert signed_bytes(told) == raw


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("field", ["nonce", "value", "gas", "input", "to", "r", "s", "hash"])
def test_a_node_that_tells_one_field_otherwise_is_found_out(kind: int, field: str) -> None:
    _, told = signed(kind)
    other = {"to": "0x" + "12" * 20, "input": "0xabce"}.get(field) or told[field][:-1] + "f" * (told[field][-1] != "f")
    other = other if other != told[field] and len(other) > 2 else told[field][:-1] + "0"
    with pytest.raises(Untrusted, match="not the one of its id"):
        signed_bytes({**told, field: other})


def test_a_contract_that_is_made_is_called_by_no_address() -> None:
    raw, told = signed(2, to="")
    assert opened(raw).to == "" and signed_bytes({**told, "to": None}) == raw


def test_kinds_that_wallets_do_not_sign_are_refused() -> None:
    _, told = signed(2)
    for kind in ("0x3", "0x4", "0x7e"):
        with pytest.raises(Untrusted, match="is not read here"):
            signed_bytes({**told, "type": kind})


@given(st.binary(max_size=200))
def test_foreign_bytes_are_no_transaction(raw: bytes) -> None:
    with pytest.raises(ValueError):
        opened(raw)


@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_byte_that_is_turned_is_another_transaction_or_none(place: int, turned: int) -> None:
    raw, _ = signed(2)
    other = bytearray(raw)
    other[place % len(raw)] ^= turned
    try:
        read = opened(bytes(other))
    except ValueError:
        return
    assert read.tx_id != opened(raw).tx_id


@given(st.binary(max_size=40), st.integers(0, 2**256), st.integers(0, 2**62))
def test_what_is_journaled_comes_back(raw: bytes, units: int, born: int) -> None:
    assert Envelope.of(Envelope(raw, units, born).packed()) == Envelope(raw, units, born)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b'{"signed": "zz", "units": "1", "born": 1}', b"\xff"])
def test_what_is_no_journal_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        Envelope.of(raw)
