"""The beginning of a chain: from a few lines of TOML, or from a World."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from valtrac.core.addresses import BadAddress, address_of, key_of
from valtrac.core.errors import BadInput, Refused
from valtrac.devnet.bittensor import headers, stakes, state

Clock = Callable[[], float]
"""Seconds since 1970, as time.time."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """Stakes on a hotkey in one subnet: address -> units, the owner's included if it has one.

    dividends_units: per epoch (None: 1/20,000 of the stake). price_rao: TAO per alpha; not for netuid 0.
    """

    netuid: int
    stakes: Mapping[str, int]
    dividends_units: int | None = None
    price_rao: int = 10**9


@dataclass(frozen=True, slots=True)
class Hotkey:
    """A validator. take_raw: u16, of 65535."""

    hotkey: str
    owner: str
    take_raw: int
    subnets: tuple[Subnet, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happens to a stake at a block: units added (> 0), taken (< 0), or all of it (None).

    goes_to: who gets what is taken, if anyone.
    """

    block: int
    hotkey: str
    netuid: int
    address: str
    units: int | None
    goes_to: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """A whole chain at its first block. accounts: address -> free rao; proxies: (delegate, real, type).
    justifies_every: blocks from one justification to the next."""

    name: str
    accounts: Mapping[str, int]
    hotkeys: tuple[Hotkey, ...] = ()
    changes: tuple[Change, ...] = ()
    proxies: tuple[tuple[str, str, str], ...] = ()
    block_time_s: float = 0
    finality_lag: int = 2
    tempo: int = 360
    auto_finalize: bool | None = None
    genesis_at: datetime | None = None
    text: str = field(default="", repr=False)
    justifies_every: int = state.JUSTIFIES_EVERY


def seed_world(path: Path | str, world: World, *, force: bool = False, clock: Clock = time.time) -> str:
    """Make a chain from a World; its genesis hash.

    The hash follows from name and content alone, so that two worlds are two chains. Raises
    Refused where the file exists (unless `force`, which replaces it), BadInput for a bad World.
    """
    target = Path(path)
    _check(world)
    if target.exists() and not force:
        raise Refused(
            f"{target} exists already",
            why="seeding anew would throw its chain away",
            fix="name another file, or say force",
        )
    for old in (target, target.with_name(target.name + "-wal"), target.with_name(target.name + "-shm")):
        old.unlink(missing_ok=True)
    content = blake2b(f"{world.name}\n{world.text or _content(world)}".encode(), digest_size=32).digest()
    db = state.create(target)
    try:
        with state.writing(db):
            _fill(db, world)
            genesis = _begin(db, world, content, clock)
    except BaseException:
        db.close()
        target.unlink(missing_ok=True)
        raise
    db.close()
    return genesis


def generated(name: str, count: int) -> dict[str, int]:
    """Addresses without owners, with a few large stakes and many small ones; the same for the same name."""
    balances: dict[str, int] = {}
    for index in range(count):
        digest = blake2b(f"{name} {index}".encode(), digest_size=40).digest()
        small = int.from_bytes(digest[32:], "big") % 3_000_000_000
        balances[address_of(digest[:32])] = 20_000 * 10**9 // (index + 4) + 100_000_000 + small
    return balances


def _check(world: World) -> None:
    pairs = [(hotkey.hotkey, subnet.netuid) for hotkey in world.hotkeys for subnet in hotkey.subnets]
    if len(set(pairs)) != len(pairs):
        raise BadInput("a hotkey has the same netuid twice")
    for change in world.changes:
        if (change.hotkey, change.netuid) not in pairs or change.block < 1:
            raise BadInput(
                f"changes: nothing to change at block {change.block}",
                why=f"netuid {change.netuid} of {change.hotkey} is not in this world",
            )
    if world.tempo < 1 or world.justifies_every < 1 or world.finality_lag < 0 or world.block_time_s < 0:
        raise BadInput("tempo and justification_period must be 1 or more, finality_lag and block_time_s 0 or more")
    try:
        for address in _addresses(world):
            key_of(address)
    except BadAddress as error:
        raise BadInput("the world holds something that is no address", why=str(error)) from error


def _addresses(world: World) -> Iterator[str]:
    """Everyone who occurs in a world."""
    yield from world.accounts
    for hotkey in world.hotkeys:
        yield from (hotkey.hotkey, hotkey.owner)
        for subnet in hotkey.subnets:
            yield from subnet.stakes
    for change in world.changes:
        yield from (change.address, change.goes_to or change.address)
    for delegate, real, _ in world.proxies:
        yield from (delegate, real)


def _content(world: World) -> str:
    """Everything that makes a world this one, as text."""
    whole = {
        "accounts": dict(world.accounts),
        "proxies": world.proxies,
        "tempo": world.tempo,
        "hotkeys": [
            (
                h.hotkey,
                h.owner,
                h.take_raw,
                [(s.netuid, dict(s.stakes), s.dividends_units, s.price_rao) for s in h.subnets],
            )
            for h in world.hotkeys
        ],
        "changes": [(c.block, c.hotkey, c.netuid, c.address, c.units, c.goes_to) for c in world.changes],
    }
    return json.dumps(whole, sort_keys=True)


def _begin(db: sqlite3.Connection, world: World, content: bytes, clock: Clock) -> str:
    """The settings and the first block of a filled chain; its hash. content: 32 bytes that tell this world."""
    auto = world.block_time_s == 0 if world.auto_finalize is None else world.auto_finalize
    begun = datetime.fromtimestamp(int(clock()), UTC) if world.genesis_at is None else world.genesis_at
    genesis_ms = int(begun.timestamp()) * 1000
    values = {
        "name": world.name,
        "genesis": "",
        "genesis_ms": genesis_ms,
        "block_time_s": world.block_time_s,
        "finality_lag": world.finality_lag,
        "tempo": world.tempo,
        "auto_finalize": auto,
        "warp": 0,
        "salt": 0,
        "finalized": 0,
        "true_from": 0,
        "justifies_every": world.justifies_every,
        "authorities_seed": content.hex(),
        "authorities_from": 0,
    }
    for name, value in values.items():
        state.put_setting(db, name, value)
    first = headers.genesis(db, state.settings(db), content)
    state.put_setting(db, "genesis", first.hash)
    state.put_blocks(db, [first])
    return first.hash


def _fill(db: sqlite3.Connection, world: World) -> None:
    state.put_accounts(db, 0, {address: (units, 0) for address, units in world.accounts.items() if units})
    db.executemany("INSERT INTO proxies VALUES (?, ?, ?)", world.proxies)
    for hotkey in world.hotkeys:
        db.execute("INSERT INTO hotkeys VALUES (?, ?, ?)", (hotkey.hotkey, hotkey.owner, hotkey.take_raw))
        for subnet in hotkey.subnets:
            _fill_subnet(db, hotkey, subnet)
    rows = [
        (c.block, number, c.hotkey, c.netuid, c.address, c.units, c.goes_to) for number, c in enumerate(world.changes)
    ]
    db.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _fill_subnet(db: sqlite3.Connection, hotkey: Hotkey, subnet: Subnet) -> None:
    pool = stakes.Pool(hotkey.hotkey, subnet.netuid, hotkey.owner, hotkey.take_raw, subnet.dividends_units)
    db.execute("INSERT INTO dividends VALUES (?, ?, ?)", (pool.hotkey, pool.netuid, pool.dividends_units))
    if subnet.netuid:
        db.execute("INSERT OR IGNORE INTO prices VALUES (?, 0, ?)", (subnet.netuid, subnet.price_rao))
    members = [
        (pool.hotkey, pool.netuid, number, address, key_of(address)) for number, address in enumerate(subnet.stakes)
    ]
    db.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?)", members)
    stakes.put(db, pool, 0, stakes.beginning(list(subnet.stakes.values())))
