"""Stakes: dividends by the epoch, to the last unit; every past block can be asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.devnet.bittensor.conftest import TAO, Bench, who
from valtrac.core.addresses import key_of
from valtrac.devnet.bittensor import Change, Hotkey, Subnet, World, advance, generated, seed_world
from valtrac.devnet.bittensor.stakes import beginning, packed, unpacked

DELEGATE = ("DelegateInfoRuntimeApi", "get_delegate")


def stakes(bench: Bench, netuid: int = 0, block: int | None = None) -> dict[str, int]:
    at = None if block is None else bench.ask("block_hash", block)
    answer = bench.ask("runtime_call", *DELEGATE, [who("//Hot")], at)
    return {address: units for address, held in answer["nominators"] for subnet, units in held if subnet == netuid}


def total(bench: Bench, netuid: int = 0, block: int | None = None) -> int:
    at = None if block is None else bench.ask("block_hash", block)
    totals: dict[int, int] = dict(bench.ask("query_map", "SubtensorModule", "TotalHotkeyAlpha", [who("//Hot")], at))
    return totals[netuid]


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "take", "leave", "epoch"]), st.integers(0, 5), st.integers(0, 2**40)),
    max_size=30,
)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=6), STEPS, st.integers(0, 65_535))
def test_whatever_happens_the_stakes_are_the_pool_but_for_what_was_rounded_down(
    units: list[int], steps: list[tuple[str, int, int]], take_raw: int
) -> None:
    shares = beginning(units)
    assert shares.units() == units
    for kind, place, amount in steps:
        before = shares.total
        if kind == "add":
            shares = shares.with_more(place, amount)
            assert shares.total == before + amount
        elif kind == "epoch":
            held = any(shares.held)
            shares = shares.with_dividends(place, amount, take_raw)
            assert shares.total == before + (amount if held else 0)
        else:
            shares, taken = shares.with_less(place, None if kind == "leave" else amount)
            assert shares.total == before - taken
        heads = sum(1 for own in shares.units() if own)
        dust = shares.total - sum(shares.units())
        assert dust >= 0
        if shares.total < shares.whole:  # shares are worth less than a unit each, as they are at the beginning
            assert dust <= heads + 1


def test_the_take_goes_to_the_owner_and_the_rest_pro_rata() -> None:
    shares = beginning([0, 300 * TAO, 100 * TAO]).with_dividends(0, 1000, 65_535 // 5)
    assert [new - old for new, old in zip(shares.units(), (0, 300 * TAO, 100 * TAO), strict=True)] == [199, 599, 199]
    assert shares.total == 400 * TAO + 1000


def test_when_all_have_left_after_an_emission_a_unit_is_left_in_the_pool() -> None:
    shares = beginning([3 * TAO, 5 * TAO]).with_dividends(0, 77, 0)
    for place in (0, 1):
        shares, _ = shares.with_less(place, None)
    assert shares.units() == [0, 0]
    assert shares.total == 1
    assert shares.with_more(1, 10).units() == [0, 11]


def test_what_is_credited_after_an_emission_may_read_back_one_unit_less() -> None:
    shares = beginning([7 * TAO, 0]).with_dividends(0, 12_345, 0)
    seen = {shares.with_more(1, units).units()[1] - units for units in range(1000, 1200)}
    assert seen == {-1, 0} or seen == {-1}


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_stored_stakes_are_read_back(units: list[int]) -> None:
    assert unpacked(packed(units)) == units


def test_stakes_grow_at_the_end_of_an_epoch_and_only_then(bench: Bench) -> None:
    bench.advance(25)

    assert [total(bench, block=block) - total(bench, block=0) for block in (9, 10, 19, 20, 25)] == [
        0,
        3 * TAO + 7,
        3 * TAO + 7,
        6 * TAO + 14,
        6 * TAO + 14,
    ]


def test_from_the_first_emission_on_the_stakes_sum_to_a_little_less_than_the_total(bench: Bench) -> None:
    bench.advance(45)

    for block in range(46):
        for netuid in (0, 1):
            dust = total(bench, netuid, block) - sum(stakes(bench, netuid, block).values())
            assert 0 <= dust <= len(stakes(bench, netuid, block)) + 1
            assert bool(dust) == (block >= 10)


def test_an_owner_without_a_stake_of_his_own_earns_his_take(bench: Bench) -> None:
    assert who("//Owner") not in stakes(bench, 1)
    bench.advance(10)

    assert stakes(bench, 1)[who("//Owner")] >= total(bench, 1, 0) // 20_000 * 11_796 // 65_535 - 1


def test_nominators_come_sorted_by_public_key(bench: Bench) -> None:
    found = bench.ask("runtime_call", *DELEGATE, [who("//Hot")])["nominators"]

    assert [address for address, _ in found] == sorted((address for address, _ in found), key=key_of)


def test_a_hotkey_that_nobody_knows_is_no_delegate(bench: Bench) -> None:
    assert bench.ask("runtime_call", *DELEGATE, [who("//ann")]) is None
    assert bench.ask("query_map", "SubtensorModule", "TotalHotkeyAlpha", [who("//ann")]) == []


def test_owner_and_take_can_be_read(bench: Bench) -> None:
    assert bench.ask("query", "SubtensorModule", "Owner", [who("//Hot")]) == who("//Owner")
    assert bench.ask("query", "SubtensorModule", "Delegates", [who("//Hot")]) == 11_796


def test_prices_move_a_little_and_the_root_has_none(bench: Bench) -> None:
    bench.advance(100)
    price = [
        bench.ask("runtime_call", "SwapRuntimeApi", "current_alpha_price", [1], bench.ask("block_hash", block))
        for block in range(0, 101, 10)
    ]

    assert price[0] == 31_200_000
    assert len(set(price)) > 5
    assert all(abs(new - old) <= old * 5 // 1000 + 1 for old, new in pairwise(price))
    assert bench.ask("runtime_call", "SwapRuntimeApi", "current_alpha_price", [0]) == TAO
    assert bench.ask("runtime_call", "SwapRuntimeApi", "current_alpha_price", [9]) == 0


def change(block: int, uri: str, units: int | None, to: str | None = None) -> Change:
    return Change(block, who("//Hot"), 0, who(uri), units, None if to is None else who(to))


def test_planned_changes_happen_at_their_block(make: Callable[..., Bench]) -> None:
    bench = make(
        tempo=1000,
        changes=(
            change(3, "//kim", 50),
            change(4, "//bob", -33),
            change(5, "//ann", None),
            change(6, "//bob", -100, "//kim"),
        ),
    )
    bench.advance(8)

    bob, ann = 333 * TAO, 700 * TAO + 1
    seen = [[stakes(bench, 0, block).get(who(uri), 0) for uri in ("//kim", "//bob", "//ann")] for block in range(2, 8)]
    assert seen == [
        [0, bob, ann],
        [50, bob, ann],
        [50, bob - 33, ann],
        [50, bob - 33, 0],
        [150, bob - 133, 0],
        [150, bob - 133, 0],
    ]
    assert [sum(stakes(bench, 0, block).values()) == total(bench, 0, block) for block in range(9)] == [True] * 9


def test_a_fork_takes_changes_back_and_grows_them_again(make: Callable[..., Bench]) -> None:
    bench = make(tempo=5, auto_finalize=False, finality_lag=20, changes=(change(7, "//kim", 50),))
    bench.advance(12)
    before = stakes(bench)

    bench.misbehave(fork=9)
    bench.advance(1)

    assert stakes(bench, block=12) == before
    assert who("//kim") not in stakes(bench, block=6)


def big(nominators: int) -> World:
    held = generated("crowd", nominators)
    return World("big", {}, (Hotkey(who("//Hot"), who("//Owner"), 11_796, (Subnet(0, held), Subnet(1, held))),))


def test_a_day_with_2000_nominators_is_whole(tmp_path: Path) -> None:
    seed_world(tmp_path / "big.sqlite", big(2_000))

    assert advance(tmp_path / "big.sqlite", 7_200) == 7_200


def test_24_epochs_with_18618_nominators_lose_no_more_than_is_rounded_down(
    tmp_path: Path, make: Callable[..., Bench]
) -> None:
    seed_world(tmp_path / "big.sqlite", big(18_618))
    advance(tmp_path / "big.sqlite", 24 * 360)

    bench = make("unused.sqlite")
    bench.substrate.path = tmp_path / "big.sqlite"
    held = stakes(bench)
    assert len(held) == 18_618 + 1
    assert 0 < total(bench) - sum(held.values()) <= 18_619
    assert (tmp_path / "big.sqlite").stat().st_size < 60_000_000


def test_the_same_seed_lives_the_same_life(make: Callable[..., Bench]) -> None:
    first, second = make("a.sqlite"), make("b.sqlite")
    for bench in (first, second):
        bench.advance(40)

    assert stakes(first) == stakes(second)
    assert first.ask("block_hash", 40) == second.ask("block_hash", 40)


def test_stakes_are_kept_as_one_row_per_epoch(bench: Bench) -> None:
    bench.advance(40)

    rows = sqlite3.connect(bench.path).execute("SELECT DISTINCT block FROM stakes ORDER BY block").fetchall()
    assert [block for (block,) in rows] == [0, 10, 20, 30, 40]
