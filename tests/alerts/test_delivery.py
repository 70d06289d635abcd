"""Delivery by apprise to a real mail server and a real webhook on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.alerts.servers import PASSWORD, Hook, Mails, hook, mails
from tests.alerts.world import World, all_codes
from valtrac.alerts import delivery, targets
from valtrac.alerts.delivery import AppriseNotifier, without_secrets
from valtrac.alerts.model.messages import SMS, code_of
from valtrac.alerts.model.rules import Form
from valtrac.core.errors import BadInput
from valtrac.core.events import Message, Severity

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Mails]:
    with mails() as made:
        yield made


@pytest.fixture
def mail(server: Mails) -> Mails:
    server.taken.clear()
    server.answer = "250 OK"
    return server


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def posted(world: World, mail: Mails, web: Hook) -> World:
    """A mail box, a phone behind a mail gateway, and a webhook."""
    world.alerting = replace(world.alerting, notifier=AppriseNotifier())
    addresses = {"mail": mail.address(), "phone": mail.address(), "hook": web.address()}
    for name, address in addresses.items():
        asked = targets.NewTarget(name, address, form=Form.SMS if name == "phone" else Form.LONG)
        targets.add(world.engine, asked, world.addresses.__setitem__)
    world.round()
    return world


def test_one_alert_arrives_once_as_mail_text_message_and_call(posted: World, mail: Mails, web: Hook) -> None:
    posted.tell("ann", severity=Severity.CRITICAL)
    done = posted.round()
    posted.rounds(5)
    assert (done.sent, done.failed) == (3, ())
    by_subject = {str(message["Subject"]): message for message in mail.taken}
    assert set(by_subject) == {"!! Paid · LD18", "LD18"}
    long, short = by_subject["!! Paid · LD18"], by_subject["LD18"]
    code = code_of("shop.paid:ann")
    assert long["To"] == "ops@example.com"
    assert long.get_content_type() == short.get_content_type() == "text/plain"
    assert f"Alert {code} (shop.paid:ann)" in long.get_content()
    assert short.get_content().strip() == f"!! Paid: ann was paid. {code}"
    assert len("LD18") + 1 + len(short.get_content().strip()) <= SMS
    (called,) = web.taken
    assert (called["title"], called["type"]) == ("!! Paid · LD18", "failure")
    assert code in called["message"]


def test_quiet_hours_hold_everything_and_one_digest_follows(posted: World, mail: Mails, web: Hook) -> None:
    posted.set(alerts_quiet=("12:00-13:00",))
    posted.tell("ann", "bob", "cid")
    posted.rounds(3, after=10 * MINUTE)
    assert (mail.taken, web.taken) == ([], [])
    posted.rounds(4, after=10 * MINUTE)
    assert len(mail.taken) == 2
    (digest,) = web.taken
    assert digest["title"] == "3 alerts · LD18"
    assert digest["message"].startswith("3 alerts of quiet hours.")


def test_what_was_refused_is_sent_again_with_the_same_code(posted: World, mail: Mails, web: Hook) -> None:
    web.answer, mail.answer = 503, "451 try again later"
    posted.tell("ann")
    done = posted.round()
    assert done.sent == 0
    assert len(done.failed) == 3
    web.answer, mail.answer = 200, "250 OK"
    posted.round(after=MINUTE)
    posted.rounds(3, after=MINUTE)
    assert len(mail.taken) == 2
    assert [code_of("shop.paid:ann") in called["message"] for called in web.taken] == [True]


def test_a_webhook_that_is_gone_and_one_that_hangs_silence_no_mail(posted: World, mail: Mails, web: Hook) -> None:
    posted.addresses |= {"gone": "json://127.0.0.1:1/x", "slow": f"{web.address('/slow')}?rto=0.3"}
    for name in ("gone", "slow"):
        targets.add(posted.engine, targets.NewTarget(name, posted.addresses[name]), lambda *_: None)
    web.hang = True
    posted.tell("ann")
    done = posted.round()
    assert done.sent == 3
    assert {words.partition(":")[0] for words in done.failed} == {"gone", "slow"}
    assert len(mail.taken) == 2


def test_a_service_that_comes_to_no_end_is_left_alone(web: Hook) -> None:
    web.hang = True
    answer = AppriseNotifier(deadline_s=0.2).send(f"{web.address('/slow')}?rto=30", Message("t", "b"))
    assert not answer.taken
    assert "may have arrived" in answer.words


def test_a_wrong_password_is_told_as_the_mailer_says_it_and_not_repeated(mail: Mails) -> None:
    answer = AppriseNotifier().send(mail.address("wrong-secret-99") + "&cto=0.5", Message("t", "b"))
    assert not answer.taken
    assert "535" in answer.words
    assert "wrong-secret" not in answer.words
    assert PASSWORD not in answer.words


def test_a_long_message_is_cut_to_what_the_service_takes(web: Hook) -> None:
    message = Message("t" * 100, "x" * 50_000)
    assert len(delivery._fitted(message, 2_000)) == 2_000 - 102
    assert AppriseNotifier().send(web.address(), message).taken
    assert len(web.taken[0]["message"]) < 33_000


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "mailto://me:abcdabcdabcdabcd@gmail.com?to=9876543210@txt.att.net",
            "mailtos://me:****@gmail.com/9876543210@txt.att.net",
        ),
        ("json://127.0.0.1:8000/hook/token-8899?x=1", "json://127.0.0.1:8000/..."),
        ("json://user:secret@127.0.0.1:8000/hook", "json://127.0.0.1:8000/..."),
        ("tgram://123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/12315544/", "tgram://1...r/..."),
        ("ntfy://my-secret-topic", "ntfys:///..."),
        ("ntfy://ntfy.example.com/my-secret-topic", "ntfy://ntfy.example.com/..."),
        ("https://discord.com/api/webhooks/012345678901234567/" + "abcdefghij" * 6 + "12345678", "discord://0...7/..."),
    ],
)
def test_an_address_is_shown_without_what_opens_it(address: str, shown: str) -> None:
    assert delivery.shown(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nosuch://secret-99",
        "mailto://",
        "syslog://",
        "json://127.0.0.1/a\x1b[2J",
        "x" * 3_000,
        "file:///etc/passwd",
    ],
)
def test_what_tells_nobody_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        delivery.shown(address)
    assert "secret-99" not in str(caught.value.as_dict())


def test_words_about_a_failure_hold_nothing_of_the_address() -> None:
    address = "mailto://some.user:p%40ss%2Fw%3Ard@smtp.example.com?to=ops@example.org&key=0123456789"
    words = without_secrets("login some.user p@ss/w:rd at smtp.example.com for OPS 0123456789 failed", address)
    for secret in ("some.user", "ss/w", "p@ss", "0123456789"):
        assert secret not in words
    assert "smtp.example.com" in words


def test_no_code_is_lost_between_targets(posted: World, web: Hook) -> None:
    posted.tell(*(f"p{number}" for number in range(5)))
    posted.rounds(2)
    messages = [Message(called["title"], called["message"]) for called in web.taken]
    assert sorted(all_codes(messages)) == sorted(code_of(f"shop.paid:p{number}") for number in range(5))
