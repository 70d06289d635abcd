"""Balances and corrections: what everyone accrued, is owed and was paid; putting right what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import levels, pick
from menus.ui import Ui
from valtrac.domain.money import rao

if TYPE_CHECKING:
    from valtrac.app import App
    from valtrac.services.balances import Account

TITLE = "Balances and corrections"
ORDER = 95
LOOK, PAY, PAY_ONE, LESS, MORE, WALLET = (
    "Look at one account",
    "Pay out all held balances",
    "Pay out one held balance",
    "Somebody got too little",
    "Somebody got too much",
    "Is there enough in the payout wallet?",
)


def run(app: App, ui: Ui) -> None:
    from menus import ledger_views as views
    from valtrac.services import balances

    def actions() -> list[str]:
        found = balances.accounts(app.engine)
        views.accounts(ui, found)
        held = [one for one in found if one.held > 0]
        return [*([LOOK] if found else []), *([PAY, PAY_ONE] if held else []), LESS, MORE, WALLET]

    levels.repeat(ui, "What?", actions, lambda chosen: _act(app, ui, chosen))


def _act(app: App, ui: Ui, chosen: str) -> None:
    from menus import ledger_views as views
    from valtrac.services import balances, treasury

    if chosen == WALLET:
        with ui.working("Asking the node"):
            found = treasury.liquidity(app.engine, app.chain, app.wallet_address, chunk_size=app.settings.chunk_size)
        views.liquidity(ui, found)
    elif chosen in (LESS, MORE):
        _correct(app, ui, -1 if chosen == MORE else 1)
    else:
        known = balances.accounts(app.engine)
        if chosen == PAY:
            _pay(app, ui, ())
        elif (one := _one_of(ui, known if chosen == LOOK else [one for one in known if one.held > 0])) is None:
            return
        elif chosen == LOOK:
            whom = one.person if one.person in ("owner", "pool") else one.name
            views.account(ui, *balances.account(app.engine, whom))
        else:
            _pay(app, ui, (one.person,))


def _one_of(ui: Ui, found: list[Account]) -> Account | None:
    name = pick.one_of(ui, "Whose?", [one.name for one in found])
    return next((one for one in found if one.name == name), None)


def _correct(app: App, ui: Ui, sign: int) -> None:
    from valtrac.services import balances, users

    names = [view.name for view in users.list_users(app.engine, ended=True)]
    known = [one.name for one in balances.accounts(app.engine) if one.person.startswith("addr:")]
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
    found = balances.correct(app.engine, whom, sign * units, reason)
    ui.done(
        f"Booked. {found.name} has {rao(found.held)} coming with the next payout."
        if found.held >= 0
        else f"Booked. {rao(-found.held)} is taken back from {found.name} in the next payouts."
    )


def _pay(app: App, ui: Ui, persons: tuple[str, ...]) -> None:
    from menus import payout_flow
    from valtrac.services import plans

    settings, chain = app.settings, payout_flow.node(app, ui)
    request = plans.Request(
        hotkey="",
        pool=0,
        wallet=app.wallet_address,
        fee_policy=settings.fee_policy,
        fee_per_payee=settings.fee_per_payee,
        chunk_size=settings.chunk_size,
        persons=persons,
    )
    payout_flow.review(app, ui, plans.draft_balances(app.engine, request, chain), chain)
