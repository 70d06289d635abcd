"""Coming over from an old ValTrac: what it would bring, the question, what it brought."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.snapshots.views import last_block
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

if TYPE_CHECKING:
    from valtrac.coming_over.from_valtrac import Part, Report
    from valtrac.wiring.payouts import App

MOST_SHOWN = 20
NOUNS = {
    "user_data.json": "user",
    "referral_layers.csv": "referral",
    "delegate_info.log": "snapshot",
    "payout_log.csv, its payments": "payment",
}


def bring_over(
    ui: Ui, app: App, folder: Path, zone: str, *, dry: bool = False, agreed: Callable[[], bool] = lambda: True
) -> bool:
    """Show what coming over would do, and do it where it was agreed to; False where it was not.

    Raises BadInput as `from_valtrac.come_over`, and where the zone is none.
    """
    from valtrac.coming_over import from_valtrac

    clock, files = zone_of(zone), from_valtrac.files_in(_folder(folder))
    newest = last_block(ui, app)
    with ui.progress("Reading") as tell:
        report = from_valtrac.come_over(app.engine, files, clock, head=newest, dry=True, tell=tell)
    done = False
    if dry or not report.changes:
        show(ui, report, would=dry)
        ui.done("Nothing was changed." if dry else "Nothing to bring over: all of it is here already.")
    else:
        said = show(ui, report, would=True)
        if not agreed():
            ui.done("Nothing was changed.")
            return False
        with ui.progress("Bringing over") as tell:
            report = from_valtrac.come_over(app.engine, files, clock, head=newest, tell=tell)
        done = True
        show(ui, report, would=False, shown=said)
        ui.done("Brought over. Next: " + _next(app, report))
    if ui.as_json:
        ui.records({"changed": done, "files": [_record(part) for part in report.parts]})
    return True


def _folder(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:  # ~ of somebody who is not here
        raise BadInput(f"{plain(path)} is no folder", fix="name the folder of the old ValTrac") from error


def zone_of(name: str) -> tzinfo:
    """A time zone by its name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"zone: {plain(name, 40)!r} is no time zone", fix="write it like UTC or Europe/Berlin"
        ) from error


def show(ui: Ui, report: Report, *, would: bool, shown: Collection[str] = ()) -> set[str]:
    """The report, a line for each file and one for each row that was changed or refused, the first of many.

    shown: rows that were on the screen before; returned is what is now.
    """
    said = set(shown)
    for part in report.parts:
        ui.say(f"{part.name}: {_counted(part, would=would)}")
        for what, lines in (("changed", part.changed), ("not taken", part.refused)):
            fresh = [words for line in lines if (words := f"{what}: {line}") not in said]
            for words in fresh[:MOST_SHOWN]:
                ui.warn(words)
            if len(fresh) > MOST_SHOWN:
                ui.warn(f"{what}: {len(fresh) - MOST_SHOWN} more; all of them with --json")
            said.update(fresh)
    return said


def _counted(part: Part, *, would: bool) -> str:
    if part.name not in NOUNS and part.words:  # the log of payouts: it says one thing
        return f"{part.words}." if part.taken or part.refused else f"{part.words}, as is known here already."
    taken = f"{count(part.taken, NOUNS.get(part.name, 'user'))} {'to take' if would else 'taken'}"
    return f"{taken}, {part.known} here already{f'; {part.words}' if part.words else ''}."


def _next(app: App, report: Report) -> str:
    """What is worth doing after it."""
    missing = [hotkey for hotkey in report.hotkeys if hotkey not in app.settings.hotkeys]
    if missing:
        return f"write the validator's hotkey into .env: VALTRAC_HOTKEYS={','.join(missing)}"
    return "look at the first payout with run.py payout plan, which sends nothing."


def _record(part: Part) -> dict[str, object]:
    return {
        "file": part.name,
        "taken": part.taken,
        "known": part.known,
        "changed": part.changed,
        "refused": part.refused,
        "words": part.words,
    }
