"""Alerts as words: harmless wherever they are shown, and short where they have to be."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.alerts.model import messages
from valtrac.alerts.model.messages import SMS, Alert, Sender, code_of
from valtrac.core.events import Event, Severity
from valtrac.core.money import bts, rao

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SENDER = Sender("LD18", ZoneInfo("Europe/Berlin"))
texts = st.text(max_size=100).map(lambda text: text * 3)
events = st.builds(
    Event,
    st.text(min_size=1, max_size=80),
    st.just("shop.paid"),
    st.integers(0, 10**8).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    texts,
    short=st.one_of(st.just(""), texts),
    fix=texts,
    amounts=st.lists(st.integers(0, 10**18).map(rao), max_size=3).map(tuple),
    tx_ids=st.lists(st.text(max_size=9), max_size=25).map(tuple),
    figures=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
)
alerts = st.builds(Alert, events, st.sampled_from(list(Severity)), st.text(min_size=1, max_size=60))
senders = st.builds(Sender, st.text(max_size=40), st.sampled_from(["UTC", "Asia/Kolkata"]).map(ZoneInfo))


def alert(words: str = "Batch #17 is paid.", **more: object) -> Alert:
    event = Event("payouts.settled:17", "payouts.settled", NOW, words, **more)  # type: ignore[arg-type]
    return Alert(event, Severity.INFO, "Payout settled")


def test_the_long_form_has_all_of_it() -> None:
    told = messages.long_form(
        alert(amounts=(rao(4_200_000_000), bts(1)), tx_ids=("0xab",), fix="run.py payout show 17"), SENDER
    )
    assert told.title == "Payout settled · LD18"
    assert told.body.splitlines() == [
        "Batch #17 is paid.",
        "Amount: 4.200000000 TAO, 0.00001 BTS",
        "Transaction: 0xab",
        "What to do: run.py payout show 17",
        "",
        "2026-03-10 12:00:00 UTC (13:00 Europe/Berlin) · LD18",
        f"Alert {code_of('payouts.settled:17')} (payouts.settled:17)",
    ]


def test_the_text_message_names_machine_and_code() -> None:
    told = messages.sms_form(alert(short="batch #17, 12 payments"), SENDER)
    assert told.title == "LD18"
    assert told.body == f"Payout settled: batch #17, 12 payments {code_of('payouts.settled:17')}"


def test_a_long_text_message_fills_its_160_characters_and_no_more() -> None:
    for told in (messages.sms_form(alert("x" * 500), SENDER), messages.sms_digest([alert("x" * 500)] * 2, SENDER)):
        assert len(told.title) + 1 + len(told.body) <= SMS
    told = messages.sms_form(alert("x" * 500), SENDER)
    assert len(told.title) + 1 + len(told.body) == SMS
    assert "xxx... V-" in told.body


@given(alerts, senders)
def test_a_text_message_is_one_text_message(alert: Alert, sender: Sender) -> None:
    told = messages.sms_form(alert, sender)
    assert len(told.title) + 1 + len(told.body) <= SMS
    assert (told.title + told.body).isascii()
    assert told.body.endswith(alert.code)


@settings(max_examples=40)
@given(st.lists(alerts, min_size=1, max_size=8).map(lambda some: some * 5), senders)
def test_a_digest_counts_every_alert_and_fits(some: list[Alert], sender: Sender) -> None:
    short = messages.sms_digest(some, sender)
    assert len(short.title) + 1 + len(short.body) <= SMS
    assert short.body.isascii()
    assert len(messages.digest(some, sender, "", "run.py alerts list").body) <= messages.LONGEST_BODY


def test_a_digest_lists_the_worst_first_and_counts_the_rest() -> None:
    many = [
        Alert(Event(f"shop.paid:{n}", "shop.paid", NOW, f"{n} was paid."), Severity.INFO, "Paid") for n in range(99)
    ]
    bad = Alert(Event("shop.broken:1", "shop.broken", NOW, "The shelf."), Severity.CRITICAL, "Broken")
    lines = messages.digest([*many, bad], SENDER, " at once", "run.py alerts list").body.splitlines()
    assert lines[0] == "100 alerts at once."
    assert lines[2].startswith("13:00:00 !! Broken: The shelf. (V-")
    assert "and 80 more: Paid" in lines


@given(alerts, senders)
def test_no_sign_that_nobody_sees_gets_through(alert: Alert, sender: Sender) -> None:
    told = messages.long_form(alert, sender)
    text = told.title + told.body.replace("\n", "")
    assert not {unicodedata.category(sign) for sign in text} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "\n" not in told.title


def test_what_people_wrote_calls_nobody_and_is_no_link() -> None:
    told = messages.long_form(
        alert("memo: @everyone @HERE <!channel> [click](https://evil.example) \x1b[2J\u202e"), SENDER
    )
    for harm in ("@everyone", "@HERE", "<!channel>", "](", "://", "\x1b", "\u202e"):
        assert harm not in told.body


def test_the_same_alerts_have_the_same_code_and_others_another() -> None:
    assert code_of("a", "b") == code_of("a", "b")
    assert len({code_of("a"), code_of("b"), code_of("a", "b"), code_of("ab")}) == 4
