"""What a network prescribes: addresses, maturity, subsidy, fees, and the errors a node tells by number."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from valtrac.devnet.qtum import codec, keys
from valtrac.devnet.qtum.codec import base58check

COIN = 100_000_000
CENT = COIN // 100
SUPERSTAKER_MINIMUM = 100 * COIN
"""A super staker's own coin below it wins no delegated block; also where own blocks combine coins, and half of where
they split them."""
MOST_COMBINED = 100
SPACING_S = 32
RELAY_FEE = 400_000
"""Satoshi for each 1000 bytes: what a node relays, and what the wallet pays at least."""
DUST_PKH = 72_800
MAX_FEE = COIN
MAX_MONEY = 107_822_406 * COIN + 25 * CENT
MAX_WEIGHT = 400_000
GAS_PRICE = 40
GAS_CREATE, GAS_SEND = 2_500_000, 250_000
DELEGATIONS = bytes.fromhex("00" * 19 + "86")


class NodeError(Exception):
    """What a node answers in the place of a result. code: as in the real node."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Network:
    """A chain's constants. faster_from: height from which blocks are 32 s apart, and maturity is the long one;
    genesis: the hash of the real chain's first block."""

    name: str
    key_prefix: int
    script_prefix: int
    faster_from: int
    genesis: str
    slow_maturity: int = 500
    fast_maturity: int = 2000

    def address(self, key_hash: bytes) -> str:
        """The address of a key's hash."""
        return keys.address(self.key_prefix, key_hash)

    def address_of(self, script: bytes) -> str | None:
        """The address that an output script pays, also the one a P2PK stands for; None for others."""
        said = codec.output(script)
        if said.key_hash is not None:
            return self.address(said.key_hash)
        return None if said.script_hash is None else base58check(bytes((self.script_prefix,)) + said.script_hash)

    def script(self, address: str) -> bytes:
        """The script that pays an address; ValueError says what is wrong with it."""
        data = codec.unbase58check(address)
        if len(data) != 21:
            raise ValueError("Invalid length for Base58 address (P2PKH or P2SH)")
        if data[0] == self.key_prefix:
            return codec.p2pkh(data[1:])
        if data[0] == self.script_prefix:
            return codec.p2sh(data[1:])
        raise ValueError("Invalid or unsupported Base58-encoded address.")

    def key_hash(self, address: str) -> bytes | None:
        """The key's hash behind an address; None for an address of another kind. ValueError for none at all."""
        return codec.output(self.script(address)).key_hash

    def maturity(self, height: int) -> int:
        """Blocks that a coin rests before a block at this height may stake it."""
        return self.slow_maturity if height < self.faster_from else self.fast_maturity


NETWORKS = {
    "main": Network("main", 58, 50, 845_000, "000075aef83cf2853580f8ae8ce6f8c3096cfa21d98334d6e3f95e5582ed986c"),
    "test": Network("test", 120, 110, 806_600, "0000e803ee215c0684ca0d2f9220594d3f828617972aad66feb2ba51f5e14222"),
    "regtest": Network("regtest", 120, 110, 0, "665ed5b402ac0b44efc37d8926332994363e8a7278b7ee9a58fb972efadae943"),
}


@lru_cache(64)
def _halvings(network: str, height: int) -> tuple[int, int]:
    faster_from = NETWORKS[network].faster_from
    factor = 1 if height < faster_from else 4
    before = 0 if factor == 1 else faster_from - 5001
    weight = height - 5000 - before + before * factor
    return (weight - 1) // (985_500 * factor), factor


def subsidy(network: str, height: int) -> int:
    """Satoshi that a block makes out of nothing. Source: GetBlockSubsidy of qtum's validation.cpp."""
    if height <= 5000:
        return 20_000 * COIN
    halvings, factor = _halvings(network, height)
    return 0 if halvings >= 7 else 4 * COIN // factor >> halvings


def fee_for(length: int, rate: int = RELAY_FEE) -> int:
    """Satoshi for so many bytes at a rate for each 1000."""
    return -(-length * rate // 1000)


def satoshi(value: object, *, what: str = "Amount") -> int:
    """An amount of JSON as satoshi: a number or text with at most 8 decimals. Raises NodeError -3."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise NodeError(-3, f"{what} is not a number or string")
    text = str(value) if not isinstance(value, Decimal) else format(value, "f")
    try:
        units = Decimal(text) * COIN
    except ArithmeticError:
        raise NodeError(-3, f"Invalid {what.lower()}") from None
    if not units.is_finite() or units != units.to_integral_value() or text.strip() != text:
        raise NodeError(-3, f"Invalid {what.lower()}")
    if not 0 <= units <= MAX_MONEY:
        raise NodeError(-3, f"{what} out of range")
    return int(units)


def formatted(units: int) -> str:
    """Satoshi as the node writes money in text: at least two decimals."""
    whole, rest = divmod(abs(units), COIN)
    digits = f"{rest:08d}"
    return f"{'-' if units < 0 else ''}{whole}.{digits[:2]}{digits[2:].rstrip('0')}"
