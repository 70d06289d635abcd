"""Statements as pages: whole, escaped, and opened in a real browser without a request and without a complaint."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from charts import user_balance
from charts.drawing import pages, paint
from valtrac.reports.model.prices import Price
from valtrac.reports.model.statements import Payment, Statement
from valtrac.reports.model.statistics import BalancePoint

AT = datetime(2026, 10, 5, 12, tzinfo=UTC)
MONTH = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
HOSTILE = '<script>alert(1)</script> "x" &amp; \x1b[31m \u202e'
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def payment(number: int = 1, name: str = "ann") -> Payment:
    price = Price(AT, "USD", 400 * 10**9, "manual") if number % 2 else None
    return Payment(
        AT,
        name,
        "user:1",
        number,
        10,
        20,
        "5F" + "x" * 46,
        number * 10**9,
        number * 10**9,
        0,
        0,
        "0x" + "ab" * 32,
        301,
        "f" * 64,
        price,
    )


def made(name: str = "ann", payments: int = 3) -> Statement:
    return Statement(name, "user:1", *MONTH, "USD", tuple(payment(n, name) for n in range(1, payments + 1)), 5)


def page(name: str = "ann", payments: int = 3) -> str:
    points = [BalancePoint(datetime(2026, 10, day, tzinfo=UTC), 10.0 * day, 400.0 * day) for day in range(1, 28)]
    svg = paint.svg_text(user_balance.draw(points, unit="TAO", who=name, currency="USD"), prefix="a")
    return pages.statement(made(name, payments), [("Balance", svg)], {"Share": "25 %"}, ["Checked."])


class Tags(HTMLParser):
    """Every tag opened and closed, and every address that a page could load."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.addresses, self.seen = list[str](), list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br", "path", "use", "rect", "line", "stop", "image"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def read(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    return tags


def test_a_page_is_whole_and_loads_nothing() -> None:
    tags = read(page())
    assert "script" not in tags.seen
    assert all(address.startswith("#") for address in tags.addresses), tags.addresses
    assert "default-src 'none'" in page()


def test_the_figures_are_there_and_what_is_unknown_is_said() -> None:
    text = page()
    for words in ("6.000000000 TAO", "unknown", "400.00 USD", "2026-10-05 12:00", "0x" + "ab" * 32, "25 %"):
        assert words in text
    assert "1600.00 USD, and 1 of unknown worth" in text
    assert not re.search(r"\b0\.00 USD", text)


def test_names_are_escaped_wherever_they_stand() -> None:
    text = page(HOSTILE) + pages.validator(HOSTILE, [made(HOSTILE)], [], {HOSTILE: HOSTILE}, {(1, HOSTILE): 'a"b'})
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert 'a"b' in read(text).addresses  # one address, however the quote in it is written


def test_no_control_character_reaches_a_page_and_the_arrow_is_an_arrow() -> None:
    everything = page(HOSTILE) + pages.validator(HOSTILE, [made(HOSTILE)], [], {HOSTILE: HOSTILE}, {})
    assert [sign for sign in everything if unicodedata.category(sign) in ("Cc", "Cf") and sign != "\n"] == []
    assert everything.count('content: "swipe to see all of it →"') == 2


def test_what_a_template_names_and_was_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'title' is undefined"):
        pages.rendered("statement.html", [])


def test_only_a_drawing_stands_in_a_page_as_it_is() -> None:
    text = pages.statement(made("<i>"), [("<u>", "<svg></svg>")], {"<b>": "<s>"}, ["<q>"])
    assert read(text).seen.isdisjoint({"i", "u", "b", "s", "q"})
    assert '<figure aria-label="&lt;u&gt;"><svg></svg></figure>' in text


def test_a_statement_without_payments_says_so() -> None:
    assert "Nothing was paid in this period." in page(payments=0)


def test_the_page_of_all_links_every_proof_that_there_is() -> None:
    text = pages.validator("All", [made("ann"), made("bob", 1)], [], {}, {(1, "ann"): "proofs/1.json"})
    assert text.count('href="proofs/1.json"') == 1
    assert "7.000000000" in text  # six and one


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; `make test` installs it where it may")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_a_browser_opens_it_without_a_complaint_and_without_a_request(tmp_path: Path, scheme: str, width: int) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / "page.html"
    path.write_text(page(HOSTILE, 40), encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as driver:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=root)
        opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(path.as_uri())
        assert opened.evaluate("document.querySelectorAll('script').length") == 0
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
        paper, ink = opened.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        swipe = opened.evaluate("getComputedStyle(document.querySelector('figure'), '::before').content")
        picture = opened.screenshot(full_page=True)
        browser.close()
    assert (said, asked) == ([], [path.as_uri()])
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 23, 29)")
    assert paper != ink
    assert swipe == ('"swipe to see all of it →"' if width < 700 else "none")
