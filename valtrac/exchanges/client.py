"""A client of an exchange through ccxt, ready to be asked."""

from __future__ import annotations

import json
from functools import partial
from typing import Any


def prepared(exchange: Any) -> Any:
    """An exchange of ccxt's set to give numbers as they were sent, and to read no more than spot markets."""
    exchange.number = str
    exchange.on_json_response = partial(json.loads, parse_float=str, parse_constant=str)
    exchange.has["fetchCurrencies"] = False  # a second long list, of deposits and withdrawals
    reads = exchange.options.get("fetchMarkets")
    if isinstance(reads, dict) and isinstance(reads.get("types"), list) and "spot" in reads["types"]:
        reads["types"] = ["spot"]
    if isinstance(reads, dict) and "fetchTickersFees" in reads:
        reads["fetchTickersFees"] = False
    return exchange
