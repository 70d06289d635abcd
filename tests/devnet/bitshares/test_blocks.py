"""Blocks, their ids, what is irreversible, and what a fork does."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime
from pathlib import Path

import pytest

from tests.devnet.bitshares.conftest import BOB, NEW_YEAR, Bench
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet import bitshares


def test_a_block_id_is_the_hash_of_its_header_with_its_height_in_front(bench: Bench) -> None:
    bench.send("alice", "bob", 5)
    number = bench.produce()
    block = bench.block(number)
    header = (
        bytes.fromhex(block["previous"])
        + struct.pack("<I", int(datetime.fromisoformat(block["timestamp"] + "+00:00").timestamp()))
        + b"\x01"
        + bytes.fromhex(block["transaction_merkle_root"])
        + b"\x00"
        + bytes.fromhex(block["witness_signature"])
    )
    bench.produce()

    expected = struct.pack(">I", number) + hashlib.sha224(header).digest()[4:20]
    assert bench.block()["previous"] == expected.hex()


def test_the_irreversible_block_follows_two_behind_the_head(bench: Bench) -> None:
    assert (bench.status["head"], bench.status["lib"]) == (3, 1)
    bench.produce(5)
    assert (bench.status["head"], bench.status["lib"]) == (8, 6)


def test_blocks_are_three_seconds_apart_but_for_a_gap(bench: Bench) -> None:
    bench.produce()
    before = datetime.fromisoformat(bench.block()["timestamp"])
    bench.produce(2, gap_s=100)

    after = [datetime.fromisoformat(bench.block(n)["timestamp"]) for n in (5, 6)]
    assert [(at - before).total_seconds() for at in after] == [102, 105]


def test_advancing_by_a_month_takes_a_few_blocks_and_leaves_nothing_reversible_before_it(bench: Bench) -> None:
    month = 30 * 86400
    start = bench.properties["time"]
    tx_id = bench.send("alice", "bob", 5)
    bitshares.advance(bench.path, month)

    assert bench.where(tx_id) <= bench.status["lib"]
    lib_at = datetime.fromisoformat(bench.block(bench.status["lib"])["timestamp"])
    assert (lib_at - datetime.fromisoformat(start)).total_seconds() >= month
    assert bench.status["head"] < 10


def test_ten_thousand_empty_blocks_are_one_moment(bench: Bench) -> None:
    bench.produce(10_000)

    assert bench.status["head"] == 10_003
    assert bench.block(5_000)["previous"].startswith(f"{4_999:08x}")


def test_a_fork_that_keeps_lets_the_transactions_wait_again(bench: Bench) -> None:
    tx_id = bench.send("alice", "bob", 5)
    bench.produce()
    old = bench.block(4)
    bitshares.fork(bench.path, 1)

    assert (bench.status["head"], bench.status["pool"], bench.holds("bob")) == (4, 1, BOB)
    assert bench.block(4)["transactions"] == []
    assert bench.block(4)["witness_signature"] != old["witness_signature"]
    bench.produce()
    assert bench.where(tx_id) == 5


def test_a_fork_that_loses_leaves_no_trace(bench: Bench) -> None:
    tx_id = bench.send("alice", "bob", 5)
    bench.produce()
    bitshares.fork(bench.path, 2, keep=False)
    bench.produce(3)

    assert bench.where(tx_id) is None
    assert bench.client.call("get_recent_transaction_by_id", tx_id) is None
    assert bench.client.call("get_account_history", "bob") == []
    assert (bench.holds("bob"), bitshares.fees_burned(bench.path)) == (BOB, 0)


def test_what_was_lost_in_a_fork_can_be_sent_again_as_the_same_bytes(bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)])
    bench.push(trx)
    bench.produce()
    bitshares.fork(bench.path, 1, keep=False)
    bench.push(trx)
    bench.produce()

    assert bench.holds("bob") == BOB + 5


def test_a_fork_changes_every_id_above_it(bench: Bench) -> None:
    bench.produce(2)
    ids = [bench.block(n)["previous"] for n in (4, 5)] + [bench.properties["head_block_id"]]
    bitshares.fork(bench.path, 2)

    now = [bench.block(n)["previous"] for n in (4, 5)] + [bench.properties["head_block_id"]]
    assert now[0] == ids[0]
    assert now[1] != ids[1]
    assert now[2] != ids[2]


def test_an_irreversible_block_cannot_be_forked_away(bench: Bench) -> None:
    with pytest.raises(BadInput, match="3 blocks deep"):
        bitshares.fork(bench.path, 3)


def test_looking_makes_the_chain_move_at_the_pace_of_looks(tmp_path: Path) -> None:
    path = tmp_path / "look.sqlite"
    bitshares.seed(path, accounts=[], at=NEW_YEAR, pace="look")
    heads = [bitshares.Client(path).call("get_dynamic_global_properties")["head_block_number"] for _ in range(3)]

    assert heads == [4, 5, 6]


def test_the_chain_id_follows_from_name_accounts_and_time(tmp_path: Path) -> None:
    people = [bitshares.dev_account("alice", satoshi=5)]
    first = bitshares.seed(tmp_path / "a", accounts=people, at=NEW_YEAR)

    assert bitshares.seed(tmp_path / "b", accounts=people, at=NEW_YEAR) == first
    assert bitshares.seed(tmp_path / "c", accounts=people, at=NEW_YEAR, name="other") != first
    assert bitshares.seed(tmp_path / "d", accounts=[], at=NEW_YEAR) != first
    assert len(first) == 64


def test_a_chain_is_never_seeded_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="already a file"):
        bitshares.seed(tmp_path / "notes.txt", accounts=[])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_that_is_no_chain_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine" * 500)
    with pytest.raises(ChainUnreachable, match="is not a BitShares rehearsal node"):
        bitshares.status(tmp_path / "notes.txt")
    with pytest.raises(ChainUnreachable, match="there is no rehearsal node"):
        bitshares.status(tmp_path / "missing")


@pytest.mark.parametrize("name", ["Alice", "", "committee-account", "a b", "bob"])
def test_a_name_that_is_no_name_or_taken_is_refused(tmp_path: Path, name: str) -> None:
    key = bitshares.dev_public("x", "active")
    people = [bitshares.dev_account("bob"), bitshares.Account(name, key, key)]
    with pytest.raises(BadInput):
        bitshares.seed(tmp_path / "a", accounts=people)
    assert not (tmp_path / "a").exists()


def test_an_account_can_join_later(bench: Bench) -> None:
    assert bitshares.add_account(bench.path, bitshares.dev_account("carol", satoshi=10**6)) == "1.2.9"
    with pytest.raises(BadInput, match="already an account carol"):
        bitshares.add_account(bench.path, bitshares.dev_account("carol"))
    bench.send("carol", "bob", 5)
    bench.produce()

    assert bench.holds("bob") == BOB + 5
