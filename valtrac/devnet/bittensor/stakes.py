"""Stakes on a hotkey per subnet, epoch by epoch, in whole units.

A subnet's stakes are one compressed array per block at which they changed; `members` says
whose place in the array is whose. A place, once given, stays with its address for good.
"""

from __future__ import annotations

import sqlite3
import sys
import zlib
from array import array
from dataclasses import dataclass
from hashlib import blake2b

from valtrac.core.addresses import key_of

ROOT_PRICE = 10**9
TAKE_WHOLE = 65_535


@dataclass(frozen=True, slots=True)
class Pool:
    """One hotkey in one subnet: dividends_units per epoch, or None for 1/20,000 of the stake."""

    hotkey: str
    netuid: int
    owner: str
    take_raw: int
    dividends_units: int | None


def pools(db: sqlite3.Connection, hotkey: str | None = None) -> list[Pool]:
    """All (hotkey, subnet) pairs of the chain, or those of one hotkey, by netuid."""
    rows = db.execute(
        "SELECT d.hotkey, d.netuid, h.owner, h.take_raw, d.units FROM dividends d"
        " JOIN hotkeys h ON h.hotkey = d.hotkey WHERE ?1 IS NULL OR d.hotkey = ?1"
        " ORDER BY d.hotkey, d.netuid",
        (hotkey,),
    )
    return [Pool(*row) for row in rows]


def packed(units: list[int]) -> bytes:
    """Stakes as stored: little-endian 64-bit numbers, compressed."""
    numbers = array("Q", units)
    if sys.byteorder == "big":
        numbers.byteswap()
    return zlib.compress(numbers.tobytes(), 1)


def unpacked(blob: bytes) -> list[int]:
    """The stakes written by `packed`."""
    numbers = array("Q", zlib.decompress(blob))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def put(db: sqlite3.Connection, pool: Pool, block: int, units: list[int]) -> None:
    """Store the stakes of a subnet as of the end of a block."""
    db.execute(
        "INSERT OR REPLACE INTO stakes VALUES (?, ?, ?, ?, ?)",
        (pool.hotkey, pool.netuid, block, sum(units), packed(units)),
    )


def latest(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> list[int]:
    """The stakes by place as of a block."""
    row = db.execute(
        "SELECT units FROM stakes WHERE hotkey = ? AND netuid = ? AND block <= ? ORDER BY block DESC LIMIT 1",
        (hotkey, netuid, block),
    ).fetchone()
    return [] if row is None else unpacked(row[0])


def total(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> int:
    """TotalHotkeyAlpha as of a block."""
    row = db.execute(
        "SELECT total FROM stakes WHERE hotkey = ? AND netuid = ? AND block <= ? ORDER BY block DESC LIMIT 1",
        (hotkey, netuid, block),
    ).fetchone()
    return 0 if row is None else int(row[0])


def by_key(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> list[tuple[bytes, str, int]]:
    """(public key, address, units) of everyone with a stake as of a block, in no order."""
    units = latest(db, hotkey, netuid, block)
    rows = db.execute(
        "SELECT key, address, position FROM members WHERE hotkey = ? AND netuid = ? AND position < ?",
        (hotkey, netuid, len(units)),
    )
    return [(key, address, units[position]) for key, address, position in rows if units[position]]


def price(db: sqlite3.Connection, netuid: int, block: int) -> int | None:
    """Rao of TAO per 1 alpha as of a block; None for a subnet that does not exist."""
    if netuid == 0:
        return ROOT_PRICE
    row = db.execute(
        "SELECT rao FROM prices WHERE netuid = ? AND block <= ? ORDER BY block DESC LIMIT 1", (netuid, block)
    ).fetchone()
    return None if row is None else int(row[0])


def place(db: sqlite3.Connection, pool: Pool, address: str) -> int:
    """The place of an address in the array of a subnet, given to it now if it has none."""
    row = db.execute(
        "SELECT position FROM members WHERE hotkey = ? AND netuid = ? AND address = ?",
        (pool.hotkey, pool.netuid, address),
    ).fetchone()
    if row is not None:
        return int(row[0])
    (position,) = db.execute(
        "SELECT COUNT(*) FROM members WHERE hotkey = ? AND netuid = ?", (pool.hotkey, pool.netuid)
    ).fetchone()
    db.execute(
        "INSERT INTO members VALUES (?, ?, ?, ?, ?)", (pool.hotkey, pool.netuid, position, address, key_of(address))
    )
    return int(position)


def accrued(units: list[int], owner_place: int, dividends_units: int, take_raw: int) -> list[int]:
    """The stakes after one epoch's dividends.

    The take goes to the owner; the rest is shared pro rata, rounded down, and the units that
    rounding leaves over go to the owner too: nothing is lost, so the sum grows by exactly
    `dividends_units` (or not at all where nobody has a stake).
    """
    whole = sum(units)
    if not whole:
        return units
    shared = dividends_units - dividends_units * take_raw // TAKE_WHOLE
    after = [own + own * shared // whole for own in units]
    after[owner_place] += whole + dividends_units - sum(after)
    return after


def epoch(db: sqlite3.Connection, block: int, genesis: str) -> None:
    """Pay the dividends of one epoch everywhere, and move every price a little."""
    for pool in pools(db):
        units = latest(db, pool.hotkey, pool.netuid, block)
        spot = place(db, pool, pool.owner)
        units += [0] * (spot + 1 - len(units))
        dividends_units = sum(units) // 20_000 if pool.dividends_units is None else pool.dividends_units
        put(db, pool, block, accrued(units, spot, dividends_units, pool.take_raw))
    for (netuid,) in db.execute("SELECT DISTINCT netuid FROM prices").fetchall():
        before = price(db, netuid, block)
        seed = blake2b(f"{genesis} {netuid} {block}".encode(), digest_size=4).digest()
        step = int.from_bytes(seed, "big") % 1001 - 500
        if before is not None:
            db.execute(
                "INSERT OR REPLACE INTO prices VALUES (?, ?, ?)",
                (netuid, block, max(1, before + before * step // 100_000)),
            )


def apply_changes(db: sqlite3.Connection, block: int) -> None:
    """Carry out the stakings, unstakings and moves that the seed has planned for a block."""
    planned = db.execute(
        "SELECT hotkey, netuid, address, units, goes_to FROM changes WHERE block = ? ORDER BY position", (block,)
    ).fetchall()
    for hotkey, netuid, address, units, goes_to in planned:
        pool = next(candidate for candidate in pools(db, hotkey) if candidate.netuid == netuid)
        _change(db, pool, block, address, units, goes_to)


def _change(
    db: sqlite3.Connection, pool: Pool, block: int, address: str, units: int | None, goes_to: str | None
) -> None:
    """Add units (> 0), take away up to -units (< 0), or everything (None); what is taken may go to another."""
    stakes = latest(db, pool.hotkey, pool.netuid, block)
    spot = place(db, pool, address)
    to = None if goes_to is None else place(db, pool, goes_to)
    stakes += [0] * (max(spot, to or 0) + 1 - len(stakes))
    if units is not None and units >= 0 and to is None:
        stakes[spot] += units
    else:
        taken = stakes[spot] if units is None else min(stakes[spot], abs(units))
        stakes[spot] -= taken
        if to is not None:
            stakes[to] += taken
    put(db, pool, block, stakes)
