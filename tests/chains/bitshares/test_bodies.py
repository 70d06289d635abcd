"""Blocks and their headers: real blocks of public chains fit, and nothing that was changed in them does."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valtrac.chains.bitshares import bodies, curve, operations
from valtrac.chains.bitshares.bodies import Forged
from valtrac.chains.bitshares.link import with_prefix

VECTORS = json.loads((Path(__file__).parent.parent.parent / "data" / "graphene-blocks.json").read_text())
MAINNET_36 = next(one for one in VECTORS if "26760146" in one["source"])["block"]


def read(vector: dict[str, Any]) -> dict[str, Any]:
    """The vector with BTS before its keys, whatever its chain writes there."""
    raw = json.dumps(vector).encode()
    for other in ("GXC", "AUNIT"):
        raw = with_prefix(raw, other, "BTS")
    found: dict[str, Any] = json.loads(raw)
    return found


def number(block: dict[str, Any]) -> int:
    return int(block["previous"][:8], 16) + 1


def never(trx: Any) -> str:
    raise AssertionError("these operations are written here")


def fits(block: dict[str, Any], hex_of: Any = never) -> Any:
    return bodies.fits(block, number(block), hex_of)


def told(trx: Any) -> str:
    """What a node answers that is asked for the bytes of what it told before."""
    return bytes_of(trx)


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["source"][:40]) for one in VECTORS])
def test_real_blocks_have_the_id_the_signer_and_the_root_that_their_chains_gave_them(vector: dict[str, Any]) -> None:
    found = read(vector)
    block = found["block"]
    if block["witness_signature"]:
        head = bodies.sealed(block, number(block))
        assert head.id == found.get("block_id", head.id)
        if "signing_key" in found:
            assert head.key == curve.key(found["signing_key"])
    if "hex" in found:
        leaves = [
            hashlib.sha256(bytes.fromhex(signed) + operations.vector(results, operations.result)).digest()
            for signed, results in found["hex"]
        ]
        assert bodies.root_of(leaves) == block["transaction_merkle_root"]
    elif block.get("transactions") is not None:
        assert fits(block) == ()


def changed() -> list[Any]:
    def amount(block: Any) -> None:
        next(op for t in block["transactions"] for kind, op in t["operations"] if kind == 0)["amount"]["amount"] += 1

    def receiver(block: Any) -> None:
        next(op for t in block["transactions"] for kind, op in t["operations"] if kind == 0)["to"] = "1.2.17"

    return [
        amount,
        receiver,
        lambda block: block["transactions"].pop(),
        lambda block: block["transactions"].clear(),
        lambda block: block["transactions"].append(block["transactions"][-1]),
        lambda block: block["transactions"].reverse(),
        lambda block: block["transactions"][3].update(expiration="2018-05-07T05:00:00"),
        lambda block: block["transactions"][0]["signatures"].append("1f" + "01" * 64),
        lambda block: block["transactions"][0].update(operation_results=[[1, "1.7.5"]]),
        lambda block: block["transactions"][0].pop("operation_results"),
        lambda block: block.update(transactions=7),
        lambda block: block.update(transactions=[7]),
    ]


@pytest.mark.parametrize("change", changed())
def test_whatever_is_changed_in_a_body_does_not_fit_its_header(change: Callable[[dict[str, Any]], object]) -> None:
    block = copy.deepcopy(MAINNET_36)
    fits(block)
    change(block)
    with pytest.raises(Forged):
        fits(block, told)


def bytes_of(trx: Any) -> str:
    """A transaction as get_transaction_hex tells it."""
    head: bytes = trx["ref_block_num"].to_bytes(2, "little") + trx["ref_block_prefix"].to_bytes(4, "little")
    head += operations.when(trx["expiration"])
    body = operations.vector(trx["operations"], operations.operation) + b"\0"
    return (head + body + operations.vector(trx["signatures"], bytes.fromhex)).hex()


def test_what_cannot_be_written_here_is_asked_for_and_the_root_says_whether_it_was_honest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = {json.dumps(trx): bytes_of(trx) for trx in MAINNET_36["transactions"]}
    monkeypatch.delitem(operations._KINDS, 1)
    monkeypatch.delitem(operations._KINDS, 2)
    asked = []

    def tell(trx: Any) -> str:
        asked.append(trx)
        return written[json.dumps(trx)]

    fits(MAINNET_36, tell)
    assert 0 < len(asked) < 36
    assert {op[0] for trx in asked for op in trx["operations"]} >= {1, 2}
    true = written[json.dumps(asked[0])]
    for lie in ("", "00", "zz", None, 5, true + "00", true[:-2] + "00", "00" + true[2:], written[json.dumps(asked[1])]):
        with pytest.raises(Forged):
            fits(MAINNET_36, lambda trx, lie=lie: lie if trx == asked[0] else written[json.dumps(trx)])


def test_a_payment_cannot_be_hidden_as_an_operation_that_nobody_knows() -> None:
    made = copy.deepcopy(MAINNET_36)
    index, trx = next((n, t) for n, t in enumerate(made["transactions"]) if t["operations"][0][0] == 0)
    signed = bytes_of(trx)
    for hidden in ([[77, {}]], [[0, {**trx["operations"][0][1], "extensions": [1]}]], [[77, {}], [77, {}]]):
        made["transactions"][index] = {**trx, "operations": hidden}
        with pytest.raises(Forged):  # the bytes are the true ones, and the root is right
            fits(made, lambda _trx: signed)


def test_what_is_written_wrongly_here_is_no_lie_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {json.dumps(trx): bytes_of(trx) for trx in MAINNET_36["transactions"]}
    true = operations._KINDS[1]
    monkeypatch.setitem(operations._KINDS, 1, lambda op: true(op)[:-1] + b"\1")
    assert fits(MAINNET_36, lambda trx: written[json.dumps(trx)]) == ()
    monkeypatch.setitem(operations._KINDS, 1, lambda op: op["a field of a newer kind"])
    assert fits(MAINNET_36, lambda trx: written[json.dumps(trx)]) == ()
    changed = copy.deepcopy(MAINNET_36)
    next(op for t in changed["transactions"] for kind, op in t["operations"] if kind == 0)["amount"]["amount"] += 1
    with pytest.raises(Forged):
        fits(changed, lambda trx: written.get(json.dumps(trx), bytes_of(trx)))


def test_a_transfer_may_carry_the_extension_that_says_nothing() -> None:
    made = copy.deepcopy(MAINNET_36)
    trx = next(t for t in made["transactions"] if t["operations"][0][0] == 0)
    plain = bytes_of(trx)
    trx["operations"][0][1]["extensions"] = [[0, {}]]
    odd = bytes_of(trx)
    assert len(odd) == len(plain) + 2
    leaves = [
        hashlib.sha256(
            bytes.fromhex(bytes_of(each)) + operations.vector(each["operation_results"], operations.result)
        ).digest()
        for each in made["transactions"]
    ]
    made["transaction_merkle_root"] = bodies.root_of(leaves)
    assert fits(made) == ()
    trx["operations"][0][1]["extensions"] = [[1, {}]]
    with pytest.raises(Forged):
        fits(made, lambda _trx: odd)


def test_sixty_four_bytes_are_no_transaction() -> None:
    trx = {**MAINNET_36["transactions"][0], "operations": [], "operation_results": [], "signatures": []}
    for size, words in ((49, "something else"), (50, "64 bytes"), (51, "something else")):
        with pytest.raises(Forged, match=words):  # 10 of the head, 4 counts, and the signature
            fits({**MAINNET_36, "transactions": [{**trx, "signatures": ["00" * size]}]}, told)


def test_a_signature_that_is_none_has_no_signer_and_the_id_follows_all_the_same() -> None:
    block = next(read(one)["block"] for one in VECTORS if one.get("signing_key"))
    good = bodies.sealed(block, number(block))
    bad = bodies.sealed({**block, "witness_signature": "1f" + "ff" * 64}, number(block))
    assert (good.key != b"", bad.key) == (True, b"")
    assert bad.id != good.id
    for change in ({"previous": "00"}, {"witness": "1.2.3"}, {"timestamp": "soon"}, {"extensions": [1]}):
        with pytest.raises(Forged):
            bodies.sealed({**block, **change}, number(block))


def test_a_full_block_is_checked_hundreds_of_times_a_second() -> None:
    """Printed with -s. Not a gate: machines differ."""
    began, rounds = time.process_time(), 0
    while time.process_time() - began < 0.5:
        fits(MAINNET_36)
        rounds += 1
    rate = rounds / (time.process_time() - began)
    print(f"{rate:.0f} blocks of 36 transactions a second")
    assert rate > 30
