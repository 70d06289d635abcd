"""Send payout by referral structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Send payout by referral structure"
ORDER = 20


def run(app: App, ui: Ui) -> None:
    from menus.payouts import flow

    flow.run(app, ui, by="users")
