"""Stake contracts on BitShares: who is owed what, what runs, and what waits for the owner's word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from menus import levels
from menus.layout import count
from menus.ui import Ui

if TYPE_CHECKING:
    from valtrac.app import App
    from valtrac.custody import CustodyApp
    from valtrac.store.operations import Operation

TITLE = "Stake contracts (BitShares)"
ORDER = 95
LIST, CLIENTS, DUE, PAST, OWED, BOOKS, WAITING, DELINQUENT = (
    "Contracts",
    "Clients",
    "Payments due within 48 hours",
    "Past due",
    "Liabilities",
    "Check the books",
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
MOVES = "Money asked of exchanges"
REHEARSE = "Rehearse: send as a client, let days go by"
CHANGING = (WAITING, DELINQUENT, START, STOP, UNLOCK, PAY, IMPORT, MOVES, REHEARSE)


def run(app: App, ui: Ui) -> None:
    from valtrac.custody import CustodyApp

    own = CustodyApp(app.settings)
    acts = {
        LIST: _contracts, CLIENTS: _clients, DUE: _due, PAST: _past, OWED: _owed, BOOKS: _books,
        WAITING: _waiting, DELINQUENT: _delinquent, START: _start, STOP: _stop, UNLOCK: _unlock, PAY: _pay,
        IMPORT: _import, EVENTS: _events, SETTINGS: _settings, MOVES: _moves,
    }  # fmt: skip
    if not own.needs_password:
        acts[REHEARSE] = _rehearse
    try:
        levels.attempt(ui, lambda: _state(own, ui))
        while True:
            chosen = ui.choose("What about contracts?", list(acts), gap_before=START)
            if chosen is None:
                return
            levels.attempt(ui, partial(acts[chosen], own, ui))
            if chosen in CHANGING:
                levels.attempt(ui, lambda: _state(own, ui))
    finally:
        own.close()


def _state(own: CustodyApp, ui: Ui) -> None:
    """One line of where this is, one of what the payer says, one of what to do next."""
    from menus.contract_flow import advice

    said, told, advised = advice(own)
    ui.hint(said)
    if told:
        ui.hint(f"The payer: {told}.")
    ui.hint("Next: " + advised)


def _contracts(own: CustodyApp, ui: Ui) -> None:
    from menus import contract_views as views
    from valtrac.services import contracts

    found = contracts.listed(own.engine)
    views.contracts(ui, found)
    while found:
        one = ui.choose("Which contract?", found, label=lambda it: f"#{it.contract.id}  {it.contract.name}  {it.state}")
        if one is None:
            return
        views.contract(ui, *contracts.shown(own.engine, one.contract.id))


def _clients(own: CustodyApp, ui: Ui) -> None:
    from menus import contract_views as views
    from valtrac.services import contracts

    views.clients(ui, contracts.clients(own.engine))


def _due(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_due

    show_due(ui, own, 48)


def _past(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_due

    show_due(ui, own, 0)


def _owed(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_liabilities

    show_liabilities(ui, own)


def _books(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_books

    show_books(ui, own)


def _waiting(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_waiting
    from valtrac.store import operations
    from valtrac.store.engine import reading

    show_waiting(ui, own)
    with reading(own.engine) as conn:
        found = operations.listed(conn, "waiting", "parked", "unruled")
    if not found:
        return
    one = ui.choose("Which one?", found, label=lambda it: f"#{it.id}  {it.name}  {it.key}  {it.state}")
    if one is None:
        return
    dealt = _rule(own, ui, one) if one.state == "unruled" else _read(own, ui, one)
    ui.done(dealt) if dealt else ui.hint("Nothing was changed.")


def _rule(own: CustodyApp, ui: Ui, one: Operation) -> str:
    """Have the owner say what left the account; what was done, "" for nothing."""
    from menus.contract_views import named
    from valtrac.services import contracts

    may_be = {f"It was {named(due)}": due for due in contracts.matching(own.engine, one)}
    answer = ui.choose("What was it?", [*may_be, "It is none of our payments"])
    if answer is None:
        return ""
    chosen = may_be.get(answer)
    if chosen is None:
        words = ui.text("What was it, in your words? (empty to go back)")
        if not words:
            return ""
        contracts.rule(own.house, one.id, words=words)
        return f"Transfer #{one.id} is none of ours."
    if not ui.confirm(f"Book it as {named(chosen)}? It is not paid again then."):
        return ""
    contracts.rule(own.house, one.id, pays=chosen.id)
    return f"Transfer #{one.id} was {named(chosen)}."


def _read(own: CustodyApp, ui: Ui, one: Operation) -> str:
    """Have the owner say what came in; what was done, "" for nothing."""
    from valtrac.services import contracts

    tell, back, keep = "I know what its memo was", "Send all of it back", "Keep it"
    chosen = ui.choose("What with it?", [tell, back, keep])
    if chosen == tell:
        memo = ui.text("The memo, as its sender told you (empty to go back):")
        if not memo:
            return ""
        kind = contracts.read_by_hand(own.house, one.id, memo=memo)
        return f"Transfer #{one.id} was taken for: {kind}."
    if chosen == back and ui.confirm(f"Send it back to {one.name}?"):
        contracts.read_by_hand(own.house, one.id, refund=True)
        return f"Transfer #{one.id} goes back to {one.name} with the next payments."
    if chosen == keep and (why := ui.text("Why is it kept? (empty to go back)")):
        contracts.read_by_hand(own.house, one.id, keep=why)
        return f"Transfer #{one.id} is kept."
    return ""


def _delinquent(own: CustodyApp, ui: Ui) -> None:
    from menus import contract_views as views
    from menus.contract_acts import read_on
    from menus.contract_flow import unlocked_here
    from valtrac.domain.contracts import bts_text
    from valtrac.services import contracts, dues

    found = contracts.due(own.engine, "delinquent")
    views.dues(ui, found, title="Delinquent payments", empty="None. What cannot be paid by itself would be here.")
    if not found:
        return
    one = ui.choose(
        "Pay which one by hand?", found, label=lambda it: f"no. {it.id}  {it.name}  {bts_text(it.units)} BTS"
    )
    if one is None:
        return
    ui.say(f"This pays {bts_text(one.units)} BTS to {one.name}, once.")
    typed = ui.text("Type its amount in BTS to go on:")
    if not typed:
        return
    unlocked_here(ui, own)
    read_on(ui, own)
    with ui.working("paying"):
        batch = dues.pay_delinquent(own.house, own.payer(), one.id, typed)
    ui.done(f"Payment no. {one.id}: batch #{batch.id} is {batch.state}.")


def _start(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import begin_from, start_jobs

    stored, now, block = "where it stopped", "with what comes now", "at a block that I name (a replay)"
    chosen = ui.choose("Where shall the listener begin?", [stored, now, block])
    if chosen is None:
        return
    word = {stored: "stored", now: "now"}.get(chosen) or ui.text("Which block? (empty to go back)")
    if not word:
        return
    begin_from(ui, own, word)
    start_jobs(ui, own)


def _stop(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import stop_jobs

    stop_jobs(ui, own.settings)


def _unlock(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import wallet_first
    from menus.contract_flow import secrets, unlock_jobs

    wallet_first(ui, own)
    unlock_jobs(ui, own.settings, secrets(ui, own))


def _pay(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import catch_up, pay_now, wallet_first
    from menus.contract_flow import unlocked_here

    wallet_first(ui, own)
    unlocked_here(ui, own)
    catch_up(ui, own)
    pay_now(ui, own)


def _import(own: CustodyApp, ui: Ui) -> None:
    from pathlib import Path

    from menus.contract_acts import bring_over
    from valtrac.errors import BadInput

    ui.say("A list (username start_ms amount months months_paid), or the SQLite file of StakeBTS.")
    typed = ui.text("Which file? (empty to go back)")
    if not typed:
        return
    path = Path(typed).expanduser()
    if not path.is_file():
        raise BadInput(f"there is no file {typed[:100]}", "", "give its whole path")
    bring_over(ui, own, path, dry_run=False, yes=False)


def _events(own: CustodyApp, ui: Ui) -> None:
    from menus import contract_views as views
    from valtrac.store import events
    from valtrac.store.engine import reading

    words = ui.text("Words to look for (empty: the newest):")
    with reading(own.engine) as conn:
        found = events.search(conn, words=words, limit=50)
    views.events(ui, found)


def _settings(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import show_settings

    show_settings(ui, own.settings)


def _moves(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import give_up_move, show_moves
    from valtrac.domain.money import bts

    waiting = show_moves(ui, own)
    if not waiting:
        return
    one = ui.choose("Which one never comes?", waiting, label=lambda it: f"#{it.id}  {it.exchange}  {bts(it.units)}")
    if one is not None and (why := ui.text("Why does it not come? (empty to go back)")):
        give_up_move(ui, own, one.id, why)


def _rehearse(own: CustodyApp, ui: Ui) -> None:
    from menus.contract_acts import rehearsal_ready
    from valtrac import rehearsal_contracts as rehearsal

    rehearsal_ready(ui, own)
    send, wait = "Somebody sends to the custodian", "Days go by"
    chosen = ui.choose("What happens there?", [send, wait])
    if chosen == wait:
        typed = ui.text("How many days? (empty to go back)", check=rehearsal.days_of)
        if not typed:
            return
        days = rehearsal.days_of(typed)
        rehearsal.let_pass(own.settings, days)
        ui.done(f"{count(days, 'day')} went by.")
    if chosen == send and (who := ui.choose("Who sends?", rehearsal.SENDERS)) is not None:
        amount = ui.text("How much, in BTS? (empty to go back)", check=rehearsal.amount_of)
        if not amount:
            return
        memo = ui.text("With which memo? (such as three_months or stop; empty for none)")
        ui.done(f"{who} sent {amount} BTS: {rehearsal.deposit(own.settings, who, amount, memo or None)}")
        ui.hint("Next: read the chain and pay what is due now, or start listener and payer.")
