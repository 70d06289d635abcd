"""Templates of the owner's own: strict, in a sandbox, and never in the way of an alert."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.world import NOON, World
from valtrac.alerts import templates
from valtrac.alerts.model.messages import SMS, Alert, Sender
from valtrac.alerts.model.rules import Form
from valtrac.core.events import Event, Message, Severity
from valtrac.core.money import rao

SENDER = Sender("LD18", ZoneInfo("UTC"))
EVENT = Event(
    "payouts.settled:17",
    "payouts.settled",
    NOON,
    "Batch #17 is paid.",
    amounts=(rao(5),),
    tx_ids=("0xab",),
    figures=(("Network fee", "1"),),
)
PAID = Alert(EVENT, Severity.INFO, "Payout settled")


def made(folder: Path, text: str, *, name: str = "payouts.settled.txt", form: Form = Form.LONG) -> tuple[Message, str]:
    (folder / name).write_text(text, encoding="utf-8")
    return templates.rendered(PAID, form, SENDER, folder)


def test_a_template_uses_what_there_is_and_the_code_is_always_in_it(tmp_path: Path) -> None:
    amount = "{{ amounts[0].amount }} {{ amounts[0].asset }}"
    text = "Subject: {{ machine }}: " + amount + "\n{{ transactions | join }} {{ figures['Network fee'] }}"
    message, wrong = made(tmp_path, text)
    assert (message.title, wrong) == ("LD18: 0.000000005 TAO", "")
    assert message.body == f"0xab 1\nAlert {PAID.code}"


def test_the_template_of_a_kind_goes_before_the_default(tmp_path: Path) -> None:
    made(tmp_path, "for all", name="default.txt")
    assert templates.rendered(PAID, Form.LONG, SENDER, tmp_path)[0].body.startswith("for all")
    assert made(tmp_path, "for this one")[0].body.startswith("for this one")
    assert templates.rendered(PAID, Form.SMS, SENDER, tmp_path)[0].title == "LD18"  # that form has none


@pytest.mark.parametrize(
    "text",
    [
        "{{ wallet }}",
        "{{ words ",
        "{{ ''.__class__.__mro__ }}",
        "{{ transactions.append('x') }}",
        "{% include '/etc/passwd' %}",
        "{% for n in range(99999) %}{{ words }}{% endfor %}",
        "{{ 1 / 0 }}",
        "   ",
    ],
)
@pytest.mark.parametrize("form", list(Form))
def test_a_broken_template_is_told_and_the_built_in_words_go_out(tmp_path: Path, text: str, form: Form) -> None:
    name = "payouts.settled.sms.txt" if form is Form.SMS else "payouts.settled.txt"
    message, wrong = made(tmp_path, text, name=name, form=form)
    assert "Batch #17 is paid." in message.body
    assert wrong.startswith(f"template {name} could not be used")
    assert (wrong in message.body) is (form is Form.LONG)


@pytest.mark.parametrize("length", [10, 150, 5_000])
def test_a_text_message_by_template_is_one_text_message_with_its_code(tmp_path: Path, length: int) -> None:
    text = "Subject: {{ machine }}\n" + "ä" * length
    message, _ = made(tmp_path, text, name="payouts.settled.sms.txt", form=Form.SMS)
    assert len(message.title) + 1 + len(message.body) <= SMS
    assert message.body.endswith(PAID.code)
    assert message.body.isascii()


def test_what_a_template_makes_is_cleaned_too(tmp_path: Path) -> None:
    message, _ = made(tmp_path, "Subject: a\x1b[2J\n@everyone https://evil.example \u202e")
    assert "\x1b" not in message.title
    for harm in ("@everyone", "://", "\u202e"):
        assert harm not in message.body


def test_a_broken_template_is_an_alert_of_its_own(world: World) -> None:
    folder = world.settings.alerts_templates
    folder.mkdir(parents=True)
    (folder / "shop.paid.txt").write_text("{{ nonsense }}", encoding="utf-8")
    world.target("mail")
    world.round()
    world.tell("ann")
    world.rounds(2)
    assert "ann was paid." in world.bodies("mail")
    assert "A template cannot be used" in world.bodies("mail")
