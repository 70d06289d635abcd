"""Transfers as bytes: two encoders agree, and only what we would sign is read back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.chains.bitshares import transactions as tx
from valtrac.core.chain import SealedMemo
from valtrac.devnet.bitshares import dev_public, dev_wif
from valtrac.ports import Unreadable

CHAIN_ID = "ab" * 32
REF_ID = "0001e240aabbccdd" + "11" * 12
WIFS = {dev_public("payer", "active"): dev_wif("payer", "active")}
MEMO = dev_wif("payer", "memo"), dev_public("payer", "memo")
THEIRS = dev_public("ann", "memo")


def seal(words: str) -> dict[str, str]:
    return tx.seal(words, wif=MEMO[0], sender_key=MEMO[1], receiver_key=THEIRS)


def signed(
    moves: Sequence[tx.Move], fees: list[int] | None = None, wifs: dict[str, str] = WIFS, expires: int = 1_800_000_000
) -> bytes:
    fees = [86_869] * len(moves) if fees is None else fees
    return tx.signed(moves, fees, ref_id=REF_ID, expires=expires, wifs=wifs, chain_id=CHAIN_ID)


def one(units: int = 5, memo: dict[str, str] | None = None) -> list[tx.Move]:
    return [tx.Move("1.2.17", "1.2.18", units, memo)]


moves = st.lists(
    st.builds(
        tx.Move,
        st.just("1.2.17"),
        st.integers(0, 2**40).map(lambda n: f"1.2.{n}"),
        st.integers(1, 2**63 - 1),
        st.none() | st.text(min_size=1, max_size=300).filter(lambda t: t.isprintable()).map(seal),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(moves, st.integers(1, 2**32 - 1))
def test_whatever_is_signed_is_read_back_from_its_bytes(made: list[tx.Move], expires: int) -> None:
    raw = signed(made, expires=expires)
    back = tx.read(raw)

    assert (list(back.moves), back.expires, back.signer) == (made, expires, "1.2.17")
    assert back.tx_id == tx.tx_id_of(json.loads(raw))


def test_the_id_does_not_depend_on_the_signature() -> None:
    body = json.loads(signed(one()))
    again = json.loads(signed(one(), wifs={dev_public("bob"): dev_wif("bob")}))

    assert body["signatures"] != again["signatures"]
    assert tx.tx_id_of(body) == tx.tx_id_of(again)


def test_numbers_as_text_are_the_same_transaction() -> None:
    body = json.loads(signed(one(5_000_000_000, seal("x"))))
    expected = tx.tx_id_of(body)
    op = body["operations"][0][1]
    op["amount"]["amount"], op["memo"]["nonce"] = "5000000000", int(op["memo"]["nonce"])
    del op["extensions"]

    assert tx.tx_id_of({**body, "operation_results": [[0, {}]]}) == expected != ""


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["operations"].append([1, {}]),
        lambda b: b["operations"].clear(),
        lambda b: b["operations"][0].__setitem__(0, 35),
        lambda b: b["operations"][0][1].update(extensions=[1]),
        lambda b: b["operations"][0][1].update(memo={"from": "BTS1", "to": "BTS1", "nonce": 1, "message": ""}),
        lambda b: b["operations"][0][1].pop("fee"),
        lambda b: b.update(expiration="soon"),
        lambda b: b.update(ref_block_num="x"),
        lambda b: b.update(operations=7),
        lambda b: b.update(extensions=[[0, 1]]),
    ],
)
def test_what_is_no_plain_transfer_has_no_id(change: Callable[[dict[str, Any]], object]) -> None:
    body = json.loads(signed(one()))
    change(body)
    assert tx.tx_id_of(body) == ""


def op(body: dict[str, Any]) -> Any:
    return body["operations"][0][1]


@pytest.mark.parametrize(
    "change",
    [
        lambda b: op(b)["amount"].update(asset_id="1.3.1"),
        lambda b: op(b)["fee"].update(asset_id="1.3.1"),
        lambda b: op(b)["amount"].update(amount=0),
        lambda b: op(b)["amount"].update(amount="5"),
        lambda b: op(b)["amount"].update(amount=5.0),
        lambda b: op(b)["amount"].update(amount=True),
        lambda b: op(b)["amount"].update(amount=-5),
        lambda b: op(b)["amount"].update(amount=2**63),
        lambda b: op(b).update(note="x"),
        lambda b: op(b).update(to="1.2.018"),
        lambda b: op(b).update(to="alice"),
        lambda b: b["operations"].append([0, {**op(b), "from": "1.2.99"}]),
        lambda b: b.update(signatures=[]),
        lambda b: b.update(signatures=["00"]),
        lambda b: b.update(more=1),
        lambda b: b.pop("extensions"),
        lambda b: b.update(expiration="2026-13-01T00:00:00"),
    ],
)
def test_bytes_that_hold_anything_but_our_payments_are_not_read(change: Callable[[dict[str, Any]], object]) -> None:
    body = json.loads(signed(one()))
    change(body)
    with pytest.raises(ValueError):
        tx.read(tx.canonical(body))


def test_only_the_canonical_form_is_read() -> None:
    raw = signed(one())
    for bad in (b"", raw + b"\n", b" " + raw, json.dumps(json.loads(raw)).encode(), raw[:-1], b"[" * 10_000):
        with pytest.raises(ValueError):
            tx.read(bad)


def test_signatures_are_by_the_keys_and_for_one_chain() -> None:
    body = json.loads(signed(one()))
    assert tx.signers(body, CHAIN_ID) == set(WIFS)
    assert tx.signers(body, "cd" * 32) != set(WIFS)


def test_a_key_that_is_not_the_one_it_is_said_to_be_signs_nothing() -> None:
    with pytest.raises(ValueError):
        signed(one(), wifs={dev_public("bob"): dev_wif("payer")})


def test_the_signer_is_told_of_foreign_bytes_too() -> None:
    body = json.loads(signed(one()))
    assert tx.signer_of(tx.canonical(body)) == "1.2.17"
    body["operations"].append([35, {"payer": "1.2.5"}])
    assert tx.signer_of(json.dumps(body).encode()) == "1.2.17"
    for bad in (b"", b"{}", b'{"operations":[]}', b'{"operations":[[0,{"from":5}]]}', b"7", b'{"operations":[7]}'):
        assert tx.signer_of(bad) is None


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=100))
def test_a_memo_is_read_by_both_sides(words: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in words):
        return
    found = seal(words)
    memo = SealedMemo(found["from"], found["to"], found["nonce"], found["message"])

    assert tx.unseal(memo, wif=dev_wif("ann", "memo"), other_key=memo.sender_key) == words
    assert tx.unseal(memo, wif=MEMO[0], other_key=memo.receiver_key) == words
    assert len(tx.placeholder(words, sender_key="", receiver_key="")["message"]) == len(found["message"])
    with pytest.raises(Unreadable):
        tx.unseal(memo, wif=dev_wif("bob", "memo"), other_key=memo.sender_key)


def test_the_same_words_are_never_sealed_alike() -> None:
    assert seal("x") != seal("x")


def test_a_private_key_that_is_none_is_not_told() -> None:
    for bad in ("", "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAbuatmx", "secret words"):
        with pytest.raises(ValueError) as error:
            tx.public_key(bad)
        assert not bad or bad not in str(error.value)


@pytest.mark.parametrize("without", ["secp256k1", ""])
def test_signing_works_beside_cryptography_with_and_without_secp256k1(without: str) -> None:
    """graphenebase falls back to `cryptography`, which an exchange library brings, and cannot sign with it."""
    program = f"""
import sys
sys.modules.update({{name: None for name in {[without] if without else []!r}}})
import cryptography
from tests.chains.bitshares.test_transactions import *
import graphenebase.ecdsa
assert tx.read(signed(one(memo=seal("x")))).signer == "1.2.17"
print(graphenebase.ecdsa.SECP256K1_MODULE)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["ecdsa" if without else "secp256k1"], done.stderr
