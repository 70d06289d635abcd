"""What was examined, on the screen: what is bad first, what is good in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menus.frame.layout import count
from menus.frame.tables import BAD, GOOD
from menus.frame.ui import Ui
from valtrac.core.checks import Check, Health

MARKS = {Health.GOOD: "✓", Health.WARNING: "!", Health.BAD: "✗"}
STYLES = {Health.GOOD: GOOD, Health.WARNING: "yellow", Health.BAD: BAD}


def show(ui: Ui, checks: Sequence[Check]) -> None:
    """Each check with its mark, what is wrong with the fix under it, and how many there are; or JSON."""
    if ui.as_json:
        ui.records([record(check) for check in checks])
        return
    for check in checks:
        ui.marked(MARKS[check.health], STYLES[check.health], f"{check.name}  {check.words}")
        if check.fix:
            ui.marked(" ", "", f"fix: {check.fix}")
    counted = {health: sum(check.health is health for check in checks) for health in Health}
    ui.say("")
    words = f"{count(len(checks), 'check')}: {counted[Health.GOOD]} good, {count(counted[Health.WARNING], 'warning')}"
    (ui.done if not counted[Health.BAD] else ui.warn)(f"{words}, {counted[Health.BAD]} bad.")


def record(check: Check) -> dict[str, Any]:
    """A check for a program."""
    return {"name": check.name, "health": str(check.health), "words": check.words, "fix": check.fix}
