"""Balances and corrections: what everyone accrued, is owed and was paid; putting right what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels, pick
from menus.frame.ui import Ui
from valtrac.core.money import rao, short_text

if TYPE_CHECKING:
    from valtrac.payouts.balances import Account
    from valtrac.wiring.payouts import App

TITLE = "Balances and corrections"
ORDER = 95
GROUP = groups.PAYOUTS
LOOK, PAY, PAY_ONE, LESS, MORE, WALLET = (
    "Look at one account",
    "Pay out all held balances",
    "Pay out one held balance",
    "Somebody got too little",
    "Somebody got too much",
    "Is there enough in the payout wallet?",
)


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.payouts import ledger_views as views
    from valtrac.payouts import balances

    def actions() -> list[str]:
        accounts = balances.accounts(app.engine)
        views.accounts(ui, accounts)
        same.once(ui, "ledger show")
        held = [account for account in accounts if account.held > 0]
        return [*([LOOK] if accounts else []), *([PAY, PAY_ONE] if held else []), LESS, MORE, WALLET]

    levels.repeat(ui, "What?", actions, lambda chosen: _act(app, ui, chosen))


def _act(app: App, ui: Ui, chosen: str) -> None:
    from menus import same
    from menus.payouts import ledger_views as views
    from valtrac.payouts import balances

    if chosen == WALLET:
        with ui.working("Asking the node"):
            figures = app.liquidity()
        views.liquidity(ui, figures, app.settings.network)
        same.tell(ui, "payout liquidity")
    elif chosen in (LESS, MORE):
        _correct(app, ui, -1 if chosen == MORE else 1)
    else:
        known = balances.accounts(app.engine)
        if chosen == PAY:
            _pay(app, ui, {})
            return
        offered = known if chosen == LOOK else [account for account in known if account.held > 0]
        account = _one_of(ui, offered)
        if account is None:
            return
        if chosen == LOOK:
            whom = account.person if account.person in ("owner", "pool") else account.name
            views.account(ui, *balances.account(app.engine, whom))
            same.tell(ui, "ledger show", whom=whom)
        else:
            _pay(app, ui, {account.person: account.name})


def _one_of(ui: Ui, accounts: list[Account]) -> Account | None:
    name = pick.one_of(ui, "Whose?", [account.name for account in accounts])
    return next((account for account in accounts if account.name == name), None)


def _correct(app: App, ui: Ui, sign: int) -> None:
    from menus import same
    from valtrac.payouts import balances
    from valtrac.people import users

    names = [view.name for view in users.list_users(app.engine, ended=True)]
    known = [account.name for account in balances.accounts(app.engine) if account.person.startswith("addr:")]
    if not names + known:
        ui.say("There is nobody yet whose account could be corrected. Next: Add users.")
        return
    whom = pick.one_of(ui, "Who?", names + known)
    if whom is None:
        return
    units = pick.amount(ui, f"How much too {'little' if sign > 0 else 'much'}, in TAO (empty to go back)?", "amount")
    reason = ui.text("Why? It is kept for ever (empty to go back):")
    if not reason:
        return
    account = balances.correct(app.engine, whom, sign * units, reason)
    ui.done(
        f"Booked. {account.name} has {rao(account.held)} coming with the next payout."
        if account.held >= 0
        else f"Booked. {rao(-account.held)} is taken back from {account.name} in the next payouts."
    )
    direction = "underpaid" if sign > 0 else "overpaid"
    same.tell(ui, "ledger correct", whom=whom, reason=reason, **{direction: short_text(units)})


def _pay(app: App, ui: Ui, persons: dict[str, str]) -> None:
    """persons: account -> name of those who are paid; {}: everyone who has something held."""
    from menus import same
    from menus.payouts import flow
    from menus.payouts.sending import node_if_any
    from valtrac.payouts import drafts

    settings, chain = app.settings, node_if_any(app, ui)
    request = drafts.Request(
        hotkey="",
        pool=0,
        wallet=app.wallet_address,
        fee_policy=settings.fee_policy,
        fee_per_payee=settings.fee_per_payee,
        chunk_size=settings.chunk_size,
        persons=tuple(persons),
    )
    batch = drafts.draft_balances(app.engine, request, chain)

    def told() -> None:
        same.tell(ui, "payout release", whom=list(persons.values()), offline=chain is None)

    flow.review(app, ui, batch, chain, told)
