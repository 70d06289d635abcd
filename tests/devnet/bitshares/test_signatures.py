"""Who may send: the node knows a transaction's signers from nothing but its bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.devnet.bitshares.conftest import Bench
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import NodeError, dev_public, keys


@pytest.fixture
def draft(bench: Bench) -> dict[str, Any]:
    return bench.client.build([("alice", "bob", 5, "stop")], sign=False)


def refusal(bench: Bench, trx: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(NodeError) as refused:
        bench.push(trx)
    assert bench.status["pool"] == 0
    return refused.value.name, str(refused.value)


def test_without_a_signature_nothing_is_sent(bench: Bench, draft: dict[str, Any]) -> None:
    assert refusal(bench, draft)[0] == "tx_missing_active_auth"


def test_another_ones_signature_does_not_count(bench: Bench, draft: dict[str, Any]) -> None:
    assert refusal(bench, bench.client.sign(draft, ["bob"]))[0] == "tx_missing_active_auth"


def test_a_signature_that_is_not_needed_is_refused(bench: Bench, draft: dict[str, Any]) -> None:
    assert refusal(bench, bench.client.sign(draft, ["alice", "bob"]))[0] == "tx_irrelevant_sig"


def test_the_same_signature_twice_is_refused(bench: Bench, draft: dict[str, Any]) -> None:
    assert refusal(bench, bench.client.sign(draft, ["alice", "alice"]))[0] == "tx_duplicate_sig"


def test_a_signature_for_another_chain_is_refused(bench: Bench, draft: dict[str, Any]) -> None:
    assert refusal(bench, bench.client.sign(draft, ["alice"], chain_id="4018d784" * 8))[0] == "tx_missing_active_auth"


@pytest.mark.parametrize("text", ["1f" + "11" * 64, "1f" + "ff" * 64, "00" * 65, "1f22", ""])
def test_garbage_is_no_signature(bench: Bench, draft: dict[str, Any], text: str) -> None:
    name, said = refusal(bench, {**draft, "signatures": [text]})
    assert name == "tx_missing_active_auth" or "signature" in said


def test_an_amount_changed_after_signing_is_refused(bench: Bench, draft: dict[str, Any]) -> None:
    trx = bench.client.sign(draft, ["alice"])
    trx["operations"][0][1]["amount"]["amount"] = 500
    assert refusal(bench, trx)[0] == "tx_missing_active_auth"


def test_the_memo_key_does_not_move_money(bench: Bench, draft: dict[str, Any]) -> None:
    from valtrac.devnet.bitshares import packing

    message = bytes.fromhex(bench.status["chain_id"]) + packing.packed(packing.tidy(draft))
    made = keys.sign(message, keys.dev_secret("alice", "memo")).hex()
    assert refusal(bench, {**draft, "signatures": [made]})[0] == "tx_missing_active_auth"


def test_a_key_that_was_replaced_no_longer_counts(bench: Bench, draft: dict[str, Any]) -> None:
    bitshares.reauthorize(bench.path, "alice", key_weights={dev_public("alice", "owner"): 1})
    assert refusal(bench, bench.client.sign(draft, ["alice"]))[0] == "tx_missing_active_auth"


def test_weights_must_reach_the_threshold(bench: Bench, draft: dict[str, Any]) -> None:
    both = {dev_public("alice", "active"): 1, dev_public("bob", "active"): 1}
    bitshares.reauthorize(bench.path, "alice", threshold=2, key_weights=both)

    assert refusal(bench, bench.client.sign(draft, ["alice"]))[0] == "tx_missing_active_auth"
    assert bench.client.call("get_required_signatures", draft, sorted(both)) == sorted(both)
    bench.push(bench.client.sign(draft, ["alice", "bob"]))


def test_an_account_may_act_through_another_account(bench: Bench, draft: dict[str, Any]) -> None:
    bitshares.reauthorize(bench.path, "alice", key_weights={}, account_weights={"custodian": 1})

    assert bench.client.call("get_potential_signatures", draft) == [dev_public("custodian", "active")]
    bench.push(bench.client.sign(draft, ["custodian"]))


def test_a_transaction_can_be_tried_without_sending_it(bench: Bench, draft: dict[str, Any]) -> None:
    signed = bench.client.sign(draft, ["alice"])

    assert bench.client.call("verify_authority", signed) is True
    assert bench.client.call("validate_transaction", signed)["operation_results"] == [[0, {}]]
    with pytest.raises(NodeError):
        bench.client.call("verify_authority", draft)
    assert bench.status["pool"] == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda trx: trx.pop("operations"),
        lambda trx: trx.update(operations=[]),
        lambda trx: trx.update(operations=[[6, {}]]),
        lambda trx: trx.update(operations=[[0, {}]]),
        lambda trx: trx.update(ref_block_num=70000),
        lambda trx: trx.update(expiration="soon"),
        lambda trx: trx["operations"][0][1].update(to="1.2.x"),
        lambda trx: trx["operations"][0][1].update(to="1.2.999"),
        lambda trx: trx["operations"][0][1]["amount"].update(amount=1 << 63),
        lambda trx: trx["operations"][0][1]["amount"].update(asset_id="1.3.1"),
        lambda trx: trx["operations"][0][1]["memo"].update(to="BTS111"),
        lambda trx: trx["operations"][0][1]["memo"].update(nonce=-1),
        lambda trx: trx.update(signatures=["zz"]),
    ],
)
def test_a_malformed_transaction_is_refused_by_name_and_changes_nothing(
    bench: Bench, draft: dict[str, Any], spoil: Callable[[dict[str, Any]], object]
) -> None:
    spoil(draft)
    with suppress(NodeError):
        draft = bench.client.sign(draft, ["alice"]) if draft.get("signatures") == [] else draft
    refusal(bench, draft)


@pytest.mark.parametrize("backend", ["ecdsa", "secp256k1"])
def test_every_library_signs_and_recovers_alike(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    secret, public = keys.dev_secret("alice", "active"), dev_public("alice", "active")
    fast = keys.sign(b"message", secret)
    shared = keys.shared_secret(secret, dev_public("bob", "memo"))

    import graphenebase.ecdsa as library

    if backend == "secp256k1":
        pytest.importorskip("secp256k1")
    monkeypatch.setattr(library, "SECP256K1_MODULE", backend)
    monkeypatch.setattr(keys, "_coincurve", lambda: None)
    keys.shared_secret.cache_clear()

    assert keys.recover(b"message", fast) == public
    assert keys.recover(b"message", keys.sign(b"message", secret)) == public
    assert keys.shared_secret(secret, dev_public("bob", "memo")) == shared
    assert keys.key_text(keys._public(secret)) == public


def test_a_signature_in_its_other_form_is_refused(bench: Bench, draft: dict[str, Any]) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    made = bytes.fromhex(bench.client.sign(draft, ["alice"])["signatures"][0])
    mirrored = order - int.from_bytes(made[33:], "big")
    other = bytes([(made[0] - 31 ^ 1) + 31]) + made[1:33] + mirrored.to_bytes(32, "big")

    assert "canonical" in refusal(bench, {**draft, "signatures": [other.hex()]})[1]
