"""One account on an exchange, through ccxt: what it holds, where to deposit, asking for withdrawals, looking them up.

Whole satoshi go in and out; ccxt is told to hand numbers over as they were sent. A withdrawal is asked for once: an
answer that is lost, or that does not prove a no, leaves the outcome unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from valtrac.core.chain import ExchangeWithdrawal
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.core.money import BTS, decimal_text
from valtrac.core.text import plain
from valtrac.exchanges.client import prepared

CODE = "BTS"
WHOLE = 10**BTS.decimals
MOST_FEE = 1_000 * WHOLE  # exchanges ask for less than 100 BTS
KEYS = ("key", "secret", "password", "uid")  # what an exchange may want; ccxt's names but for the first
QUERY = re.compile(r"\?\S*")
CCXT_KEYS = ("apiKey", *KEYS[1:])
FAILED = ("failed", "canceled", "cancelled", "rejected", "error")


class CcxtAccount:
    """An unlocked account. exchange: ccxt's object with keys; network: the exchange's name for BitShares."""

    def __init__(self, exchange: Any, name: str, *, network: str) -> None:
        self.name = name
        self._exchange, self._network = exchange, network
        self._loaded = False

    def __repr__(self) -> str:
        return f"CcxtAccount({self.name})"

    def available(self) -> int:
        """What can be withdrawn now, in satoshi."""
        return int(self._read("its balance", _free))

    def deposit_address(self) -> tuple[str, str]:
        """(account name, memo) for deposits to this account."""
        address, tag = self._read("its deposit address", self._address)
        if not address or not tag:
            raise ChainUnreachable(f"exchange account {self.name} names no deposit account with a memo")
        return address, tag

    def withdrawal_fee(self) -> int:
        """What the exchange keeps of a withdrawal, in satoshi."""
        return int(self._read("its withdrawal fee", self._fee))

    def withdraw(self, units: int, *, to: str, memo: str) -> str:
        """Ask for a withdrawal of whole BTS, once. Raises as the port says."""
        if units <= 0 or units % WHOLE:
            raise ValueError("an exchange rounds fractions: whole BTS only")
        import ccxt

        self._read("its markets", lambda exchange: None)
        no = (
            ccxt.InsufficientFunds,
            ccxt.AuthenticationError,
            ccxt.PermissionDenied,
            ccxt.InvalidAddress,
            ccxt.BadRequest,
            ccxt.ArgumentsRequired,
            ccxt.NotSupported,
        )
        try:
            answer = self._exchange.withdraw(CODE, str(units // WHOLE), to, self._params(tag=memo))
        except no as error:
            raise Refused(f"exchange account {self.name} refused a withdrawal", why=self._words(error)) from error
        except Exception as error:
            raise OutcomeUnknown(
                f"exchange account {self.name} was asked for {decimal_text(units, BTS.decimals)} BTS; no clear answer",
                why=self._words(error),
                fix="it is looked up by its memo before anything else is asked",
            ) from error
        return plain((answer or {}).get("id") or "", 100)

    def withdrawals(self, since: datetime) -> tuple[ExchangeWithdrawal, ...]:
        """The withdrawals asked for since then."""
        start = int(since.timestamp() * 1000)
        rows = self._read("its withdrawals", lambda exchange: exchange.fetch_withdrawals(CODE, start))
        return tuple(self._withdrawal(row) for row in rows)

    def close(self) -> None:
        """Let go of the connection that ccxt keeps open."""
        self._exchange.close()

    def _withdrawal(self, row: Mapping[str, Any]) -> ExchangeWithdrawal:
        status = str(row.get("status") or "pending").lower()
        state = "failed" if status in FAILED else "ok" if status == "ok" else "pending"
        try:
            fee = _units((row.get("fee") or {}).get("cost") or 0)
            made_at = datetime.fromtimestamp(int(str(row.get("timestamp") or 0)) / 1000, UTC)
            return ExchangeWithdrawal(
                plain(row["id"], 100),
                _units(row.get("amount") or 0) + fee,
                str(row.get("address") or ""),
                str(row.get("tag") or ""),
                made_at,
                state,
                str(row.get("txid") or "").lower(),
            )
        except (KeyError, ValueError, OverflowError, OSError) as error:
            raise ChainUnreachable(f"exchange account {self.name} tells of withdrawals in another shape") from error

    def _address(self, exchange: Any) -> tuple[str, str]:
        answer = exchange.fetch_deposit_address(CODE, self._params())
        return plain(answer.get("address") or "", 80), str(answer.get("tag") or "")

    def _fee(self, exchange: Any) -> int:
        networks = (exchange.currencies.get(CODE) or {}).get("networks") or {}
        network = networks.get(self._network) or {}
        fee = network.get("fee")
        if fee is None:
            raise ChainUnreachable(
                f"exchange account {self.name} does not say what a withdrawal costs",
                why=f"its network {plain(self._network, 40)} for {CODE} is not listed",
                fix="mend VALTRAC_CONTRACTS_EXCHANGE_NETWORK",
            )
        if (units := _units(fee)) > MOST_FEE:
            raise ChainUnreachable(
                f"exchange account {self.name} asks {decimal_text(units, BTS.decimals)} BTS for a withdrawal",
                why=f"more than {MOST_FEE // WHOLE} BTS is not believed",
                fix="look at its page; nothing is asked of it meanwhile",
            )
        return units

    def _params(self, **more: str) -> dict[str, str]:
        return {"network": self._network, **more}

    def _words(self, error: Exception) -> str:
        """What was said, without anything that could be a key: some exchanges have keys and signatures in the address
        that is asked, and some say them back."""
        text = QUERY.sub("?...", str(error))
        for name in CCXT_KEYS:
            if len(held := str(getattr(self._exchange, name, None) or "")) > 3:
                text = text.replace(held, "...")
        return f"{type(error).__name__}: {plain(text, 160)}"

    def _read(self, what: str, ask: Any) -> Any:
        """Ask for something that changes nothing; markets are loaded first, once."""
        import ccxt

        try:
            if not self._loaded:
                self._exchange.load_markets()
                self._loaded = True
            return ask(self._exchange)
        except (ccxt.AuthenticationError, ccxt.PermissionDenied) as error:
            raise Refused(
                f"exchange account {self.name} does not accept its keys",
                why=self._words(error),
                fix="type them once more",
            ) from error
        except (ChainUnreachable, Refused):
            raise
        except Exception as error:  # a library for a hundred exchanges may raise anything
            raise ChainUnreachable(
                f"exchange account {self.name} does not tell {what}", why=self._words(error)
            ) from error


def open_account(
    exchange: str,
    name: str,
    keys: Mapping[str, str],
    *,
    network: str,
    timeout_s: float,
    urls: Mapping[str, Any] | None = None,
) -> CcxtAccount:
    """An account with its keys: key, secret and, where the exchange wants them, password and uid.

    urls: other addresses for the exchange's interface, for rehearsals. Raises BadInput.
    """
    import ccxt

    if exchange not in ccxt.exchanges:
        raise BadInput(f"{plain(exchange, 40)!r} is no exchange that ccxt knows", fix="mend VALTRAC_CONTRACTS_EXCHANGE")
    missing = [word for word in KEYS[:2] if not keys.get(word)]
    if missing:
        raise BadInput(
            f"exchange account {name} has no {missing[0]}", fix="type it at unlock, or keep it in the keyring"
        )
    options: dict[str, Any] = {"timeout": int(timeout_s * 1000), "apiKey": keys["key"], "secret": keys["secret"]}
    options |= {word: keys[word] for word in KEYS[2:] if keys.get(word)}
    options |= {"urls": {"api": dict(urls)}, "enableRateLimit": False} if urls else {}
    made = prepared(getattr(ccxt, exchange)(options))
    made.has["fetchCurrencies"] = True  # the price of a withdrawal is told there
    return CcxtAccount(made, name, network=network)


def _free(exchange: Any) -> int:
    free = exchange.fetch_balance().get(CODE, {}).get("free")
    return 0 if free is None else _units(free)


def _units(value: Any) -> int:
    """A decimal as satoshi, what is finer than that cut off. Raises ValueError."""
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("is no number") from error
    if not number.is_finite() or number < 0 or number >= 10**15:
        raise ValueError("is no amount")
    return int(number * WHOLE)
