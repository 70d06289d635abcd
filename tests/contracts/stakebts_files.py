"""StakeBTS's database as a file of its own making, and how what comes over is looked at."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.contracts_world import World
from valtrac.contracts import import_stakebts
from valtrac.contracts.store import audit_events
from valtrac.database.engine import reading

MONTH_MS = 86_400 * 1000 * 30
NEVER = 999_999_999


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def look(world: World, text: str) -> import_stakebts.Preview:
    return import_stakebts.preview(world.custodian, import_stakebts.read_text(text, world.settings.contract_terms))


def state(world: World) -> tuple[Any, ...]:
    with reading(world.engine) as conn:
        return world.contracts(), world.dues(), world.operations(), audit_events.search(conn, limit=1_000)


STAKES = {
    "with places": "nominator TEXT, digital_asset TEXT, amount INTEGER, type TEXT, nonce INTEGER, start INTEGER,"
    " due INTEGER, processed INTEGER, status TEXT, block_start INTEGER, trx_idx INTEGER, ops_idx INTEGER,"
    " block_processed INTEGER, number INTEGER",
    "without": "nominator TEXT, digital_asset TEXT, amount INTEGER, type TEXT, start INTEGER, due INTEGER,"
    " processed INTEGER, status TEXT, block_start INTEGER, block_processed INTEGER, number INTEGER",
}


def database(
    path: Path,
    start: int,
    *,
    layout: str = "with places",
    changes: dict[tuple[str, int], str] | None = None,
    block: int = 60_000_123,
    months: int = 3,
    leave_out: str = "",
) -> Path:
    """StakeBTS's file with one contract of ann's. changes: (type, number) -> status."""
    changes = changes or {}
    rows = [
        (f"agreement_{months}", 0, 1, 0, "paid"),
        ("base_amount", 0, 25_000, months, "pending"),
        ("penalty", 0, -3_750, months, "pending"),
        *(("reward", number, 2_000, number, "pending") for number in range(1, months + 1)),
    ]
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"CREATE TABLE IF NOT EXISTS stakes ({STAKES[layout]})")
        db.execute("CREATE TABLE IF NOT EXISTS receipts (nonce INTEGER, now INTEGER, msg TEXT)")
        name = "block_num" if layout == "with places" else "block"
        db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({name} INTEGER)")
        db.execute(f"INSERT INTO {name} VALUES (60000500)")
        for type_, number, amount, month, status in rows:
            if type_ == leave_out:
                continue
            given = {
                "nominator": "ann",
                "digital_asset": "BTS",
                "amount": amount,
                "type": type_,
                "start": start,
                "due": start + month * MONTH_MS,
                "processed": 0,
                "status": changes.get((type_, number), status),
                "block_start": block,
                "block_processed": NEVER,
                "number": number,
            }
            if layout == "with places":
                given |= {"nonce": start + 7, "trx_idx": 4, "ops_idx": 1}
            db.execute(
                f"INSERT INTO stakes ({','.join(given)}) VALUES ({','.join('?' * len(given))})", tuple(given.values())
            )
        for place in range(3):
            db.execute("INSERT INTO receipts VALUES (?, ?, ?)", (start, start + place, json.dumps({"warn": place})))
        db.commit()
    return path


def look_at(world: World, path: Path) -> import_stakebts.Preview:
    found, notes, receipts, read_to = import_stakebts.read_database(path)
    return import_stakebts.preview(world.custodian, found, notes=notes, receipts=receipts, read_to=read_to)
