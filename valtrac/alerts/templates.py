"""Templates of the owner's own: text files by the name of a kind, in a folder; without one the built-in words hold.

`payouts.settled.txt` is the long form of a kind, `payouts.settled.sms.txt` its text message, `default.txt` and
`default.sms.txt` hold for all others. A first line `Subject: ...` is the title. They run in Jinja2's sandbox; a name
that there is not is an error, and after any error the built-in words go out, with a word about what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from valtrac.alerts.model import messages
from valtrac.alerts.model.messages import Alert, Sender
from valtrac.alerts.model.rules import Form
from valtrac.core.events import Message
from valtrac.core.money import decimal_text
from valtrac.core.text import plain

LARGEST = 20_000
SUBJECT = "subject:"
DEFAULT = "default"


def rendered(alert: Alert, form: Form, sender: Sender, folder: Path) -> tuple[Message, str]:
    """One alert in a form, by the owner's template where there is one; (message, what is wrong with the template)."""
    built_in = (messages.sms_form if form is Form.SMS else messages.long_form)(alert, sender)
    path = _template(folder, alert.event.kind, form)
    if path is None:
        return built_in, ""
    try:
        text = _run(path, values_of(alert, sender))
        title, body = _parts(text, built_in.title)
        if not body:
            raise ValueError("nothing came out of it")
    except Exception as error:  # a template is the owner's program: whatever it does, the alert goes out
        wrong = plain(f"template {path.name} could not be used: {type(error).__name__}: {error}", 200)
        if form is Form.SMS or not sender.to_owner:
            return built_in, wrong
        return Message(built_in.title, f"{built_in.body}\n({wrong})", built_in.severity), wrong
    if form is Form.SMS:
        return _sms(alert, title, body), ""
    code = "" if alert.code in body else f"\nAlert {alert.code}"
    return Message(messages.clean(title, 200), messages.clean_lines(body) + code, alert.severity), ""


def values_of(alert: Alert, sender: Sender) -> dict[str, object]:
    """What a template may use."""
    event = alert.event
    return {
        "id": event.id,
        "code": alert.code,
        "kind": event.kind,
        "title": alert.title,
        "severity": alert.severity.value,
        "machine": sender.machine,
        "at": messages.moment(event.at, sender.zone),
        "words": event.words,
        "short": event.short or event.words,
        "fix": event.fix,
        "amounts": [
            {"amount": decimal_text(amount.units, amount.asset.decimals), "asset": amount.asset.symbol}
            for amount in event.amounts
        ],
        "transactions": list(event.tx_ids),
        "figures": dict(event.figures),
    }


def _template(folder: Path, kind: str, form: Form) -> Path | None:
    ending = ".sms.txt" if form is Form.SMS else ".txt"
    paths = (folder / f"{name}{ending}" for name in (kind, DEFAULT) if "/" not in name)
    return next((path for path in paths if path.is_file()), None)


def _run(path: Path, values: Mapping[str, object]) -> str:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    text = path.read_text(encoding="utf-8")
    if len(text) > LARGEST:
        raise ValueError("it is too long")
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    made = ""
    for part in sandbox.from_string(text).generate(values):
        made += part
        if len(made) > LARGEST:
            raise ValueError("what comes out of it is too long")
    return made.strip()


def _parts(text: str, title: str) -> tuple[str, str]:
    """(title, body) of what a template made."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith(SUBJECT):
        return first[len(SUBJECT) :].strip(), rest.strip()
    return title, text


def _sms(alert: Alert, title: str, body: str) -> Message:
    """A text message of the owner's words with the alert's code at its end."""
    code = "" if alert.code in body else f" {alert.code}"
    made = messages.fitted_sms(title, body, alert.severity)
    if not code:
        return made
    room = messages.SMS - len(made.title) - 1 - len(code)
    return Message(
        made.title, (made.body if len(made.body) <= room else made.body[: room - 3] + "...") + code, made.severity
    )
