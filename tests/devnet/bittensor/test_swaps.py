"""Coldkey swaps can be announced on the chain and taken back, and every block remembers its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench, Clock, who
from valtrac.core.errors import BadInput
from valtrac.devnet.bittensor import announce_swap, seed_world, status
from valtrac.devnet.bittensor.codec import SubstrateRequestException, codec

MAP = ("SubtensorModule", "ColdkeySwapAnnouncements")
ENTRY = codec().storage_entry(*MAP)
PREFIX = "0x" + codec().storage_key(ENTRY, []).hex()
ANN, BOB = who("//ann"), who("//bob")


def announced(bench: Bench, block: int | None = None) -> list[str]:
    at = None if block is None else bench.ask("block_hash", block)
    return sorted(address for address, _ in bench.ask("query_map", *MAP, [], at))


def test_an_announcement_is_seen_from_the_next_block_on(bench: Bench) -> None:
    bench.advance(5)
    assert announce_swap(bench.path, ANN) == 6
    assert announced(bench) == []

    bench.advance(2)
    assert [announced(bench, block) for block in (5, 6, 7)] == [[], [ANN], [ANN]]


def test_it_can_be_taken_back_and_the_blocks_between_keep_it(bench: Bench) -> None:
    announce_swap(bench.path, ANN)
    announce_swap(bench.path, BOB)
    bench.advance(2)
    assert announce_swap(bench.path, ANN, cancel=True) == 3
    bench.advance(2)

    assert [announced(bench, block) for block in (0, 1, 2, 3, 4)] == [[], *[sorted([ANN, BOB])] * 2, [BOB], [BOB]]


def test_taken_back_before_its_block_it_was_never_there(bench: Bench) -> None:
    announce_swap(bench.path, ANN)
    announce_swap(bench.path, ANN, cancel=True)
    bench.advance(3)

    assert [announced(bench, block) for block in range(4)] == [[]] * 4


def test_it_can_be_announced_again(bench: Bench) -> None:
    for cancel in (False, True, False):
        announce_swap(bench.path, ANN, cancel=cancel)
        bench.advance(2)

    assert [announced(bench, block) for block in range(7)] == [[], [ANN], [ANN], [], [], [ANN], [ANN]]


def test_what_was_never_announced_cannot_be_taken_back(bench: Bench) -> None:
    announce_swap(bench.path, ANN)

    with pytest.raises(BadInput, match="no coldkey swap"):
        announce_swap(bench.path, BOB, cancel=True)
    bench.advance(1)
    assert announced(bench) == [ANN]


@pytest.mark.parametrize("text", ["", "//ann", "5Grwva", "\x1b[2J", ANN[:-1]])
def test_only_an_address_can_announce(bench: Bench, text: str) -> None:
    with pytest.raises(BadInput, match="no address") as refused:
        announce_swap(bench.path, text)
    assert "\x1b" not in str(refused.value)


def test_an_announcement_is_as_the_codec_decodes_it(bench: Bench) -> None:
    announce_swap(bench.path, ANN)
    bench.advance(1)
    value = bench.ask("query", *MAP, [ANN])

    assert codec().decode(ENTRY.value_type, codec().encode(ENTRY.value_type, value)) == value
    assert value[0] == 1 + bench.ask("query", "SubtensorModule", "ColdkeySwapAnnouncementDelay", [])
    assert bench.ask("query_map", *MAP) == [(ANN, value)]
    assert bench.ask("query_batch", *MAP, [[ANN], [BOB]]) == [value, None]
    assert bench.ask("query", "SubtensorModule", "ColdkeySwapDisputes", [ANN]) is None


def test_keys_are_paged_as_a_node_pages_them(bench: Bench) -> None:
    people = [who(f"//mover{n}") for n in range(5)]
    for address in people:
        announce_swap(bench.path, address)
    bench.advance(1)
    keys = sorted("0x" + codec().storage_key(ENTRY, [address]).hex() for address in people)

    assert bench.rpc("state_getKeysPaged", PREFIX, 2, None, None) == keys[:2]
    assert bench.rpc("state_getKeysPaged", PREFIX, 2, keys[1], bench.ask("block_hash")) == keys[2:4]
    assert bench.rpc("state_getKeysPaged", PREFIX, 1000, keys[4]) == []
    assert bench.rpc("state_getKeysPaged", PREFIX, 9, PREFIX, bench.ask("block_hash", 0)) == []
    with pytest.raises(SubstrateRequestException, match="count exceeds"):
        bench.rpc("state_getKeysPaged", PREFIX, 1001)


def test_keys_of_a_map_with_two_parts_are_found_under_the_first(bench: Bench) -> None:
    totals = codec().storage_entry("SubtensorModule", "TotalHotkeyAlpha")
    prefix = codec().storage_key(totals, [who("//Hot")])
    found = bench.rpc("state_getKeysPaged", "0x" + prefix.hex(), 100)

    decoded = [codec().decode_storage_key_params(totals, bytes.fromhex(key[2:]), fixed=1) for key in found]
    assert sorted(decoded) == [[0], [1]]


def test_an_announcement_outlives_a_fork(make: Callable[..., Bench]) -> None:
    bench = make(auto_finalize=False)
    bench.advance(5)
    announce_swap(bench.path, ANN)
    bench.advance(1)

    bench.misbehave(fork=1)

    assert announced(bench) == [ANN]


def test_the_status_names_who_announced(bench: Bench) -> None:
    announce_swap(bench.path, ANN)
    assert bench.status["swaps"] == []
    bench.advance(1)
    assert bench.status["swaps"] == [ANN]


def test_a_chain_of_the_layout_before_goes_on_where_it_was(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    bench.ask("close")
    with closing(sqlite3.connect(bench.path)) as db:
        for column in ("state_root", "extrinsics_root", "mark", "digest"):
            db.execute(f"ALTER TABLE blocks DROP COLUMN {column}")
        db.execute("UPDATE stakes SET whole = NULL")
        db.execute("ALTER TABLE stakes DROP COLUMN whole")
        db.executescript(
            "DROP TABLE swaps; DROP TABLE authority_changes;"
            "DELETE FROM settings WHERE name IN ('true_from', 'accounts_part', 'justifies_every') OR name LIKE 'auth%';"
            "UPDATE settings SET value = '1' WHERE name = 'layout'"
        )
    height = bench.status["number"]

    announce_swap(bench.path, ANN)
    bench.advance(1)

    assert (announced(bench), bench.free("//ann"), bench.status["number"]) == ([ANN], TAO, height + 1)


def test_a_chain_seeded_anew_has_no_announcements(bench: Bench) -> None:
    from tests.devnet.bittensor.conftest import world

    announce_swap(bench.path, ANN)
    bench.advance(1)

    seed_world(bench.path, world(), force=True, clock=Clock())
    assert status(bench.path)["swaps"] == []
