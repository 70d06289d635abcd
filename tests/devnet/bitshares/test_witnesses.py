"""Blocks are signed by witnesses in turn, roots are over what blocks hold, and a file from before that goes on."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.bitshares.conftest import Bench
from valtrac.chains.bitshares import connect
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import NodeError, keys, packing, state, witnesses

HOMES = Path(__file__).parent.parent.parent / "data" / "homes-of-revision-0006.tar.xz"


def signer(block: dict[str, Any]) -> str:
    header = witnesses.header(
        block["previous"],
        state.unstamp(block["timestamp"]),
        int(block["witness"][4:]),
        block["transaction_merkle_root"],
    )
    return keys.recover(header, bytes.fromhex(block["witness_signature"]))


def key_of(bench: Bench, witness: str) -> str:
    key: str = bench.client.call("get_objects", [witness])[0]["signing_key"]
    return key


def test_each_block_is_signed_by_another_witness_with_a_key_of_its_own(bench: Bench) -> None:
    bench.produce(9)
    found = [(bench.block(n)["witness"], signer(bench.block(n))) for n in range(1, 13)]

    assert [witness for witness, _ in found] == [f"1.6.{1 + n % 4}" for n in range(1, 13)]
    assert all(key == key_of(bench, witness) for witness, key in found)
    assert len({key for _, key in found}) == 4
    assert bench.client.call("get_global_properties")["active_witnesses"] == [f"1.6.{n}" for n in (1, 2, 3, 4)]
    assert bench.client.call("get_objects", ["1.6.0", "1.6.5"]) == [None, None]


@pytest.mark.parametrize(("lib_lag", "count"), [(1, 2), (2, 4), (3, 5), (4, 7), (14, 21), (18, 27)])
def test_there_are_as_many_witnesses_as_make_that_block_irreversible(lib_lag: int, count: int) -> None:
    assert witnesses.count(lib_lag) == count
    assert sorted(range(100, 100 - count, -1))[count * 30 // 100] == 100 - lib_lag


def test_the_root_is_over_transactions_with_signatures_and_results(bench: Bench) -> None:
    for number in range(5):
        bench.send("alice", "bob", 5 + number, "hi")
    bench.produce()
    block = bench.block()
    leaves = []
    for trx in block["transactions"]:
        signed = bytes.fromhex(bench.client.call("get_transaction_hex", trx))
        leaves.append(hashlib.sha256(signed + b"\x01\x00").digest())
    a, b, c, d, e = leaves
    pair = [hashlib.sha256(x + y).digest() for x, y in ((a, b), (c, d))]
    whole = hashlib.sha256(hashlib.sha256(pair[0] + pair[1]).digest() + e).digest()
    assert block["transaction_merkle_root"] == keys.ripemd160(whole).hex()
    bench.produce()
    assert bench.block()["transaction_merkle_root"] == "00" * 20


def test_a_witness_changes_its_key_from_the_block_after_on_and_a_fork_takes_it_back(bench: Bench) -> None:
    old = key_of(bench, "1.6.2")
    bench.client.change_signing_key(2, by="alice")
    bench.produce()
    new = key_of(bench, "1.6.2")
    assert new != old
    bitshares.fork(bench.path, 1, keep=False)
    assert key_of(bench, "1.6.2") == old

    bench.client.change_signing_key(2, by="alice")
    bench.produce(9)
    signed = {signer(block) for n in range(6, 14) if (block := bench.block(n))["witness"] == "1.6.2"}
    assert signed == {new}
    assert bench.nothing_is_lost()


def test_a_key_that_the_node_cannot_sign_with_is_refused(bench: Bench) -> None:
    body = {
        "fee": {"amount": packing.FEE, "asset_id": packing.CORE},
        "witness": "1.6.2",
        "witness_account": "1.2.7",
        "new_signing_key": bitshares.dev_public("alice", "memo"),
    }
    trx = bench.client.build([("alice", "bob", 5, None)], sign=False)
    trx["operations"] = [[packing.WITNESS_UPDATE, body]]
    with pytest.raises(NodeError, match="private half"):
        bench.push(bench.client.sign(trx, ["alice"]))


def test_a_chain_of_the_layout_before_opens_and_goes_on_and_its_old_blocks_stay(tmp_path: Path) -> None:
    shutil.unpack_archive(HOMES, tmp_path)
    path = tmp_path / "contracts" / "data" / "bitshares-devnet.sqlite"
    with sqlite3.connect(path) as db:
        (head, head_id), (layout,) = (
            db.execute(f"SELECT {what} FROM chain").fetchone() for what in ("head, head_id", "layout")
        )
        before = db.execute("SELECT id FROM blocks ORDER BY number").fetchall()
    assert layout == 1
    assert bitshares.status(path)["true_from"] == head + 1
    bitshares.produce(path, 10)
    client = bitshares.Client(path)
    assert client.call("get_block", head + 1)["previous"] == head_id
    assert signer(client.call("get_block", head + 5)) in {witnesses.public(n, 0) for n in range(1, 5)}
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT id FROM blocks WHERE number <= ? ORDER BY number", (head,)).fetchall() == before
    chain = connect.open_devnet(path, timeout_s=10)
    try:
        last = chain.finalized().number
        assert last > head
        first = bitshares.status(path)["head"] - 30
        assert [one.number for one in chain.transfers(first, last, "1.2.6")] == list(range(first, last + 1))
        for number in (head - 1, head, head + 1, last):
            assert chain.block(number + 0).head.hash == client.call("get_block", number + 1)["previous"]
    finally:
        chain.close()


def test_a_new_chain_fits_from_its_first_block_on(bench: Bench) -> None:
    assert bench.status["true_from"] == 0
