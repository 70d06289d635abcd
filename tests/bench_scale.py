"""What grows and what does not: storing and planning many readings beside DuckDB and Polars, and paying many people.

The readings are made as the chain makes them: stakes are shares of a pool, rounded down, that grows by about 3.3e-5 an
hour and now and then not at all; 0.3 % of the people move stake each hour, one in 10,000 joins and one leaves. They
begin with real stakes where the file of them is at hand (VALTRAC_TEST_DATA), else with a log-normal distribution.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from tests.payout_world import HOTKEY, World
from valtrac.core import wide
from valtrac.core.addresses import address_of
from valtrac.database.engine import writing
from valtrac.database.opening import open_engine
from valtrac.payouts import drafts
from valtrac.snapshots import rulings
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored

ROOT = Path(__file__).parent.parent
LATEST = ROOT / "data" / "bench" / "latest.json"
REAL = Path(os.environ.get("VALTRAC_TEST_DATA", ROOT.parent / "shared" / "data")) / "finney-genesis-stakes.json"
HOURS = int(os.environ.get("VALTRAC_BENCH_HOURS", 24 * 365))
HEADS = int(os.environ.get("VALTRAC_BENCH_HEADS", 10_000))
WALLET = address_of(b"\xff" * 32)
START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH, INTERVAL = 24 * 30, 300


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, ours and the peer's of the same run. ratio: peer/ours, more is better; of growth ours/base."""

    name: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    unit: str


def figures() -> Iterator[Figure]:
    """Every figure of storing, planning and paying, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _planning(Path(folder))
    for heads, hours, kind in ((2_000, HOURS, "pool"), (100, HOURS, "pool"), (HEADS, min(HOURS, MONTH), "random")):
        with tempfile.TemporaryDirectory() as folder:
            made = _filled(Path(folder), heads, hours, kind)
            name = f"bytes_per_reading_{heads}" + ("_random" if kind == "random" else "")
            yield _against(name, made.bytes_, made.parquet_bytes, "Parquet, zstd", "bytes")
    yield from _paying()


def readings(heads: int, hours: int, kind: str = "pool") -> Iterator[tuple[int, list[str], Any, Snapshot]]:
    """(hour, addresses, stakes, the same as a snapshot), hour by hour."""
    dice = np.random.default_rng(7)
    share, pool, met = _begin(dice, heads), 2**40, heads
    names = [address_of((number + 1).to_bytes(32, "big")) for number in range(heads)]
    for hour in range(hours):
        if hour and kind == "random":
            share = np.maximum(1, share.astype(np.float64) * (1 + 1e-4 * dice.standard_normal(len(share))))
            share = share.astype(np.uint64)
        elif hour:
            pool += 0 if hour % 6 == 0 else int(pool * 3.3e-5 * (1 + 0.1 * dice.standard_normal()))
            moves = dice.random(len(share)) < 0.003
            share[moves] = np.maximum(10**6, share[moves] * dice.lognormal(0, 0.5, int(moves.sum()))).astype(np.uint64)
            stays = dice.random(len(share)) >= 1e-4
            joined = int(dice.poisson(heads * 1e-4))
            share = np.concatenate([share[stays], _begin(dice, joined)])
            names = [name for name, stay in zip(names, stays.tolist(), strict=True) if stay]
            names += [address_of((met + number + 1).to_bytes(32, "big")) for number in range(joined)]
            met += joined
        below, above = wide.product(share, pool << 16)
        stakes = (above << np.uint64(8)) | (below >> np.uint64(56))  # share * pool / 2**40, rounded down
        at, owner = START + timedelta(hours=hour), 10**12 * pool >> 40
        held = dict(zip(names, stakes.tolist(), strict=True))
        block = INTERVAL * (hour + 1)
        yield hour, names, stakes, Snapshot(HOTKEY, 0, block, f"0x{hour:064x}", at, WALLET, owner, held, 10**9, True)


def _begin(dice: np.random.Generator, heads: int) -> npt.NDArray[np.uint64]:
    real = _real()
    if len(real):
        drawn = dice.choice(real, heads) * dice.uniform(0.5, 1.5, heads)
    else:
        drawn = dice.lognormal(4, 2, heads) * 10**9
    return np.maximum(1, drawn).astype(np.uint64)


@functools.cache
def _real() -> npt.NDArray[np.int64]:
    if not REAL.exists():
        return np.zeros(0, dtype=np.int64)
    hotkeys = json.loads(REAL.read_text(encoding="utf-8"))["stakes"].values()
    return np.array([units[0] for hotkey in hotkeys for units in hotkey.values() if units[0] > 10**6], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with readings and the same as Parquet. bytes_, parquet_bytes: of a reading; add_s: of a snapshot."""

    engine: sa.Engine
    parquet: Path
    bytes_: float
    parquet_bytes: float
    add_s: float
    row_s: float


def _filled(folder: Path, heads: int, hours: int, kind: str = "pool") -> Filled:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, parquet = folder / "v.sqlite", folder / "readings.parquet"
    engine = open_engine(path)
    before, number, spent, rows = _size(path), 0, [], []
    kinds = pa.schema([("block", pa.int32()), ("person", pa.int32()), ("stake", pa.uint64())])
    ids: dict[str, int] = {}
    plain = sqlite3.connect(folder / "rows.sqlite", isolation_level=None)
    plain.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r (block INT, person INT, stake INT)"
    )
    with pq.ParquetWriter(parquet, kinds, compression="zstd") as writer:
        for hour, names, stakes, snapshot in readings(heads, hours, kind):
            spent.append(_seconds(lambda snapshot=snapshot: _add(engine, snapshot)))  # type: ignore[misc]
            people = [ids.setdefault(name, len(ids)) for name in names]
            columns = [np.full(len(names), snapshot.block, dtype=np.int32), np.array(people, dtype=np.int32), stakes]
            writer.write_table(pa.table(columns, schema=kinds))
            if hour < 20:
                values = list(zip(columns[0].tolist(), people, stakes.tolist(), strict=True))
                rows.append(_seconds(lambda values=values: _insert(plain, values)))  # type: ignore[misc]
            number += len(names)
    plain.close()
    each = (_size(path) - before) / number
    return Filled(
        engine, parquet, each, parquet.stat().st_size / number, statistics.median(spent), statistics.median(rows)
    )


def _add(engine: sa.Engine, snapshot: Snapshot) -> None:
    with writing(engine) as conn:
        assert stored.add(conn, snapshot)


def _insert(plain: sqlite3.Connection, values: list[tuple[int, int, int]]) -> None:
    plain.execute("BEGIN")
    plain.executemany("INSERT INTO r VALUES (?, ?, ?)", values)
    plain.execute("COMMIT")


def _planning(folder: Path) -> Iterator[Figure]:
    """A year of drafts against the float averages of DuckDB and Polars over the same readings, by turns."""
    made = _filled(folder, HEADS, HOURS)
    yield _against(f"bytes_per_reading_{HEADS}", made.bytes_, made.parquet_bytes, "Parquet, zstd", "bytes")
    yield _against("snapshot_write", made.add_s, made.row_s, "rows in SQLite, synchronous FULL", "s")
    rulings.begin_after(made.engine, HOTKEY, 0)
    last = INTERVAL * HOURS
    year, month, peers = list[float](), list[float](), {"DuckDB": list[float](), "Polars": list[float]()}
    people = {"year": 0, "month": 0}
    for _ in range(5):
        year.append(_seconds(lambda: people.update(year=_draft(made.engine, INTERVAL, last))))
        month.append(_seconds(lambda: people.update(month=_draft(made.engine, last - INTERVAL * MONTH + 1, last))))
        peers["DuckDB"].append(_seconds(lambda: _duckdb(made.parquet)))
        peers["Polars"].append(_seconds(lambda: _polars(made.parquet)))
    best = min(peers, key=lambda name: statistics.median(peers[name]))
    peer = statistics.median(peers[best])
    yield _against("plan_year", statistics.median(year), peer, f"{best}: float averages over Parquet", "s")
    each = [statistics.median(year) / people["year"], statistics.median(month) / people["month"]]
    yield Figure("plan_growth_year_over_month", each[0], each[1], "a month, by payee", each[0] / each[1], "s a payee")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"the whole process with its peers has had {peak:.0f} MB at most, load {os.getloadavg()[0]:.1f}",
        file=sys.stderr,
    )


def _draft(engine: sa.Engine, first: int, last: int) -> int:
    asked = drafts.Request(
        HOTKEY, 10**13, WALLET, by="nominators", fee=10**9, from_block=first, to_block=last, interval=INTERVAL
    )
    return len(drafts.draft(engine, asked, None).payout.lines)


def _duckdb(parquet: Path) -> int:
    import duckdb

    query = (
        "WITH r AS (SELECT * FROM read_parquet(?)), "
        "t AS (SELECT block, sum(stake)::DOUBLE AS total FROM r GROUP BY block) "
        "SELECT person, sum(stake / total) FROM r JOIN t USING (block) GROUP BY person"
    )
    return len(duckdb.connect().execute(query, [str(parquet)]).fetchall())


def _polars(parquet: Path) -> int:
    import polars as pl

    rows = pl.scan_parquet(parquet)
    totals = rows.group_by("block").agg(pl.col("stake").sum().cast(pl.Float64).alias("total"))
    shares = rows.join(totals, on="block").group_by("person").agg((pl.col("stake") / pl.col("total")).sum())
    return int(shares.collect().height)


def _paying() -> Iterator[Figure]:
    """Sending to ten times as many, and the fortieth payout against the first, in CPU seconds."""
    few, many = (_sent(heads, 1)[0] for heads in (1_000, 10_000))
    yield Figure("send_growth", many, few, "1,000 payees", many / few, "CPU s")
    payouts = _sent(1_000, 40)
    first, last = statistics.median(payouts[:3]), statistics.median(payouts[-3:])
    yield Figure("fortieth_over_first", last, first, "the first", last / first, "CPU s")


def _sent(heads: int, payouts: int) -> list[float]:
    """CPU seconds of sending each of some payouts to all nominators."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), heads, chunk_size=300)
        try:
            spent = []
            for _ in range(payouts):
                world.day(1)
                batch = world.approved(by="nominators", pool=heads * 10**7, fee=0, fee_policy="owner")
                begun = time.process_time()
                world.send(batch, accept_fee=True)
                spent.append(time.process_time() - begun)
            return spent
        finally:
            world.app.close()


def _against(name: str, ours: float, peer: float, peer_name: str, unit: str) -> Figure:
    return Figure(name, ours, peer, peer_name, peer / ours, unit)


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _size(path: Path) -> int:
    """Bytes of a database file, with what is still beside it written into it."""
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return path.stat().st_size


def main() -> None:
    """Print a row per figure, and write all of them to data/bench/latest.json."""
    made = list[dict[str, object]]()
    for figure in figures():
        print(
            f"{figure.name:<32}{figure.ours:>12.4f}{figure.peer:>12.4f}{figure.ratio:>9.2f}  {figure.unit}; "
            f"{figure.peer_name}",
            flush=True,
        )
        made.append({name: getattr(figure, name) for name in Figure.__dataclass_fields__})
        LATEST.parent.mkdir(parents=True, exist_ok=True)
        LATEST.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
