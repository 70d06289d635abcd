"""What exchanges say a coin costs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from valtrac.core.text import plain


@dataclass(frozen=True, slots=True)
class Quote:
    """What one exchange says. price: money per coin; at: UTC, None where the exchange gives no time."""

    source: str
    symbol: str
    price: Decimal
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What was heard when exchanges were asked, and why each of the others said nothing of use."""

    quotes: tuple[Quote, ...]
    reasons: tuple[str, ...] = ()


LONGEST_NUMBER = 60  # characters; no exchange writes a price with more


def number(said: object) -> Decimal:
    """The number that an exchange said, as it was written. Raises ValueError with the reason where it is none.

    A float stands for the shortest decimal that names it.
    """
    if said is None or isinstance(said, bool) or not isinstance(said, str | int | float | Decimal):
        raise ValueError("it says no price")
    text = str(said).strip()
    try:
        number = Decimal(text) if len(text) <= LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise ValueError(f"its price is no number: {plain(text, 40)!r}")
    return number
