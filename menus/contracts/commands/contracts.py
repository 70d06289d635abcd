"""`run.py contracts ...`: stake contracts on BitShares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.contracts import acts, explanation, paying, records, views
from menus.contracts import unlocking as flow
from menus.contracts.deposit_account import new_deposit_account
from menus.contracts.loans import loan_reference
from menus.contracts.opened import Client, with_app
from menus.contracts.rows_command import rows
from menus.contracts.ruling_gone import rule_gone
from menus.frame.commands import LARGEST, Json, Yes, from_stdin, screen
from menus.frame.grouping import group
from menus.frame.layout import count
from menus.jobs import together
from valtrac import settings as config
from valtrac.contracts import overview
from valtrac.contracts import rulings as services
from valtrac.contracts.model.states import DueState
from valtrac.core.errors import BadInput, Exit
from valtrac.loggers.jobs import started_by
from valtrac.wiring.contracts import ContractsApp

app = group("Stake contracts on BitShares: clients, payments due, listener, payer.")
Place = Annotated[int, typer.Argument(min=1, max=LARGEST)]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from stdin.")]


@app.command("list")
def listed(client: Client = None, as_json: Json = False) -> None:
    """Show all contracts, or those of one client."""
    with_app(lambda own: views.contracts(screen(as_json), overview.listed(own.engine, client=client)))


@app.command()
def show(number: Place, as_json: Json = False) -> None:
    """Show one contract with all its rows."""
    with_app(lambda own: views.contract(screen(as_json), *overview.shown(own.engine, number)))


@app.command()
def clients(as_json: Json = False) -> None:
    """Show everybody who has contracts, and what they are owed."""
    with_app(lambda own: views.clients(screen(as_json), overview.clients(own.engine)))


@app.command()
def due(
    hours: Annotated[int, typer.Option("--hours", min=0, max=87_600, help="What falls due within so many hours.")] = 48,
    as_json: Json = False,
) -> None:
    """Show what falls due soon, the past due first."""
    with_app(lambda own: acts.show_due(screen(as_json), own, hours))


@app.command("past-due")
def past_due(as_json: Json = False) -> None:
    """Show what should have been paid by now."""
    with_app(lambda own: acts.show_due(screen(as_json), own, 0))


@app.command()
def delinquent(as_json: Json = False) -> None:
    """Show what could not be paid by itself and waits for you."""
    with_app(
        lambda own: views.dues(
            screen(as_json),
            overview.due(own.engine, DueState.DELINQUENT),
            title="Delinquent payments",
            empty="None. What cannot be paid by itself would be here.",
        )
    )


@app.command()
def liabilities(as_json: Json = False) -> None:
    """Show what is owed in all, within a month, a week and a day, and what there is for it."""
    with_app(lambda own: acts.show_liabilities(screen(as_json), own))


@app.command()
def verify(as_json: Json = False) -> int:
    """Audit the ledger: receipts, accounts, payments beside the chain, and whether the balance is explained."""
    whole = with_app(lambda own: acts.show_audit(screen(as_json), own))
    return int(Exit.DONE if whole else Exit.OUR_FAULT)


@app.command()
def explain(number: Place, as_json: Json = False) -> None:
    """Show where a payment came from and what became of it, down to the transaction."""
    with_app(lambda own: explanation.explained(screen(as_json), overview.explain(own.engine, number)))


@app.command()
def events(
    words: Annotated[str, typer.Argument(help="Only events that hold these words, or whose transfer does.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only events of this kind: stake_start, paid, alert ...")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50,
    as_json: Json = False,
) -> None:
    """Search the trail of audit events, newest first, also by the memo, account or transaction of a transfer."""
    from menus.contracts import trail
    from valtrac.contracts import searching

    with_app(
        lambda own: trail.events(screen(as_json), searching.search(own.engine, words=words, kind=kind, limit=limit))
    )


@app.command()
def transfers(limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50, as_json: Json = False) -> None:
    """Show the newest transfers to and from the account, and what each was taken for."""
    from valtrac.contracts.store import transfers as stored
    from valtrac.database.engine import reading

    def act(own: ContractsApp) -> None:
        with reading(own.engine) as conn:
            listed = stored.listed(conn, limit=limit)
        views.transfers(screen(as_json), listed, title="Transfers", empty="None was read yet: run.py contracts listen")

    with_app(act)


@app.command()
def waiting(as_json: Json = False) -> None:
    """Show the transfers that wait for your word: memos nobody could read, payments that are not in the journal."""
    with_app(lambda own: acts.show_waiting(screen(as_json), own))


@app.command()
def read(
    number: Place,
    memo: Annotated[str | None, typer.Option("--memo", help="What its sender says that the memo was.")] = None,
    refund: Annotated[bool, typer.Option("--refund", help="Send all of it back, without a fee.")] = False,
    keep: Annotated[str, typer.Option("--keep", help="Keep it, and why.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a transfer with an unreadable memo asks for; with no option, try to read it once more."""

    def act(own: ContractsApp) -> None:
        ui = screen(as_json)
        if memo is None and not refund and not keep:
            flow.unlocked_here(ui, own)
        kind = services.read_by_hand(own.custodian, number, services.Word(memo=memo, refund=refund, keep=keep))
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

    def act(own: ContractsApp) -> None:
        ui, done = screen(as_json), services.rule(own.custodian, number, pays=pays, words=words)
        ui.done(f"Transfer #{number}: {done.kind}. {done.words}")
        if as_json:
            ui.records(records.transfer(done))

    with_app(act)


@app.command("rule-before")
def rule_before(
    block: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Up to this block.")],
    words: Annotated[str, typer.Option("--words", help="What they were; kept for ever.")],
    as_json: Json = False,
) -> None:
    """Rule on all payments of a time before this ledger: they are not in the journal, and none of them is ours."""

    def act(own: ContractsApp) -> None:
        ui, count = screen(as_json), services.rule_before(own.custodian, block, words)
        ui.done(f"{count} transfers up to block {block}: {words}")
        if as_json:
            ui.records({"up_to_block": block, "count": count})

    with_app(act)


@app.command()
def withdrawals(as_json: Json = False) -> None:
    """Show what was asked of exchanges, and whether it has come."""
    with_app(lambda own: acts.show_withdrawals(screen(as_json), own))


@app.command("withdrawal-lost")
def withdrawal_lost(
    number: Place,
    words: Annotated[str, typer.Option("--words", help="Why it never comes; kept for ever.")],
    as_json: Json = False,
) -> None:
    """Say that a withdrawal never comes, so that what is missing is asked for anew."""
    with_app(lambda own: acts.give_up_withdrawal(screen(as_json), own, number, words))


@app.command()
def listen(
    start: Annotated[str, typer.Option("--from", help="stored, now, or a block's number.")] = "stored",
    as_json: Json = False,
) -> None:
    """Read every block up to now, here, and stop; what was dealt with before is not done again."""

    def act(own: ContractsApp) -> None:
        ui = screen(as_json)
        acts.begin_from(ui, own, start)
        acts.catch_up(ui, own)

    with_app(act)


@app.command()
def start(
    begin: Annotated[str, typer.Option("--from", help="stored, now, or a block's number.")] = "stored",
) -> int:
    """Start the listener and the payer under pm2; both start locked."""

    def act(own: ContractsApp) -> bool:
        ui = screen()
        acts.begin_from(ui, own, begin)
        return flow.start_jobs(ui, own)

    return int(Exit.DONE if with_app(act) else Exit.REFUSED)


@app.command()
def stop() -> None:
    """Stop the listener and the payer; what is under way comes to its end first."""
    together.stop(screen(), config.load(), flow.START)


@app.command()
def unlock(password_stdin: PasswordStdin = False) -> int:
    """Hand the wallet's password and the exchange keys to the background jobs; they keep them in memory only."""

    def act(own: ContractsApp) -> int:
        ui = screen()
        return together.unlock(ui, own.settings, flow.START, flow.secrets(ui, own, password=from_stdin(password_stdin)))

    return int(Exit.DONE if with_app(act) == len(started_by(flow.START)) else Exit.REFUSED)


@app.command()
def pay(password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Pay what is due now, here, within the standing caps; covers what is missing from the exchange."""

    def act(own: ContractsApp) -> None:
        ui = screen(as_json)
        flow.unlocked_here(ui, own, password=from_stdin(password_stdin))
        acts.read_on(ui, own)
        paying.pay_now(ui, own)

    with_app(act)


@app.command("pay-delinquent")
def pay_delinquent(
    number: Place,
    total: Annotated[str, typer.Option("--total", help="Its amount in BTS, typed as the confirmation.")],
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Pay a delinquent payment by hand, once."""

    def act(own: ContractsApp) -> None:
        ui = screen(as_json)
        flow.unlocked_here(ui, own, password=from_stdin(password_stdin))
        paying.pay_by_hand(ui, own, number, total)

    with_app(act)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A list as text, or StakeBTS's database.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring contracts over: `username start_ms amount months months_paid` a line, or StakeBTS's SQLite file."""
    with_app(lambda own: acts.bring_over(screen(as_json), own, path, dry_run=dry_run, yes=yes))


@app.command()
def wallet() -> None:
    """Make the encrypted wallet of the custodian: its private keys are typed, kept under a password, never shown."""
    with_app(lambda own: acts.make_wallet(screen(), own))


@app.command("keep-keys")
def keep_keys(name: Annotated[str, typer.Argument(help="The exchange account, as the settings name it.")]) -> None:
    """Put the keys of an exchange account into the keyring of this system, so that unlocking does not ask for them."""
    with_app(lambda own: acts.keep_in_keyring(screen(), own, name))


@app.command()
def rehearse(
    client: Annotated[str | None, typer.Option("--client", help="Who sends: ann, bob, cid, manager, exchange.")] = None,
    send: Annotated[str | None, typer.Option("--send", help="How much, in BTS.")] = None,
    memo: Annotated[str | None, typer.Option("--memo", help="With which memo.")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=3_650, help="Let so many days pass afterwards.")] = 0,
) -> None:
    """Make the BitShares rehearsal chain where it is missing; send to the custodian as a client; let time pass."""
    from valtrac.rehearsal import contracts

    held, ui = config.load(), screen()
    with_app(lambda own: acts.rehearsal_ready(ui, own))
    if (client is None) != (send is None):
        raise BadInput("a deposit needs --client and --send", fix="--client ann --send 25000 --memo three_months")
    if client is not None and send is not None:
        tx = contracts.deposit(held, client, send, memo)
        ui.done(f"{client} sent {send} BTS: {tx}")
    if days:
        contracts.let_pass(held, days)
        ui.done(f"{count(days, 'day')} went by.")


@app.command()
def settings(as_json: Json = False) -> None:
    """Show what a contract may be and pays now, and the caps."""
    acts.show_settings(screen(as_json), config.load())


app.command("loan-reference")(loan_reference)


app.command()(rows)
app.command()(rule_gone)
app.command()(new_deposit_account)
