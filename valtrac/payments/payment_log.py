"""The log of payments, a CSV file for people: who got what of which batch, and where it can be found on the chain.

The file follows the receipts: a row that a crash kept out is written the next time, and none twice.
"""

from __future__ import annotations

import codecs
import csv
import fcntl
import hashlib
import io
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from valtrac.core.errors import Refused
from valtrac.core.home import for_its_owner
from valtrac.core.money import Asset, decimal_text
from valtrac.core.text import csv_cell, csv_uncell, plain
from valtrac.database.engine import asset_of, reading
from valtrac.payments.door import Door
from valtrac.payments.producer import LogColumns
from valtrac.payments.store import attempts, batches, ledger

PATIENCE_S = 20.0
DELIMITERS = (",", ";", "\t", "|")
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# path -> (its digest, the receipts that it held) when this process last read it: the log is looked at with every look
# at the chain, and understanding it row by row takes longer than all the rest of that
_seen: dict[Path, tuple[bytes, tuple[int, str]]] = {}
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


def sync(door: Door, path: Path) -> int:
    """Append what the receipts have and the file has not; return the number of rows written.

    One process at a time (a lock on the file); a torn last row is cut off and written again.
    """
    with _opened(path) as file:
        _lock(file, path)
        with reading(door.engine) as conn:
            newest = ledger.newest_receipt(conn)
        if _seen.get(path) == (_digest(file), newest):
            return 0
        listed, form = _rows(file, path)
        logged = Counter(_key(row) for row in listed)
        with reading(door.engine) as conn:
            asset, receipts = asset_of(conn), []
            for receipt in ledger.receipts(conn):
                key = _key(_columns(receipt["body"], asset))
                logged[key] -= 1  # somebody may be paid twice in one transaction, the same amount even
                if logged[key] < 0:
                    receipts.append(receipt)
            numbers = sorted({row["body"]["batch"] for row in receipts})
            columns = door.producer.log_columns(conn, [batches.get(conn, number) for number in numbers])
        text = io.StringIO()
        rows = csv.writer(text, delimiter=form.delimiter, lineterminator=form.line_end)
        if file.tell() == 0:
            rows.writerow(COLUMNS)
        for receipt in receipts:
            rows.writerow(_row(receipt, columns[receipt["body"]["batch"]], asset))
        file.write(text.getvalue().encode(form.encoding))
        file.flush()
        os.fsync(file.fileno())
        _seen[path] = (_digest(file), newest)
        return len(receipts)


def _digest(file: BinaryIO) -> bytes:
    """Of the whole file, to tell whether anybody has changed it since this process read it row by row."""
    file.seek(0)
    return hashlib.sha256(file.read()).digest()


def _lock(file: BinaryIO, path: Path) -> None:
    """Be the only one that writes. Raises Refused where another keeps it: one that was put to sleep (Ctrl-Z) holding it
    would keep everybody waiting for ever."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise Refused(
                    f"the log of payments {plain(path)} is held by another process",
                    why="one that was put to sleep (Ctrl-Z) may hold it",
                    fix="let it go on (fg) or end it, then go on; what the log lacks is written then",
                ) from error
            time.sleep(0.05)


def check(door: Door, path: Path) -> None:
    """Raise Refused where the log knows of payments that this ledger does not: it is an older one, or another.

    Also where it could not be written, or another process keeps it: that is to be known before anything is signed.
    """
    with _opened(path) as file:
        _lock(file, path)
        sent = {row["Transaction"].strip() for row in _rows(file, path)[0]}
    with reading(door.engine) as conn:
        unknown = sent - attempts.known(conn, sent)
        unknown -= door.producer.ruled(conn, unknown)
    if unknown:
        raise Refused(
            f"{path} lists payments in {len(unknown)} transactions that this ledger does not know",
            why="an older or another database is in use; paying from it could pay them again",
            fix="bring the newest database back, or take each over from the chain: "
            + door.producer.words.take_over_log,
            problems=sorted(unknown)[:10],
        )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file to read and to append to. Raises Refused, naming it, where the system does not let us."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not path.is_file():
            raise OSError(0, "it is a folder, a device or a pipe")
        with open(path, "a+b", opener=for_its_owner) as file:
            yield file
    except OSError as error:
        raise Refused(
            f"the log of payments {plain(path)} cannot be written",
            why=plain(error.strerror or error),
            fix="make room, or give yourself the right to it; what is paid is safe in the database",
        ) from error


@dataclass(frozen=True, slots=True)
class Form:
    """How a file writes its rows: ours, or as a spreadsheet has saved it again."""

    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"


def _rows(file: BinaryIO, path: Path) -> tuple[list[dict[str, str]], Form]:
    """The whole rows of the file and how it writes them; a torn last one is cut off where the file may be written.
    Leaves the file's end."""
    file.seek(0)
    content = file.read()
    mark, encoding = next(((mark, name) for mark, name in MARKS.items() if content.startswith(mark)), (b"", "utf-8"))
    torn_off = content[len(mark) :].rpartition("\n".encode(encoding))
    whole = b"".join(torn_off[:2])
    if file.writable() and len(mark) + len(whole) != len(content):
        file.truncate(len(mark) + len(whole) if whole else 0)
        file.seek(0, os.SEEK_END)
    rows, form = _read(whole.decode(encoding, "replace"), encoding)
    if rows and tuple(rows[0]) != COLUMNS:
        raise Refused(
            f"{path} is a log of another program",
            why=f"its columns are {plain(', '.join(rows[0]))}",
            fix="move it to another place; a new one is begun",
        )
    return [dict(zip(COLUMNS, row, strict=False)) for row in rows[1:] if len(row) == len(COLUMNS)], form


def _read(text: str, encoding: str) -> tuple[list[list[str]], Form]:
    """The rows by the delimiter that makes our header of the first one; by commas where none does."""
    head, line_end = text.partition("\n")[0], "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    for delimiter in DELIMITERS:
        first = next(csv.reader([head.rstrip("\r")], delimiter=delimiter), [])
        if tuple(cell.strip() for cell in first) == COLUMNS:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
            return [list(COLUMNS), *rows[1:]], Form(delimiter, line_end, encoding)
    return list(csv.reader(io.StringIO(text))), Form(encoding=encoding)


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    """What a payment is known by; not its receipt, which an older ledger that took it over has another one of."""
    amount = row["Amount Paid"].strip()
    with suppress(ArithmeticError):  # 1.500000000 is 1.5 or 1,5 once a spreadsheet has saved it
        amount = f"{Decimal(amount.replace(',', '.')).normalize():f}"
    return csv_uncell(row["Username"]), row["Address"].strip(), amount, row["Transaction"].strip()


def _columns(body: Mapping[str, Any], asset: Asset) -> dict[str, str]:
    """The columns that a receipt alone tells."""
    return {
        "Username": csv_cell(body["user"]),
        "Address": body["address"],
        "Amount Paid": decimal_text(body[f"amount_{asset.unit}"], asset.decimals),
        "Transaction": body["tx_id"],
        "Block": str(body["block"]),
    }


def _row(receipt: dict[str, Any], of_batch: LogColumns, asset: Asset) -> list[str]:
    row = {
        **_columns(receipt["body"], asset),
        "Start Block": str(of_batch.from_block),
        "End Block": str(of_batch.to_block),
        "Total Payout Pool": decimal_text(of_batch.pool_units, asset.decimals),
        "Batch": str(receipt["body"]["batch"]),
        "Status": "paid",
        "Receipt": receipt["hash"],
    }
    return [row[name] for name in COLUMNS]
