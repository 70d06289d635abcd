"""Send payout by referral structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.ui import Ui

if TYPE_CHECKING:
    from valtrac.app import App

TITLE = "Send payout by referral structure"
ORDER = 20


def run(app: App, ui: Ui) -> None:
    from menus import payout_flow

    payout_flow.run(app, ui, by="users")
