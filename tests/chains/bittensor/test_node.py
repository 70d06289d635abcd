"""The Bittensor adapter over the SDK's real connection, to a node behind a websocket: the same contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chains import node as nodes
from tests.chains.conftest import adapter
from tests.chains.contract import *  # noqa: F403 - the contract's tests run here
from tests.chains.contract import Stage
from valtrac.chains.bittensor import connect, swaps
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused


@pytest.fixture
def node(chain_file: Path) -> Iterator[nodes.Node]:
    with nodes.running(chain_file) as running:
        yield running


@pytest.fixture
def stage(node: nodes.Node, stage_on: Callable[[connect.BittensorChain], Stage]) -> Stage:
    return stage_on(connect.open_node(node.url, network="test", timeout_s=10))


def test_only_the_endpoints_that_were_named_are_used() -> None:
    chain = connect.open_node("ws://a", network="x", fallbacks=["ws://b"], archives=["ws://c"])

    assert (
        chain.substrate.endpoint,
        chain.substrate.fallback_endpoints,
        chain.substrate.archive_endpoints,
        chain.substrate.retry_forever,
    ) == ("ws://a", ["ws://b"], ["ws://c"], False)
    plain = connect.open_node("ws://a", network="x")
    assert (plain.substrate.fallback_endpoints, plain.substrate.archive_endpoints) == ([], [])


@pytest.mark.parametrize("url", ["http://a", "", "finney", "wss//a"])
def test_what_is_no_address_of_a_node_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        connect.open_node(url, network="x")
    with pytest.raises(BadInput):
        connect.open_node("wss://good", network="x", archives=[url])


def test_a_node_that_is_not_there_is_unreachable() -> None:
    chain = connect.open_node("ws://127.0.0.1:9", network="nowhere", timeout_s=5)

    with pytest.raises(ChainUnreachable, match="nowhere"):
        chain.identity()
    chain.close()


def test_a_node_that_says_nothing_is_unreachable_after_the_timeout(
    node: nodes.Node, chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage]
) -> None:
    stage = stage_on(connect.open_node(node.url, network="test", timeout_s=30))
    tx = stage.sign(1_000_000)
    node.silent = True
    adapter(stage).timeout_s = 0.5

    with pytest.raises(ChainUnreachable, match=r"0\.5 s"):
        stage.chain.finalized()
    with pytest.raises(OutcomeUnknown):
        stage.payer.broadcast(tx.raw)


def test_an_answer_that_comes_after_the_node_was_back_is_believed_again(stage: Stage, node: nodes.Node) -> None:
    head = stage.chain.finalized()
    node.silent = True
    adapter(stage).timeout_s = 0.3
    with pytest.raises(ChainUnreachable):
        stage.chain.finalized()

    node.silent, adapter(stage).timeout_s = False, 10
    assert stage.chain.finalized() == head


def test_the_next_index_is_asked_of_the_node_every_time(stage: Stage, node: nodes.Node) -> None:
    for _ in range(3):
        stage.chain.next_index(stage.payer.address)

    assert node.asked.count("account_nextIndex") == 3


def test_announced_swaps_are_read_page_by_page_from_two_maps(
    stage: Stage, node: nodes.Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swaps, "PAGE_KEYS", 3)
    names = [f"mover{n}" for n in range(7)]
    for name in names:
        stage.announce(name)
    stage.advance(3)

    assert stage.swapping(*names, "ann") == names
    assert node.asked.count("state_getKeysPaged") == 4 + 1


@pytest.mark.parametrize(
    "answer",
    [
        {"result": None},
        {"result": {}},
        "0x",
        [None],
        ["0x" + "11" * 72],
        ["0x" + swaps.MAPS["ColdkeySwapAnnouncements"].hex()],
        ["0x" + swaps.MAPS["ColdkeySwapAnnouncements"].hex() + "11" * 40],  # page after page the same
        {"error": {"code": -32601, "message": "Method not found"}},
        {"error": {"code": -32000, "message": "Client error: UnknownBlock"}},
    ],
)
def test_announced_swaps_in_a_shape_that_cannot_be_are_not_believed(
    stage: Stage, node: nodes.Node, answer: Any
) -> None:
    head = stage.chain.finalized()
    node.garble["state_getKeysPaged"] = answer

    with pytest.raises(ChainUnreachable):
        stage.chain.swaps_announced([stage.payer.address], head)


def test_the_sdk_never_sends_a_transaction_twice(stage: Stage, node: nodes.Node) -> None:
    tx = stage.sign(1_000_000)
    stage.misbehave(lose_reply=1)
    with pytest.raises(OutcomeUnknown):
        stage.payer.broadcast(tx.raw)
    stage.chain.finalized()

    assert node.asked.count("author_submitExtrinsic") == 1


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32603, "message": "Internal error"},
        {"code": 429, "message": "rate limit exceeded"},
        {"code": -32000, "message": "upstream timed out"},
    ],
)
def test_an_error_that_is_no_verdict_of_the_pool_is_unknown(
    stage: Stage, node: nodes.Node, error: dict[str, Any]
) -> None:
    tx = stage.sign(1_000_000)
    node.garble["author_submitExtrinsic"] = {"error": error}

    with pytest.raises(OutcomeUnknown):
        stage.payer.broadcast(tx.raw)


def test_a_verdict_of_the_pool_is_a_refusal(stage: Stage, node: nodes.Node) -> None:
    tx = stage.sign(1_000_000)
    node.garble["author_submitExtrinsic"] = {"error": {"code": 1012, "message": "Transaction is temporarily banned"}}

    with pytest.raises(Refused) as refused:
        stage.payer.broadcast(tx.raw)
    assert "banned" in refused.value.why


def test_a_transaction_taken_under_another_id_is_unknown(stage: Stage, node: nodes.Node) -> None:
    tx = stage.sign(1_000_000)
    node.garble["author_submitExtrinsic"] = "0x" + "33" * 32

    with pytest.raises(OutcomeUnknown):
        stage.payer.broadcast(tx.raw)


HEADER = {"parentHash": "0x" + "11" * 32, "number": "0x5", "stateRoot": "0x", "extrinsicsRoot": "0x", "digest": {}}


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("chain_getBlockHash", None),
        ("chain_getBlockHash", "0x12"),
        ("chain_getBlockHash", 7),
        ("chain_getBlockHash", "0x" + "zz" * 32),
        ("chain_getBlock", None),
        ("chain_getBlock", {"result": {}}),
        ("chain_getBlock", []),
        ("chain_getBlock", {"result": {"block": {"header": HEADER, "extrinsics": ["0x280502000b7e817aa7a001"]}}}),
        ("chain_getBlock", {"result": {"block": {"header": {**HEADER, "number": "0x1"}, "extrinsics": ["0x0405"]}}}),
        ("chain_getBlock", {"result": {"block": {"header": {**HEADER, "number": "0x1"}, "extrinsics": ["zz"]}}}),
        ("chain_getBlock", {"result": {"block": {"header": {**HEADER, "number": "0x1"}, "extrinsics": [None]}}}),
        ("chain_getBlock", {"result": {"block": {"header": {**HEADER, "number": "-0x1"}, "extrinsics": []}}}),
        ("chain_getBlock", {"error": {"code": -32000, "message": "no \x1b[2J"}}),
    ],
)
def test_a_block_in_a_shape_that_cannot_be_is_not_believed(
    stage: Stage, node: nodes.Node, method: str, answer: Any
) -> None:
    stage.advance(4)
    assert stage.chain.block(1).head.number == 1
    node.garble[method] = answer

    with pytest.raises(ChainUnreachable) as unreachable:
        stage.chain.block(1)
    assert "\x1b" not in unreachable.value.why


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("account_nextIndex", None),
        ("account_nextIndex", "3"),
        ("account_nextIndex", -1),
        ("account_nextIndex", 1.0),
        ("account_nextIndex", True),
    ],
)
def test_a_nonce_that_is_no_number_is_not_believed(stage: Stage, node: nodes.Node, method: str, answer: Any) -> None:
    node.garble[method] = answer

    with pytest.raises(ChainUnreachable):
        stage.chain.next_index(stage.payer.address)


def test_a_finalized_head_of_another_branch_is_not_believed(stage: Stage, node: nodes.Node) -> None:
    stage.advance(5)
    node.garble["chain_getBlockHash"] = "0x" + "44" * 32

    with pytest.raises(ChainUnreachable, match="cannot be trusted"):
        stage.chain.finalized()


def test_without_a_fee_there_is_no_guess(stage: Stage, node: nodes.Node) -> None:
    node.garble["state_call"] = {"error": {"code": -32000, "message": "wasm trap"}}

    with pytest.raises(ChainUnreachable):
        stage.chain.estimate_fee(stage.payer.address, stage.pays(1000))


def test_nothing_is_written_into_the_home_folder(node: nodes.Node, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    home = tmp_path / "home"
    home.mkdir()
    code = (
        "from valtrac.chains.bittensor.connect import open_node; import sys; c = open_node(sys.argv[1], network='t');"
        "c.finalized(); c.limits(); c.close()"
    )
    environment = {**os.environ, "HOME": str(home)}
    environment.pop("BITTENSOR_RUNTIME_CACHE_DIR", None)
    subprocess.run(
        [sys.executable, "-c", code, node.url], env=environment, cwd=Path(__file__).parents[3], check=True, timeout=60
    )

    assert [path for path in home.rglob("*") if "bittensor" in str(path.relative_to(home))] == []
