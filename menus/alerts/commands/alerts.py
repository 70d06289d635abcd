"""`run.py alerts ...`: who is told of what, and what was told."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from menus.alerts import acts, views
from menus.frame.commands import LARGEST, Json, Yes, agree, screen
from menus.frame.grouping import group
from menus.frame.ui import Ui
from valtrac import settings as config
from valtrac.alerts import overview
from valtrac.alerts import targets as verbs
from valtrac.alerts.model.rules import ANY, Form, Manner, Place
from valtrac.core.errors import BadInput, Exit
from valtrac.core.events import OWNER, Severity
from valtrac.core.text import plain
from valtrac.loggers import pm2
from valtrac.loggers.jobs import alerts as job
from valtrac.wiring.alerts import AlertsApp

app = group("Alerts: mail, text messages, chats and webhooks about everything that happens.")
targets = group("Where alerts go: add, remove, list, test.")
rules = typer.Typer(
    help="What is told to whom: your rules, and everything that may be told.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    add_completion=False,
)
app.add_typer(targets, name="targets")
app.add_typer(rules, name="rules")
Name = Annotated[str, typer.Argument(help="The name of the target: small letters, digits, dashes.")]
AddressStdin = Annotated[bool, typer.Option("--address-stdin", help="Read the address from stdin.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000)]


@targets.command("add")
def add_target(
    name: Name,
    audience: Annotated[str, typer.Option("--for", help="owner, public, or payee:NAME.")] = OWNER,
    sms: Annotated[bool, typer.Option("--sms", help="Text messages: at most 160 characters each.")] = False,
    place: Annotated[Place, typer.Option("--place", help="Only told while you are there.")] = Place.EVERYWHERE,
    address_stdin: AddressStdin = False,
) -> None:
    """Add a target. Its address holds secrets, so it is typed or read from stdin, never given as an argument."""
    ui, form = screen(), Form.SMS if sms else Form.LONG
    verbs.name_of(name)
    address = _address(ui, address_stdin, "Its address, as a URL of apprise (see docs/how-to/alerts.md):")
    asked = verbs.NewTarget(name, address, verbs.audience_of(audience), form, place)
    acts.with_app(lambda own: acts.add_target(ui, own, asked))


@targets.command("remove")
def remove_target(name: Name, yes: Yes = False) -> None:
    """Remove a target; what waits for it is dropped, its address forgotten."""
    ui = screen()
    if agree(ui, yes, f"Tell {plain(name, 40)} nothing any more?"):
        acts.with_app(lambda own: acts.remove_target(ui, own, name))
    else:
        ui.done("Nothing was changed.")


@targets.command("list")
def list_targets(as_json: Json = False) -> None:
    """List the targets; of their addresses only what opens nothing."""
    acts.with_app(lambda own: acts.show_targets(screen(as_json), own))


@targets.command("test")
def test_target(name: Name, as_json: Json = False) -> None:
    """Send a test to a target at once, and show what its service says."""
    acts.with_app(lambda own: acts.test_target(screen(as_json), own, name))


@rules.callback()
def show_rules(context: typer.Context, as_json: Json = False) -> None:
    """List your rules in force."""
    if context.invoked_subcommand is None:
        acts.with_app(lambda own: acts.show_rules(screen(as_json), own))


@rules.command("kinds")
def show_kinds(as_json: Json = False) -> None:
    """List everything that may be told, with its severity."""
    acts.with_app(lambda own: views.kinds(screen(as_json), acts.catalogue(own)))


@rules.command("set")
def set_rule(
    kind: Annotated[str, typer.Argument(help="An event as `alerts rules kinds` names it, payouts.*, or *.")],
    manner: Annotated[Manner, typer.Argument(help="How it is told.")],
    target: Annotated[str, typer.Option("--target", help="To this target only.")] = ANY,
    least: Annotated[Severity, typer.Option("--least", help="From this severity on.")] = Severity.INFO,
    as_json: Json = False,
) -> None:
    """Let a rule hold: at once, in the daily digest, or never."""

    def act(own: AlertsApp) -> None:
        ui, known = screen(as_json), acts.catalogue(own)
        made = verbs.add_rule(own.engine, known, kind, target, least, manner)
        ui.done(f"Rule #{made.id} holds: {made.kind} {made.manner}.")
        if as_json:
            views.rules(ui, [made])

    acts.with_app(act)


@rules.command("end")
def end_rule(number: Annotated[int, typer.Argument(min=1, max=LARGEST)]) -> None:
    """Let a rule hold no more."""

    def act(own: AlertsApp) -> None:
        verbs.end_rule(own.engine, number)
        screen().done(f"Rule #{number} has ended.")

    acts.with_app(act)


@app.command()
def quiet(
    hours: Annotated[str | None, typer.Option("--hours", help="Like 23:00-07:00; several with commas; none.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="Your time zone: Europe/Berlin.")] = None,
    wake: Annotated[str | None, typer.Option("--wake", help="critical or never: what is told all the same.")] = None,
    as_json: Json = False,
) -> None:
    """Show or set the hours in which you are not disturbed; what comes meanwhile is told in one digest afterwards."""
    ui = screen(as_json)
    given = {"VALTRAC_ALERTS_TIME_ZONE": zone, "VALTRAC_ALERTS_QUIET": hours, "VALTRAC_ALERTS_WAKE": wake}
    for name, value in given.items():
        if value is not None:
            acts.write_setting(ui, name, value)
    held = config.load()
    views.quiet(ui, held, acts.quiet_until(held))


@app.command()
def place(
    where: Annotated[str | None, typer.Argument(help="domestic or international.")] = None, as_json: Json = False
) -> None:
    """Show or set where you are: targets for the other place are not told."""
    ui = screen(as_json)
    if where is not None:
        acts.write_setting(ui, "VALTRAC_ALERTS_PLACE", where)
    held = config.load()
    if as_json:
        ui.records({"place": held.alerts_place})
    elif where is None:
        ui.line(held.alerts_place)


@app.command()
def outbox(
    limit: Limit = 20,
    retry: Annotated[int | None, typer.Option("--retry", min=1, max=LARGEST, help="Send this message again.")] = None,
    as_json: Json = False,
) -> None:
    """Show the newest messages and what became of each, or have one sent again."""

    def act(own: AlertsApp) -> None:
        ui = screen(as_json)
        if retry is not None:
            overview.try_again(own.engine, retry, datetime.now(UTC))
            ui.done(f"Message #{retry} is sent with the next round.")
        acts.show_outbox(ui, own, limit)

    acts.with_app(act)


@app.command("list")
def list_alerts(
    words: Annotated[str, typer.Argument(help="Only alerts with this in their id: payouts, contracts.alert ...")] = "",
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show the newest alerts, and to how many targets each was told."""
    acts.with_app(lambda own: acts.show_alerts(screen(as_json), own, limit, words))


@app.command()
def status(as_json: Json = False) -> None:
    """Show whether alerts go out: the job, quiet hours, targets, and what lasts."""
    acts.with_app(lambda own: acts.show_status(screen(as_json), own))


@app.command("run")
def run_(
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False, as_json: Json = False
) -> int:
    """Tell what has to be told, here: one round, or until Ctrl-C."""
    if not once:
        job.run(None)
        return int(Exit.DONE)
    made = job.once(config.load())
    views.done(screen(as_json), made)
    return int(Exit.UNREACHABLE if made.failed else Exit.DONE)


@app.command()
def start() -> None:
    """Start the background job that tells, under pm2."""
    acts.with_app(lambda own: acts.start(screen(), own))


@app.command()
def stop() -> None:
    """Stop the background job; what happens meanwhile is told when it runs again."""
    pm2.stop(config.load(), job.NAME)
    screen().done(f"{job.NAME} is stopped.")


@app.command()
def unlock() -> None:
    """Hand the addresses to the background job, where it cannot open the keyring itself."""
    acts.with_app(lambda own: acts.unlock(screen(), own))


@app.command("dead-man")
def dead_man(
    remove: Annotated[bool, typer.Option("--remove", help="Call it no more.")] = False,
    address_stdin: AddressStdin = False,
) -> None:
    """Set the address that is called every few minutes while all is well."""
    ui = screen()
    address = "" if remove else _address(ui, address_stdin, "Its address (https://...):")
    acts.with_app(lambda own: acts.set_dead_man(ui, own, address))


def _address(ui: Ui, from_stdin: bool, question: str) -> str:
    """An address, which holds secrets, typed or from stdin. Raises BadInput where there is none."""
    address = sys.stdin.readline().strip() if from_stdin else ui.password(question).strip()
    if not address:
        raise BadInput("no address was given", fix="type it, or hand it in with --address-stdin")
    return address
