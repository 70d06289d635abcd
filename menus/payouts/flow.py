"""From the pool to the last payment: the questions of a payout, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from menus.frame import pick
from menus.frame.ui import Ui
from menus.payouts import begin_after, questions, views
from menus.payouts.sending import deliver, node_if_any
from valtrac.core.addresses import shortened
from valtrac.core.money import decimal_text, rao, short_text

if TYPE_CHECKING:
    from valtrac.payouts.drafts import Request
    from valtrac.payouts.model.batches import PayoutBatch
    from valtrac.ports import PayingChain
    from valtrac.wiring.payouts import App


def run(app: App, ui: Ui, *, by: Literal["users", "nominators"]) -> None:
    """Draft, look, approve, send; leaving at any question loses nothing."""
    from menus import same
    from valtrac.payouts import drafts, ranges
    from valtrac.snapshots import rulings

    request = questions.asked(app, ui, by)
    if request is None:
        return
    chain = node_if_any(app, ui)
    if not isinstance(request, drafts.Request):
        review(app, ui, request, chain)
        return
    try:
        batch = _drafted(app, ui, request, chain)
    except ranges.OlderThanThisLedger as error:
        ui.warn(f"{error.what} {error.why.capitalize()}.")
        block, words = begin_after.ask(ui)
        rulings.begin_after(app.engine, request.hotkey, block, words)
        same.tell(ui, "payout begin-after", block=block, words=words, hotkey=pick.if_several(app, request.hotkey))
        batch = _drafted(app, ui, request, chain)
    review(app, ui, batch, chain, lambda: _tell_plan(app, ui, request, chain))


def _tell_plan(app: App, ui: Ui, request: Request, chain: PayingChain | None) -> None:
    from menus import same

    same.tell(
        ui,
        "payout plan",
        pool=short_text(request.pool),
        hotkey=pick.if_several(app, request.hotkey),
        by=request.by,
        method=request.method,
        netuid="all" if request.netuid is None else str(request.netuid),
        from_block=request.from_block,
        to_block=request.to_block,
        offline=chain is None,
    )


def _drafted(app: App, ui: Ui, request: Request, chain: PayingChain | None) -> PayoutBatch:
    from valtrac.payouts import drafts

    with ui.working("Reading the snapshots and computing"):
        return drafts.draft(app.engine, request, chain)


def review(
    app: App, ui: Ui, batch: PayoutBatch, chain: PayingChain | None, told: Callable[[], object] = lambda: None
) -> None:
    """A fresh draft: the plan, what is unusual, whether the wallet can pay it; then approve and send. told: the
    command that makes the same draft is shown below it."""
    views.batch(ui, app.engine, batch)
    views.waiting(ui, app, batch)
    if chain is not None:
        views.wallet(ui, app, batch)
    told()
    if approve(app, ui, batch):
        send(app, ui, batch)


def approve(app: App, ui: Ui, batch: PayoutBatch) -> bool:
    """Have the total typed back, and approve."""
    from menus import same
    from valtrac.payouts import approvals

    if not batch.payout.lines:
        ui.say("Nobody is paid by this batch; approving it books what is held for later.")
    word, despite = decimal_text(batch.total), ""
    if views.unusual(ui, app, batch):
        despite = ui.text("Why is it right all the same? It is kept for ever (empty to go back):")
        if not despite:
            ui.say(f"Not approved. Batch #{batch.id} stays a draft, under Payout history and batches.")
            return False
    if not ui.type_to_confirm(f"Approving batch #{batch.id} makes {rao(batch.total)} owed. Nothing is sent yet.", word):
        ui.say(f"Not approved. Batch #{batch.id} stays a draft, under Payout history and batches.")
        return False
    approvals.approve(app.engine, app.settings, app.caps, batch.id, word, despite=despite)
    ui.done(f"Batch #{batch.id} is approved.")
    same.tell(ui, "payout approve", batch_id=batch.id, total=word, despite=despite)
    return bool(batch.payout.lines)


def send(app: App, ui: Ui, batch: PayoutBatch, *, isolate: bool = False, retry_failed: bool = False) -> None:
    """Unlock the wallet and send what is owed."""
    from menus import same
    from valtrac.payments import wallets

    app.guard_memory()
    password = _agreed(app, ui, f"{rao(views.owed(app.engine, batch))} from {shortened(app.wallet_address)}")
    if password is None:
        ui.say("Not sent. It stays approved, under Payout history and batches.")
        return
    payer = app.unlock(password)
    door, accepted = app.door(), False
    try:
        wallets.adopt(door, payer.address)
    except wallets.UnknownHistory as error:
        ui.error(error)
        if not ui.type_to_confirm("If you are certain that none of them was a payout, say so.", "none was a payout"):
            return
        wallets.adopt(door, payer.address, accept_history=True)
        accepted = True
    deliver(app, ui, payer, batch.id, isolate=isolate, retry_failed=retry_failed)
    if batch.hotkey:
        ui.hint(f"Next: {questions.next_one(app, batch.hotkey, batch.rules.netuid)}")
    again = {"retry_failed": retry_failed} if isolate else {}
    same.tell(
        ui,
        "payout resume" if isolate else "payout send",
        batch_id=batch.id,
        password_stdin=app.needs_password,
        accept_history=accepted,
        **again,
    )


def _agreed(app: App, ui: Ui, what: str) -> str | None:
    """The wallet's password, which is the owner's word on sending; None where nothing is to be sent. A wallet without
    one is asked about."""
    if not app.needs_password:
        return "" if ui.confirm(f"Send {what} now?") else None
    password = ui.password(f"Password of wallet {app.settings.wallet_name}, to send {what} now (empty: not now):")
    if password or ui.confirm(f"Nothing was typed. Send {what} all the same, from a wallet without a password?"):
        return password
    return None
