"""Keeps as they are, live. Leaving it leaves everything running."""

from __future__ import annotations

from menus.frame.live import Picture, watch
from menus.frame.ui import Ui
from menus.keeps import acts, views
from valtrac.core.errors import ValtracError
from valtrac.keeps import overview
from valtrac.wiring.keeps import KeepsApp

HEADS = ("", "deposit", "BTC", "state", "%", "below", "at risk (ETH)", "what it asks for")
MOST = 40


def watch_keeps(ui: Ui, own: KeepsApp, *, seconds: int = 0) -> None:
    """Show the watch list as the background job last saw it, until Ctrl-C."""
    watching = own.watching

    def look() -> Picture:
        listed = acts.watched(own)[:MOST]
        told = overview.counts(watching.engine, listed)
        title = f"{told.watched} keeps: {told.danger} in danger, {told.low} low, {told.redeeming} being redeemed"
        try:
            held = overview.holdings(watching)
            title += f" · {held.tbtc / 10**18:,.4f} TBTC · {held.ether / 10**18:,.3f} ETH · block {held.head.number:,}"
        except ValtracError as error:
            title += f" · {error.what}"
        rows = [[str(cell) for cell in views.row(each)] for each in listed]
        styles = [views.STYLES[views.mark(each)] for each in listed]
        return Picture(title, HEADS, rows, styles, optional=("what it asks for", "at risk (ETH)", "below"))

    watch(ui, look, every_s=min(2.0, watching.settings.keeps_look_s), seconds=seconds)
