"""The log of payments, a CSV file for people: who got what of which batch, and where it can be found on the chain.

The file follows the receipts: a row that a crash kept out is written the next time, and none twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from valtrac.core.errors import Refused
from valtrac.core.home import for_its_owner
from valtrac.core.money import Asset, decimal_text
from valtrac.core.text import csv_cell, csv_uncell, plain
from valtrac.database.engine import asset_of, reading, writing
from valtrac.payments import log_file
from valtrac.payments.door import Door
from valtrac.payments.log_file import Form, Log, Row
from valtrac.payments.producer import LogColumns
from valtrac.payments.store import attempts, batches, ledger, log_marks

PATIENCE_S = 20.0


def sync(door: Door, path: Path) -> int:
    """Append what the receipts have and the file has not; return the number of rows written.

    One process at a time (a lock on the file). Nothing in the file is ever cut off or changed: a row that was torn is
    written on from where it broke off.
    Raises Refused where the file is another program's, or a row of it is not understood.
    """
    with _opened(path) as file:
        _lock(file, path)
        digest = _digest(file)
        with reading(door.engine) as conn:
            newest, mark = ledger.newest_hash(conn), log_marks.of(conn, path)
        known = mark is not None and mark.digest == digest.digest()
        if mark is not None and known and mark.listed == newest:
            return 0
        usual = Form(what_for=door.producer.log_tells_what_for)
        as_usual = known and _begins(file, usual)
        log, compared = _followed(door, file, path, mark.listed if mark is not None and as_usual else "")
        rows = [
            _row(receipt, compared.asset, compared.columns[receipt["body"]["batch"]], log.form)
            for receipt in compared.lacking
        ]
        text = log.form.written(rows if log.begun else [log.form.columns, *rows])
        gap = log.gap if rows else b""
        added = text[len(log.tail) :] if compared.torn else gap + text
        file.write(added)
        file.flush()
        os.fsync(file.fileno())
        digest.update(added)
        whole = log.form == usual and (rows or not log.tail)  # the next rows can be written as they are
        listed = compared.newest if whole else ""
        with writing(door.engine) as conn:
            checked = mark is not None and known and mark.checked
            log_marks.note(conn, path, log_marks.Mark(digest.digest(), listed, checked))
        return len(rows)


def _followed(door: Door, file: BinaryIO, path: Path, listed: str) -> tuple[Log, Compared]:
    """The file beside the receipts: all of it, or, where it is known to hold all up to one, what came after that."""
    if listed:
        with reading(door.engine) as conn:
            asset, lacking = asset_of(conn), ledger.receipts_after(conn, listed)
            if lacking is not None:
                newest = lacking[-1]["hash"] if lacking else listed
                columns = _batches(door, conn, lacking)
                return Log([], Form(what_for=door.producer.log_tells_what_for)), Compared(
                    [], lacking, False, asset, columns, newest
                )
    log = _parsed(door, file, path)
    return log, _compared(door, log, path)


def _digest(file: BinaryIO) -> Any:
    """Of the whole file, to tell whether anybody has changed it since it was read row by row: goes on with more."""
    file.seek(0)
    return hashlib.sha256(file.read())


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


def unknown(door: Door, path: Path) -> dict[str, list[Row]]:
    """transaction -> its rows in the log, of those that this ledger does not know. Raises Refused as `check` does."""
    with _opened(path) as file:
        _lock(file, path)
        log = _parsed(door, file, path)
    return _unknown(door, log, path)


def _unknown(door: Door, log: Log, path: Path) -> dict[str, list[Row]]:
    by_transaction = defaultdict[str, list[Row]](list)
    for row in _compared(door, log, path).listed if log.tail else log.rows:
        by_transaction[row["Transaction"].strip()].append(row)
    with reading(door.engine) as conn:
        known = attempts.known(conn, by_transaction)
        known |= door.producer.ruled(conn, by_transaction.keys() - known)
    return {tx_id: rows for tx_id, rows in by_transaction.items() if tx_id not in known}


def check(door: Door, path: Path) -> None:
    """Raise Refused where the log knows of payments that this ledger does not: it is an older one, or another.

    Also where it could not be written, is not understood, or another process keeps it: that is to be known before
    anything is signed. The file stays as it is.
    """
    with _opened(path) as file:
        _lock(file, path)
        digest = _digest(file).digest()
        with reading(door.engine) as conn:
            mark = log_marks.of(conn, path)
            known = mark is not None and mark.digest == digest
            if mark is not None and known and mark.checked and ledger.is_receipt(conn, mark.listed):
                return
        log = _parsed(door, file, path)
    unknown = _unknown(door, log, path)
    if unknown:
        take_over = door.producer.words.take_over_log
        raise Refused(
            f"{path} lists payments in {len(unknown)} transactions that this ledger does not know",
            why="an older or another database is in use; paying from it could pay them again",
            fix="bring the newest database back"
            + (f", or take each over from the chain: {take_over}" if take_over else ""),
            problems=sorted(unknown)[:10],
        )
    with writing(door.engine) as conn:
        log_marks.note(conn, path, log_marks.Mark(digest, mark.listed if mark is not None and known else "", True))


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


def _parsed(door: Door, file: BinaryIO, path: Path) -> Log:
    """What the file holds; leaves its end."""
    file.seek(0)
    return log_file.parse(file.read(), path, what_for=door.producer.log_tells_what_for)


def _begins(file: BinaryIO, form: Form) -> bool:
    """Whether the file begins with the header of a form; leaves its end. One of a version before lacks a column."""
    header = form.written([form.columns])
    file.seek(0)
    begins = file.read(len(header)) == header
    file.seek(0, os.SEEK_END)
    return begins


@dataclass(frozen=True, slots=True)
class Compared:
    """listed: the rows of the file. lacking: the receipts that none of them is of, the one that its tail begins first.

    torn: whether the tail is the beginning of what is to be written. columns: of each batch of those lacking. newest:
    the hash of the newest receipt that was there, or "".
    """

    listed: list[Row]
    lacking: list[dict[str, Any]]
    torn: bool
    asset: Asset
    columns: Mapping[int, LogColumns]
    newest: str


def _compared(door: Door, log: Log, path: Path) -> Compared:
    """The file beside the receipts. Raises Refused where its tail is neither a row nor the beginning of one."""
    with reading(door.engine) as conn:
        asset, receipts = asset_of(conn), ledger.receipts(conn)
        lacking, listed = _unlisted(receipts, log.rows, asset), log.rows
        columns, newest = _batches(door, conn, lacking), receipts[-1]["hash"] if receipts else ""
    if not log.tail or not log.begun:
        return Compared(listed, lacking, not log.begun, asset, columns, newest)
    for unlisted in lacking:
        if log.form.written([_row(unlisted, asset, columns[unlisted["body"]["batch"]], log.form)]).startswith(log.tail):
            first = [unlisted, *(it for it in lacking if it is not unlisted)]
            return Compared(listed, first, True, asset, columns, newest)
    listed = [*listed, *log_file.last_row(log, path)]
    return Compared(listed, _unlisted(receipts, listed, asset), False, asset, columns, newest)


def _batches(door: Door, conn: sa.Connection, lacking: list[dict[str, Any]]) -> Mapping[int, LogColumns]:
    """The columns of the batches that some receipts are of."""
    numbers = sorted({receipt["body"]["batch"] for receipt in lacking})
    return door.producer.log_columns(conn, [batches.get(conn, number) for number in numbers])


def _unlisted(receipts: list[dict[str, Any]], rows: list[Row], asset: Asset) -> list[dict[str, Any]]:
    """The receipts that no row is of; a row is of one receipt.

    Somebody may be paid twice in one transaction, the same amount even, and so may two people of one address: the row
    with the receipt's own hash is of it, else one with its name, else any.
    """
    lacking = [(receipt, _columns(receipt, asset)) for receipt in receipts]
    left = [(_key(row), row) for row in rows]
    for told_by in ("Receipt", "Username", "Transaction"):
        at_hand = defaultdict[tuple[str, ...], list[Row]](list)
        for key, row in left:
            at_hand[*key, csv_uncell(row[told_by].strip())].append(row)
        further = []
        for unlisted, cells in lacking:
            same = at_hand[*_key(cells), csv_uncell(cells[told_by].strip())]
            if same:
                same.pop()
            else:
                further.append((unlisted, cells))
        lacking, left = further, [(key[:-1], row) for key, group in at_hand.items() for row in group]
    return [receipt for receipt, _ in lacking]


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    """What a payment is known by.

    Not its name, which a spreadsheet takes for a date or writes with other letters; nor its receipt, which an older
    ledger that took it over has another one of.
    """
    amount = row["Amount Paid"].strip()
    with suppress(ArithmeticError):  # 1.500000000 is 1.5 or 1,5 once a spreadsheet has saved it
        amount = f"{Decimal(amount.replace(',', '.')).normalize():f}"
    return row["Address"].strip(), amount, row["Transaction"].strip()


def _columns(receipt: Mapping[str, Any], asset: Asset) -> Row:
    """The columns that a receipt alone tells."""
    body = receipt["body"]
    return {
        "Username": csv_cell(body["user"]),
        "Address": body["address"],
        "Amount Paid": decimal_text(body[f"amount_{asset.unit}"], asset.decimals),
        "Transaction": body["tx_id"],
        "Block": str(body["block"]),
        "Batch": str(body["batch"]),
        "Status": "paid",
        "Receipt": receipt["hash"],
    }


def _row(receipt: Mapping[str, Any], asset: Asset, of_batch: LogColumns, form: Form) -> list[str]:
    row = {
        **_columns(receipt, asset),
        "Start Block": str(of_batch.from_block),
        "End Block": str(of_batch.to_block),
        "Total Payout Pool": decimal_text(of_batch.pool_units, asset.decimals),
        log_file.WHAT_FOR: csv_cell(of_batch.what_for.get(receipt["line_id"], "")),
    }
    return [row[name] for name in form.columns]
