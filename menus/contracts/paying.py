"""Paying what is due under stake contracts: shown and asked first, and who got what told afterwards."""

from __future__ import annotations

from menus.contracts import records, views
from menus.contracts.acts import read_on
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.contracts import overview
from valtrac.contracts.model.contracts import PENALTY, Due
from valtrac.contracts.model.states import DueState
from valtrac.core.errors import ValtracError
from valtrac.core.money import bts
from valtrac.wiring.contracts import ContractsApp


def agreed_to_pay(ui: Ui, own: ContractsApp) -> bool:
    """Show what is due, and ask whether it is to be paid; not asked where nothing is. What falls due while the question
    stands is shown and asked too."""
    agreed = set[tuple[int, int]]()
    while True:
        due_now, waits = _due_now(own)
        payable = [due for due in due_now if due.id not in waits and due.type != PENALTY]
        asked = {(due.id, due.units) for due in payable}
        if asked <= agreed:
            return True
        if agreed:
            ui.warn("Something else has fallen due meanwhile.")
        views.dues(ui, due_now, title="Due now", empty="", waits=waits)
        total = sum(due.units for due in payable)
        if not ui.confirm(f"Send {count(len(payable), 'payment')}, {bts(total)}, as far as caps and funds reach?"):
            return False
        agreed = asked


def _due_now(own: ContractsApp) -> tuple[list[Due], dict[int, str]]:
    """What is due, and why some of it waits."""
    from valtrac.contracts.forecast import held_back
    from valtrac.database.engine import reading

    now = own.chain.finalized().at
    due_now = [due for due in overview.due(own.engine, now=now) if due.state == DueState.PENDING]
    with reading(own.engine) as conn:
        return due_now, held_back(conn, own.settings, due_now)


def pay_now(ui: Ui, own: ContractsApp) -> None:
    """One round of paying, and of covering what is missing."""
    from valtrac.contracts import dues, exchange_transfers

    custodian = own.custodian
    with ui.working("paying what is due"):
        done = dues.pay(custodian, own.payer())
        said = list(done.words)
        try:
            if custodian.exchanges:
                said += exchange_transfers.step(custodian, done.outlook.missing, asked=done.outlook.asked)
        except ValtracError as error:  # of the exchange: what was paid is paid
            if done.paid:
                error.moved = "yes"
                error.why = "; ".join(filter(None, (error.why, f"{count(done.paid, 'payment')} landed before")))
            raise
    if done.paid:
        if not ui.as_json:
            views.dues(ui, done.payments, title="Paid", empty="")
        ui.done(f"{done.paid} payment{' is' if done.paid == 1 else 's are'} irreversible.")
    elif not (said or done.outlook.held or done.outlook.missing):
        ui.done("Nothing was to be paid.")
    for due, why in done.outlook.held[:10]:
        ui.warn(f"payment no. {due.id} to {due.name} waits: {why}")
    for words in said:
        ui.warn(words)
    if done.outlook.missing:
        ui.warn(f"The account is short by {bts(done.outlook.missing)}, for payments due and the reserve.")
    with ui.afterwards():
        if ui.as_json:
            ui.records(
                {
                    "paid": done.paid,
                    "payments": [records.due(due) for due in done.payments],
                    "missing": records.text(done.outlook.missing),
                    "words": said,
                }
            )


def pay_by_hand(ui: Ui, own: ContractsApp, number: int, typed: str) -> None:
    """Read the chain up to now, then pay one delinquent payment, once. typed: its amount, as the confirmation."""
    from valtrac.contracts import dues

    read_on(ui, own)
    with ui.working("paying"):
        batch = dues.pay_delinquent(own.custodian, own.payer(), number, typed)
    ui.done(f"Payment no. {number}: batch #{batch.id} is {batch.state}.")
    with ui.afterwards():
        if ui.as_json:
            ui.records({"no": number, "batch": batch.id, "state": batch.state})
