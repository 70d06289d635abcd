"""The logger `payments`: pays what falls due, confirms it, and covers what is missing. Starts locked."""

from __future__ import annotations

from valtrac.contracts import audit, caps, dues, exchange_transfers, overview
from valtrac.contracts.model.states import DueState
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.core.money import bts
from valtrac.loggers import locked
from valtrac.loggers.loop import Tick
from valtrac.wiring.contracts import ContractsApp

WORD, STARTED_BY, NAME = "payments", "contracts start", "valtrac-payments"
EVERY_S = 15.0
LOOK_S = 1.0  # the rehearsal chain goes at a pace of its own
PATIENCE_S = 120.0
LOCKED = "locked"


def tick(app: ContractsApp, *, patience_s: float = PATIENCE_S, poll_s: float | None = None) -> Tick:
    """One round. What goes wrong is said and tried again: nothing that is due is ever dropped."""
    custodian = app.custodian
    wait_s = LOOK_S if app.settings.bitshares_network == "devnet" else EVERY_S
    head = custodian.chain.finalized()
    alarm = audit.look(custodian, head)
    if not app.settings.contracts_payments:
        return Tick(head.number, _joined(alarm, "payments are switched off: VALTRAC_CONTRACTS_PAYMENTS=no"), 60.0)
    if app.locked:
        waiting = overview.due(app.engine, DueState.PENDING, now=head.at)
        total = sum(due.units for due in waiting)
        words = f"{LOCKED}: {_payments(len(waiting))} due, {bts(total)}; unlock it under Stake contracts"
        return Tick(head.number, _joined(alarm, words), wait_s)
    said = list[str]()
    try:
        done = dues.pay(custodian, app.payer(), patience_s=patience_s, poll_s=poll_s)
        said = [f"{_payments(done.paid)} irreversible"] if done.paid else []
        said += done.words
        if done.outlook.held:
            said.append(f"{_payments(len(done.outlook.held))} held: {done.outlook.held[0][1]}")
        if custodian.exchanges:
            said += exchange_transfers.step(custodian, done.outlook.missing, asked=done.outlook.asked)
        elif done.outlook.missing:
            said.append(f"{bts(done.outlook.missing)} are missing for what is due")
    except ChainUnreachable:
        raise
    except ValtracError as error:
        said.append(f"{error.what}{': ' + error.why if error.why else ''}")
    return Tick(head.number, _joined(alarm, *said), wait_s)


def run(hotkey: str | None) -> None:
    """Pay what falls due until told to stop; locked until somebody hands the keys in. hotkey: of no use here."""
    locked.run_contracts(NAME, tick, before_unlocking=lambda app: caps.refuse_without_end(app.engine, app.settings))


def _payments(number: int) -> str:
    return f"{number} payment{'' if number == 1 else 's'}"


def _joined(*words: str) -> str:
    return "; ".join(filter(None, words))
