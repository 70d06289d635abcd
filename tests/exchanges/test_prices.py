"""Prices from exchanges: the real library against a server on this machine. Whatever they do, nothing is raised."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.exchanges import Exchanges, Raw
from tests.homes import CHECKOUT
from valtrac.core.quotes import Answers
from valtrac.exchanges.prices import CcxtPrices, opened
from valtrac.reports.model.prices import Price, Unknown, agreed, usable
from valtrac.settings import Settings, load

ALL = ("kraken", "kucoin", "mexc", "gate")


def source(exchanges: Exchanges, *names: str, symbols: tuple[str, ...] = ("USD", "USDT"), **how: Any) -> CcxtPrices:
    given = {"currency": "USD", "stale_s": 3600, "timeout_s": 20.0, "make": exchanges.make, **how}
    return CcxtPrices(names or ALL, symbols, **given)


def judged(answers: Answers) -> Price | Unknown:
    now = datetime.now(UTC)
    return agreed(usable(answers, now, 3600), now, "USD")


def test_four_exchanges_are_read_each_in_the_first_symbol_that_it_lists(exchanges: Exchanges) -> None:
    exchanges.said |= {"kraken": "411.1", "kucoin": "412.2", "mexc": "413.3", "gate": "414.4"}
    answers = source(exchanges).quotes()
    assert answers.reasons == ()
    assert [(quote.source, quote.symbol, quote.price) for quote in answers.quotes] == [
        ("kraken", "TAO/USD", Decimal("411.1")),
        ("kucoin", "TAO/USDT", Decimal("412.2")),
        ("mexc", "TAO/USDT", Decimal("413.3")),
        ("gate", "TAO/USDT", Decimal("414.4")),
    ]


def test_those_that_put_a_time_on_it_are_dated_and_the_others_are_not(exchanges: Exchanges) -> None:
    exchanges.time_ms = 1_767_225_600_123
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=123)
    assert [quote.at for quote in source(exchanges).quotes().quotes] == [None, moment, moment, None]


@pytest.mark.parametrize("text", ["412.123456789012345678", "0.000000001", "9007199254740993.5"])
@pytest.mark.parametrize("written", [str, Raw], ids=["as text", "as a number"])
def test_every_digit_arrives_as_it_was_sent(exchanges: Exchanges, text: str, written: Any) -> None:
    exchanges.said |= dict.fromkeys(ALL, written(text))
    assert [str(quote.price) for quote in source(exchanges).quotes().quotes] == [str(Decimal(text))] * 4


@pytest.mark.parametrize(
    "said",
    [
        "",
        "none",
        "NaN",
        "Infinity",
        Raw("null"),
        Raw("NaN"),
        Raw("Infinity"),
        Raw("-Infinity"),
        "0",
        "0.000",
        Raw("0"),
        "-1",
        Raw("-412.5"),
        "1e99",
        "1e-99",
        "1e999999999",
        "9" * 70,
        Raw("[]"),
        Raw("{}"),
        Raw("true"),
    ],
)
def test_garbage_is_left_out_with_a_reason_and_the_others_count(exchanges: Exchanges, said: str) -> None:
    exchanges.said |= {"kraken": said, "kucoin": said}
    price = judged(source(exchanges).quotes())
    assert isinstance(price, Price)
    assert (price.price_nano, price.source) == (412_500_000_000, "median of mexc TAO/USDT, gate TAO/USDT")
    assert "kraken" in price.words
    assert "kucoin" in price.words


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/kucoin/api/v2/symbols", 500, "oops"),
        ("/kucoin/api/v2/symbols", 200, "<html>maintenance</html>"),
        ("/kucoin/api/v2/symbols", 200, '{"code": "200000", "data": [{}]}'),
        ("/kucoin/api/v2/symbols", 200, '{"code": "200000", "data": "\\u001b[2J"}'),
        ("/kucoin/api/v1/market/stats", 429, '{"code": "429000", "msg": "Too Many Requests \\u001b[2J"}'),
        ("/kucoin/api/v1/market/stats", 200, "[1, 2"),
        ("/kucoin/api/v1/market/stats", 200, "[" * 100_000),
        ("/kucoin/api/v1/market/stats", 200, ""),
        ("/kucoin/api/v1/market/stats", 200, '{"code": "200000", "data": {"last": "1", "time": "1e400"}}'),
        ("/kucoin/api/v1/market/stats", 200, '{"code": "200000", "data": {"last": "1", "time": 99999999999999999}}'),
    ],
)
def test_an_exchange_that_is_broken_is_left_out_in_words_that_are_safe(
    exchanges: Exchanges, path: str, status: int, text: str
) -> None:
    exchanges.answers[path] = (status, text)
    price = judged(source(exchanges, "kraken", "kucoin").quotes())
    assert isinstance(price, Price)
    assert price.source == "kraken TAO/USD"
    assert "kucoin" in price.words
    assert "\x1b" not in price.words


def test_a_stale_price_is_left_out_and_so_is_one_of_the_future(exchanges: Exchanges) -> None:
    for lag, word in ((timedelta(hours=3), "stale, 3 h old"), (timedelta(hours=-3), "3 h ahead")):
        exchanges.time_ms = int((datetime.now(UTC) - lag).timestamp() * 1000)
        price = judged(source(exchanges, "kraken", "kucoin").quotes())
        assert isinstance(price, Price)
        assert price.source == "kraken TAO/USD"
        assert word in price.words


def test_a_market_that_is_not_listed_or_closed_is_no_price(exchanges: Exchanges) -> None:
    answers = source(exchanges, "kraken", "kucoin", symbols=("EUR",)).quotes()
    assert answers == Answers((), ("kraken: it does not trade TAO/EUR", "kucoin: it does not trade TAO/EUR"))
    exchanges.answers["/kucoin/api/v2/symbols"] = (
        200,
        '{"code": "200000", "data": [{"symbol": "TAO-USDT", "baseCurrency": "TAO", "quoteCurrency": "USDT",'
        ' "enableTrading": false}]}',
    )
    assert source(exchanges, "kucoin").quotes().reasons == ("kucoin: it does not trade TAO/USD or TAO/USDT",)


def test_nobody_there_is_an_unknown_with_a_reason_for_each(exchanges: Exchanges) -> None:
    made = source(exchanges)
    exchanges.close()
    price = judged(made.quotes())
    assert isinstance(price, Unknown)
    assert [reason.partition(":")[0] for reason in price.reasons] == list(ALL)


def test_one_that_never_comes_to_an_end_is_not_waited_for_nor_asked_again(exchanges: Exchanges) -> None:
    exchanges.hanging = {"kucoin"}
    made = source(exchanges, "kucoin", "kraken", timeout_s=2.0)
    for _ in range(2):
        answers = made.quotes()
        assert [quote.source for quote in answers.quotes] == ["kraken"]
        assert answers.reasons == ("kucoin: no answer in time",)
    assert len([path for path in exchanges.asked if path.startswith("/kucoin")]) == 1


def test_one_that_failed_is_opened_anew_and_one_that_answered_keeps_its_list_of_markets(exchanges: Exchanges) -> None:
    exchanges.answers["/kucoin/api/v1/market/stats"] = (500, "oops")
    made = source(exchanges, "kraken", "kucoin")
    assert len(made.quotes().quotes) == 1
    exchanges.answers.clear()
    assert len(made.quotes().quotes) == 2
    assert len(made.quotes().quotes) == 2
    assert exchanges.asked.count("/kraken/0/public/AssetPairs") == 1
    assert exchanges.asked.count("/kucoin/api/v2/symbols") == 2


def test_an_exchange_that_the_library_does_not_have_is_a_reason() -> None:
    made = CcxtPrices(("gateio",), ("USD",), currency="USD", stale_s=1)
    assert made.quotes() == Answers((), ("gateio: there is no such exchange in ccxt",))


def test_whatever_a_library_raises_is_a_reason() -> None:
    def make(name: str, _: float) -> Any:
        raise {"a": RecursionError("deep"), "b": MemoryError(), "c": ImportError("no ccxt \x1b[2J")}[name]

    made = CcxtPrices(("a", "b", "c"), ("USD",), currency="USD", stale_s=1, make=make)
    assert made.quotes().reasons == ("a: RecursionError: deep", "b: MemoryError: ", "c: ImportError: no ccxt ·[2J")


def test_no_exchange_set_asks_nobody() -> None:
    assert CcxtPrices((), ("USD",), currency="USD", stale_s=1).quotes() == Answers((), ())


def test_every_exchange_of_the_default_is_one_that_the_library_has() -> None:
    for name in Settings().price_sources:
        exchange = opened(name, 1.0)
        assert (exchange.id, exchange.has["fetchTicker"], exchange.apiKey) == (name, True, None)


def test_what_settings_take_for_an_exchange_is_what_the_library_lists() -> None:
    import ccxt

    from valtrac.reports.settings import _exchanges

    assert set(ccxt.exchanges) <= _exchanges()


def test_settings_and_the_app_are_ready_without_the_library() -> None:
    code = (
        "import sys; from valtrac import settings as config; from valtrac.wiring.payouts import App; "
        "settings = config.load({'VALTRAC_PRICE_SOURCES': 'kraken,gate'}); "
        "assert App(settings).prices.currency == 'USD'; import valtrac.reports.prices; print('ccxt' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_name_that_is_no_exchange_is_refused_with_the_nearest() -> None:
    with pytest.raises(Exception, match="did you mean kraken"):
        load({"VALTRAC_PRICE_SOURCES": "krakn"})
