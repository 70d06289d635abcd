"""Check everything: the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Check everything (doctor)"
ORDER = 120
GROUP = groups.MACHINE


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.doctor.views import show
    from valtrac.doctor.examining import examine

    with ui.working("Looking at everything"):
        checks = examine()
    show(ui, checks)
    same.tell(ui, "doctor")
