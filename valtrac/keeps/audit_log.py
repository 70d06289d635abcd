"""The audit log of each day for people and spreadsheets: every action with its reason, written from the database."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from valtrac.core.money import ETH, TBTC, decimal_text
from valtrac.core.text import csv_cell
from valtrac.database.engine import reading
from valtrac.keeps.store import redemptions
from valtrac.keeps.store.redemptions import Acted
from valtrac.keeps.watching import Watching
from valtrac.tables.write import write_text

COLUMNS = ("at", "block", "action", "deposit", "reason", "tbtc", "eth", "batch", "transaction")


def write(watching: Watching, *, days: int = 2) -> list[Path]:
    """Write the logs of today and yesterday anew, where they differ from what is there; the files."""
    today, written = watching.now().astimezone(UTC).date(), list[Path]()
    first = datetime.combine(today - timedelta(days=days - 1), time(), UTC)
    with reading(watching.engine) as conn:
        acted = redemptions.actions(conn, since=first)
    for back in range(days):
        day = today - timedelta(days=back)
        rows = [each for each in acted if each.at.astimezone(UTC).date() == day]
        if rows and _changed(path := file_of(watching.settings.logs, day), text := text_of(rows)):
            write_text(path, text)
            written.append(path)
    return written


def file_of(folder: Path, day: date) -> Path:
    """Where the log of a day lies."""
    return folder / f"keeps-{day:%Y-%m-%d}.csv"


def text_of(rows: list[Acted]) -> str:
    """A log as a table; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in rows:
        cells = (
            each.at.astimezone(UTC).isoformat(timespec="seconds"),
            each.block or "",
            each.action,
            each.deposit,
            each.words,
            decimal_text(each.tbtc, TBTC.decimals),
            decimal_text(each.ether, ETH.decimals),
            each.batch_id or "",
            each.tx_id,
        )
        writer.writerow([csv_cell(cell) for cell in cells])
    return out.getvalue()


def _changed(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text
