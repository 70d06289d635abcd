"""`logs/payout_log.csv`: ValTrac's columns, then where each payment can be found on the chain.

The file follows the receipts: a row that a crash kept out is written the next time, and none twice.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.domain.money import decimal_text
from valtrac.domain.text import csv_cell
from valtrac.store import batches, ledger
from valtrac.store.engine import reading

COLUMNS = (
    "Username",
    "Address",
    "Amount Paid",
    "Start Block",
    "End Block",
    "Total Payout Pool",
    "Batch",
    "Transaction",
    "Block",
    "Status",
    "Receipt",
)


def sync(engine: sa.Engine, path: Path) -> int:
    """Append what the receipts have and the file has not; return the number of rows written.

    One process at a time (a lock on the file); a torn last row is cut off and written again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last = _last_receipt(file)
        with reading(engine) as conn:
            receipts = ledger.receipts(conn, after_hash=last)
            found = {receipt["body"]["batch"]: batches.get(conn, receipt["body"]["batch"]) for receipt in receipts}
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        if file.tell() == 0:
            rows.writerow(COLUMNS)
        for receipt in receipts:
            rows.writerow(_row(receipt, found[receipt["body"]["batch"]]))
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
        return len(receipts)


def _row(receipt: dict[str, Any], batch: Any) -> list[str]:
    body = receipt["body"]
    return [
        csv_cell(body["user"]),
        body["address"],
        decimal_text(body["amount_rao"]),
        str(batch.from_block),
        str(batch.to_block),
        decimal_text(batch.pool),
        str(batch.id),
        body["tx_id"],
        str(body["block"]),
        "paid",
        receipt["hash"],
    ]


def _last_receipt(file: io.BufferedRandom) -> str | None:
    """The receipt of the last whole row; leaves the file's end there."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - 8192))
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    file.truncate(size - len(tail) + len(whole))
    file.seek(0, os.SEEK_END)
    last = whole.rstrip(b"\n").rsplit(b"\n", 1)[-1].rsplit(b",", 1)[-1].decode("ascii", "replace")
    return last if len(last) == 64 else None
