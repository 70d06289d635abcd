"""Stakes on a hotkey per subnet, epoch by epoch, kept as the real chain keeps them: as shares of a pool.

What somebody holds is his part of the pool's units, rounded down, so that all stakes together are a little less than
the pool (TotalHotkeyAlpha), what was credited may read back one unit less, and a unit is left when everybody has gone.
A subnet's shares are one compressed array per block at which they changed; `members` says
whose place in the array is whose. A place, once given, stays with its address for good.
Source: `share-pool` of subtensor, whose fixed-point numbers are whole ones here.
"""

from __future__ import annotations

import sqlite3
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from valtrac.core.addresses import key_of

ROOT_PRICE = 10**9
TAKE_WHOLE = 65_535
SHARES_PER_UNIT = 1_024  # at the beginning: so fine that a stake reads back at most one unit less
MOST_UNITS = 2**50  # of a pool with shares that fine


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


@dataclass(frozen=True, slots=True)
class Shares:
    """The pool of a hotkey in a subnet. total: its units; whole: what the shares are parts of; held: by place."""

    total: int
    whole: int
    held: tuple[int, ...]

    def units(self) -> list[int]:
        """What everyone's shares are worth, by place, each rounded down."""
        return [self.total * share // self.whole if share else 0 for share in self.held]

    def with_more(self, place: int, units: int) -> Shares:
        """The pool after somebody has added units."""
        held = [*self.held, *[0] * (place + 1 - len(self.held))]
        if any(held):
            new, whole = units * self.whole // self.total, self.whole
        else:  # nobody is there: what the last one left behind is theirs
            new, whole = units * (SHARES_PER_UNIT if units < MOST_UNITS else 1), 0
        held[place] += new
        return Shares(self.total + units, whole + new, tuple(held))

    def with_less(self, place: int, units: int | None) -> tuple[Shares, int]:
        """The pool after somebody has taken units (None: all that he has), and how many they were."""
        share = self.held[place] if place < len(self.held) else 0
        worth = self.total * share // self.whole if share else 0
        taken = worth if units is None else min(units, worth)
        if not share:
            return self, 0
        gone = share if taken == worth else taken * self.whole // self.total
        held = [*self.held]
        held[place] -= gone
        return Shares(self.total - taken, self.whole - gone, tuple(held)), taken

    def with_dividends(self, owner: int, units: int, take_raw: int) -> Shares:
        """The pool after one epoch: the take is added to the owner's stake, the rest raises everyone's."""
        if not any(self.held):
            return self
        take = units * take_raw // TAKE_WHOLE
        # from the first emission on the parts do not quite make up the whole, as with the real chain's numbers
        whole = self.whole + (1 if self.whole == sum(self.held) else 0)
        return Shares(self.total + units - take, whole, self.held).with_more(owner, take)


def beginning(units: Sequence[int]) -> Shares:
    """A pool in which everyone has just staked."""
    fine = SHARES_PER_UNIT if sum(units) < MOST_UNITS else 1
    return Shares(sum(units), sum(units) * fine, tuple(own * fine for own in units))


def packed(shares: Sequence[int]) -> bytes:
    """Shares as stored: little-endian 64-bit numbers, compressed."""
    numbers = array("Q", shares)
    if sys.byteorder == "big":
        numbers.byteswap()
    return zlib.compress(numbers.tobytes(), 1)


def unpacked(blob: bytes) -> list[int]:
    """The numbers written by `packed`."""
    numbers = array("Q", zlib.decompress(blob))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def put(db: sqlite3.Connection, pool: Pool, block: int, shares: Shares) -> None:
    """Store the shares of a subnet as of the end of a block."""
    db.execute(
        "INSERT OR REPLACE INTO stakes (hotkey, netuid, block, total, units, whole) VALUES (?, ?, ?, ?, ?, ?)",
        (pool.hotkey, pool.netuid, block, shares.total, packed(shares.held), str(shares.whole)),
    )


def latest(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> Shares:
    """The shares as of a block. A row from when units were kept themselves is a pool that begins with them."""
    row = db.execute(
        "SELECT total, units, whole FROM stakes WHERE hotkey = ? AND netuid = ? AND block <= ?"
        " ORDER BY block DESC LIMIT 1",
        (hotkey, netuid, block),
    ).fetchone()
    if row is None:
        return Shares(0, 0, ())
    held = unpacked(row[1])
    return beginning(held) if row[2] is None else Shares(int(row[0]), int(row[2]), tuple(held))


def total(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> int:
    """TotalHotkeyAlpha as of a block."""
    row = db.execute(
        "SELECT total FROM stakes WHERE hotkey = ? AND netuid = ? AND block <= ? ORDER BY block DESC LIMIT 1",
        (hotkey, netuid, block),
    ).fetchone()
    return 0 if row is None else int(row[0])


def by_key(db: sqlite3.Connection, hotkey: str, netuid: int, block: int) -> list[tuple[bytes, str, int]]:
    """(public key, address, units) of everyone with a stake as of a block, in no order."""
    units = latest(db, hotkey, netuid, block).units()
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


def epoch(db: sqlite3.Connection, block: int, genesis: str) -> None:
    """Pay the dividends of one epoch everywhere, and move every price a little."""
    for pool in pools(db):
        shares = latest(db, pool.hotkey, pool.netuid, block)
        spot = place(db, pool, pool.owner)
        dividends_units = shares.total // 20_000 if pool.dividends_units is None else pool.dividends_units
        put(db, pool, block, shares.with_dividends(spot, dividends_units, pool.take_raw))
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
    shares, spot = latest(db, pool.hotkey, pool.netuid, block), place(db, pool, address)
    if units is not None and units >= 0 and goes_to is None:
        shares = shares.with_more(spot, units)
    else:
        shares, taken = shares.with_less(spot, None if units is None else abs(units))
        if goes_to is not None and taken:
            shares = shares.with_more(place(db, pool, goes_to), taken)
    put(db, pool, block, shares)
