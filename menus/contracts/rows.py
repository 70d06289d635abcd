"""All rows of the contracts in one table, once or kept up to date, each status with a colour and a mark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from menus.contracts import records
from menus.contracts.opened import of_the_chain
from menus.contracts.views import MINUTE, what
from menus.frame.layout import count
from menus.frame.live import Picture, watch
from menus.frame.ui import Ui
from valtrac.contracts import rows
from valtrac.contracts.model.contracts import bts_text
from valtrac.contracts.model.statuses import Status, is_late, status_of
from valtrac.contracts.rows import Entry
from valtrac.wiring.contracts import ContractsApp

HEADS = ("", "contract of", "what", "amount (BTS)", "due (UTC)", "status", "no.", "done (UTC)", "note")
OPTIONAL = ("no.", "done", "note")
LATE = "!"
# status -> (the mark, which says the same without colours; the style)
SHOWN = {
    Status.PENDING: ("", ""),
    Status.UNDER_WAY: ("~", "cyan"),
    Status.HANDED_OVER: ("~", "cyan"),
    Status.PAID: ("✓", "green"),
    Status.PAID_BEFORE: ("✓", "green"),
    Status.ABORTED: ("-", "dim"),
    Status.PREMATURE: ("-", "dim"),
    Status.DELINQUENT: ("!!", "bold red"),
}
STYLES = {LATE: "yellow"} | dict(SHOWN.values())
LEGEND = "✓ paid in a block that cannot be undone; ~ under way; ! late; !! to be paid by hand; - not paid any more."
BESIDE = 8  # lines of a terminal that are not rows
LOOK_S = 2.0


def show(ui: Ui, own: ContractsApp, *, client: str | None, status: str, hours: int | None) -> None:
    """The table, once."""
    now = of_the_chain(ui, own)
    listed = _chosen(own, now, client=client, status=status, hours=hours)
    if ui.as_json:
        ui.records([_record(entry, now) for entry in listed])
        return
    ui.table(
        _title(hours),
        HEADS,
        [_row(entry, now) for entry in listed],
        styles=[STYLES[_mark(entry, now)] for entry in listed],
        optional=OPTIONAL,
        empty="No contract yet, and no payment: run.py contracts start" if hours is None else "Nothing then.",
    )
    if listed:
        ui.hint(f"{count(len(listed), 'row')}. {LEGEND}")


def keep_showing(
    ui: Ui, own: ContractsApp, *, client: str | None, status: str, hours: int | None, seconds: int = 0
) -> None:
    """The table as it becomes, until Ctrl-C or for so many seconds: as many rows as the terminal is high."""

    def look() -> Picture:
        now = of_the_chain(ui, own, quietly=True)
        listed = _chosen(own, now, client=client, status=status, hours=hours)
        room = ui.out.height - BESIDE if ui.out.is_terminal else len(listed)
        seen = rows.nearest(listed, now, room)
        rest = "" if len(seen) == len(listed) else f", the {len(seen)} next to now of {len(listed)}"
        marks = [_mark(entry, now) for entry in seen]
        cells = [[str(cell) for cell in _row(entry, now)] for entry in seen]
        title = f"{_title(hours)}{rest}, at {now:%Y-%m-%d %H:%M:%S} UTC of the chain"
        return Picture(title, HEADS, cells, [STYLES[mark] for mark in marks], optional=OPTIONAL)

    watch(ui, look, every_s=LOOK_S, seconds=seconds)


def _title(hours: int | None) -> str:
    return "Contracts and payments" if hours is None else f"The last and the next {hours} hours"


def _chosen(own: ContractsApp, now: datetime, *, client: str | None, status: str, hours: int | None) -> list[Entry]:
    listed = rows.entries(own.engine, client=client)
    if status:
        listed = rows.in_status(listed, status)
    return listed if hours is None else rows.around(listed, now, hours)


def _mark(entry: Entry, now: datetime) -> str:
    if entry.due is None:
        return ""
    return LATE if is_late(entry.due, now) else SHOWN[status_of(entry.due)][0]


def _row(entry: Entry, now: datetime) -> Sequence[object]:
    due, standing = entry.due, entry.standing
    whose = f"#{standing.contract.id} " if standing is not None else ""
    if due is None:
        assert standing is not None
        held = standing.contract
        about = f"contract, {held.months} months"
        began = held.start_at.strftime(MINUTE)
        return "", whose + held.name, about, bts_text(held.amount), began, standing.state, "", "", ""
    return (
        _mark(entry, now),
        whose + due.name,
        what(due),
        bts_text(due.units),
        due.due_at.strftime(MINUTE),
        status_of(due),
        due.id,
        due.processed_at.strftime(MINUTE) if due.processed_at else "",
        _note(entry),
    )


def _note(entry: Entry) -> str:
    """What is to be said of a payment; of one for several contracts, the part that is this contract's."""
    due, standing = entry.due, entry.standing
    stop = standing.stop if standing is not None else None
    if due is not None and stop is not None and due.id == stop.due.id and stop.units != due.units:
        return f"{bts_text(stop.units)} BTS of it for this contract"
    return due.words if due is not None else ""


def _record(entry: Entry, now: datetime) -> dict[str, Any]:
    contract = None if entry.standing is None else records.contract(entry.standing)
    if entry.due is None:
        return {"row": "contract", "late": False, **(contract or {})}
    number = None if contract is None else contract["id"]
    return {"row": "payment", "late": is_late(entry.due, now), **records.due(entry.due), "contract": number}
