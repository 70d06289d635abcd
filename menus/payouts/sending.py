"""Sending a batch and reading the chain: what menus and commands do alike."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from menus.frame.ui import Ui
from menus.payouts import views
from valtrac.core.errors import ChainUnreachable, Exit, ValtracError
from valtrac.payments.model.states import BatchState

if TYPE_CHECKING:
    from valtrac.payments.reconcile import Finding
    from valtrac.ports import Payer, PayingChain
    from valtrac.wiring.payouts import App


def node_if_any(app: App, ui: Ui) -> PayingChain | None:
    """The node, or None, said aloud, where it does not answer: a plan can be made without one."""
    try:
        with ui.working("Asking the node"):
            app.chain.identity()
        return app.chain
    except ChainUnreachable as error:
        ui.warn(f"Planning without a node: {error.what}.")
        return None


def deliver(app: App, ui: Ui, payer: Payer, batch_id: int, **how: bool) -> int:
    """Send what a batch owes and show what became of it; the exit code."""
    from menus.backups.views import before_paying
    from valtrac.payments import checks, wallets
    from valtrac.payments.send import send

    door = app.door(tell=ui.say)
    checks.check_wallet(door, payer, batch_id)
    # before the backup, so that one that is restored knows from which transaction of the wallet on it answers
    wallets.adopt(door, payer.address, accept_history=how.get("accept_history", False))
    before_paying(ui, app.settings, age_s=0.0)  # the batch must be in it
    with ui.working(f"Sending batch #{batch_id}, and waiting until it is final"):
        batch = send(door, payer, batch_id, **how)
    with ui.afterwards():
        views.note_price(ui, app, batch)
        views.after_sending(ui, app, batch_id)
        with suppress(ValtracError):  # what the wallet holds now is noted for the first screen
            app.liquidity()
    return int(Exit.DONE if batch.state == BatchState.SETTLED else Exit.REFUSED)


def look(app: App, ui: Ui) -> list[Finding]:
    """Find out from the chain what became of everything that was sent, and say it."""
    from valtrac.payments.reconcile import reconcile

    with ui.working("Reading the chain"):
        findings = reconcile(app.door())
    for finding in findings:
        ui.say(f"{finding.attempt.tx_id}: {finding.called}, {finding.words}")
    with ui.afterwards():
        views.note_prices(ui, app, findings)
    return findings
