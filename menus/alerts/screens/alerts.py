"""Alerts: who is told of what, quiet hours, what was told, and a test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.alerts import AlertsApp
    from valtrac.wiring.payouts import App

TITLE = "Alerts"
ORDER = 102
GROUP = groups.MACHINE
ADD, TEST, REMOVE, RULES, QUIET, STATUS, OUTBOX, NEWEST, DEAD_MAN = (
    "Add a target",
    "Test a target",
    "Remove a target",
    "Rules: what is told to whom",
    "Quiet hours, time zone, place",
    "How alerts stand",
    "Outbox",
    "What happened",
    "Dead-man's switch",
)
START, STOP, UNLOCK, ONCE = (
    "Start telling in the background",
    "Stop telling in the background",
    "Hand the addresses to the background job",
    "Tell what is due now",
)
NEVER_AGAIN = "End a rule"
NEW_RULE = "Make a rule"
KINDS = "Everything that may be told"
SAME = {
    STATUS: "alerts status",
    NEWEST: "alerts list",
    START: "alerts start",
    STOP: "alerts stop",
    UNLOCK: "alerts unlock",
    KINDS: "alerts rules kinds",
}
UNDER = {NEVER_AGAIN: RULES, NEW_RULE: RULES, KINDS: RULES}


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.alerts import acts

    def go(own: AlertsApp) -> None:
        by_word = {
            ADD: _add,
            TEST: _test,
            REMOVE: _remove,
            RULES: _rules,
            QUIET: _quiet,
            STATUS: lambda own, ui: acts.show_status(ui, own),
            OUTBOX: _outbox,
            NEWEST: _newest,
            DEAD_MAN: _dead_man,
            START: lambda own, ui: acts.start(ui, own),
            STOP: _stop,
            UNLOCK: lambda own, ui: acts.unlock(ui, own),
            ONCE: _once,
        }

        def options() -> list[str]:
            acts.brief(ui, own)
            return list(by_word)

        levels.repeat(
            ui,
            "What?",
            options,
            lambda chosen: same.doing(ui, partial(by_word[chosen], own, ui), SAME.get(chosen)),
        )

    acts.with_app(go)


def _names(own: AlertsApp) -> list[str]:
    from valtrac.alerts.store import targets
    from valtrac.database.engine import reading

    with reading(own.engine) as conn:
        return [target.name for target in targets.active(conn)]


def _chosen(own: AlertsApp, ui: Ui) -> str | None:
    names = _names(own)
    if not names:
        ui.say("No targets yet. Next: Add a target.")
        return None
    return ui.choose("Which target?", names)


def _add(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts.acts import add_target
    from valtrac.alerts import targets
    from valtrac.alerts.model.rules import Form, Place
    from valtrac.core.events import OWNER, PAYEE, PUBLIC

    me, everybody, somebody = "me: everything", "the public: payouts, nothing of the wallet", "one payee: his payments"
    listener = ui.choose("Who listens there?", [me, everybody, somebody])
    if listener is None:
        return
    audience = {me: OWNER, everybody: PUBLIC}.get(listener) or ""
    if not audience:
        who = ui.text("Which payee, by the name or address that payouts show? (empty to go back)")
        if not who:
            return
        audience = PAYEE + who
    name = ui.text("A name for it, like my-mail (empty to go back):", check=targets.name_of)
    if not name:
        return
    forms = {"as long as a mail": Form.LONG, "text messages of 160 characters": Form.SMS}
    form = ui.choose("How long may a message be?", list(forms))
    places = {"everywhere": Place.EVERYWHERE, "at home only": Place.DOMESTIC, "abroad only": Place.INTERNATIONAL}
    place = None if form is None else ui.choose("Where is it of use?", list(places))
    if form is None or place is None:
        return
    ui.hint("mailto://USER:PASSWORD@gmail.com, tgram://TOKEN/CHAT, ntfy://TOPIC ...: all in docs/how-to/alerts.md.")
    address = ui.password("Its address, which is not shown (empty to go back):").strip()
    if address:
        add_target(ui, own, targets.NewTarget(name, address, audience, forms[form], places[place]))
        same.tell(
            ui,
            "alerts targets add",
            name=name,
            audience=audience,
            sms=forms[form] is Form.SMS,
            place=places[place].value,
            address_stdin=True,
        )


def _test(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts.acts import test_target

    name = _chosen(own, ui)
    if name is not None:
        test_target(ui, own, name)
        same.tell(ui, "alerts targets test", name=name)


def _remove(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts.acts import remove_target

    name = _chosen(own, ui)
    if name is not None and ui.confirm(f"Tell {name} nothing any more?"):
        remove_target(ui, own, name)
        same.tell(ui, "alerts targets remove", name=name, yes=True)


def _rules(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts import views
    from menus.alerts.acts import catalogue, show_rules

    def options() -> list[str]:
        show_rules(ui, own)
        same.once(ui, "alerts rules")
        return [NEW_RULE, NEVER_AGAIN, KINDS]

    by_word: dict[str, Callable[[], None]] = {
        NEW_RULE: partial(_new_rule, own, ui),
        NEVER_AGAIN: partial(_end_rule, own, ui),
        KINDS: lambda: views.kinds(ui, catalogue(own)),
    }
    levels.repeat(ui, "What?", options, lambda chosen: same.doing(ui, by_word[chosen], SAME.get(chosen)))


def _new_rule(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts.acts import catalogue
    from menus.frame import pick
    from valtrac.alerts import targets
    from valtrac.alerts.model.rules import ANY, Manner
    from valtrac.core.events import Severity

    known = catalogue(own)
    groups = sorted({f"{name.partition('.')[0]}.*" for name in known})
    kind = pick.one_of(ui, "About what?", [ANY, *groups, *known])
    least = None if kind is None else ui.choose("From which severity on?", list(Severity))
    everybody = "every target"
    target = None if least is None else ui.choose("To whom?", [everybody, *_names(own)])
    manner = None if target is None else ui.choose("How is it told?", list(Manner))
    if kind is None or least is None or target is None or manner is None:
        return
    made = targets.add_rule(own.engine, known, kind, ANY if target == everybody else target, least, manner)
    ui.done(f"Rule #{made.id} holds: {made.kind} {made.manner}.")
    same.tell(
        ui, "alerts rules set", kind=made.kind, manner=made.manner.value, target=made.target, least=made.least.value
    )


def _end_rule(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from valtrac.alerts import targets
    from valtrac.alerts.store.targets import rules
    from valtrac.database.engine import reading

    with reading(own.engine) as conn:
        listed = rules(conn)
    if not listed:
        ui.say("There are no rules.")
        return
    rule = ui.choose("Which one?", listed, label=lambda rule: f"#{rule.id}  {rule.kind}  {rule.manner}  {rule.target}")
    if rule is not None:
        targets.end_rule(own.engine, rule.id)
        ui.done(f"Rule #{rule.id} has ended.")
        same.tell(ui, "alerts rules end", number=rule.id)


def _quiet(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts import views
    from menus.alerts.acts import quiet_until, write_setting
    from valtrac.alerts.model.rules import Place
    from valtrac.settings import load, try_value

    held = load()
    views.quiet(ui, held, quiet_until(held))
    hours, zone, place = "The hours", "The time zone", f"Where I am (now: {held.alerts_place})"
    settings = {hours: "VALTRAC_ALERTS_QUIET", zone: "VALTRAC_ALERTS_TIME_ZONE", place: "VALTRAC_ALERTS_PLACE"}
    chosen = ui.choose("Change what?", list(settings))
    if chosen is None:
        return
    name = settings[chosen]
    if chosen == place:
        value = ui.choose("Where?", [Place.DOMESTIC.value, Place.INTERNATIONAL.value])
    else:
        like = "like 23:00-07:00, several with commas, or none" if chosen == hours else "like Europe/Berlin"
        value = ui.text(f"{chosen}, {like} (empty to go back):", check=partial(try_value, name))
    if value:
        write_setting(ui, name, value)
        option = {hours: "hours", zone: "zone"}.get(chosen)
        same.tell(ui, "alerts quiet", **{option: value}) if option else same.tell(ui, "alerts place", where=value)


def _outbox(own: AlertsApp, ui: Ui) -> None:
    from datetime import UTC, datetime

    from menus import same
    from menus.alerts.acts import show_outbox
    from valtrac.alerts import overview
    from valtrac.alerts.model.states import MessageState

    show_outbox(ui, own, 20)
    same.tell(ui, "alerts outbox")
    listed, names = overview.messages(own.engine, 200)
    again = [entry for entry in listed if entry.state is not MessageState.SENT and entry.target_id in names]
    if not again:
        return
    message = ui.choose(
        "Send one again?",
        again,
        label=lambda unsent: f"#{unsent.id}  {names[unsent.target_id]}  {unsent.state}  {unsent.title}",
    )
    if message is not None:
        overview.try_again(own.engine, message.id, datetime.now(UTC))
        ui.done(f"Message #{message.id} is sent with the next round.")
        same.tell(ui, "alerts outbox", retry=message.id)


def _newest(own: AlertsApp, ui: Ui) -> None:
    from menus.alerts.acts import show_alerts

    show_alerts(ui, own, 20, "")


def _dead_man(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts.acts import set_dead_man
    from valtrac.alerts.dead_man import NAME

    ui.say(
        "An address of yours that is called every few minutes while all is well. A service there (healthchecks.io, "
        "Uptime Kuma ...) tells you when no call comes, as when this machine is off."
    )
    if own.addresses.of(NAME) and not ui.confirm("One is set. Put another one, or none, in its place?"):
        return
    address = ui.password("Its address (https://..., empty for none):").strip()
    set_dead_man(ui, own, address)
    same.tell(ui, "alerts dead-man", remove=not address, address_stdin=bool(address))


def _stop(own: AlertsApp, ui: Ui) -> None:
    from valtrac.loggers import pm2
    from valtrac.loggers.jobs import alerts as job

    pm2.stop(own.settings, job.NAME)
    ui.done(f"{job.NAME} is stopped. What happens meanwhile is told when it runs again.")


def _once(own: AlertsApp, ui: Ui) -> None:
    from menus import same
    from menus.alerts import views
    from valtrac.loggers.jobs import alerts as job
    from valtrac.settings import load

    with ui.working("Telling"):
        made = job.once(load())
    views.done(ui, made)
    same.tell(ui, "alerts run", once=True)
