"""The settings of prices and figures."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from valtrac.core.setting_types import Checked, Words
from valtrac.core.text import nearest


class ReportSettings(Checked):
    """In which money, whom to ask for the price of TAO, and how old one may be."""

    currency: str = "USD"
    price_sources: Words = ("kraken", "kucoin", "mexc", "gate")
    price_quotes: Words = ()
    price_stale_s: int = Field(default=3_600, ge=1, le=86_400)
    price_max_age_s: int = Field(default=86_400, ge=1, le=31_622_400)
    price_timeout_s: float = Field(default=20.0, gt=0, le=600)

    @field_validator("currency")
    @classmethod
    def _currency_code(cls, currency: str) -> str:
        if not re.fullmatch(r"[A-Za-z]{3,5}", currency):
            raise ValueError("must be the code of a currency, like USD or EUR")
        return currency.upper()

    @field_validator("price_quotes")
    @classmethod
    def _symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if not re.fullmatch(r"[A-Za-z0-9]{2,10}", symbol):
                raise ValueError(f"{symbol!r} is not what a market's price is in; write them like USD,USDT")
        return tuple(symbol.upper() for symbol in symbols)

    @field_validator("price_sources")
    @classmethod
    def _known_exchanges(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        return known_exchanges(sources)

    @property
    def quote_symbols(self) -> tuple[str, ...]:
        """What TAO may be priced in; the first that an exchange lists counts, a dollar coin passes for a dollar."""
        return self.price_quotes or ((self.currency, "USDT") if self.currency == "USD" else (self.currency,))


def known_exchanges(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of exchanges, each once, in small letters. Raises ValueError for one that ccxt does not know."""
    names, known = tuple(dict.fromkeys(name.lower() for name in names)), _exchanges()
    for name in names:
        if not re.fullmatch(r"[a-z0-9]{1,40}", name) or (known and name not in known):
            raise ValueError(f"{name!r} is no exchange that ccxt knows{nearest(name, known)}")
    return names


def _exchanges() -> set[str]:
    """The exchanges that ccxt has a file for, without loading it; empty where it is not installed."""
    from importlib.util import find_spec

    package = find_spec("ccxt")
    places = (package.submodule_search_locations or ()) if package else ()
    return {path.stem for place in places for path in Path(place).glob("[a-z]*.py")}
