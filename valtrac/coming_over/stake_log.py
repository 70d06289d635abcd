"""ValTrac's log of stakes, of any size, into snapshots and prices: a line at a time, a hundred snapshots at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from valtrac.coming_over.model import stake_log
from valtrac.coming_over.model.stake_log import BadLine, Head, PriceLine
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.reports.model.prices import NANO, Price, fraction
from valtrac.reports.store import prices
from valtrac.snapshots.files import AHEAD
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored

LONGEST_LINE = 64 * 2**20  # 600,000 nominators
AT_ONCE, READINGS_AT_ONCE = 100, 300_000  # snapshots in a transaction, and stakes in it at most
MANY = 1_000  # words that are kept of what was refused
CURRENCY, SOURCE = "USD", "ValTrac's log"
Tell = Callable[[int, int, str], None]


@dataclass(slots=True)
class Log:
    """What became of a log. taken, known: snapshots that are new here, and that were here before."""

    taken: int = 0
    known: int = 0
    prices: int = 0
    changed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)  # hotkey -> its last block in the log

    @property
    def words(self) -> str:
        """What is to be said of it beside the counts."""
        return f"{self.prices} prices in {CURRENCY}"

    def seen(self, head: Head) -> None:
        """Note that a line of a hotkey is here, or was before."""
        self.newest[head.hotkey] = max(head.block, self.newest.get(head.hotkey, 0))

    def refuse(self, line: int, why: str) -> None:
        """Note that a line was not taken; of very many, the first."""
        if len(self.refused) < MANY:
            self.refused.append(f"row {line}: {why}")
        elif len(self.refused) == MANY:
            self.refused.append("and more that are not listed")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A snapshot that can be stored, its line, and the price that the log gives it, if any."""

    line: int
    snapshot: Snapshot
    price: Price | None


def bring(
    engine: sa.Engine,
    path: Path,
    zone: tzinfo,
    *,
    head: int | None = None,
    dry: bool = False,
    tell: Tell = lambda done, total, words: None,
) -> Log:
    """Store the snapshots and prices of a log that are not here yet; with `dry` only count them.

    What is stored stays stored where it is stopped; done again, it goes on. Lines that cannot be taken are refused each
    for itself. Memory grows with the longest line, not with the file. Raises BadInput where it cannot be read.
    """
    log, waiting = Log(), list[_Ready]()
    try:
        total = path.stat().st_size
        with open(path, "rb") as file:
            for ready in _ready(engine, file, zone, head, log):
                waiting.append(ready)
                if len(waiting) == AT_ONCE or sum(len(one.snapshot.stakes) for one in waiting) > READINGS_AT_ONCE:
                    _store(engine, waiting, log, dry)
                    tell(file.tell(), total, f"block {ready.snapshot.block}")
                    waiting.clear()
            _store(engine, waiting, log, dry)
            tell(total, total, "")
    except OSError as error:
        raise BadInput(
            f"{plain(path)} cannot be read", why=plain(error.strerror), fix="check the path and the rights of the file"
        ) from error
    return log


def _ready(engine: sa.Engine, file: BinaryIO, zone: tzinfo, head: int | None, log: Log) -> Iterator[_Ready]:
    """The snapshots of a log that can be stored and are not, in the order of their lines."""
    is_address = lru_cache(1_000_000)(stake_log.is_address)
    here = dict[str, set[int]]()
    price: PriceLine | None = None
    for number, line in _lines(file, log):
        found = stake_log.head_of(line)
        if isinstance(found, PriceLine):
            price = found
        elif found is not None:
            try:
                if found.hotkey not in here:
                    here[found.hotkey] = _blocks(engine, found.hotkey) if is_address(found.hotkey) else set()
                if found.block in here[found.hotkey]:
                    log.known += 1
                    log.seen(found)
                    continue
                _check_reached(found, head)
                snapshot = stake_log.snapshot_of(line, found, zone, is_address)
            except BadLine as error:
                log.refuse(number, str(error))
                continue
            here[found.hotkey].add(found.block)
            log.seen(found)
            yield _Ready(number, snapshot, _price(price, snapshot, number, log))
            price = None


def _lines(file: BinaryIO, log: Log) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            log.refuse(number, f"it is longer than {LONGEST_LINE // 2**20} MB")
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            continue
        yield number, line.decode("utf-8", errors="replace")


def _blocks(engine: sa.Engine, hotkey: str) -> set[int]:
    with reading(engine) as conn:
        return {block for _, block in stored.places(conn, hotkey, stake_log.NETUID, 0, 2**53)}


def _check_reached(head: Head, newest: int | None) -> None:
    if newest is not None and head.block > newest + AHEAD:
        raise BadLine(f"block {head.block} lies far beyond the chain's last block, {newest}")


def _price(line: PriceLine | None, snapshot: Snapshot, number: int, log: Log) -> Price | None:
    """The price of a snapshot, where the line before is of its block; ValTrac wrote None where it got no price."""
    if line is None or line.block != snapshot.block or line.dollars in ("None", "0", "0.0"):
        return None
    try:
        nano = round(fraction(Decimal(line.dollars)) * NANO)
    except (InvalidOperation, ValueError) as error:
        if len(log.changed) < MANY:
            words = "no number" if isinstance(error, InvalidOperation) else str(error)
            log.changed.append(f"row {number}: taken without its price, {plain(line.dollars, 30)!r}: {words}")
        return None
    return Price(snapshot.at, CURRENCY, nano, SOURCE)


def _store(engine: sa.Engine, waiting: list[_Ready], log: Log, dry: bool) -> None:
    if dry:
        log.taken += len(waiting)
        log.prices += sum(ready.price is not None for ready in waiting)
        return
    with writing(engine) as conn:
        log.taken += sum(stored.add(conn, ready.snapshot) for ready in waiting)
        told = {ready.price.at: ready.price for ready in waiting if ready.price is not None}
        known = prices.exactly(conn, CURRENCY, told)
        fresh = [price for at, price in told.items() if at not in known]
        prices.add(conn, fresh)
        log.prices += len(fresh)
