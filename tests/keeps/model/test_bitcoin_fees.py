"""What arrives on Bitcoin, in the eight bytes that the contract takes."""

from __future__ import annotations

import pytest

from valtrac.keeps.model.bitcoin_fees import USUAL_FEE, BadFee, eight_bytes, most_increases, output

BTC = 100_000_000


@pytest.mark.parametrize(
    ("coin", "left", "raw"),
    [
        (BTC // 100, 964_000, "a0b50e0000000000"),
        (BTC // 10, 9_964_000, "e009980000000000"),
        (BTC, 99_964_000, "6054f50500000000"),
        (10 * BTC, 999_964_000, "603d9a3b00000000"),
    ],
)
def test_the_first_output_of_each_lot(coin: int, left: int, raw: str) -> None:
    assert output(coin, USUAL_FEE) == left
    assert eight_bytes(left).hex() == raw


def test_a_hundredth_of_a_bitcoin_bears_26_increases() -> None:
    assert most_increases(BTC // 100, USUAL_FEE) == 26
    assert output(BTC // 100, USUAL_FEE, 26) == 28_000
    with pytest.raises(BadFee, match="bear no 27"):
        output(BTC // 100, USUAL_FEE, 27)


@pytest.mark.parametrize("fee", [0, 1_999, BTC // 2, BTC, 10 * BTC])
def test_a_fee_that_the_contract_refuses_is_refused_here(fee: int) -> None:
    with pytest.raises(BadFee):
        output(BTC, fee)


def test_the_smallest_and_the_largest_fee_are_taken() -> None:
    assert output(BTC, 2_000) == BTC - 2_000
    assert output(BTC, BTC // 2 - 1) == BTC // 2 + 1
