"""A local HTTP server that answers like four exchanges do, and misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from valtrac.exchanges.prices import opened

KUCOIN_MARKET = {"symbol": "TAO-USDT", "baseCurrency": "TAO", "quoteCurrency": "USDT", "enableTrading": True}
MEXC_MARKET = {
    "symbol": "TAOUSDT",
    "status": "1",
    "baseAsset": "TAO",
    "quoteAsset": "USDT",
    "isSpotTradingAllowed": True,
}
GATE_MARKET = {"id": "TAO_USDT", "base": "TAO", "quote": "USDT", "trade_status": "tradable"}
KRAKEN_MARKET = {"altname": "TAOUSD", "base": "TAO", "quote": "ZUSD", "status": "online", "lot_decimals": 8}


class Raw(str):
    """A number of JSON, with just these digits."""


class Exchanges:
    """The four of them. said: exchange -> what its ticker says; `answers`: path -> what is answered instead."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = dict.fromkeys(("kraken", "kucoin", "mexc", "gate"), "412.50")
        self.time_ms: int | None = None  # None: now
        self.answers: dict[str, tuple[int, str]] = {}
        self.hanging: set[str] = set()
        self.asked: list[str] = []
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def make(self, source: str, timeout_s: float) -> Any:
        """A real exchange of ccxt's that talks to this server, each under a folder of its own."""
        exchange = opened(source, timeout_s)
        exchange.urls["api"] = self._here(exchange.urls["api"], source)
        exchange.enableRateLimit = False  # this server needs no rest between two requests
        return exchange

    def _here(self, urls: Any, source: str) -> Any:
        if isinstance(urls, dict):
            return {name: self._here(url, source) for name, url in urls.items()}
        return f"{self.url}/{source}{urlsplit(urls).path}"

    def _body(self, path: str) -> Any:
        now = self.time_ms if self.time_ms is not None else int(time.time() * 1000)
        kraken, kucoin, mexc, gate = (self.said[name] for name in ("kraken", "kucoin", "mexc", "gate"))
        return {
            "/kraken/0/public/AssetPairs": {"error": [], "result": {"TAOUSD": KRAKEN_MARKET}},
            "/kraken/0/public/Ticker": {"error": [], "result": {"TAOUSD": {"c": [kraken, "1.0"]}}},
            "/kucoin/api/v2/symbols": {"code": "200000", "data": [KUCOIN_MARKET]},
            "/kucoin/api/v1/market/stats": {
                "code": "200000",
                "data": {"symbol": "TAO-USDT", "last": kucoin, "time": now},
            },
            "/mexc/api/v3/exchangeInfo": {"symbols": [MEXC_MARKET]},
            "/mexc/api/v1/contract/detail": {"success": True, "code": 0, "data": []},
            "/mexc/api/v3/ticker/24hr": {"symbol": "TAOUSDT", "lastPrice": mexc, "closeTime": now},
            "/gate/api/v4/margin/currency_pairs": [],
            "/gate/api/v4/spot/currency_pairs": [GATE_MARKET],
            "/gate/api/v4/spot/tickers": [{"currency_pair": "TAO_USDT", "last": gate}],
        }.get(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        exchanges = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                exchanges.asked.append(path)
                if path.split("/")[1] in exchanges.hanging:
                    self._drip()
                    return
                status, text = exchanges.answers.get(path) or (200, written(exchanges._body(path)))
                data = text.encode()
                self.send_response(status if text != "null" else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _drip(self) -> None:
                """A blank now and then, so that no timeout of a single read ever passes."""
                self.send_response(200)
                self.end_headers()
                try:
                    while not exchanges.released.wait(0.05):
                        self.wfile.write(b" ")
                        self.wfile.flush()
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def written(body: Any) -> str:
    """JSON, in which a `Raw` is a number and not a text."""
    text = json.dumps(body, default=str)
    found: list[Raw] = []

    def look(value: Any) -> None:
        if isinstance(value, Raw):
            found.append(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(inner)

    look(body)
    for raw in found:
        text = text.replace(json.dumps(str(raw)), str(raw))
    return text
