"""`run.py contracts ...`: stake contracts on BitShares."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from menus import contract_flow as flow
from menus import contract_views as views
from menus.commands.common import LARGEST, Json, Yes, agree, group, screen
from menus.ui import Ui
from valtrac import config
from valtrac.custody import CustodyApp
from valtrac.domain.contracts import warnings
from valtrac.domain.money import bts
from valtrac.errors import BadInput, ValtracError
from valtrac.services import contracts as services

app = group("Stake contracts on BitShares: clients, payments due, listener, payer.")
T = TypeVar("T")
Place = Annotated[int, typer.Argument(min=1, max=LARGEST)]
Client = Annotated[str | None, typer.Option("--client", help="Of one client, by name or account id.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from stdin.")]


@app.command("list")
def listed(client: Client = None, as_json: Json = False) -> None:
    """Show all contracts, or those of one client."""
    with_app(lambda own: views.contracts(screen(as_json), services.listed(own.engine, client=client)))


@app.command()
def show(number: Place, as_json: Json = False) -> None:
    """Show one contract with all its rows."""
    with_app(lambda own: views.contract(screen(as_json), *services.shown(own.engine, number)))


@app.command()
def clients(as_json: Json = False) -> None:
    """Show everybody who has contracts, and what they are owed."""
    with_app(lambda own: views.clients(screen(as_json), services.clients(own.engine)))


@app.command()
def due(
    hours: Annotated[int, typer.Option("--hours", min=0, max=87_600, help="What falls due within so many hours.")] = 48,
    as_json: Json = False,
) -> None:
    """Show what falls due soon, the past due first."""
    with_app(lambda own: show_due(screen(as_json), own, hours))


@app.command("past-due")
def past_due(as_json: Json = False) -> None:
    """Show what should have been paid by now."""
    with_app(lambda own: show_due(screen(as_json), own, 0))


@app.command()
def delinquent(as_json: Json = False) -> None:
    """Show what could not be paid by itself and waits for you."""
    with_app(
        lambda own: views.dues(
            screen(as_json),
            services.due(own.engine, "delinquent"),
            title="Delinquent payments",
            empty="None. What cannot be paid by itself would be here.",
        )
    )


@app.command()
def liabilities(as_json: Json = False) -> None:
    """Show what is owed in all, within a month, a week and a day, and what there is for it."""
    with_app(lambda own: show_liabilities(screen(as_json), own))


@app.command()
def explain(number: Place, as_json: Json = False) -> None:
    """Show where a payment came from and what became of it, down to the transaction."""
    with_app(lambda own: views.explained(screen(as_json), services.explain(own.engine, number)))


@app.command()
def events(
    words: Annotated[str, typer.Argument(help="Only events that hold these words.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only events of this kind: stake_start, paid, alert ...")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50,
    as_json: Json = False,
) -> None:
    """Search the trail of audit events, newest first."""
    from valtrac.store import events as trail
    from valtrac.store.engine import reading

    def act(own: CustodyApp) -> None:
        with reading(own.engine) as conn:
            found = trail.search(conn, words=words, kind=kind, limit=limit)
        views.events(screen(as_json), found)

    with_app(act)


@app.command()
def operations(limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50, as_json: Json = False) -> None:
    """Show the newest transfers to and from the account, and what each was taken for."""
    from valtrac.store import operations as stored
    from valtrac.store.engine import reading

    def act(own: CustodyApp) -> None:
        with reading(own.engine) as conn:
            found = stored.listed(conn, limit=limit)
        views.operations(screen(as_json), found, title="Transfers", empty="None was read yet: run.py contracts listen")

    with_app(act)


@app.command()
def waiting(as_json: Json = False) -> None:
    """Show the transfers that wait for your word: memos nobody could read, payments that are not in the journal."""
    with_app(lambda own: show_waiting(screen(as_json), own))


@app.command()
def read(
    number: Place,
    memo: Annotated[str | None, typer.Option("--memo", help="What its sender says that the memo was.")] = None,
    refund: Annotated[bool, typer.Option("--refund", help="Send all of it back, without a fee.")] = False,
    keep: Annotated[str, typer.Option("--keep", help="Keep it, and why.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a transfer with an unreadable memo asks for; with no option, try to read it once more."""

    def act(own: CustodyApp) -> None:
        ui = screen(as_json)
        if memo is None and not refund and not keep:
            flow.unlocked_here(ui, own)
        kind = services.read_by_hand(own.house, number, memo=memo, refund=refund, keep=keep)
        ui.done(f"Transfer #{number} was taken for: {kind}.")
        if as_json:
            ui.records({"no": number, "kind": kind})

    with_app(act)


@app.command()
def rule(
    number: Place,
    pays: Annotated[int | None, typer.Option("--pays", min=1, help="The number of the payment that it was.")] = None,
    words: Annotated[str, typer.Option("--words", help="What it was, where it was none of ours.")] = "",
    as_json: Json = False,
) -> None:
    """Rule on a transfer that left the account and is not in the journal."""

    def act(own: CustodyApp) -> None:
        ui, done = screen(as_json), services.rule(own.house, number, pays=pays, words=words)
        ui.done(f"Transfer #{number}: {done.kind}. {done.words}")
        if as_json:
            ui.records(views.operation_record(done))

    with_app(act)


@app.command("rule-before")
def rule_before(
    block: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Up to this block.")],
    words: Annotated[str, typer.Option("--words", help="What they were; kept for ever.")],
    as_json: Json = False,
) -> None:
    """Rule on all payments of a time before this ledger: they are not in the journal, and none of them is ours."""

    def act(own: CustodyApp) -> None:
        ui, count = screen(as_json), services.rule_before(own.house, block, words)
        ui.done(f"{count} transfers up to block {block}: {words}")
        if as_json:
            ui.records({"up_to_block": block, "count": count})

    with_app(act)


@app.command()
def listen(
    start: Annotated[str, typer.Option("--from", help="stored, now, or a block's number.")] = "stored",
    as_json: Json = False,
) -> None:
    """Read every block up to now, here, and stop; what was dealt with before is not done again."""

    def act(own: CustodyApp) -> None:
        ui = screen(as_json)
        begin_from(own, start)
        catch_up(ui, own)

    with_app(act)


@app.command()
def start(
    begin: Annotated[str, typer.Option("--from", help="stored, now, or a block's number.")] = "stored",
) -> None:
    """Start the listener and the payer under pm2; both start locked."""

    def act(own: CustodyApp) -> None:
        begin_from(own, begin)
        start_jobs(screen(), own)

    with_app(act)


@app.command()
def stop() -> None:
    """Stop the listener and the payer; what is under way comes to its end first."""
    stop_jobs(screen(), config.load())


@app.command()
def unlock(password_stdin: PasswordStdin = False) -> None:
    """Hand the wallet's password and the exchange keys to the background jobs; they keep them in memory only."""

    def act(own: CustodyApp) -> None:
        ui = screen()
        flow.unlock_jobs(ui, own.settings, flow.secrets(ui, own, password=_from_stdin(password_stdin)))

    with_app(act)


@app.command()
def pay(password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Pay what is due now, here, within the standing caps; covers what is missing from the exchange."""

    def act(own: CustodyApp) -> None:
        ui = screen(as_json)
        flow.unlocked_here(ui, own, password=_from_stdin(password_stdin))
        read_on(ui, own)
        pay_now(ui, own)

    with_app(act)


@app.command("pay-delinquent")
def pay_delinquent(
    number: Place,
    total: Annotated[str, typer.Option("--total", help="Its amount in BTS, typed as the confirmation.")],
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Pay a delinquent payment by hand, once."""
    from valtrac.services import dues

    def act(own: CustodyApp) -> None:
        ui = screen(as_json)
        flow.unlocked_here(ui, own, password=_from_stdin(password_stdin))
        read_on(ui, own)
        with ui.working("paying"):
            batch = dues.pay_delinquent(own.house, own.payer(), number, total)
        ui.done(f"Payment no. {number}: batch #{batch.id} is {batch.state}.")
        if as_json:
            ui.records({"no": number, "batch": batch.id, "state": batch.state})

    with_app(act)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A list as text, or StakeBTS's database.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring contracts over: `username start_ms amount months months_paid` a line, or StakeBTS's SQLite file."""
    with_app(lambda own: bring_over(screen(as_json), own, path, dry_run=dry_run, yes=yes))


@app.command()
def wallet() -> None:
    """Make the encrypted wallet of the custodian: its private keys are typed, kept under a password, never shown."""
    with_app(lambda own: make_wallet(screen(), own))


@app.command("keep-keys")
def keep_keys(name: Annotated[str, typer.Argument(help="The exchange account, as the settings name it.")]) -> None:
    """Put the keys of an exchange account into the keyring of this system, so that unlocking does not ask for them."""
    with_app(lambda own: keep_in_keyring(screen(), own, name))


@app.command()
def rehearse(
    client: Annotated[str | None, typer.Option("--client", help="Who sends: ann, bob, cid, manager, exchange.")] = None,
    send: Annotated[str | None, typer.Option("--send", help="How much, in BTS.")] = None,
    memo: Annotated[str | None, typer.Option("--memo", help="With which memo.")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=3_650, help="Let so many days pass afterwards.")] = 0,
) -> None:
    """Make the BitShares rehearsal chain where it is missing; send to the custodian as a client; let time pass."""
    from valtrac import rehearsal_contracts as rehearsal

    held, ui = config.load(), screen()
    if rehearsal.prepare(held):
        with_app(lambda own: begin_from(own, "1"))  # what is sent before the listener first runs is read too
        ui.done(f"The rehearsal chain is ready: {', '.join(rehearsal.CLIENTS)} have 1,000,000 BTS each.")
    if (client is None) != (send is None):
        raise BadInput("a deposit needs --client and --send", "", "--client ann --send 25000 --memo three_months")
    if client is not None and send is not None:
        tx = rehearsal.deposit(held, client, send, memo)
        ui.done(f"{client} sent {send} BTS: {tx}")
    if days:
        rehearsal.let_pass(held, days)
        ui.done(f"{days} days went by.")


@app.command()
def settings(as_json: Json = False) -> None:
    """Show what a contract may be and pays now, and the caps."""
    show_settings(screen(as_json), config.load())


# -- what the menus do too -----------------------------------------------------------------------------------


def with_app(act: Callable[[CustodyApp], T]) -> T:
    """Do something with the custodian's side, and close it."""
    own = CustodyApp(config.load())
    try:
        return act(own)
    finally:
        own.close()


def show_due(ui: Ui, own: CustodyApp, hours: int) -> None:
    """What falls due within some hours, as a table."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    try:
        now = own.chain.finalized().at
    except ValtracError as error:
        ui.warn(f"{error.what}: by the clock of this machine")
    found = services.due(own.engine, now=now + timedelta(hours=hours))
    title = "Past due" if hours == 0 else f"Due within {hours} hours"
    views.dues(ui, found, title=title, empty="Nothing is due.")


def show_liabilities(ui: Ui, own: CustodyApp) -> None:
    """What is owed, beside what there is, as far as the node tells."""
    wallet, now = None, None
    try:
        head = own.chain.finalized()
        wallet, now = own.chain.account(own.custodian.id, head).free_units, head.at
    except ValtracError as error:
        ui.warn(error.what)
    owed = services.liabilities(own.engine, now)
    everywhere = None if wallet is None else services.everywhere(own.engine, wallet)
    said = [] if wallet is None else warnings(owed, wallet, everywhere)
    views.liabilities(ui, owed, said, wallet=wallet)


def show_waiting(ui: Ui, own: CustodyApp) -> None:
    """What waits for the owner's word, with what it may have been."""
    from valtrac.store import operations as stored
    from valtrac.store.engine import reading

    with reading(own.engine) as conn:
        found = stored.listed(conn, "waiting", "parked", "unruled")
    views.operations(ui, found, title="Waiting for your word", empty="Nothing waits for your word.")
    for one in found if not ui.as_json else ():
        may_be = services.matching(own.engine, one) if one.state == "unruled" else []
        if may_be:
            ui.hint(f"#{one.id} may have been payment no. {may_be[0].id}: "
                    f"run.py contracts rule {one.id} --pays {may_be[0].id}")  # fmt: skip


def show_settings(ui: Ui, held: config.Settings) -> None:
    """The terms in force."""
    terms = held.contract_terms
    facts = {
        "network": held.bitshares_network,
        "custodian": held.bitshares_custodian,
        "amounts": ", ".join(held.contracts_amounts),
        "months": ", ".join(held.contracts_months),
        "reward a month": f"{terms.reward_bps / 100:g} %",
        "penalty": f"{terms.penalty_bps / 100:g} %",
        "fee of an invalid request": str(bts(terms.fee)),
        "kept in the account": str(bts(held.contracts_reserve)),
        "managers": ", ".join(held.contracts_managers) or "none",
        "cap per payment": _cap(held.contracts_cap_payment),
        "cap per day": _cap(held.contracts_cap_day),
        "exchange": f"{held.contracts_exchange or 'none'} {', '.join(held.contracts_exchange_accounts)}".strip(),
        "payments": "on" if held.contracts_payments else "off",
    }
    if ui.as_json:
        ui.records(facts)
    else:
        ui.facts(list(facts.items()))
        ui.hint("They are set in .env; .env.example explains each. Contracts keep the terms of the day they began.")


def begin_from(own: CustodyApp, start_: str) -> None:
    """Set where the listener begins: stored, now, or a block's number. Raises BadInput."""
    from valtrac.services import listener

    word = start_.strip().lower()
    if word == "stored":
        return
    if word != "now" and not (word.isascii() and word.isdigit() and len(word) < 13):
        raise BadInput(f"--from {start_[:40]!r} is not a place to begin", "", "write stored, now, or a block's number")
    listener.start_from(own.house, None if word == "now" else int(word))


def catch_up(ui: Ui, own: CustodyApp) -> None:
    """Read on to the newest irreversible block, with a bar."""
    from valtrac.services import listener

    if not own.needs_password:
        own.unlock()
    found = 0
    with ui.progress("reading blocks") as tell:
        while True:
            done = listener.listen(own.house, tell=lambda at, total: tell(at, total, ""))
            found += done.found
            if done.behind <= 1:
                break
    ui.done(f"Read up to block {done.block}: {found} new transfers.")
    if done.unread or done.parked:
        ui.warn(f"{done.unread} memos could not be read yet, {done.parked} transfers wait for your word.")
    if ui.as_json:
        ui.records({"block": done.block, "found": found, "unread": done.unread, "waiting": done.parked})


def read_on(ui: Ui, own: CustodyApp) -> None:
    """Read what the chain holds before anything is paid: a request to stop, or a payment by other hands."""
    from valtrac.services import listener

    with ui.progress("reading blocks") as tell:
        while listener.listen(own.house, tell=lambda at, total: tell(at, total, "")).behind > 1:
            pass


def pay_now(ui: Ui, own: CustodyApp) -> None:
    """One round of paying, and of covering what is missing."""
    from valtrac.services import cover, dues

    house = own.house
    with ui.working("paying what is due"):
        done = dues.pay(house, own.payer())
        said = list(done.words)
        if house.exchanges:
            said += cover.step(house, max(0, done.outlook.missing - cover.on_the_way(house)))
    if done.paid:
        ui.done(f"{done.paid} payment{' is' if done.paid == 1 else 's are'} irreversible.")
    elif not (said or done.outlook.held or done.outlook.missing):
        ui.done("Nothing was to be paid.")
    for one, why in done.outlook.held[:10]:
        ui.warn(f"payment no. {one.id} to {one.name} waits: {why}")
    for words in said:
        ui.warn(words)
    if done.outlook.missing:
        ui.warn(f"{bts(done.outlook.missing)} are missing for what is due and the reserve.")
    if ui.as_json:
        ui.records({"paid": done.paid, "missing": views.text(done.outlook.missing), "words": said})


def start_jobs(ui: Ui, own: CustodyApp) -> None:
    """Both jobs under pm2."""
    from valtrac.loggers import agreements, payments, pm2

    for name, word in ((agreements.NAME, "agreements"), (payments.NAME, "payments")):
        try:
            pm2.start(own.settings, name, ["logger", "run", word])
            ui.done(f"{name} runs, locked.")
        except BadInput as error:
            ui.warn(error.what)
    ui.hint("Unlock them: run.py contracts unlock")


def stop_jobs(ui: Ui, held: config.Settings) -> None:
    """Stop what runs of the two."""
    from valtrac.loggers import agreements, payments, pm2

    running = {job.name for job in pm2.jobs(held) if job.state in ("running", "restarting")}
    for name in (agreements.NAME, payments.NAME):
        if name in running:
            pm2.stop(held, name)
            ui.done(f"{name} is stopped.")
        else:
            ui.say(f"{name} does not run.")


def make_wallet(ui: Ui, own: CustodyApp) -> None:
    """Have the keys typed, and keep them under a password."""
    own.guard_memory()
    password = ui.password("A password for the wallet:")
    if not password or ui.password("Once more:") != password:
        raise BadInput("the two passwords differ", "", "try again; nothing was kept")
    keys = [ui.password("Active key (5...):"), ui.password("Memo key (5...):")]
    own.make_wallet(password, [key for key in keys if key])
    ui.done(f"The wallet is in {own.settings.bitshares_wallet}. Keep a copy of the keys elsewhere.")


def keep_in_keyring(ui: Ui, own: CustodyApp, name: str) -> None:
    """Have the keys of an exchange account typed, try them, and keep them. Raises BadInput, Refused."""
    if name not in own.settings.contracts_exchange_accounts:
        raise BadInput(f"{name[:40]} is no exchange account of the settings", "", "VALTRAC_CONTRACTS_EXCHANGE_ACCOUNTS")
    own.guard_memory()
    keys = {"key": ui.password("Key:"), "secret": ui.password("Secret:")}
    if not own.keep_keys(name, keys):
        raise BadInput("this system has no keyring to keep them in", "", "type them at each unlock")
    ui.done(f"The keys of {name} are in the keyring.")


def bring_over(ui: Ui, own: CustodyApp, path: Path, *, dry_run: bool, yes: bool) -> None:
    """Show what an import would do, and do it once that is agreed to."""
    from valtrac.services.legacy import stakebts

    house = own.house
    with open(path, "rb") as file:
        database = file.read(16).startswith(b"SQLite format 3")
    if database:
        found, odd, receipts, last = stakebts.read_database(path)
        look = stakebts.preview(house, found, notes=odd, receipts=receipts, read_to=last)
    else:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path.name} is not text in UTF-8", "", "save it as UTF-8") from error
        look = stakebts.preview(house, stakebts.read_text(text, house.settings.contract_terms))
    views.preview(ui, look)
    if dry_run:
        ui.hint("Nothing was changed.")
        return
    if not agree(ui, yes, "Import this?"):
        ui.say("Nothing was changed.")
        return
    made, marked, brought = stakebts.apply(house, look)
    ui.done(f"{made} contracts imported, {marked} rewards marked paid, {brought} receipts brought over.")


def _cap(units: int) -> str:
    return "none" if units == 2**63 - 1 else str(bts(units))


def _from_stdin(wanted: bool) -> str | None:
    return sys.stdin.readline().rstrip("\n") if wanted else None
