"""BitShares nodes in trouble: no answer, no answer in time, an answer of any shape, another chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chains.bitshares.chain_world import World
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares import keys as account_keys
from valtrac.core.chain import Head, Payment
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.devnet import bitshares


@pytest.fixture(params=["over a websocket", "within the process"])
def chain(
    request: pytest.FixtureRequest, chain: connect.BitSharesChain, path: Path
) -> Iterator[connect.BitSharesChain]:
    if request.param == "over a websocket":
        yield chain
    else:
        within = connect.open_devnet(path, timeout_s=30)
        yield within
        within.close()


def questions(world: World) -> list[Callable[[], object]]:
    head, tx = world.chain.finalized(), world.sign()
    chain, payer = world.chain, world.payer.address
    return [
        chain.identity,
        chain.finalized,
        lambda: chain.block(head.number),
        lambda: chain.balance(payer, head),
        lambda: chain.outcome(tx.tx_id, head),
        lambda: chain.estimate_fee(payer, (world.pay(),)),
        lambda: chain.named(["alice"]),
        lambda: chain.accounts([payer]),
        lambda: list(chain.transfers(1, head.number, payer)),
        lambda: chain.over(0, 10**6),
        world.sign,
        lambda: connect.payer(chain, "alice", account_keys.dev_keys("alice")),
    ]


@pytest.mark.parametrize("fault", ["down", "garbage", "error"])
def test_a_node_in_trouble_gives_no_answer_and_no_other_error(world: World, fault: str) -> None:
    asked, tx = questions(world), world.sign()
    bitshares.misbehave(world.path, **{fault: True})

    for question in asked:
        with pytest.raises(ChainUnreachable) as unreachable:
            question()
        assert unreachable.value.moved == "no"
    with pytest.raises(OutcomeUnknown):
        world.payer.broadcast(tx.raw)
    bitshares.clear(world.path)
    assert isinstance(world.chain.finalized(), Head)


def test_a_node_that_never_answers_does_not_hang(path: Path, chain: connect.BitSharesChain) -> None:
    payer = connect.payer(chain, "custodian", account_keys.dev_keys("custodian"))
    alice = chain.named(["alice"])["alice"].id
    tx = payer.sign((Payment(alice, 5),), nonce=0, period=60)

    bitshares.misbehave(path, hang={"get_block_header": 1, "broadcast_transaction": 1})
    chain.rpc.timeout_s = 0.5
    with pytest.raises(ChainUnreachable, match=r"0\.5 s"):
        chain.finalized()
    with pytest.raises(OutcomeUnknown, match="reply was lost"):
        payer.broadcast(tx.raw)
    bitshares.produce(path, 4)
    assert bitshares.balances(path)["alice"] == 5


def test_a_reply_to_another_question_is_passed_over(world: World) -> None:
    bitshares.misbehave(world.path, wrong_id=3)

    assert world.chain.identity().genesis_hash
    assert world.chain.finalized() == world.chain.finalized()


@pytest.mark.parametrize("answer", [None, 5, "x", [], {}, [None], [[]], {"chain_id": 7}, [{"amount": -1}], True, 1.5])
def test_whatever_shape_an_answer_has_only_one_error_comes_out(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    asked = questions(world)[:-2]
    monkeypatch.setattr(world.chain.rpc, "call", lambda *_: answer)
    monkeypatch.setattr(world.chain.rpc, "stream", lambda *_: (answer for _ in range(9)))

    for question in asked:
        try:
            question()
        except (ChainUnreachable, Refused):
            continue
        assert answer in (None, [None], []), question  # "there is no such account" is an answer


def test_a_network_called_mainnet_must_be_the_real_one(path: Path) -> None:
    server = bitshares.serve(path)
    chain = connect.open_node([server.url], network="mainnet", timeout_s=5)
    with pytest.raises(ChainUnreachable) as other:
        chain.identity()
    assert "another chain" in other.value.why
    chain.close()
    server.close()


def test_a_second_node_of_another_chain_is_never_used(path: Path, tmp_path: Path) -> None:
    ours, theirs = bitshares.serve(path), None
    other = tmp_path / "other.sqlite"
    bitshares.seed(other, name="other", accounts=[bitshares.dev_account("alice")], pace="manual")
    theirs = bitshares.serve(other)
    chain = connect.open_node([ours.url, theirs.url], network="test", timeout_s=5)
    first = chain.identity().genesis_hash
    ours.close()

    with pytest.raises(ChainUnreachable) as wrong:
        chain.identity()
    assert "another chain" in wrong.value.why
    assert len(first) == 64
    chain.close()
    theirs.close()


def test_only_websockets_are_nodes() -> None:
    for urls in ([], ["http://example.org"], ["ws://ok", "example.org"]):
        with pytest.raises(BadInput):
            connect.open_node(urls, network="x", timeout_s=1)


def test_after_closing_nothing_is_answered_and_closing_again_is_no_error(world: World) -> None:
    world.chain.identity()
    world.chain.close()
    world.chain.close()

    assert world.chain.keys is None
    with pytest.raises(ChainUnreachable):
        world.chain.identity()
