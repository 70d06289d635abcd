"""The Bitcoin chain of the rehearsal takes what a real node takes, and refuses the rest in the same words."""

from __future__ import annotations

import dataclasses

import pytest

from valtrac.devnet.tbtc import blocks, witness
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.mempool import Refusal
from valtrac.devnet.tbtc.transactions import (
    Input,
    Malformed,
    Outpoint,
    Output,
    Transaction,
    hashed,
    p2wpkh,
    parse,
    sha256d,
    shown,
)
from valtrac.devnet.tbtc.witness import ORDER, Unlocked, undone

KEY, OTHER = Unlocked(b"k" * 32), Unlocked(b"o" * 32)
BTC = 10**8
REGTEST = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


@pytest.fixture
def bitcoin() -> Bitcoin:
    return Bitcoin()


def coin(bitcoin: Bitcoin, value_sat: int = BTC) -> Outpoint:
    made = bitcoin.fund(KEY.script, value_sat)
    bitcoin.mine()
    return made


def spending(outpoint: Outpoint, value_sat: int, *, sequence: int = 0, key: Unlocked = KEY) -> Transaction:
    tx = Transaction((Input(outpoint, sequence=sequence),), (Output(value_sat, OTHER.script),))
    return witness.spend(tx, 0, Output(BTC, KEY.script), key)


def refusal(bitcoin: Bitcoin, tx: Transaction) -> str:
    with pytest.raises(Refusal) as said:
        bitcoin.accept(tx.raw())
    return said.value.message


def test_the_digest_is_that_of_the_example_in_bip143() -> None:
    tx = parse(
        bytes.fromhex(
            "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d1"
            "82d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99"
            "f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000"
        )
    )
    spent = Output(6 * BTC, bytes.fromhex("00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1"))
    assert witness.digest(tx, 1, spent).hex() == "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670"


def test_it_begins_as_every_regtest_does(bitcoin: Bitcoin) -> None:
    assert bitcoin.block(0).name == REGTEST
    assert bitcoin.block(0).transactions[0].txid == shown(bitcoin.block(0).header[36:68])


def test_every_header_meets_the_target_and_follows_the_one_before(bitcoin: Bitcoin) -> None:
    for _ in range(3):
        bitcoin.fund(KEY.script, BTC)
        bitcoin.mine(2)
    for height in range(1, bitcoin.height + 1):
        block = bitcoin.block(height)
        assert block.header[4:36] == bitcoin.block(height - 1).hash
        assert int.from_bytes(block.hash, "little") <= blocks.TARGET
        assert block.header[36:68] == blocks.merkle_root([tx.hash for tx in block.transactions])


@pytest.mark.parametrize("others", range(6))
def test_a_branch_leads_from_each_transaction_to_the_root(bitcoin: Bitcoin, others: int) -> None:
    for _ in range(others):
        bitcoin.fund(KEY.script, BTC)
    bitcoin.mine()
    block = bitcoin.block(bitcoin.height)
    for tx in block.transactions:
        branch, place = bitcoin.branch(tx.txid)
        root = tx.hash
        for sibling in branch:
            root = sha256d(sibling + root if place & 1 else root + sibling)
            place >>= 1
        assert root == block.header[36:68]


def test_a_transaction_is_read_back_as_it_was_written(bitcoin: Bitcoin) -> None:
    tx = spending(coin(bitcoin), BTC - 500)
    assert parse(tx.raw()) == tx
    assert parse(tx.stripped()).txid == tx.txid
    for raw in (b"", tx.raw()[:-1], tx.raw() + b"\0"):
        with pytest.raises(Malformed):
            parse(raw)


def test_a_right_spend_waits_is_mined_and_is_known_afterwards(bitcoin: Bitcoin) -> None:
    tx = spending(coin(bitcoin), BTC - 500)
    assert bitcoin.accept(tx.raw()) == bitcoin.accept(tx.raw()) == tx.txid
    assert bitcoin.confirmations(tx.txid) == 0
    bitcoin.mine(6)
    assert bitcoin.confirmations(tx.txid) == 6
    assert refusal(bitcoin, tx) == "Transaction already in block chain"
    assert refusal(bitcoin, spending(tx.inputs[0].outpoint, BTC - 700)) == "bad-txns-inputs-missingorspent"


def test_a_signature_counts_for_its_coin_value_and_key_only(bitcoin: Bitcoin) -> None:
    outpoint = coin(bitcoin)
    right = spending(outpoint, BTC - 500)
    signature, key = right.inputs[0].witness
    r, s = undone(signature[:-1])
    other_value = dataclasses.replace(right, outputs=(Output(BTC - 600, OTHER.script),))
    high = witness.der(r, ORDER - s) + b"\x01"
    for tx, words in (
        (other_value, "false/empty top stack element"),
        (right.with_witness(0, ()), "empty witness"),
        (right.with_witness(0, (signature, OTHER.compressed)), "OP_EQUALVERIFY"),
        (right.with_witness(0, (high, key)), "S value is unnecessarily high"),
        (right.with_witness(0, (signature[:-1] + b"\x02", key)), "hash type"),
        (right.with_witness(0, (b"\x30\x00\x01", key)), "DER"),
    ):
        assert words in refusal(bitcoin, tx)
    bitcoin.accept(right.raw())


def test_a_fee_too_low_or_an_output_too_small_or_too_large_is_refused(bitcoin: Bitcoin) -> None:
    outpoint = coin(bitcoin)
    assert refusal(bitcoin, spending(outpoint, BTC - 109)) == "min relay fee not met, 109 < 110"
    assert refusal(bitcoin, spending(outpoint, 293)) == "dust"
    said = "bad-txns-in-belowout, value in (1.00) < value out (1.00000001)"
    assert refusal(bitcoin, spending(outpoint, BTC + 1)) == said
    assert bitcoin.accept(spending(outpoint, BTC - 110).raw())


def test_a_rival_is_refused_unless_the_first_may_be_replaced_and_it_pays_more(bitcoin: Bitcoin) -> None:
    final, replaceable = coin(bitcoin), coin(bitcoin)
    bitcoin.accept(spending(final, BTC - 500, sequence=0xFFFFFFFF).raw())
    assert refusal(bitcoin, spending(final, BTC - 5_000)) == "txn-mempool-conflict"
    first = bitcoin.accept(spending(replaceable, BTC - 500).raw())
    assert "insufficient fee" in refusal(bitcoin, spending(replaceable, BTC - 600))
    second = bitcoin.accept(spending(replaceable, BTC - 610).raw())
    assert (bitcoin.transaction(first), bitcoin.transaction(second) is not None) == (None, True)


def test_what_a_reorganisation_undoes_waits_again(bitcoin: Bitcoin) -> None:
    outpoint = coin(bitcoin)
    txid = bitcoin.accept(spending(outpoint, BTC - 500).raw())
    bitcoin.mine()
    before, height = bitcoin.block(bitcoin.height).name, bitcoin.height
    bitcoin.reorg(2)
    assert (bitcoin.height, bitcoin.confirmations(txid)) == (height, 0)
    assert bitcoin.block(height).name != before
    bitcoin.mine()
    assert bitcoin.confirmations(txid) == bitcoin.confirmations(outpoint.txid) == 1


def test_it_goes_on_from_what_was_stored(bitcoin: Bitcoin) -> None:
    outpoint = coin(bitcoin)
    bitcoin.held.add(bitcoin.accept(spending(outpoint, BTC - 500).raw()))
    bitcoin.mine(2)
    again = Bitcoin(bitcoin.dump())
    assert again.dump() == bitcoin.dump()
    assert again.unspent(OTHER.script) == bitcoin.unspent(OTHER.script)


def test_a_hash_is_written_the_other_way_round() -> None:
    assert hashed(REGTEST)[::-1].hex() == REGTEST
    assert p2wpkh(KEY.compressed) == KEY.script
