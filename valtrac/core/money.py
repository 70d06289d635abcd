"""Money: whole units of one asset. No float ever holds an amount."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from valtrac.core.errors import BadInput

_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
MAX_UNITS = 2**256 - 1
LONGEST_FRACTION = 9  # decimals that are written out whole


class UnitMismatch(TypeError):
    """Two assets were mixed: one TAO is not one alpha."""


@dataclass(frozen=True, slots=True)
class Asset:
    """What is counted: symbol as shown, decimals between the unit, by its name, and the shown number."""

    chain: str
    symbol: str
    decimals: int
    netuid: int | None = None
    unit: str = "rao"


TAO = Asset("bittensor", "TAO", 9)
BTS = Asset("bitshares", "BTS", 5, unit="satoshi")
QTUM = Asset("qtum", "QTUM", 8, unit="satoshi")
TBTC = Asset("ethereum", "TBTC", 18, unit="wei")
ETH = Asset("ethereum", "ETH", 18, unit="wei")
ASSETS = {asset.symbol: asset for asset in (TAO, BTS, QTUM, TBTC)}  # what a ledger may count in


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact quantity of one asset.

    units: whole number of the smallest unit (rao, satoshi, wei); never a float.
    Mixing two assets raises UnitMismatch.
    """

    units: int
    asset: Asset = TAO

    def __post_init__(self) -> None:
        if type(self.units) is not int:
            raise TypeError(f"units must be an int, not {type(self.units).__name__}")

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.units + self._same(other), self.asset)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.units - self._same(other), self.asset)

    def __lt__(self, other: Amount) -> bool:
        return self.units < self._same(other)

    def __le__(self, other: Amount) -> bool:
        return self.units <= self._same(other)

    def __str__(self) -> str:
        text = decimal_text(self.units, self.asset.decimals)
        if self.asset.decimals > LONGEST_FRACTION:  # still exact: only noughts at its end are left out
            text = text.rstrip("0").rstrip(".")
        return f"{text} {self.asset.symbol}"

    def _same(self, other: Amount) -> int:
        if other.asset != self.asset:
            raise UnitMismatch(f"{self.asset.symbol} and {other.asset.symbol} do not mix")
        return other.units


def rao(units: int) -> Amount:
    """TAO given in its smallest unit."""
    return Amount(units, TAO)


def bts(units: int) -> Amount:
    """BTS given in satoshi, its smallest unit."""
    return Amount(units, BTS)


def qtum(units: int) -> Amount:
    """QTUM given in satoshi, its smallest unit."""
    return Amount(units, QTUM)


def decimal_text(units: int, decimals: int = 9) -> str:
    """Units as a decimal string with every place shown: 1 -> '0.000000001'."""
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else sign + digits


def short_text(units: int, decimals: int = 9) -> str:
    """The same as somebody would type it: 12500000000 -> '12.5', 1000000000 -> '1'."""
    text = decimal_text(units, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_units(text: str, *, field: str, decimals: int = 9) -> int:
    """A plain decimal such as '12.5' as whole units.

    Raises BadInput, naming `field`: not a plain number (no sign, exponent, NaN or
    separators), more places than the asset has, or beyond 256 bits.
    """
    text = text.strip()
    if len(text) > 100 or not _PLAIN.fullmatch(text) or not text.isascii():
        raise BadInput(
            f"{field}: {text[:40]!r} is not an amount",
            why="an amount is written with digits and at most one point",
            fix=f"write it like 12.5 ({field})",
        )
    whole, _, places = text.partition(".")
    if len(places.rstrip("0")) > decimals:
        raise BadInput(
            f"{field}: {text} has more than {decimals} decimal places",
            why=f"the smallest unit is {decimal_text(1, decimals)}",
            fix="round it yourself, then try again",
        )
    units = int(whole + places.rstrip("0").ljust(decimals, "0"))
    if units > MAX_UNITS:
        raise BadInput(f"{field}: {text[:40]}... is absurdly large", fix="check the number")
    return units


def parse_bps(text: str, *, field: str) -> int:
    """A rate as a fraction 0..1 or a percentage with %, as whole basis points 0..10000.

    '0.25' and '25%' are both 2500. Raises BadInput when it is no number, outside
    0..1, or finer than a basis point.
    """
    text = text.strip()
    number = text[:-1].strip() if text.endswith("%") else text
    if len(number) > 40 or not _PLAIN.fullmatch(number) or not number.isascii():
        raise BadInput(f"{field}: {text[:40]!r} is not a rate", fix="write a fraction like 0.25, or 25%")
    bps = Decimal(number) * (100 if text.endswith("%") else 10_000)
    if bps > 10_000:
        raise BadInput(
            f"{field}: {text} is more than everything",
            why="a rate lies between 0 and 1",
            fix="write 0.25 (or 25%) for a quarter",
        )
    if bps != bps.to_integral_value():
        raise BadInput(
            f"{field}: {text} is finer than a basis point",
            why="rates are whole basis points (0.0001)",
            fix="round it to four places",
        )
    return int(bps)


def bps_text(bps: int) -> str:
    """Basis points as a percentage without trailing zeros: 2550 -> '25.5%'."""
    return f"{Decimal(bps) / 100:f}%"


def split(total_units: int, weights: Mapping[str, int], *, last: str | None = None) -> dict[str, int]:
    """Share `total_units` in proportion to `weights`, to the last unit.

    Args:
        total_units: what is shared, >= 0.
        weights: key -> weight >= 0.
        last: a key that comes after all others where remainders tie.
    Returns:
        The same keys -> units; they sum to total_units.
    Raises:
        ValueError: the total or a weight is negative, or no weight is above zero.
    Source: largest-remainder method. Ties go to the smaller key in code-point order,
        so the same inputs give the same shares on every machine.
    """
    whole = sum(weights.values())
    if total_units < 0 or whole <= 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("a total and weights must not be negative, and some weight must be above zero")
    shares, rests = dict[str, int](), dict[str, int]()
    for key, weight in weights.items():
        shares[key], rests[key] = divmod(total_units * weight, whole)
    left = total_units - sum(shares.values())
    if left:
        by_name = sorted(key for key in weights if key != last)
        by_name += [key for key in weights if key == last]
        for key in sorted(by_name, key=rests.__getitem__, reverse=True)[:left]:  # a stable sort keeps the order by name
            shares[key] += 1
    return shares
