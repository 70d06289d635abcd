"""What a redemption pays out on Bitcoin, and how its fee grows. Pure; amounts in satoshi."""

from __future__ import annotations

USUAL_FEE = 36_000
LEAST_FEE = 2_000


class BadFee(ValueError):
    """A fee that the contract refuses; the message says why."""


def output(coin: int, fee: int, increases: int = 0) -> int:
    """What arrives on Bitcoin once the fee was increased so many times; each step is the first fee exactly.

    coin: what the deposit holds. Raises BadFee where the contract would not take it.
    """
    if fee < LEAST_FEE:
        raise BadFee(f"a fee is at least {LEAST_FEE} satoshi, not {fee}")
    if 2 * fee >= coin:
        raise BadFee(f"a fee is less than half of the coin: {fee} of {coin} satoshi")
    left = coin - fee * (1 + increases)
    if left < 1:
        raise BadFee(f"{coin} satoshi bear no {increases} increases of {fee}")
    return left


def most_increases(coin: int, fee: int) -> int:
    """How often the fee can be increased before nothing would be left."""
    return max(0, (coin - 1) // fee - 1)


def eight_bytes(value: int) -> bytes:
    """An output's value as the contract takes it: little endian."""
    return value.to_bytes(8, "little")
