"""From the pool to the last payment: the questions of a payout, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from menus.frame import pick
from menus.frame.ui import Back, Ui
from menus.payouts import begin_after, views
from menus.payouts import pool as pools
from menus.payouts.sending import deliver, node_if_any
from valtrac.core.addresses import shortened
from valtrac.core.money import decimal_text, rao, short_text
from valtrac.snapshots.model.stakes import Method

if TYPE_CHECKING:
    from valtrac.payouts.drafts import Request
    from valtrac.payouts.model.batches import PayoutBatch
    from valtrac.ports import PayingChain
    from valtrac.wiring.payouts import App

METHODS: dict[Method, str] = {
    "mean-share": "mean share: all snapshots weigh the same",
    "stake-time": "stake-time: stake by the blocks it was there",
    "accrual": "accrual: by how the owner's stake grew",
}


def run(app: App, ui: Ui, *, by: Literal["users", "nominators"]) -> None:
    """Draft, look, approve, send; leaving at any question loses nothing."""
    from menus import same
    from valtrac.payouts import ranges
    from valtrac.snapshots import rulings

    request = _asked(app, ui, by)
    if request is None:
        return
    chain = node_if_any(app, ui)
    try:
        batch = _drafted(app, ui, request, chain)
    except ranges.OlderThanThisLedger as error:
        ui.warn(f"{error.what} {error.why.capitalize()}.")
        block, words = begin_after.ask(ui)
        rulings.begin_after(app.engine, request.hotkey, block, words)
        same.tell(ui, "payout begin-after", block=block, words=words, hotkey=pick.if_several(app, request.hotkey))
        batch = _drafted(app, ui, request, chain)
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
    review(app, ui, batch, chain)


def _drafted(app: App, ui: Ui, request: Request, chain: PayingChain | None) -> PayoutBatch:
    from valtrac.payouts import drafts

    with ui.working("Reading the snapshots and computing"):
        return drafts.draft(app.engine, request, chain)


def review(app: App, ui: Ui, batch: PayoutBatch, chain: PayingChain | None) -> None:
    """A fresh draft: the plan, what is unusual, whether the wallet can pay it; then approve and send."""
    views.batch(ui, app.engine, batch)
    views.waiting(ui, app, batch)
    if chain is not None:
        views.wallet(ui, app, batch)
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
        ui.warn(f"That is not its total. Batch #{batch.id} stays a draft, under Payout history and batches.")
        return False
    approvals.approve(app.engine, app.settings, app.caps, batch.id, word, despite=despite)
    ui.done(f"Batch #{batch.id} is approved.")
    same.tell(ui, "payout approve", batch_id=batch.id, total=word, despite=despite)
    return bool(batch.payout.lines)


def send(app: App, ui: Ui, batch: PayoutBatch, *, isolate: bool = False, retry_failed: bool = False) -> None:
    """Unlock the wallet and send what is owed."""
    from menus import same
    from valtrac.payments import wallets

    if not ui.confirm(f"Send {rao(views.owed(app.engine, batch))} from {shortened(app.wallet_address)} now?"):
        ui.say("Not sent. It stays approved, under Payout history and batches.")
        return
    app.guard_memory()
    password = ui.password(f"Password of wallet {app.settings.wallet_name}:") if app.needs_password else ""
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
    again = {"retry_failed": retry_failed} if isolate else {}
    same.tell(
        ui,
        "payout resume" if isolate else "payout send",
        batch_id=batch.id,
        password_stdin=app.needs_password,
        accept_history=accepted,
        **again,
    )


def _asked(app: App, ui: Ui, by: Literal["users", "nominators"]) -> Request | None:
    """The questions: hotkey, subnet, method, pool, range."""
    from valtrac.database.engine import reading
    from valtrac.payouts import drafts
    from valtrac.snapshots.store import snapshots

    hotkey = pick.hotkey(app, ui)
    with reading(app.engine) as conn:
        netuids = [netuid for known, netuid in snapshots.hotkeys(conn) if known == hotkey]
    if not netuids:
        ui.say(
            "There are no snapshots yet. Start the record under Begin logging, take one under Network and wallet, "
            "or: run.py snapshot import FILE"
        )
        return None
    netuid = _netuid(ui, netuids)
    method = ui.choose("How does stake become a share?", list(METHODS), label=lambda key: METHODS[key])
    if method is None:
        raise Back
    pool = pools.asked(app, ui, hotkey, netuid)
    first = last = None
    if not ui.confirm("Pay for everything since the last payout?", enter_means=True):
        with reading(app.engine) as conn:
            oldest, newest = snapshots.first_block(conn, hotkey, netuid), snapshots.last_block(conn, hotkey, netuid)
        first = pick.block(ui, "From block:", oldest or 0)
        last = pick.block(ui, "To block:", newest or 0, most=newest)
    settings = app.settings
    return drafts.Request(
        hotkey=hotkey,
        pool=pool,
        wallet=app.wallet_address,
        by=by,
        method=method,
        netuid=netuid,
        from_block=first,
        to_block=last,
        fee_policy=settings.fee_policy,
        minimum=settings.minimum,
        fee_per_payee=settings.fee_per_payee,
        chunk_size=settings.chunk_size,
        interval=settings.snapshot_interval,
        take_back_bps=settings.take_back,
    )


def _netuid(ui: Ui, netuids: list[int]) -> int | None:
    if len(netuids) == 1:
        return netuids[0]
    chosen = ui.choose(
        "Whose stake counts?",
        [*map(str, netuids), "all"],
        label=lambda text: (
            "all subnets, valued in TAO" if text == "all" else ("root (netuid 0)" if text == "0" else f"subnet {text}")
        ),
    )
    if chosen is None:
        raise Back
    return None if chosen == "all" else int(chosen)
