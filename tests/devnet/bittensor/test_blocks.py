"""Blocks: a chain by hash, produced by the clock or on demand, final after a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from bittensor.result import ChainError

from tests.devnet.bittensor.conftest import NOON, TAO, Bench, key, signed, who


def header(bench: Bench, number: int) -> dict[str, Any]:
    found: dict[str, Any] = bench.ask("get_block", block_number=number)["header"]
    return found


def test_every_block_names_its_parent(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    bench.advance(5)

    for number in range(1, bench.status["number"] + 1):
        assert header(bench, number)["parentHash"] == header(bench, number - 1)["hash"]


def test_a_block_is_the_same_by_height_and_by_hash(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))

    assert bench.ask("get_block", block_hash=bench.ask("block_hash", 1)) == bench.ask("get_block", block_number=1)
    assert bench.ask("get_block") == bench.ask("get_block", block_number=bench.status["number"])


def test_the_header_has_what_the_sdk_reads(bench: Bench) -> None:
    bench.advance(3)

    assert set(header(bench, 3)) == {"number", "hash", "parentHash", "stateRoot", "extrinsicsRoot", "digest"}
    assert (type(header(bench, 3)["number"]), header(bench, 3)["hash"]) == (int, bench.ask("block_hash", 3))


def test_a_block_that_is_not_there_is_none_by_number_and_by_hash(bench: Bench) -> None:
    assert bench.ask("get_block", block_number=99) is None
    assert bench.ask("get_block", block_hash="0x" + "11" * 32) is None
    with pytest.raises(ChainError, match="no block at height 99"):
        bench.ask("block_hash", 99)


def test_state_at_an_unknown_hash_is_an_error_and_never_the_head(bench: Bench) -> None:
    for read in (("query", "System", "Account", [who("//Rich")]), ("events",), ("find_extrinsic", "0x" + "22" * 32)):
        with pytest.raises(ChainError, match="Block not found"):
            bench.ask(*read, "0x" + "11" * 32)


def test_a_chain_without_a_clock_makes_a_block_per_transaction_and_lets_it_become_final(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))

    assert (bench.status["number"], bench.status["finalized"]) == (3, 1)


def test_without_auto_finalize_finality_waits_for_more_blocks(make: Callable[..., Bench]) -> None:
    bench = make(auto_finalize=False)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    assert (bench.status["number"], bench.status["finalized"]) == (1, 0)

    bench.advance(2)
    assert (bench.holds(raw), bench.status["finalized"]) == (1, 1)


def test_a_chain_with_a_clock_makes_the_blocks_that_are_due(make: Callable[..., Bench]) -> None:
    bench = make(block_time_s=12)
    assert bench.ask("block_number") == 0

    bench.clock.now += 11.9
    assert bench.ask("block_number") == 0
    bench.clock.now += 0.1 + 12 * 4
    assert bench.ask("block_number") == 5
    assert bench.ask("finalized_block_number") == 3
    assert bench.ask("query", "Timestamp", "Now", []) == (NOON + 60) * 1000


def test_with_a_clock_a_transaction_waits_for_the_next_block(make: Callable[..., Bench]) -> None:
    bench = make(block_time_s=12)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    assert (bench.status["pool"], bench.rpc("account_nextIndex", who("//Rich"))) == (1, 1)

    bench.clock.now += 12
    assert bench.ask("block_number") == 1
    assert (bench.holds(raw), bench.status["pool"]) == (1, 0)


def test_waiting_for_a_transaction_ends_when_its_block_is_final(make: Callable[..., Bench]) -> None:
    bench = make(block_time_s=12)
    raw = bench.sign(bench.transfer("//ann", TAO))

    async def wait() -> Any:
        task = asyncio.create_task(bench.substrate.submit_signed(signed(raw), key("//Rich")))
        for _ in range(3):
            await asyncio.sleep(0.05)
            assert not task.done()
            bench.clock.now += 12
        return await task

    assert asyncio.run(wait()).extrinsic_id == "1-0001"


def test_advance_runs_ahead_of_the_clock_and_the_clock_goes_on_from_there(make: Callable[..., Bench]) -> None:
    bench = make(block_time_s=12)
    bench.advance(10)
    assert bench.ask("block_number") == 10

    bench.clock.now += 24
    assert bench.ask("block_number") == 12


def test_the_time_stamp_is_twelve_seconds_a_block_where_there_is_no_clock(bench: Bench) -> None:
    bench.advance(7200)

    first, last = (bench.ask("query", "Timestamp", "Now", [], bench.ask("block_hash", n)) for n in (0, 7200))
    assert last - first == 24 * 3600 * 1000


def test_headers_stream_as_they_appear(bench: Bench) -> None:
    async def three() -> list[int]:
        seen = []
        async for block in bench.substrate.blocks():
            seen.append(block["header"]["number"])
            if len(seen) == 3:
                return seen
            bench.advance(1)
        return seen

    assert asyncio.run(three()) == [0, 1, 2]
