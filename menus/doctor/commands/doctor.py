"""`run.py doctor`: looks at everything that has to be well, and says what mends the rest."""

from __future__ import annotations

from menus.doctor.views import show
from menus.frame.commands import Json, screen
from valtrac.core.checks import Health
from valtrac.core.errors import Exit


def doctor(as_json: Json = False) -> int:
    """Look at machine, nodes, wallets, databases, jobs and people's money; changes nothing. Bad: exit code 1."""
    from valtrac.doctor.examining import examine

    ui = screen(as_json)
    with ui.working("Looking at everything"):
        checks = examine()
    show(ui, checks)
    return int(Exit.OUR_FAULT if any(check.health is Health.BAD for check in checks) else Exit.DONE)
