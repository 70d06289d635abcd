"""Payout history and batches in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.payouts.model.batches import PayoutBatch
    from valtrac.wiring.payouts import App

TITLE = "Payout history and batches"
ORDER = 90
GROUP = groups.PAYOUTS
APPROVE, SEND, RESUME, VOID, LOOK = (
    "Approve it",
    "Send it",
    "Go on with it",
    "Take it back",
    "Look for its transactions",
)
EXPLAIN, PROVE, ASIDE = "Explain a payment", "Write a proof of a payment", "Set a payment aside, to be paid later"
ACTIONS = {
    "draft": (APPROVE, VOID, EXPLAIN),
    "approved": (SEND, ASIDE, VOID, EXPLAIN),
    "sending": (RESUME, LOOK, ASIDE, EXPLAIN),
    "settled": (EXPLAIN, PROVE),
    "void": (),
}


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.payouts import views
    from valtrac.core.money import rao

    def listed() -> list[PayoutBatch]:
        batches = views.batches(ui, app.engine)
        same.once(ui, "payout list")
        return batches

    levels.repeat(
        ui,
        "Which batch?",
        listed,
        lambda batch: _one(app, ui, batch),
        label=lambda batch: f"#{batch.id}  {batch.state}  {rao(batch.total)}",
    )


def _one(app: App, ui: Ui, batch: PayoutBatch) -> None:
    from menus import same
    from menus.payouts import views

    views.batch(ui, app.engine, batch)
    views.waiting(ui, app, batch)
    same.tell(ui, "payout show", batch_id=batch.id)
    actions = ACTIONS[batch.state]
    chosen = ui.choose("What?", actions) if actions else None
    if chosen is not None:
        _act(app, ui, batch, chosen)


def _act(app: App, ui: Ui, batch: PayoutBatch, chosen: str) -> None:
    from menus.payouts import flow

    if chosen == APPROVE:
        if flow.approve(app, ui, batch):
            flow.send(app, ui, batch)
    elif chosen == SEND:
        flow.send(app, ui, batch)
    elif chosen == RESUME:
        flow.send(
            app,
            ui,
            batch,
            isolate=True,
            retry_failed=ui.confirm("Try the payments again that failed though they were sent alone?"),
        )
    elif chosen == LOOK:
        _look(app, ui)
    elif chosen == ASIDE:
        _set_aside(app, ui, batch)
    elif chosen in (EXPLAIN, PROVE):
        _explain(app, ui, batch, prove=chosen == PROVE)
    else:
        from menus import same
        from valtrac.payouts import approvals

        if reason := ui.text("Why? It is kept for ever (empty to go back):"):
            approvals.void(app.engine, batch.id, reason)
            ui.done(f"Batch #{batch.id} is void; its range is free again.")
            same.tell(ui, "payout void", batch_id=batch.id, reason=reason)


def _explain(app: App, ui: Ui, batch: PayoutBatch, *, prove: bool) -> None:
    from menus import same
    from menus.payouts.proof import show
    from valtrac.payouts import proofs

    held = [] if prove else [kept.user for kept in (*batch.payout.held, *batch.payout.excluded)]
    held = [name for name in dict.fromkeys(held) if name not in {line.user for line in batch.payout.lines}]
    names = [line.user for line in batch.payout.lines] + held
    if not names:
        ui.say("Nobody is paid by this batch.")
        return
    name = ui.choose("Whose?", names) if len(names) <= 15 else ui.find("Whose?", names)
    if name is None:
        return
    if not prove:
        show(ui, proofs.explain(app.engine, batch.id, name), full=False)
        same.tell(ui, "payout explain", batch_id=batch.id, user=name)
        return
    folder = app.settings.data / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    place = next(number for number, known_name in enumerate(names, 1) if known_name == name)
    path = folder / f"batch-{batch.id}-payment-{place}.json"
    proofs.write_proof(app.engine, batch.id, name, path, with_script=True)
    ui.done(f"Written: {path}. Whoever has it can check it with the script beside it.")
    same.tell(ui, "payout proof", batch_id=batch.id, user=name, out=path, with_script=True)


def _set_aside(app: App, ui: Ui, batch: PayoutBatch) -> None:
    from menus import same
    from menus.frame import pick
    from valtrac.database.engine import reading
    from valtrac.payments.model.states import LineState
    from valtrac.payments.store import batches
    from valtrac.payouts import balances

    with reading(app.engine) as conn:
        owed = [line.name for line in batches.lines_of(conn, batch.id, LineState.OWED)]
    name = pick.one_of(ui, "Whose?", owed) if owed else None
    if name is None:
        return
    if reason := ui.text("Why? It is kept for ever (empty to go back):"):
        balances.set_aside(app.engine, app.producer, batch.id, name, reason)
        ui.done(f"Set aside. It is held for {name}, and the next payout pays it.")
        same.tell(ui, "payout set-aside", batch_id=batch.id, whom=name, reason=reason)


def _look(app: App, ui: Ui) -> None:
    from menus import same
    from menus.payouts.sending import look

    if not look(app, ui):
        ui.done("Nothing is open.")
    same.tell(ui, "payout reconcile")
