"""What is read from BitShares: names, transfers, memos, and how fast."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.chains.bitshares.chain_world import NOBODY, NULL_KEY, World
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.rpc import Rpc
from valtrac.core.chain import Named, SealedMemo
from valtrac.core.errors import ChainUnreachable
from valtrac.devnet import bitshares
from valtrac.ports import NoKey, Unreadable


def test_accounts_are_found_by_name_and_by_id(world: World) -> None:
    custodian = Named(world.ids["custodian"], "custodian", True)

    assert world.chain.named(["custodian", "nobody"]) == {"custodian": custodian}
    assert world.chain.accounts([custodian.id, NOBODY]) == {custodian.id: custodian}
    assert world.chain.named(["alice"])["alice"].lifetime is False
    with pytest.raises(ValueError):
        world.chain.accounts(["alice"])


def test_transfers_tell_every_block_once_and_only_what_touches_the_account(world: World) -> None:
    bitshares.transfer(world.path, "bob", "custodian", 2_500_000_000, "three_months")
    bitshares.transfer(world.path, "bob", "alice", 5, "not ours")
    world.produce(1)
    bitshares.foreign(world.path, "bob", "custodian", 11)
    world.produce(4)
    last = world.chain.finalized().number
    blocks = list(world.chain.transfers(1, last, world.ids["custodian"]))

    assert [block.number for block in blocks] == list(range(1, last + 1))
    found = [one for block in blocks for one in block.transfers]
    assert [(one.sender, one.units, one.op, bool(one.tx_id)) for one in found] == [
        (world.ids["bob"], 2_500_000_000, 0, True),
        (world.ids["bob"], 11, 1, False),
    ]
    assert found[0].memo is not None
    assert (world.chain.read_memo(found[0].memo), found[1].memo) == ("three_months", None)
    for block, after in pairwise(blocks):
        assert after.previous == world.chain.block(block.number).head.hash


def test_a_block_that_is_missing_ends_the_stream(world: World) -> None:
    blocks = world.chain.transfers(1, 1_000, world.ids["alice"])
    with pytest.raises(ChainUnreachable):
        list(blocks)


def test_blocks_that_do_not_follow_are_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.produce(5)
    good = list(world.chain.rpc.stream("get_block", [(n,) for n in (1, 2, 3)]))
    other = "0000000999" + "0" * 30
    shapes: tuple[Any, ...] = (
        {**good[1], "previous": other},
        {**good[1], "timestamp": "2001-01-01T00:00:00"},
        {**good[1], "timestamp": "soon"},
        {**good[1], "transactions": [{"operations": [[0, {"from": 5}]]}]},
        {**good[1], "transactions": 7},
        None,
        [],
    )
    for bad in shapes:
        monkeypatch.setattr(world.chain.rpc, "stream", lambda *_, bad=bad: (one for one in (good[0], bad, good[2])))
        with pytest.raises(ChainUnreachable):
            list(world.chain.transfers(1, 3, world.ids["alice"]))


def test_other_questions_may_be_asked_between_two_blocks(world: World) -> None:
    world.produce(300)
    last = world.chain.finalized().number
    seen = []
    for block in world.chain.transfers(1, last, world.ids["alice"]):
        seen.append(block.number)
        if block.number % 50 == 0:
            assert world.chain.named(["bob"])["bob"].name == "bob"
    assert seen == list(range(1, last + 1))


def test_memos_that_cannot_be_read_say_why(world: World) -> None:
    bitshares.transfer(world.path, "bob", "custodian", 5, "three_months")
    world.produce(4)
    last = world.chain.finalized().number
    (transfer,) = [one for b in world.chain.transfers(1, last, world.payer.address) for one in b.transfers]
    memo, alice = transfer.memo, bitshares.dev_public("alice", "memo")

    assert memo is not None
    assert world.chain.read_memo(memo) == "three_months"
    own = replace(memo, sender_key=memo.receiver_key, receiver_key=memo.sender_key)
    assert world.chain.read_memo(own) == "three_months"  # written by us: the same secret from the other side
    for change in (
        {"nonce": "1"},
        {"nonce": ""},
        {"nonce": "-4"},
        {"nonce": "9" * 30},
        {"message": "00"},
        {"message": "zz"},
        {"message": ""},
        {"message": "00" * 16},
        {"message": "é"},
        {"sender_key": "BTS1"},
        {"sender_key": ""},
        {"sender_key": NULL_KEY},
    ):
        with pytest.raises(Unreadable):
            world.chain.read_memo(replace(memo, **change))
    for foreign in (replace(memo, receiver_key=alice, sender_key=alice), SealedMemo("", "", "", "")):
        with pytest.raises(NoKey):
            world.chain.read_memo(foreign)
    world.chain.keys = None
    with pytest.raises(NoKey):
        world.chain.read_memo(memo)


def test_while_locked_payments_are_read_back_without_words(world: World) -> None:
    tx = world.sign()
    world.chain.keys = None

    assert world.chain.decode(tx.raw).payments == (world.pay(memo=""),)


def test_what_is_read_is_nearly_as_fast_as_the_bare_stream(path: Path) -> None:
    """Printed with -s: blocks per second of the processor, bare and with everything checked."""
    from time import process_time

    bitshares.produce(path, 1_000)
    server = bitshares.serve(path)
    chain = connect.open_node([server.url], network="x", timeout_s=20)
    last = chain.finalized().number
    rates = []
    for read in (
        lambda: chain.rpc.stream("get_block", ((n,) for n in range(1, last + 1))),
        lambda: chain.transfers(1, last, "1.2.6"),
    ):
        start = process_time()
        count = sum(1 for _ in read())
        rates.append(count / (process_time() - start))
    print(f"bare {rates[0]:.0f}/s, checked {rates[1]:.0f}/s")
    assert rates[1] > rates[0] / 4
    assert isinstance(chain.rpc, Rpc)
    chain.close()
    server.close()
