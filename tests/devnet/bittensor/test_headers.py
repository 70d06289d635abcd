"""Blocks of the rehearsal chain are bound as real ones are: by hash to their parent, by roots to body and state."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench, who
from valtrac.core import trie
from valtrac.core.header import header_hash
from valtrac.devnet.bittensor import dispatch, events, headers
from valtrac.devnet.bittensor.codec import SubstrateRequestException, codec

ANN = "5GF2pj43tM8p9DhpmZnFwX38uap8fpuTRXQG39NRTdA6ZfJe"
INFO = events.dispatched(287_000_123)
EVENTS: tuple[events.Event, ...] = (
    events.inherent(),
    ("System", "ExtrinsicSuccess", {"dispatch_info": INFO}),
    ("System", "ExtrinsicFailed", {"dispatch_error": "CannotLookup", "dispatch_info": INFO}),
    ("System", "ExtrinsicFailed", {"dispatch_error": dispatch.TOO_MANY_CALLS, "dispatch_info": INFO}),
    ("System", "NewAccount", {"account": ANN}),
    ("System", "KilledAccount", {"account": ANN}),
    ("Balances", "Endowed", {"account": ANN, "free_balance": 7}),
    ("Balances", "DustLost", {"account": ANN, "amount": 499}),
    ("Balances", "Transfer", {"from": ANN, "to": ANN, "amount": 2**60}),
    ("Balances", "Deposit", {"who": ANN, "amount": 0}),
    ("Balances", "Withdraw", {"who": ANN, "amount": 1}),
    ("TransactionPayment", "TransactionFeePaid", {"who": ANN, "actual_fee": 137_051, "tip": 0}),
    ("Utility", "BatchInterrupted", {"index": 3, "error": events.token_error("NotExpendable")}),
    ("Utility", "BatchCompleted", None),
    ("Utility", "BatchCompletedWithErrors", None),
    ("Utility", "ItemCompleted", None),
    ("Utility", "ItemFailed", {"error": events.token_error("FundsUnavailable")}),
    ("Proxy", "ProxyExecuted", {"result": {"Ok": []}}),
    ("Proxy", "ProxyExecuted", {"result": {"Err": dispatch.CALL_FILTERED}}),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event[1])
def test_an_event_has_the_bytes_that_the_runtimes_own_codec_gives_it(event: events.Event) -> None:
    pallet, name, attributes = event
    shaped = {"phase": {"ApplyExtrinsic": 9}, "event": {pallet: {name: attributes}}, "topics": []}
    if attributes == {"result": {"Ok": []}}:
        shaped["event"] = {pallet: {name: {"result": {"Ok": ()}}}}
    type_ = codec().storage_entry("System", "Events").value_type
    raw = trie.compact(1) + events.encoded(event, 9)
    assert raw == codec().encode(type_, [shaped])
    assert codec().decode(type_, raw) == [events.record(event, 9)]


def test_every_kind_of_event_is_among_them() -> None:
    assert {event[:2] for event in EVENTS} == set(events._EVENTS)


def test_the_time_and_the_keys_of_the_state_are_those_of_the_runtime() -> None:
    call = codec().compose_call("Timestamp", "set", {"now": 1_790_000_000_000}).data
    assert headers.timestamp_extrinsic(1_790_000_000_000)[1:] == b"\x05" + call
    account, known = codec().storage_entry("System", "Account"), codec().storage_entry("System", "Events")
    assert codec().storage_key(account, [ANN]) == headers.account_key(ANN)
    assert codec().storage_key(known, []) == headers.EVENTS_KEY


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def hash_of(header: dict[str, Any]) -> str:
    roots = raw(header["stateRoot"]), raw(header["extrinsicsRoot"])
    logs = [raw(log) for log in header["digest"]["logs"]]
    return "0x" + header_hash(raw(header["parentHash"]), int(header["number"], 16), *roots, logs).hex()


def test_a_branch_has_other_hashes_though_its_blocks_are_empty(bench: Bench) -> None:
    bench.advance(3)
    db = sqlite3.connect(bench.path)
    before = db.execute("SELECT hash FROM blocks WHERE number = 3").fetchone()
    bench.misbehave(fork=3)
    assert db.execute("SELECT hash FROM blocks WHERE number = 3").fetchone() != before
    db.close()


def block_of(bench: Bench, number: int) -> dict[str, Any]:
    block: dict[str, Any] = bench.rpc("chain_getBlock", bench.rpc("chain_getBlockHash", number))["block"]
    return block


def test_every_block_has_the_hash_of_its_header_and_the_root_of_its_body(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    bench.advance(2)
    for number in range(bench.status["number"] + 1):
        block = block_of(bench, number)
        assert hash_of(block["header"]) == bench.rpc("chain_getBlockHash", number)
        root, _ = trie.body_roots([raw(text) for text in block["extrinsics"]])
        assert "0x" + root.hex() == block["header"]["extrinsicsRoot"]
    assert len(block_of(bench, 1)["extrinsics"]) == 2


def test_accounts_and_events_are_proven_under_the_header_of_their_block(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    bench.advance(2)
    entry, ann, nobody = codec().storage_entry("System", "Account"), who("//ann"), who("//nobody")
    keys = [headers.EVENTS_KEY, headers.account_key(ann), headers.account_key(nobody)]
    for number in range(bench.status["number"] + 1):
        block_hash = bench.rpc("chain_getBlockHash", number)
        root = raw(bench.rpc("chain_getHeader", block_hash)["stateRoot"])
        proof = [
            raw(node)
            for node in bench.rpc("state_getReadProof", ["0x" + key.hex() for key in keys], block_hash)["proof"]
        ]
        told = trie.read(root, proof, keys[0])
        type_ = codec().storage_entry("System", "Events").value_type
        assert ([] if told is None else codec().decode(type_, told)) == bench.ask("events", block_hash)
        account = trie.read(root, proof, keys[1])
        assert (account is None) == (number == 0)
        if account is not None:
            assert codec().decode(entry.value_type, account) == bench.ask(
                "query", "System", "Account", [ann], block_hash
            )
        assert trie.read(root, proof, keys[2]) is None


def test_a_gateway_that_gives_no_proofs_says_so(bench: Bench) -> None:
    bench.misbehave(no_proofs=True)
    with pytest.raises(SubstrateRequestException, match="Method not found"):
        bench.rpc("state_getReadProof", ["0x" + headers.EVENTS_KEY.hex()])
