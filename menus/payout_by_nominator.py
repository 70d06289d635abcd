"""Full payout by nominator: every address by its stake, no users or referrals needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.ui import Ui

if TYPE_CHECKING:
    from valtrac.app import App

TITLE = "Full payout by nominator"
ORDER = 30


def run(app: App, ui: Ui) -> None:
    from menus import payout_flow

    payout_flow.run(app, ui, by="nominators")
