"""The BitShares adapter on the rehearsal node: as much of the contract as holds there, and the seven stories."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC
from itertools import pairwise

import pytest

from tests.chains.bitshares.chain_world import World
from tests.chains.contract import (  # noqa: F401 - these tests of the contract run here
    test_a_block_that_is_not_there_is_no_answer,
    test_a_lost_reply_is_unknown_and_the_chain_tells_afterwards,
    test_a_node_of_another_chain_shows_by_its_genesis,
    test_an_account_that_does_not_exist_has_nothing,
    test_an_extrinsic_that_a_block_does_not_hold_has_no_outcome_there,
    test_bytes_that_are_no_transaction_are_not_decoded,
    test_nothing_and_zero_are_not_signed,
    test_the_secret_does_not_show_in_a_signed_transaction,
    test_what_is_no_address_is_not_asked_for,
)
from valtrac.core.chain import Identity
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused
from valtrac.devnet import bitshares
from valtrac.ports import CustodianChain, Payer


def test_it_is_a_custody_and_a_payer(world: World) -> None:
    chain: CustodianChain = world.chain
    payer: Payer = world.payer

    assert payer.address == world.ids["custodian"]
    assert not any(hasattr(chain, name) for name in ("nonce", "next_index", "signer", "delegate", "swaps_announced"))


def test_the_chain_is_known_by_its_chain_id(world: World) -> None:
    identity = world.chain.identity()

    assert identity == Identity("devnet", identity.genesis_hash, 0)
    assert len(bytes.fromhex(identity.genesis_hash)) == 32


def test_irreversible_blocks_are_linked_and_dated_in_utc(world: World) -> None:
    world.produce(7)
    head = world.chain.finalized()
    blocks = [world.chain.block(number) for number in range(1, head.number + 1)]

    assert blocks[-1].head == head
    assert head.number == bitshares.status(world.path)["lib"]
    for old, new in pairwise(blocks):
        assert (new.head.number, new.head.parent_hash) == (old.head.number + 1, old.head.hash)
        assert new.head.at > old.head.at and new.head.at.tzinfo is UTC


def test_the_head_block_is_known_by_the_id_that_the_node_tells(world: World) -> None:
    world.produce(3)
    number = world.chain.finalized().number + 2

    before = world.chain.block(number).head
    world.produce(1)
    assert world.chain.block(number).head == before


def test_what_is_sent_is_paid_once_it_is_irreversible(world: World) -> None:
    tx = world.sign()
    world.payer.broadcast(tx.raw)
    world.produce(1)
    assert world.settle(tx) == "unknown"
    world.produce(3)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_crash_before_the_broadcast_loses_nothing(world: World) -> None:
    tx = world.sign()
    assert world.settle(tx) == "unknown"
    world.payer.broadcast(tx.raw)
    world.produce(4)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_lost_reply_and_the_same_bytes_again_pay_once(world: World) -> None:
    tx = world.sign()
    bitshares.misbehave(world.path, lose_reply=1)

    assert world.fails_to_send(tx) is OutcomeUnknown
    assert world.fails_to_send(tx) is Refused
    world.produce(4)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_what_expired_is_dead_and_may_be_signed_anew(world: World) -> None:
    tx = world.sign(period=30)
    world.produce(11)
    assert world.settle(tx) == "unknown"  # the head is past it, but no irreversible block is
    world.produce(4)
    assert world.settle(tx) == "dead"
    assert world.fails_to_send(tx) is Refused

    again = world.sign()
    assert again.tx_id != tx.tx_id
    world.payer.broadcast(again.raw)
    world.produce(4)
    assert (world.settle(again), world.got()) == ("paid", 500_000)


def test_a_block_one_interval_after_the_expiration_may_still_hold_it(world: World) -> None:
    tx = world.sign(period=3)
    world.produce(1)
    world.payer.broadcast(tx.raw)
    world.produce(5)

    (where,) = [
        view.head
        for view in map(world.chain.block, range(1, world.chain.finalized().number + 1))
        if tx.tx_id in view.tx_ids
    ]
    assert where.at.timestamp() - tx.valid_until == 3
    assert not world.chain.over(tx.valid_until, where.number - 1)
    assert world.chain.over(tx.valid_until, where.number)
    assert world.settle(tx) == "paid"


@pytest.mark.parametrize("keep", [True, False])
def test_a_fork_takes_the_block_away_and_the_same_bytes_pay_once(world: World, keep: bool) -> None:
    tx = world.sign()
    world.payer.broadcast(tx.raw)
    world.produce(2)
    head = next(view.head for view in map(world.chain.block, (2, 3, 4, 5)) if tx.tx_id in view.tx_ids)
    bitshares.fork(world.path, 2, keep=keep)

    assert world.settle(tx) == "unknown"
    with pytest.raises(ChainUnreachable):
        world.chain.outcome(tx.tx_id, head)
    if keep:
        assert world.fails_to_send(tx) is Refused
    else:
        world.payer.broadcast(tx.raw)
    world.produce(5)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_block_that_may_still_be_undone_ends_nothing(world: World) -> None:
    tx = world.sign(period=3)
    last = world.chain.finalized().number
    world.produce(2)

    assert not world.chain.over(tx.valid_until - 600, last + 4)
    assert world.chain.over(tx.valid_until - 600, last)


def test_importing_the_adapter_loads_no_library() -> None:
    program = (
        "import sys, valtrac.chains.bitshares; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('bitshares', 'bitsharesbase', 'graphenebase', 'websocket', 'websockets', 'ecdsa')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
