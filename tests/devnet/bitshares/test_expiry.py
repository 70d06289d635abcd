"""How long a transaction may wait, what ties it to its branch, and how long the node remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.devnet.bitshares.conftest import BOB, Bench
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import NodeError, keys


def test_an_expired_transaction_is_refused(bench: Bench) -> None:
    with pytest.raises(NodeError, match=r"now <= trx\.expiration"):
        bench.send("alice", "bob", 5, expires_in_s=-1)


def test_more_than_a_day_ahead_is_refused(bench: Bench) -> None:
    bench.send("alice", "bob", 5, expires_in_s=86400)
    with pytest.raises(NodeError, match="maximum_time_until_expiration"):
        bench.send("alice", "bob", 6, expires_in_s=86401)


def test_a_block_stamped_one_interval_after_the_expiration_may_hold_it(bench: Bench) -> None:
    tx_id = bench.send("alice", "bob", 5, expires_in_s=0)
    bench.produce()

    trx = bench.block()["transactions"][0]
    assert trx["expiration"] < bench.block()["timestamp"]
    assert bench.where(tx_id) == bench.status["head"]


def test_the_block_after_that_may_not(bench: Bench) -> None:
    bitshares.misbehave(bench.path, hold_pool=True)
    tx_id = bench.send("alice", "bob", 5, expires_in_s=2)
    bench.produce()
    bitshares.misbehave(bench.path, hold_pool=False)
    bench.produce(3)

    assert bench.where(tx_id) is None
    assert bench.client.call("get_recent_transaction_by_id", tx_id) is None


def test_a_block_that_comes_late_still_takes_it(bench: Bench) -> None:
    tx_id = bench.send("alice", "bob", 5, expires_in_s=3)
    bench.produce(1, gap_s=600)

    assert bench.where(tx_id) == bench.status["head"]


def test_the_same_bytes_are_refused_while_the_node_remembers_them(bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)])
    bench.push(trx)
    for _ in range(3):
        with pytest.raises(NodeError, match="is already in the database") as refused:
            bench.push(trx)
        bench.produce()
    assert refused.value.code == 3030008

    bench.produce(30)
    with pytest.raises(NodeError, match=r"now <= trx\.expiration"):
        bench.push(trx)


def test_signing_anew_does_not_make_it_another_transaction(bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)])
    bench.push(trx)
    with pytest.raises(NodeError, match="already in the database"):
        bench.push(bench.client.sign(trx, ["bob"]))


def test_a_person_who_sends_the_same_twice_pays_twice(bench: Bench) -> None:
    assert bench.send("alice", "bob", 5) != bench.send("alice", "bob", 5)
    assert bench.client.foreign("alice") != bench.client.foreign("alice")
    bench.produce()

    assert bench.holds("bob") == BOB + 10


def test_a_recent_transaction_is_known_until_it_expires(bench: Bench) -> None:
    tx_id = bench.send("alice", "bob", 5)
    assert bench.client.call("get_recent_transaction_by_id", tx_id)["operations"][0][1]["to"] == "1.2.8"
    bench.produce(20)
    assert bench.client.call("get_recent_transaction_by_id", tx_id) is not None
    bench.produce(1)
    assert bench.client.call("get_recent_transaction_by_id", tx_id) is None


@pytest.mark.parametrize("change", [{"ref_block_prefix": 1}, {"ref_block_num": 2}, {"ref_block_num": 60000}])
def test_a_transaction_for_another_branch_is_refused(bench: Bench, change: dict[str, Any]) -> None:
    trx = {**bench.client.build([("alice", "bob", 5, None)], sign=False), **change}
    with pytest.raises(NodeError, match="tapos_block_summary"):
        bench.push(bench.client.sign(trx, ["alice"]))


def test_block_numbers_beyond_65535_are_found_by_their_low_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "late.sqlite"
    people = [bitshares.dev_account("alice", satoshi=10**9), bitshares.dev_account("bob")]
    bitshares.seed(path, accounts=people, first_block=60_693_001, pace="manual")
    bitshares.transfer(path, "alice", "bob", 5)
    with monkeypatch.context() as unsigned:  # who signed so many blocks is not asked here
        unsigned.setattr(keys, "sign", lambda *_, **__: b"\x1f" + bytes(64))
        bitshares.produce(path, 70_000)
    bitshares.transfer(path, "alice", "bob", 6)
    bitshares.produce(path)

    assert bitshares.balances(path)["bob"] == 11
    client = bitshares.Client(path)
    assert client.call("get_block", 60_693_000) is None
    assert client.call("get_block", 60_693_002)["previous"].startswith(f"{60_693_001:08x}")
