"""A stand-in for one exchange over HTTP: it checks the signatures that the real one checks, and can be late or lossy.

accounts: key -> Account. Withdrawals that are accepted are handed to `settle` when they are let go.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

WINDOW_MS = 60_000


@dataclass
class Account:
    """An account there. available: BTS as a decimal; memo: what a deposit to it must carry."""

    secret: str
    available: Decimal
    memo: str = "deposit-memo"


@dataclass
class Asked:
    """A withdrawal that was accepted. done: whether it has left."""

    number: int
    key: str
    amount: Decimal
    address: str
    memo: str
    at: float
    done: bool = False
    failed: bool = False
    tx_id: str = ""


@dataclass
class Poloniex:
    accounts: dict[str, Account]
    fee: Decimal = Decimal(5)
    deposit_account: str = "exchange"
    settle: Callable[[Asked], str] | None = None  # sends it; returns the transaction's id
    late: bool = False  # accepted withdrawals wait for `let_go`
    lose_replies: int = 0
    lose_requests: int = 0
    down: bool = False
    refuse: int = 0
    clock: Callable[[], float] = time.time
    seen: list[tuple[str, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock, self.numbers = threading.RLock(), itertools.count(1000)
        self.lines: set[socket.socket] = set()

    def let_go(self) -> int:
        """Send what waits; returns how many."""
        with self.lock:
            waiting = [one for one in self.asked if not one.done and not one.failed]
            for one in waiting:
                self._send(one)
            return len(waiting)

    def _send(self, one: Asked) -> None:
        one.done = True
        if self.settle is not None:
            one.tx_id = self.settle(one)

    def answer(self, headers: Any, method: str, path: str, query: dict[str, str], body: str) -> tuple[int, Any]:
        if (method, path) == ("GET", "/v2/currencies"):
            return 200, [self._currency()]
        if (method, path) == ("GET", "/markets"):
            return 200, [_MARKET]
        if (method, path) == ("GET", "/v3/market/allInstruments"):
            return 200, {"code": "200", "msg": "Success", "data": []}
        account, key = self._authenticated(headers, method, path, query, body), headers.get("key")
        if account is None:
            return 401, {"code": 21100, "message": "Signature error"}
        if (method, path) == ("GET", "/accounts/balances"):
            held = {"currencyId": "28", "currency": "BTS", "available": str(account.available), "hold": "0"}
            return 200, [{"accountId": "7", "accountType": "SPOT", "balances": [held]}]
        if (method, path) == ("GET", "/wallets/addresses"):
            return 200, {query["currency"]: account.memo}
        if (method, path) == ("GET", "/wallets/activity"):
            mine = [one for one in self.asked if one.key == key and one.at >= int(query["start"]) / 1000 - 1]
            return 200, {"deposits": [], "withdrawals": [self._row(one) for one in mine]}
        if (method, path) == ("POST", "/v2/wallets/withdraw"):
            return self._withdraw(account, key, json.loads(body))
        return 404, {"code": 404, "message": "Not Found"}

    def _withdraw(self, account: Account, key: str, asked: dict[str, Any]) -> tuple[int, Any]:
        amount = Decimal(str(asked["amount"]))
        if self.refuse:
            self.refuse -= 1
            return 400, {"code": 21709, "message": "Insufficient balance"}
        if amount > account.available:
            return 400, {"code": 21709, "message": "Insufficient balance"}
        account.available -= amount
        one = Asked(next(self.numbers), key, amount, asked["address"], asked.get("paymentId", ""), self.clock())
        self.asked.append(one)
        if not self.late:
            self._send(one)
        return 200, {"withdrawalRequestsId": one.number}

    def _row(self, one: Asked) -> dict[str, Any]:
        return {
            "withdrawalRequestsId": one.number,
            "currency": "BTS",
            "address": one.address,
            "amount": str(one.amount),
            "fee": str(self.fee),
            "timestamp": int(one.at),
            "txid": one.tx_id or None,
            "paymentID": one.memo,
            "status": "FAILED" if one.failed else "COMPLETED" if one.done else "PROCESSING",
        }

    def _authenticated(self, headers: Any, method: str, path: str, query: dict[str, str], body: str) -> Account | None:
        account, stamp = self.accounts.get(headers.get("key")), headers.get("signTimestamp", "0")
        if account is None or abs(time.time() * 1000 - int(stamp)) > WINDOW_MS:
            return None
        if method == "GET":
            tail = urlencode(sorted({**query, "signTimestamp": stamp}.items()))
        else:
            tail = (f"requestBody={body}&" if body else "") + f"signTimestamp={stamp}"
        digest = hmac.new(account.secret.encode(), f"{method}\n{path}\n{tail}".encode(), hashlib.sha256).digest()
        good = hmac.compare_digest(base64.b64encode(digest).decode(), headers.get("signature", ""))
        return account if good else None

    def _currency(self) -> dict[str, Any]:
        network = {
            "id": 28,
            "coin": "BTS",
            "name": "BitShares",
            "currencyType": "address-payment-id",
            "blockchain": "BTS",
            "withdrawalEnable": True,
            "depositEnable": True,
            "depositAddress": self.deposit_account,
            "withdrawMin": "10.00000000",
            "decimals": 5,
            "withdrawFee": str(self.fee),
            "minConfirm": 20,
            "contractAddress": None,
        }
        return {
            "id": 28,
            "coin": "BTS",
            "delisted": False,
            "tradeEnable": True,
            "name": "BitShares",
            "networkList": [network],
            "supportCollateral": False,
            "supportBorrow": False,
        }

    # -- over HTTP ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Poloniex:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                stub.lines.add(self.connection)

            def finish(self) -> None:
                stub.lines.discard(self.connection)
                super().finish()

            def serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                withdraws = self.command == "POST"
                with stub.lock:
                    stub.seen.append((self.command, parts.path))
                    if stub.down or (withdraws and stub.lose_requests):
                        stub.lose_requests -= int(withdraws and not stub.down)
                        return self.hang_up()
                    code, reply = stub.answer(
                        self.headers, self.command, parts.path, dict(parse_qsl(parts.query)), body
                    )
                    if withdraws and stub.lose_replies:
                        stub.lose_replies -= 1
                        return self.hang_up()
                raw = json.dumps(reply).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
                return None

            def hang_up(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = serve

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for line in list(self.lines):  # a client may keep its own open: the thread that serves it ends all the same
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    @property
    def urls(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server.server_port}"
        return {"spot": url, "swap": url}


_MARKET = {
    "symbol": "BTS_BTC",
    "baseCurrencyName": "BTS",
    "quoteCurrencyName": "BTC",
    "displayName": "BTS/BTC",
    "state": "NORMAL",
    "visibleStartTime": 1659018816626,
    "tradableStartTime": 1659018816626,
    "symbolTradeLimit": {
        "symbol": "BTS_BTC",
        "priceScale": 10,
        "quantityScale": 0,
        "amountScale": 8,
        "minQuantity": "100",
        "minAmount": "0.00001",
        "highestBid": "0",
        "lowestAsk": "0",
    },
}
