"""`run.py demo`: the main job on the embedded chain, without questions."""

from __future__ import annotations

import os
from pathlib import Path

from menus.frame.commands import Json, screen
from menus.payouts import views
from menus.people.tree import show_tree
from menus.people.views import show
from valtrac.core.errors import Exit
from valtrac.core.home import usual_home
from valtrac.core.money import rao
from valtrac.people import referrals
from valtrac.rehearsal import payouts


def demo(as_json: Json = False) -> int:
    """Rehearse a whole payout on the embedded chain, in a home of its own, and check every balance."""
    ui = screen(as_json)
    home = Path(os.environ.get("VALTRAC_HOME") or usual_home()).resolve() / "data" / "demo"
    app = payouts.fresh_home(home)
    try:
        ui.title("1. Who is owed something: users and their referrals")
        people = payouts.load_people(app)
        if not as_json:
            show(ui, people)
            show_tree(ui, referrals.tree_view(app.engine))
        ui.title("2. A day of snapshots, one an hour")
        with ui.progress("Recording") as tell:
            count = payouts.record_a_day(app, tell)
        ui.say(f"{count} snapshots of the stakes are stored, and mirrored in {app.settings.logs}.")
        ui.title("3. The plan: a pool of 12.5 TAO, by stake and referral taxes")
        draft = payouts.plan(app)
        if not as_json:
            views.batch(ui, app.engine, draft)
        ui.title("4. Approve and send, five payments a transaction, while the node loses a reply")
        summary = payouts.pay(app, draft, ui.say)
    finally:
        app.close()
    path = payouts.write_summary(home, summary)
    if as_json:
        from dataclasses import asdict

        ui.records(asdict(summary))
    if not summary.chain_agrees:
        ui.warn(f"The chain and the ledger disagree: see {path}.")
        return int(Exit.OUR_FAULT)
    ui.title("Done")
    ui.done(
        f"{summary.payees} people were paid {rao(summary.paid_rao)} in {summary.chunks} transactions. One reply of the "
        "node was lost on the way, and still everyone was paid exactly once: each balance on the chain moved by just "
        "what the ledger says."
    )
    ui.hint(
        f"{rao(summary.held_rao)} are held for people without an address, {rao(summary.unassigned_rao)} belong to "
        f"nominators who are no users. The figures: {path}. Your own ledger was not touched. "
        "Next: run.py without arguments opens the menus."
    )
    return int(Exit.DONE)
