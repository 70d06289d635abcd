"""From the pool to the last payment: the questions of a payout, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from menus import payout_views as views
from menus import pick
from menus.ui import Back, Ui
from valtrac.domain.addresses import shortened
from valtrac.domain.money import decimal_text, rao
from valtrac.domain.stakes import Method

if TYPE_CHECKING:
    from valtrac.app import App
    from valtrac.domain.batches import Batch
    from valtrac.ports import Chain
    from valtrac.services.plans import Request

METHODS: dict[Method, str] = {
    "mean-share": "mean share: all snapshots weigh the same",
    "stake-time": "stake-time: stake by the blocks it was there",
    "accrual": "accrual: by how the owner's stake grew",
}


def run(app: App, ui: Ui, *, by: Literal["users", "nominators"]) -> None:
    """Draft, look, approve, send; leaving at any question loses nothing."""
    from valtrac.services import plans

    request = _asked(app, ui, by)
    if request is None:
        return
    chain = node(app, ui)
    with ui.working("Reading the snapshots and computing"):
        batch = plans.draft(app.engine, request, chain)
    review(app, ui, batch, chain)


def review(app: App, ui: Ui, batch: Batch, chain: Chain | None) -> None:
    """A fresh draft: the plan, what is unusual, whether the wallet can pay it; then approve and send."""
    views.batch(ui, app.engine, batch)
    views.waiting(ui, app, batch)
    if chain is not None:
        views.wallet(ui, app, batch)
    if approve(app, ui, batch):
        send(app, ui, batch)


def approve(app: App, ui: Ui, batch: Batch) -> bool:
    """Have the total typed back, and approve."""
    from valtrac.services import approvals

    if not batch.plan["lines"]:
        ui.say("Nobody is paid by this batch; approving it books what is held for later.")
    word, despite = decimal_text(batch.total), ""
    if views.unusual(ui, app, batch):
        despite = ui.text("Why is it right all the same? It is kept for ever (empty to go back):")
        if not despite:
            ui.done(f"Not approved. Batch #{batch.id} stays a draft, under Payout history and batches.")
            return False
    if not ui.type_to_confirm(f"Approving batch #{batch.id} makes {rao(batch.total)} owed. Nothing is sent yet.", word):
        ui.done(f"Not approved. Batch #{batch.id} stays a draft, under Payout history and batches.")
        return False
    approvals.approve(app.engine, app.settings, batch.id, word, despite=despite)
    ui.done(f"Batch #{batch.id} is approved.")
    return bool(batch.plan["lines"])


def send(app: App, ui: Ui, batch: Batch, *, isolate: bool = False, retry_failed: bool = False) -> None:
    """Unlock the wallet and send what is owed."""
    from valtrac.errors import Refused
    from valtrac.services import payouts, wallets

    if not ui.confirm(f"Send {rao(views.owed(app.engine, batch))} from {shortened(app.wallet_address)} now?"):
        ui.done("Not sent. It stays approved, under Payout history and batches.")
        return
    app.guard_memory()
    password = ui.password(f"Password of wallet {app.settings.wallet_name}:") if app.needs_password else ""
    payer = app.unlock(password)
    try:
        wallets.adopt(app.engine, app.chain, payer.address)
    except Refused as error:
        if "--accept-history" not in error.fix:
            raise
        ui.error(error)
        if not ui.type_to_confirm("If you are certain that none of them was a payout, say so.", "none was a payout"):
            return
        wallets.adopt(app.engine, app.chain, payer.address, accept_history=True)
    with ui.working(f"Sending batch #{batch.id}, and waiting until it is final"):
        sent = payouts.send(views.door(app, tell=ui.say), payer, batch.id, isolate=isolate, retry_failed=retry_failed)
    views.note_price(ui, app, sent)
    views.after_sending(ui, app, sent)


def node(app: App, ui: Ui) -> Chain | None:
    """The node, or None, said aloud, where it does not answer: a plan can be made without one."""
    from valtrac.errors import ChainUnreachable

    try:
        with ui.working("Asking the node"):
            app.chain.identity()
        return app.chain
    except ChainUnreachable as error:
        ui.warn(f"Planning without a node: {error.what}.")
        return None


def _asked(app: App, ui: Ui, by: Literal["users", "nominators"]) -> Request | None:
    """The questions: hotkey, subnet, method, pool, range."""
    from valtrac.services import plans
    from valtrac.store import snapshots
    from valtrac.store.engine import reading

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
    pool = pick.amount(ui, "How much is shared out, in TAO (empty to go back)?", "pool")
    first = last = None
    if not ui.confirm("Pay for everything since the last payout?", enter_means=True):
        with reading(app.engine) as conn:
            oldest, newest = snapshots.first_block(conn, hotkey, netuid), snapshots.last_block(conn, hotkey, netuid)
        first = pick.block(ui, "From block:", oldest or 0)
        last = pick.block(ui, "To block:", newest or 0)
    settings = app.settings
    return plans.Request(
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
