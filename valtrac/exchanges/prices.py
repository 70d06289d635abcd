"""Prices of TAO from public tickers, through ccxt. Each exchange in a thread of its own; nothing is ever raised."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from valtrac.core.quotes import Answers, Quote, number
from valtrac.core.text import plain
from valtrac.exchanges.client import prepared

BASE = "TAO"
MOST_WORDS = 160


class CcxtPrices:
    """The tickers of some exchanges.

    sources: ccxt's names of exchanges. symbols: what TAO may be priced in, the first that an exchange
    lists counts. timeout_s: the longest that anyone waits. make: builds an exchange from its name.
    """

    def __init__(
        self,
        sources: Sequence[str],
        symbols: Sequence[str],
        *,
        currency: str,
        stale_s: int,
        any_time: bool = False,
        timeout_s: float = 20.0,
        make: Callable[[str, float], Any] | None = None,
    ) -> None:
        self.currency, self.stale_s, self.any_time = currency, stale_s, any_time
        self._sources, self._symbols, self._timeout_s = tuple(sources), tuple(symbols), timeout_s
        self._make = make or opened
        self._known: dict[str, Any] = {}
        self._late: dict[str, threading.Thread] = {}

    def quotes(self) -> Answers:
        """What each exchange says now, in the order in which they were named, and why the others say nothing."""
        heard: dict[str, Quote | str] = {}
        threads = {source: self._asking(source, heard) for source in self._sources if not self._busy(source)}
        deadline = time.monotonic() + self._timeout_s
        for source, thread in threads.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self._late[source] = thread
        said = {
            source: heard.get(source, "no answer in time") for source in self._sources
        }  # the late may go on writing
        return Answers(
            tuple(quote for quote in said.values() if isinstance(quote, Quote)),
            tuple(f"{source}: {why}" for source, why in said.items() if isinstance(why, str)),
        )

    def _busy(self, source: str) -> bool:
        late = self._late.get(source)
        return late is not None and late.is_alive()

    def _asking(self, source: str, heard: dict[str, Quote | str]) -> threading.Thread:
        thread = threading.Thread(target=self._ask, args=(source, heard), name=f"price-{source}", daemon=True)
        thread.start()
        return thread

    def _ask(self, source: str, heard: dict[str, Quote | str]) -> None:
        exchange = self._known.pop(source, None)
        try:
            if exchange is None:
                exchange = self._make(source, self._timeout_s)
            heard[source] = _quote(exchange, source, self._symbols)
            self._known[source] = exchange
        except Exception as error:  # a library for a hundred exchanges may raise anything; none of it stops a snapshot
            heard[source] = _reason(error)


def opened(source: str, timeout_s: float) -> Any:
    """An exchange of ccxt's for public reads. Raises ValueError where it has none of this name."""
    import ccxt

    if source not in ccxt.exchanges:
        raise ValueError("there is no such exchange in ccxt")
    return prepared(getattr(ccxt, source)({"timeout": int(timeout_s * 1000)}))


def _quote(exchange: Any, source: str, symbols: Sequence[str]) -> Quote:
    """The ticker of the first symbol that is traded there. Raises ValueError with the reason, or what ccxt raises."""
    markets = exchange.load_markets()
    pairs = [f"{BASE}/{symbol}" for symbol in symbols]
    pair = next((pair for pair in pairs if pair in markets and markets[pair].get("active") is not False), None)
    if pair is None:
        raise ValueError(f"it does not trade {' or '.join(pairs)}")
    ticker = exchange.fetch_ticker(pair)
    return Quote(source, pair, number(ticker.get("last")), _moment(ticker.get("timestamp")))


def _moment(milliseconds: object) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"its time is no time: {plain(milliseconds, 40)!r}") from error


def _reason(error: Exception) -> str:
    words = plain(error, MOST_WORDS)
    return words if type(error) is ValueError else f"{type(error).__name__}: {words}"
