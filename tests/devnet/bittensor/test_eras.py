"""Mortality: a transaction dies with its era, to the block."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devnet.bittensor.conftest import TAO, Bench, key
from valtrac.chains.bittensor import extrinsics
from valtrac.devnet.bittensor.codec import codec, take_apart


def runtime_era(period: int, current: int) -> tuple[int, int]:
    """(period, phase) as sp_runtime::generic::Era::mortal makes them."""
    rounded = min(max(1 << max(period - 1, 0).bit_length(), 4), 1 << 16)
    quantum = max(rounded >> 12, 1)
    return rounded, current % rounded // quantum * quantum


@given(st.integers(1, 65_536), st.integers(0, 2**31))
def test_the_sdk_encodes_an_era_as_the_runtime_rounds_it(period: int, current: int) -> None:
    assert extrinsics.era(bytes(codec().encode_era({"period": period, "current": current}))) == runtime_era(
        period, current
    )


@given(st.sampled_from([2**n for n in range(2, 13)]), st.integers(0, 2**31))
def test_up_to_4096_an_era_is_born_in_the_very_block_it_is_anchored_at(period: int, current: int) -> None:
    found, phase = extrinsics.era(bytes(codec().encode_era({"period": period, "current": current})))

    birth = extrinsics.era_birth(found, phase, current)

    assert (found, birth) == (period, current)
    assert birth == codec().era_birth({"period": period}, current)
    assert extrinsics.era_last(found, birth) == current + period - 1


@given(st.integers(2, 15), st.integers(0, 2**31), st.data())
def test_seen_from_any_of_its_blocks_an_era_has_the_same_birth_and_from_the_next_one_not(
    power: int, current: int, data: st.DataObject
) -> None:
    period, phase = runtime_era(2**power, current)
    birth = extrinsics.era_birth(period, phase, current)
    last = extrinsics.era_last(period, birth)

    assert extrinsics.era_birth(period, phase, data.draw(st.integers(birth, last))) == birth
    assert extrinsics.era_birth(period, phase, last + 1) == last + 1


@pytest.mark.parametrize("two", [b"\0\0", b"\0\1", b"\x10\0", bytes([0x25, 0xFF])])
def test_what_is_no_mortal_era_is_refused(two: bytes) -> None:
    with pytest.raises(ValueError):
        extrinsics.era(two)


@pytest.mark.parametrize(("asked", "encoded"), [(5, 8), (100, 128), (1, 4), (64, 64)])
def test_the_chain_rounds_a_period_up_to_a_power_of_two(bench: Bench, asked: int, encoded: int) -> None:
    assert take_apart(bench.sign(bench.transfer("//ann", TAO), period=asked)).period == encoded


@pytest.mark.parametrize(("late", "refusal"), [(0, None), (1, "ancient birth block"), (2, "bad signature")])
def test_a_transaction_lands_in_its_last_block_and_never_in_the_one_after(
    bench: Bench, late: int, refusal: str | None
) -> None:
    bench.advance(7)
    raw = bench.sign(bench.transfer("//ann", TAO), period=8)
    last = bench.status["finalized"] + 8 - 1

    bench.advance(last - bench.status["number"] - 1 + late)

    if refusal is None:
        bench.send(raw)
        assert bench.holds(raw) == last
    else:
        assert refusal in bench.refusal(raw)
        assert bench.free("//ann") == 0


def test_what_waits_in_the_pool_lands_in_its_last_block_or_is_evicted_after_it(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    raw = bench.sign(bench.transfer("//ann", TAO), period=8)
    bench.send(raw)

    bench.advance(7)
    assert bench.status["pool"] == 1
    bench.advance(1)
    assert bench.status["pool"] == 0

    bench.misbehave(hold_pool=False)
    bench.advance(5)
    assert bench.holds(raw) is None


def test_the_chain_forgets_block_hashes_after_2400_blocks(bench: Bench) -> None:
    bench.advance(3)
    raw = bench.sign(bench.transfer("//ann", TAO), period=4096)
    born = bench.status["finalized"]

    bench.advance(born + 2400 - bench.status["number"])
    early = bench.sign(bench.transfer("//ann", 2 * TAO), "//Hand", period=4096)
    assert bench.send(raw) and bench.send(early)

    bench.advance(born + 2410 - bench.status["number"])
    assert "ancient birth block" in bench.refusal(raw)


def test_without_an_era_a_transaction_never_dies(bench: Bench) -> None:
    unsigned = bench.ask(
        "prepare", bench.transfer("//ann", TAO), address=key("//Rich").ss58_address, nonce=0, period=None
    )
    bench.advance(5000)

    assert bench.ask("submit_signature", unsigned, key("//Rich").sign(unsigned.payload)).success
