"""Full payout by nominator: every address by its stake, no users or referrals needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Full payout by nominator"
ORDER = 30


def run(app: App, ui: Ui) -> None:
    from menus.payouts import flow

    flow.run(app, ui, by="nominators")
