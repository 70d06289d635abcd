"""What one TAO costs in money: exact, in whole billionths of the currency's unit ("nano"), or not known.

A price that is not known is None or `Unknown`; there is no price of zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from valtrac.core.errors import BadInput
from valtrac.core.money import decimal_text, parse_units
from valtrac.core.quotes import Answers, Quote
from valtrac.core.text import plain

NANO = 10**9
LARGEST_NANO = 2**63 - 1  # what a database's integer holds: 9.2 billion units of money for one TAO
TAO_DECIMALS = 9
PLACES = {"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}
UNKNOWN = "unknown"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z| UTC| GMT|[+-]\d\d:\d\d)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """Money per TAO at a moment. price_nano: 1..LARGEST_NANO billionths; source: who said it; words: what else
    there is to know. Raises ValueError on anything else: no price is never written as a zero."""

    at: datetime
    currency: str
    price_nano: int
    source: str
    words: str = ""

    def __post_init__(self) -> None:
        if type(self.price_nano) is not int or not 0 < self.price_nano <= LARGEST_NANO:
            raise ValueError(f"a price is a whole number of billionths above zero, not {self.price_nano!r}")

    def __str__(self) -> str:
        return f"{price_text(self.price_nano)} {self.currency}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """No price, and why: one reason for each source."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return UNKNOWN


def fraction(price: Decimal) -> Fraction:
    """A price exactly. Raises ValueError with the reason: not above zero, or no price that anything can have."""
    if not price.is_finite() or price <= 0:
        raise ValueError(f"its price is not above zero: {plain(price, 40)}")
    if abs(price.adjusted()) > 18 or not 0 < to_nano(Fraction(price)) <= LARGEST_NANO:
        raise ValueError(f"its price is absurd: {plain(price, 40)}")
    return Fraction(price)


def to_nano(price: Fraction) -> int:
    """Money as whole billionths, halves to the even one."""
    return round(price * NANO)


def median(prices: Sequence[Fraction]) -> Fraction:
    """The middle one; of an even number, the mean of the middle two. Exact. Raises ValueError when there is none."""
    ordered = sorted(prices)
    if not ordered:
        raise ValueError("there is no median of nothing")
    upper = len(ordered) // 2
    return ordered[upper] if len(ordered) % 2 else (ordered[upper - 1] + ordered[upper]) / 2


def usable(answers: Answers, now: datetime, stale_s: int) -> Answers:
    """The quotes that count: a price above zero, of a time within `stale_s` seconds of `now`; the others as reasons."""
    kept, reasons = list[Quote](), list(answers.reasons)
    for quote in answers.quotes:
        try:
            fraction(quote.price)
        except ValueError as error:
            reasons.append(f"{quote.source} {quote.symbol}: {error}")
            continue
        lag_s = (now - (quote.at or now)).total_seconds()
        if lag_s > stale_s:
            reasons.append(f"{quote.source} {quote.symbol}: its price is stale, {span_text(lag_s)} old")
        elif lag_s < -stale_s:
            reasons.append(f"{quote.source} {quote.symbol}: its clock is {span_text(-lag_s)} ahead")
        else:
            kept.append(quote)
    return Answers(tuple(kept), tuple(reasons))


def agreed(answers: Answers, at: datetime, currency: str, words: str = "") -> Price | Unknown:
    """The median of quotes that are `usable`, with who said it; without any, the reasons."""
    if not answers.quotes:
        return Unknown(answers.reasons)
    nano = to_nano(median([fraction(quote.price) for quote in answers.quotes]))
    names = ", ".join(f"{quote.source} {quote.symbol}" for quote in answers.quotes)
    left_out = f"left out: {'; '.join(answers.reasons)}" if answers.reasons else ""
    said = plain("; ".join(part for part in (words, left_out) if part), 500)
    return Price(at, currency, nano, plain(names if len(answers.quotes) == 1 else f"median of {names}", 500), said)


def value(units: int, price_nano: int, *, decimals: int = TAO_DECIMALS, places: int = 2) -> int:
    """What an amount is worth, in the currency's own smallest unit (cents), halves to the even one.

    units: of an asset with `decimals` places (rao: 9), below zero too. places: of the currency.
    """
    return round(Fraction(units * price_nano * 10**places, 10**decimals * NANO))


def value_text(units: int, price: Price | None, *, decimals: int = TAO_DECIMALS) -> str:
    """The same to read, with the currency: '412.50 USD'; 'unknown' without a price."""
    if price is None:
        return UNKNOWN
    places = PLACES.get(price.currency, 2)
    return f"{decimal_text(value(units, price.price_nano, decimals=decimals, places=places), places)} {price.currency}"


def price_text(price_nano: int) -> str:
    """A price with two places or as many more as it needs: '412.50', '0.000000001'."""
    whole, _, places = decimal_text(price_nano).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def span_text(seconds: float) -> str:
    """A length of time, in the largest unit of which there are at least two: '90 s', '3 h'."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def parse_price(text: str, *, field: str) -> int:
    """A price as an owner writes it, '412.50', in billionths. Raises BadInput, naming `field`."""
    fix = f"write money for one TAO, like 412.50 ({field})"
    try:
        nano = parse_units(text, field=field, decimals=9)
    except BadInput as error:
        raise BadInput(error.what.replace("is not an amount", "is not a price"), why=error.why, fix=fix) from error
    if nano == 0:
        raise BadInput(
            f"{field}: a price of zero",
            why="a price that is not known is left out",
            fix=f"write money for one TAO, like 412.50, or leave it out ({field})",
        )
    if nano > LARGEST_NANO:
        raise BadInput(
            f"{field}: {plain(text.strip(), 40)} is absurdly large", why=f"at most {price_text(LARGEST_NANO)}", fix=fix
        )
    return nano


def parse_moment(text: str, *, field: str) -> datetime:
    """A day (its first moment) or a time, UTC unless it says otherwise. Raises BadInput, naming `field`."""
    text = text.strip()
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(re.sub(" (UTC|GMT)$", "Z", text))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if moment.year < 1970:
            raise ValueError
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"{field}: {plain(text, 40)!r} is not a date", fix=f"write it like 2026-01-31 or 2026-01-31 14:30 ({field})"
        ) from error


def check_past(at: datetime, now: datetime, *, field: str) -> None:
    """Raises BadInput where a moment has not come yet."""
    if at > now + timedelta(seconds=1):
        raise BadInput(
            f"{field}: {at:%Y-%m-%d %H:%M} UTC has not come yet", fix=f"check the year and the day ({field})"
        )
