"""Announced coldkey swaps: every key of both maps is read, and nothing else is believed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.chains.bittensor import swaps
from valtrac.chains.untrusted import Untrusted

ANNOUNCED, DISPUTED = swaps.MAPS.values()
HEAD = "0x" + "ab" * 32


def key(prefix: bytes, coldkey: bytes) -> bytes:
    """A key of that map; the chain hashes the coldkey into eight bytes before it."""
    return prefix + coldkey[::-1][:8] + coldkey


class Node:
    """Pages of keys as a node gives them, never more than `most` of them."""

    def __init__(self, *keys: bytes, most: int = 1000) -> None:
        self.keys, self.most, self.asked = sorted(keys), most, list[list[Any]]()

    async def request(self, method: str, params: list[Any]) -> list[str]:
        assert method == "state_getKeysPaged"
        prefix, count, after = bytes.fromhex(params[0][2:]), params[1], bytes.fromhex(params[2][2:])
        self.asked.append(params)
        found = [one for one in self.keys if one.startswith(prefix) and one > after]
        return ["0x" + one.hex() for one in found[: min(count, self.most)]]

    def announced(self) -> frozenset[bytes]:
        return asyncio.run(swaps.announced(self.request, HEAD))


coldkeys = st.sets(st.binary(min_size=32, max_size=32), max_size=12)


@given(coldkeys, coldkeys, st.integers(1, 5))
def test_every_announced_and_every_disputed_swap_is_found_however_short_the_pages(
    announced: set[bytes], disputed: set[bytes], most: int
) -> None:
    node = Node(*(key(ANNOUNCED, one) for one in announced), *(key(DISPUTED, one) for one in disputed), most=most)

    assert node.announced() == announced | disputed


def test_it_is_asked_at_one_block_and_never_for_more_than_a_node_gives() -> None:
    node = Node()
    node.announced()

    assert [params[3] for params in node.asked] == [HEAD] * 2
    assert all(params[1] <= 1000 for params in node.asked)


def test_a_chain_without_these_maps_has_nobody() -> None:
    assert Node(bytes(72)).announced() == frozenset()


def test_the_prefixes_are_those_of_the_runtime() -> None:
    from valtrac.devnet.bittensor.codec import codec

    for name, prefix in swaps.MAPS.items():
        entry = codec().storage_entry("SubtensorModule", name)
        assert codec().storage_key(entry, []) == prefix
        assert (entry.param_hashers, entry.modifier) == (["Twox64Concat"], "Optional")


GOOD = "0x" + key(ANNOUNCED, bytes(range(32))).hex()


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        GOOD,
        [GOOD, None],
        [GOOD[2:]],
        [GOOD[:-2]],
        [GOOD + "00"],
        [GOOD[:-1] + "g"],
        [GOOD[:-2] + "  "],
        [GOOD, GOOD],
        ["0x" + key(DISPUTED, bytes(32)).hex()],
        ["0x" + "ff" * 72],
        ["0x" + key(ANNOUNCED, b"\x02" * 32).hex(), "0x" + key(ANNOUNCED, b"\x01" * 32).hex()],
    ],
)
def test_a_page_in_any_other_shape_is_not_believed(bad: object) -> None:
    assert len(swaps.page([GOOD], ANNOUNCED)) == 1
    with pytest.raises(Untrusted):
        swaps.page(bad, ANNOUNCED)


def test_a_page_goes_on_where_the_one_before_ended() -> None:
    with pytest.raises(Untrusted):
        swaps.page([GOOD], bytes.fromhex(GOOD[2:]))


def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swaps, "MOST_KEYS", 3)
    node = Node(*(key(ANNOUNCED, bytes([n]) * 32) for n in range(4)))

    with pytest.raises(Untrusted, match="more than 3"):
        node.announced()
