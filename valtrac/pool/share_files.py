"""The files in which the shares stand for people and other programs, written from the database."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from valtrac.core.home import replace_for_its_owner
from valtrac.database.engine import reading
from valtrac.pool.model.share_files import ShareFile, text_of
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book

CURRENT = "currentpoolshare.csv"


def write(pool: Pool, *, payday_at: int | None = None) -> list[Path]:
    """Write the file of now, and those of rewards that have none yet; payday_at: also the one of a payday kept after
    that block. What is written is beside its place first, so that nobody reads half of it."""
    folder, written = pool.settings.pool_folder, list[Path]()
    with reading(pool.engine) as conn:
        newest = blocks.newest(conn)
        if newest is None:
            return []
        current = text_of(_file(conn, newest.head.number))
        lacking = {
            folder / f"{reward['height']}poolshare.csv": reward
            for reward in blocks.rewards(conn, most=50)
            if not (folder / f"{reward['height']}poolshare.csv").exists()
        }
        for path, reward in lacking.items():
            _write(path, text_of(_as_of(conn, reward["height"], reward["block_id"])), written)
    _write(pool.settings.data / CURRENT, current, written)
    if payday_at is not None:  # a name of its own: the reward at the same height keeps its file
        _write(folder / f"{payday_at}poolshare_payday.csv", current, written)
    return written


def _file(conn: sa.Connection, block: int) -> ShareFile:
    shares = {delegate: units for delegate, units in book.balances(conn).items() if units > 0}
    return ShareFile(block, sum(shares.values()) + book.opening(conn), book.revenue(conn), shares)


def _as_of(conn: sa.Connection, height: int, block_id: int) -> ShareFile:
    """The shares just after a block was credited."""
    balances = book.as_of_block(conn, block_id)
    revenue, opening = balances.pop(book.POOL, 0), balances.pop(book.OPENING, 0)
    shares = {delegate: units for delegate, units in balances.items() if units > 0}
    return ShareFile(height, sum(shares.values()) + opening, revenue, shares)


def _write(path: Path, text: str, written: list[Path]) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    replace_for_its_owner(path, text.encode())
    written.append(path)
