"""Add referral: who brought whom, and for what part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import pick
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Add referral"
ORDER = 60


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.people.tree import show_tree
    from valtrac.core.money import bps_text
    from valtrac.people import referrals, users

    known = users.list_users(app.engine)
    if len(known) < 2:
        ui.say("A referral needs two users. Next: Add users.")
        return
    referrer = pick.one_of(ui, "Who is the referrer?", [view.name for view in known])
    if referrer is None:
        return
    free = [view.name for view in known if view.name != referrer and view.referrer is None]
    if not free:
        ui.say("Everyone else has a referrer already. Change that under Edit referrals.")
        return
    referee = pick.one_of(ui, f"Whom did {referrer} bring?", free)
    if referee is None:
        return
    known_rate = users.get(app.engine, referrer).rate_bps
    rate = known_rate
    if rate is None:
        rate = pick.rate(ui, f"What part does {referrer} take, like 0.25 or 25% (empty to go back)?")
    else:
        ui.say(f"{referrer} takes {bps_text(rate)} of everyone it brought.")
    if not ui.confirm(f"{referrer} takes {bps_text(rate)} of what {referee} earns. Save this?"):
        ui.done("Discarded; nothing was saved.")
        return
    view = referrals.add(app.engine, referrer, referee, rate)
    ui.done(f"Saved; it holds from block {view.since}.")
    show_tree(ui, referrals.tree_view(app.engine))
    same.tell(
        ui,
        "referrals add",
        referrer=referrer,
        referee=referee,
        rate=pick.typed(rate) if known_rate is None else None,
        yes=True,
    )
