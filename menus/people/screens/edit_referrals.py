"""Edit referrals: change a rate, remove a referee, see the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import levels, pick
from menus.frame.layout import count
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Edit referrals"
ORDER = 70
RATE, ONE, REMOVE = "Change what a referrer takes", "Give one referee a rate of its own", "Remove a referee"


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.people.tree import show_tree
    from valtrac.people import referrals

    def actions() -> list[str]:
        rows = referrals.tree_view(app.engine)
        show_tree(ui, rows)
        same.once(ui, "referrals tree")
        return [RATE, ONE, REMOVE] if rows else []

    levels.repeat(ui, "What?", actions, lambda chosen: _act(app, ui, chosen))


def _act(app: App, ui: Ui, chosen: str) -> None:
    from menus import same
    from valtrac.core.money import bps_text
    from valtrac.people import referrals

    listed = referrals.list_referrals(app.engine)
    if chosen == RATE:
        referrer = pick.one_of(ui, "Whose rate?", sorted({view.referrer for view in listed}))
        if referrer is None:
            return
        before = sorted({view.rate_bps for view in listed if view.referrer == referrer and not view.own_rate})
        was = " and ".join(map(bps_text, before)) or "a rate for each alone"
        rate = pick.rate(ui, f"The new part, like 0.25 or 25%; it is {was} (empty to go back):")
        changed = referrals.edit_rate(app.engine, referrer, rate)
        ui.done(f"{referrer} took {was}, and takes {bps_text(rate)} of {count(len(changed), 'referee')} now.")
        same.tell(ui, "referrals edit", referrer=referrer, rate=pick.typed(rate), yes=True)
        return
    referee = pick.one_of(ui, "Which referee?", sorted(view.referee for view in listed))
    if referee is None:
        return
    view = next(referral for referral in listed if referral.referee == referee)
    if chosen == ONE:
        was = bps_text(view.rate_bps)
        rate = pick.rate(ui, f"What {view.referrer} takes of {referee} alone; it is {was} (empty to go back):")
        referrals.edit_rate(app.engine, view.referrer, rate, referee=referee)
        ui.done(f"{view.referrer} took {was}, and takes {bps_text(rate)} of what {referee} earns now.")
        same.tell(ui, "referrals edit", referrer=view.referrer, rate=pick.typed(rate), referee=referee, yes=True)
    elif ui.confirm(f"End it, so that {view.referrer} takes nothing of {referee} from now on?"):
        referrals.remove(app.engine, referee)
        ui.done(f"Removed: {referee} keeps everything from then on.")
        same.tell(ui, "referrals remove", referee=referee)
