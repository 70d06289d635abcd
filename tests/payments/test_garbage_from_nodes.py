"""A node that answers garbage, or what cannot be so: said in words, and nobody is paid twice."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.once import Meddling, assert_paid_once, tried
from tests.payments.doorway import Answering, handing, ready, sent_by
from tests.payout_world import World
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.payments.model.batches import Batch
from valtrac.ports import Payer

GARBAGE: tuple[object, ...] = (None, "garbage", -1, b"\xff", 3.5, [], {}, True, 2**70)


class Substrate:
    """The connection to a node that answers one question, asked raw or through the SDK, with garbage."""

    def __init__(self, real: Any, question: str) -> None:
        self._real, self._question = real, question
        self.garbage: list[object] = []
        self.raw = self

    def __getattr__(self, name: str) -> Any:
        if name == "rpc_request":
            return self._rpc_request
        if not hasattr(self._real, name):
            return getattr(self._real.raw, name)
        if name != self._question:
            return getattr(self._real, name)
        return self._answer

    async def _answer(self, *args: object, **named: object) -> Any:
        if self.garbage:
            return self.garbage[-1]
        return await getattr(self._real, self._question)(*args, **named)

    async def _rpc_request(self, method: str, params: list[object]) -> Any:
        answer = await self._real.raw.rpc_request(method, params)
        return self.garbage[-1] if self.garbage and method == self._question else answer


QUESTIONS = (
    "spec_version",
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getBlock",
    "chain_getHeader",
    "state_getReadProof",
    "query",
    "account_nextIndex",
    "constant",
    "estimate_fee",
    "decode_scale",
    "prepare",
    "events",
    "state_getKeysPaged",
    "author_submitExtrinsic",
)
# an empty page of keys is an answer; a header came with its block; accounts, events and calls are read from proofs and
# bytes, whatever is said of them; bytes are handed over once something is out
HARMLESS_AT_FIRST = {
    "state_getKeysPaged",
    "chain_getHeader",
    "query",
    "decode_scale",
    "events",
    "author_submitExtrinsic",
}


@pytest.mark.parametrize("moment", ["from the start", "once the first bytes are out"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_garbage_from_a_node_is_said_in_words_and_pays_nobody_twice(world: World, question: str, moment: str) -> None:
    batch = ready(world)
    substrate = world.app.chain.substrate
    lying = Substrate(substrate, question)
    world.app.chain.substrate = lying
    for value in GARBAGE:
        if moment == "from the start":
            lying.garbage = [value]

        def hand(payer: Payer, raw: bytes, value: object = value) -> None:
            payer.broadcast(raw)
            lying.garbage = [value]

        with suppress(ValtracError):
            sent_by(world, Meddling(world.app.unlock(), hand), batch, patience_s=3)
    if moment == "from the start" and question not in HARMLESS_AT_FIRST:
        assert tried(world, batch) == []
    world.app.chain.substrate = substrate
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_runtime_that_allows_no_payments_at_all_is_not_believed(world: World) -> None:
    batch = ready(world)
    real = world.app.chain.substrate
    lying = Substrate(real, "constant")
    lying.garbage = [0]
    world.app.chain.substrate = lying
    with pytest.raises(ChainUnreachable):
        sent_by(world, world.app.unlock(), batch)


PORT = (
    "identity",
    "finalized",
    "block",
    "account",
    "swaps_announced",
    "next_index",
    "limits",
    "estimate_fee",
    "decode",
    "outcome",
)


@pytest.mark.parametrize("once_out", [False, True], ids=["from the start", "once the first bytes are out"])
@pytest.mark.parametrize("method", PORT)
def test_a_broken_port_pays_nobody_twice(world: World, method: str, once_out: bool) -> None:
    batch = ready(world)
    _break(world, batch, method, once_out, Exception)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize(
    ("method", "once_out"),
    [
        pytest.param(
            method,
            once_out,
        )
        for method in PORT
        for once_out in (False, True)
    ],
)
def test_a_broken_port_is_said_in_words(world: World, method: str, once_out: bool) -> None:
    _break(world, ready(world), method, once_out, ValtracError)


def _break(world: World, batch: Batch, method: str, once_out: bool, allowed: type[Exception]) -> None:
    """Send through a port that returns garbage of several kinds, one after another."""
    for value in (None, "garbage", -1, b"\xff"):
        payer = Meddling(world.app.unlock(), handing)

        def answer(_real: object, value: object = value) -> object:
            return value

        def out(payer: Meddling = payer) -> bool:
            return bool(payer.handed) or not once_out

        broken = Answering(world.app.chain, method, answer, out)
        with suppress(allowed):
            sent_by(world, payer, batch, chain=broken, patience_s=3)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("identity", {"spec_version": -1}),
        ("identity", {"genesis_hash": ""}),
        ("finalized", {"number": -1}),
        ("finalized", {"number": 0}),
        ("finalized", {"hash": "0x" + "00" * 32}),
        ("account", {"free_units": -1}),
        ("account", {"nonce": -1}),
        ("account", {"nonce": 7}),
        ("limits", {"max_payments": 1}),
        ("decode", {"payments": ()}),
        ("decode", {"nonce": -1}),
        ("decode", {"era_period": 4}),
        ("decode", {"all_or_nothing": False}),
        ("decode", {"tx_id": ""}),
        ("outcome", {"fee_units": "much"}),
        ("outcome", {"items": None}),
    ],
    ids=str,
)
def test_answers_of_the_right_shape_that_cannot_be_so_pay_nobody_twice(
    world: World, method: str, changes: dict[str, object]
) -> None:
    batch = ready(world)
    chain = Answering(world.app.chain, method, lambda real: real and replace(real, **changes), lambda: True)
    with suppress(ValtracError):
        sent_by(world, world.app.unlock(), batch, chain=chain, patience_s=5)
    world.send(batch)
    assert_paid_once(world, batch)
