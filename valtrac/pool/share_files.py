"""The files in which the shares stand for people and other programs, written from the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.pool.model.share_files import ShareFile, text_of
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book, paydays
from valtrac.tables.write import write_text

MOST = 50  # of the newest, that are looked for at first
CURRENT = "currentpoolshare.csv"


def write(pool: Pool) -> list[Path]:
    """Write the file of now, and those of rewards and paydays that have none yet. What is written is beside its place
    first, so that nobody reads half of it; a payday's name is its own: the reward at the same height keeps its file."""
    folder, written = pool.settings.pool_folder, list[Path]()
    with reading(pool.engine) as conn:
        newest = blocks.newest(conn)
        if newest is None:
            return []
        current = text_of(_file(conn, newest.head.number))
        for reward, path in _without_file(conn, folder):
            balances = book.as_of(conn, book.last_of_block(conn, reward["block_id"]))
            _write(path, text_of(_as_of(balances, reward["height"])), written)
        for payday in paydays.listed(conn, most=MOST):
            path = folder / f"{payday['height']}poolshare_payday.csv"
            if not path.exists():
                balances = book.as_of(conn, book.last_of_payday(conn, payday["id"]))
                _write(path, text_of(_as_of(balances, payday["height"])), written)
    _write(pool.settings.data / CURRENT, current, written)
    return written


def _without_file(conn: sa.Connection, folder: Path) -> list[tuple[dict[str, Any], Path]]:
    """The rewards that have no file: the newest are looked at, and further back as long as the oldest of them has none,
    as after blocks were made up."""
    most = MOST
    while True:
        rewards = [(reward, folder / f"{reward['height']}poolshare.csv") for reward in blocks.rewards(conn, most=most)]
        lacking = [(reward, path) for reward, path in rewards if not path.exists()]
        if len(rewards) < most or not lacking or lacking[-1] is not rewards[-1]:
            return lacking
        most *= 4


def _file(conn: sa.Connection, block: int) -> ShareFile:
    shares = {delegate: units for delegate, units in book.balances(conn).items() if units > 0}
    return ShareFile(block, sum(shares.values()) + book.opening(conn), book.revenue(conn), shares)


def _as_of(balances: dict[str, int], height: int) -> ShareFile:
    """The shares as the accounts stood once something was booked."""
    revenue, opening = balances.pop(book.POOL, 0), balances.pop(book.OPENING, 0)
    shares = {delegate: units for delegate, units in balances.items() if units > 0}
    return ShareFile(height, sum(shares.values()) + opening, revenue, shares)


def _write(path: Path, text: str, written: list[Path]) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    write_text(path, text)
    written.append(path)
