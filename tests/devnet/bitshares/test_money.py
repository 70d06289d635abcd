"""Money on the rehearsal node: what is moved, what it costs, and that nothing is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.devnet.bitshares.conftest import ALICE, BOB, BTS, CUSTODIAN, Bench
from valtrac.core.errors import BadInput
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import NodeError

FEE = 86869


def test_a_transfer_moves_its_amount_and_burns_the_fee(bench: Bench) -> None:
    bench.send("alice", "bob", 7 * BTS)
    bench.produce()

    assert bench.holds("alice") == ALICE - 7 * BTS - FEE
    assert bench.holds("bob") == BOB + 7 * BTS
    assert bitshares.fees_burned(bench.path) == FEE


def test_a_memo_is_paid_by_the_byte_as_on_the_real_chain(bench: Bench) -> None:
    bench.send("alice", "bob", 1, "x" * 20)  # 32 bytes of ciphertext, as in the recorded frames
    bench.produce()

    assert bitshares.fees_burned(bench.path) == 91958


def test_what_waits_counts_for_the_node_and_not_for_the_block(bench: Bench) -> None:
    bench.send("alice", "bob", 7 * BTS)

    assert bench.holds("bob") == BOB
    assert bench.holds("bob", pending=True) == BOB + 7 * BTS
    asked = bench.client.call("get_account_balances", "bob", ["1.3.0"])
    assert asked == [{"amount": BOB + 7 * BTS, "asset_id": "1.3.0"}]


def test_money_that_only_waits_can_be_sent_on(bench: Bench) -> None:
    bench.send("alice", "bob", 1000 * BTS)
    bench.send("bob", "custodian", 1000 * BTS)
    bench.produce()

    assert bench.holds("custodian") == CUSTODIAN + 1000 * BTS


def test_more_than_there_is_cannot_be_sent(bench: Bench) -> None:
    with pytest.raises(NodeError, match=r"Insufficient Balance: 50.00000 BTS, unable to transfer"):
        bench.send("bob", "alice", BOB + 1)
    with pytest.raises(NodeError, match=r"Insufficient Balance: bob's balance of 50.00000 BTS is less than required"):
        bench.send("bob", "alice", BOB)


def test_the_last_satoshi_can_be_sent(bench: Bench) -> None:
    bench.send("bob", "alice", BOB - FEE)
    bench.produce()

    assert bench.holds("bob") == 0


def test_a_fee_one_satoshi_too_small_is_refused(bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)])
    trx["operations"][0][1]["fee"]["amount"] = FEE - 1
    with pytest.raises(NodeError, match="Insufficient Fee Paid") as refused:
        bench.push(bench.client.sign(trx, ["alice"]))

    assert (refused.value.code, refused.value.name) == (3050002, "insufficient_fee")


@pytest.mark.parametrize("satoshi", [0, -5])
def test_nothing_and_less_than_nothing_cannot_be_sent(bench: Bench, satoshi: int) -> None:
    with pytest.raises(NodeError, match=r"amount\.amount > 0"):
        bench.send("alice", "bob", satoshi)


def test_nobody_can_send_to_himself(bench: Bench) -> None:
    with pytest.raises(NodeError, match="from != to"):
        bench.send("alice", "alice", 5)


def test_several_transfers_in_one_transaction_happen_all_or_not_at_all(bench: Bench) -> None:
    with pytest.raises(NodeError, match="Insufficient Balance"):
        bench.client.transfers([("alice", "custodian", 5 * BTS, None), ("bob", "custodian", BOB + 1, None)])
    assert bench.status["pool"] == 0

    bench.client.transfers([("alice", "bob", 100 * BTS, None), ("bob", "custodian", 120 * BTS, None)])
    bench.produce()

    assert bench.holds("bob") == BOB - 20 * BTS - FEE
    assert len(bench.block()["transactions"][0]["operations"]) == 2


def test_money_spent_before_it_came_for_good_is_not_spent_when_the_branch_falls(bench: Bench) -> None:
    came = bench.send("alice", "bob", 100 * BTS)
    bench.produce()
    spent = bench.send("bob", "custodian", 120 * BTS)
    bitshares.fork(bench.path, 1, keep=False)
    bench.produce()

    assert (bench.where(came), bench.where(spent)) == (None, None)
    assert bench.holds("bob") == BOB


def test_amounts_beyond_32_and_53_bits_are_exact(tmp_path: Path) -> None:
    path, much = tmp_path / "rich.sqlite", (1 << 61) + 1
    bitshares.seed(path, accounts=[bitshares.dev_account("rich", satoshi=much), bitshares.dev_account("till")])
    bitshares.transfer(path, "rich", "till", much - FEE)
    bitshares.produce(path)

    assert bitshares.balances(path) == {"rich": 0, "till": much - FEE}
    block = bitshares.Client(path).call("get_block", bitshares.status(path)["head"])
    assert block["transactions"][0]["operations"][0][1]["amount"]["amount"] == str(much - FEE)


def test_money_out_of_nowhere_is_there_at_once_and_written_down(bench: Bench) -> None:
    bench.send("alice", "bob", 5)
    bitshares.fund(bench.path, "bob", 11)

    assert bench.holds("bob") == BOB + 11
    assert bench.holds("bob", pending=True) == BOB + 16
    assert bitshares.funded(bench.path) == ALICE + BOB + CUSTODIAN + 11
    with pytest.raises(BadInput):
        bitshares.fund(bench.path, "bob", 1 << 62)


def test_no_satoshi_is_lost_in_a_wild_life(bench: Bench) -> None:
    draw, names = random.Random(7), ["alice", "bob", "custodian"]
    for _ in range(150):
        sender, receiver = draw.sample(names, 2)
        try:
            match draw.randrange(6):
                case 0:
                    bench.produce(draw.randrange(1, 4), gap_s=draw.choice([0, 0, 30]))
                case 1:
                    bitshares.fork(bench.path, draw.randrange(1, 3), keep=draw.random() < 0.5)
                case 2:
                    bitshares.fund(bench.path, receiver, draw.randrange(1, 10 * BTS))
                case 3:
                    bench.client.foreign(sender, receiver, draw.randrange(1, 50 * BTS))
                case _:
                    bench.send(sender, receiver, draw.randrange(1, 400_000 * BTS), draw.choice([None, "stop"]))
        except (NodeError, BadInput):
            pass
        assert bench.nothing_is_lost()
    assert bitshares.fees_burned(bench.path) > 10 * FEE


def test_a_transaction_that_fails_halfway_in_a_block_leaves_nothing_behind(bench: Bench) -> None:
    bench.send("alice", "bob", 100 * BTS)
    spent = bench.client.transfers([("bob", "custodian", 30 * BTS, None), ("bob", "custodian", 100 * BTS, None)])
    other = bench.client.transfer("bob", "custodian", 10 * BTS)
    bitshares.reauthorize(bench.path, "alice", key_weights={bitshares.dev_public("bob"): 1})
    bench.produce()

    assert bench.where(spent) is None
    assert bench.where(other) == bench.status["head"]
    assert bench.holds("custodian") == CUSTODIAN + 10 * BTS
