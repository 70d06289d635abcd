"""Stake contracts on BitShares: who is owed what, what runs, and what waits for the owner's word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.layout import count
from menus.frame.ui import Back, Ui
from valtrac.contracts.model.states import DueState

if TYPE_CHECKING:
    from valtrac.contracts.overview import Standing
    from valtrac.contracts.store.withdrawals import Withdrawal
    from valtrac.wiring.contracts import ContractsApp
    from valtrac.wiring.payouts import App

TITLE = "Stake contracts (BitShares)"
ORDER = 96
GROUP = groups.CHAINS
LIST, ROWS, AROUND, LIVE, CLIENTS, DUE, PAST, OWED, AUDIT, WAITING, DELINQUENT = (
    "Contracts",
    "Contracts and all payments in one table",
    "The last and the next 48 hours",
    "Watch contracts and payments live",
    "Clients",
    "Payments due within 48 hours",
    "Past due",
    "Liabilities",
    "Audit the ledger",
    "What waits for your word",
    "Delinquent payments: pay by hand",
)
START, STOP, UNLOCK, PAY, IMPORT, EVENTS, SETTINGS = (
    "Start listener and payer",
    "Stop listener and payer",
    "Unlock the payer",
    "Read the chain and pay what is due now",
    "Import from StakeBTS",
    "Search the audit events",
    "Terms and caps",
)
WITHDRAWALS = "Money asked of exchanges"
REHEARSE = "Rehearse: send as a client, let days go by"
SAME = {
    LIST: "contracts list",
    ROWS: "contracts rows",
    CLIENTS: "contracts clients",
    DUE: "contracts due",
    PAST: "contracts past-due",
    OWED: "contracts liabilities",
    AUDIT: "contracts verify",
    STOP: "contracts stop",
    UNLOCK: "contracts unlock",
    PAY: "contracts pay",
    SETTINGS: "contracts settings",
}
CHANGING = (WAITING, DELINQUENT, START, STOP, UNLOCK, PAY, IMPORT, WITHDRAWALS, REHEARSE)


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.contracts.second_node import opened

    own = opened(app.settings, ui)
    acts = {
        LIST: _contracts,
        ROWS: _rows,
        AROUND: _around,
        LIVE: _live,
        CLIENTS: _clients,
        DUE: _due,
        PAST: _past,
        OWED: _owed,
        AUDIT: _audit,
        WAITING: _waiting,
        DELINQUENT: _delinquent,
        START: _start,
        STOP: _stop,
        UNLOCK: _unlock,
        PAY: _pay,
        IMPORT: _import,
        EVENTS: _events,
        SETTINGS: _settings,
        WITHDRAWALS: _withdrawals,
    }
    if not own.needs_password:
        acts[REHEARSE] = _rehearse
    try:
        levels.attempt(ui, lambda: _state(own, ui))
        while True:
            chosen = ui.choose("What about contracts?", list(acts), gap_before=START)
            if chosen is None:
                return
            act = partial(acts[chosen], own, ui)
            levels.attempt(ui, partial(same.doing, ui, act, SAME.get(chosen), locked=own.needs_password))
            if chosen in CHANGING:
                levels.attempt(ui, lambda: _state(own, ui))
    finally:
        own.close()


def _state(own: ContractsApp, ui: Ui) -> None:
    """One line of where this is, one of what the payer says, one of what to do next."""
    from menus.contracts.unlocking import advice

    said, told, advised = advice(own)
    ui.hint(said)
    if told:
        ui.hint(f"The payer: {told}.")
    ui.hint("Next: " + advised)


def _contract_line(standing: Standing) -> str:
    return f"#{standing.contract.id}  {standing.contract.name}  {standing.state}"


def _withdrawal_line(withdrawal: Withdrawal) -> str:
    from valtrac.core.money import bts

    return f"#{withdrawal.id}  {withdrawal.exchange}  {bts(withdrawal.units)}"


def _contracts(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts import views
    from valtrac.contracts import overview

    standings = overview.listed(own.engine)
    views.contracts(ui, standings)
    while standings:
        standing = ui.choose("Which contract?", standings, label=_contract_line)
        if standing is None:
            return
        views.contract(ui, *overview.shown(own.engine, standing.contract.id))
        same.tell(ui, "contracts show", number=standing.contract.id)


def _rows(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts import rows

    rows.show(ui, own, client=None, status="", hours=None)


def _around(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts import rows

    rows.show(ui, own, client=None, status="", hours=48)
    same.tell(ui, "contracts rows", hours=48)


def _live(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts import rows

    same.tell(ui, "contracts rows", watch=True)
    rows.keep_showing(ui, own, client=None, status="", hours=None)


def _clients(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts import views
    from valtrac.contracts import overview

    views.clients(ui, overview.clients(own.engine))


def _due(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import show_due

    show_due(ui, own, 48)


def _past(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import show_due

    show_due(ui, own, 0)


def _owed(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import show_liabilities

    show_liabilities(ui, own)


def _audit(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import show_audit

    show_audit(ui, own)


def _waiting(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.waiting import decide

    decide(own, ui)


def _delinquent(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts import views
    from menus.contracts.paying import pay_by_hand
    from menus.contracts.unlocking import unlocked_here
    from valtrac.contracts import overview
    from valtrac.contracts.model.contracts import bts_text

    delinquent = overview.due(own.engine, DueState.DELINQUENT)
    views.dues(ui, delinquent, title="Delinquent payments", empty="None. What cannot be paid by itself would be here.")
    if not delinquent:
        same.tell(ui, "contracts delinquent")
        return
    due = ui.choose(
        "Pay which one by hand?", delinquent, label=lambda it: f"no. {it.id}  {it.name}  {bts_text(it.units)} BTS"
    )
    if due is None:
        return
    ui.say(f"This pays {bts_text(due.units)} BTS to {due.name}, once.")
    typed = ui.text("Type its amount in BTS to go on:")
    if not typed:
        return
    unlocked_here(ui, own)
    pay_by_hand(ui, own, due.id, typed)
    same.tell(ui, "contracts pay-delinquent", number=due.id, total=typed, password_stdin=own.needs_password)


def _start(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts.acts import begin_from
    from menus.contracts.unlocking import start_jobs

    stored, now, block = "where it stopped", "with what comes now", "at a block that I name (a replay)"
    chosen = ui.choose("Where shall the listener begin?", [stored, now, block])
    if chosen is None:
        return
    word = {stored: "stored", now: "now"}.get(chosen) or ui.text("Which block? (empty to go back)")
    if not word:
        return
    begin_from(ui, own, word)
    start_jobs(ui, own)
    same.tell(ui, "contracts start", begin=word)


def _stop(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.unlocking import START as COMMAND
    from menus.jobs import together

    together.stop(ui, own.settings, COMMAND)


def _unlock(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import wallet_first
    from menus.contracts.unlocking import START as COMMAND
    from menus.contracts.unlocking import secrets
    from menus.jobs import together

    wallet_first(ui, own)
    together.unlock(ui, own.settings, COMMAND, secrets(ui, own))


def _pay(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import catch_up, wallet_first
    from menus.contracts.paying import agreed_to_pay, pay_now
    from menus.contracts.unlocking import unlocked_here

    wallet_first(ui, own)
    unlocked_here(ui, own)
    catch_up(ui, own)
    if not agreed_to_pay(ui, own):
        ui.done("Nothing was sent.")
        raise Back
    pay_now(ui, own)


def _import(own: ContractsApp, ui: Ui) -> None:
    from pathlib import Path

    from menus import same
    from menus.contracts.acts import bring_over
    from valtrac.core.errors import BadInput

    ui.say("A list (username start_ms amount months months_paid), or the SQLite file of StakeBTS.")
    typed = ui.path("Which file? (empty to go back)")
    if not typed:
        return
    path = Path(typed).expanduser()
    if not path.is_file():
        raise BadInput(f"there is no file {typed[:100]}", fix="give its whole path")
    if bring_over(ui, own, path, dry_run=False, yes=False):
        same.tell(ui, "contracts import", path=path, yes=True)


def _events(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts import trail
    from valtrac.contracts import searching

    words = ui.text("Words to look for, such as a memo, an account or a transaction (empty: the newest):")
    trail.events(ui, searching.search(own.engine, words=words))
    same.tell(ui, "contracts events", words=words)


def _settings(own: ContractsApp, ui: Ui) -> None:
    from menus.contracts.acts import show_settings

    show_settings(ui, own.settings)


def _withdrawals(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts.acts import give_up_withdrawal, show_withdrawals

    waiting = show_withdrawals(ui, own)
    if not waiting:
        same.tell(ui, "contracts withdrawals")
        return
    withdrawal = ui.choose("Which one never comes?", waiting, label=_withdrawal_line)
    if withdrawal is not None and (why := ui.text("Why does it not come? (empty to go back)")):
        give_up_withdrawal(ui, own, withdrawal.id, why)
        same.tell(ui, "contracts withdrawal-lost", number=withdrawal.id, words=why)


def _rehearse(own: ContractsApp, ui: Ui) -> None:
    from menus import same
    from menus.contracts.acts import rehearsal_ready
    from valtrac.rehearsal import contracts

    rehearsal_ready(ui, own)
    send, wait = "Somebody sends to the custodian", "Days go by"
    chosen = ui.choose("What happens there?", [send, wait])
    if chosen == wait:
        typed = ui.text("How many days? (empty to go back)", check=contracts.days_of)
        if not typed:
            return
        days = contracts.days_of(typed)
        contracts.let_pass(own.settings, days)
        ui.done(f"{count(days, 'day')} went by.")
        same.tell(ui, "contracts rehearse", days=days)
    if chosen == send and (who := ui.choose("Who sends?", contracts.SENDERS)) is not None:
        amount = ui.text("How much, in BTS? (empty to go back)", check=contracts.amount_of)
        if not amount:
            return
        memo = ui.text("With which memo? (such as three_months or stop; empty for none)")
        ui.done(f"{who} sent {amount} BTS: {contracts.deposit(own.settings, who, amount, memo or None)}")
        ui.hint("Next: read the chain and pay what is due now, or start listener and payer.")
        same.tell(ui, "contracts rehearse", client=who, send=amount, memo=memo)
