"""`make bench`: speed and size beside named peers, measured in the same run and printed as ratios."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import bench_keeps, bench_pool, bench_replay, bench_scale
from valtrac.snapshots.model.stakes import Snapshot

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
RUNS = 7


def main() -> None:
    """Print a row per measurement: ours, the peer's, and the ratio."""
    print(f"{'what':<58}{'ours':>12}{'peer':>12}{'ratio':>8}  peer")
    screen = median(first_screen)
    row(
        "the menu's first screen (s)",
        screen,
        median(lambda: spent([sys.executable, "-c", "import questionary, rich"])),
        "importing questionary and rich; aim: at most 3",
    )
    row(
        "the menu's first screen (s)",
        screen,
        median(lambda: spent([str(BIN / "btcli"), "--help"])),
        "btcli --help; aim: below 0.5",
    )
    ours, theirs = bytes_per_reading()
    row("a reading of a snapshot (bytes)", ours, theirs, "a line of ValTrac's text log")
    month = 24 * 30
    few, many = plan_time(month // 4), plan_time(month)
    row("planning a month of hourly snapshots, 500 nominators (s)", many, few, "a quarter of it: growth with the range")
    year, quarter = (figure_times(hours) for hours in (24 * 365, 24 * 91))
    names = (
        "reading the record",
        "the overview",
        "shares of everyone",
        "rates over time",
        "drawing stake by nominator",
    )
    for name, whole, part in zip(names, year, quarter, strict=True):
        row(f"a year, 2,000 nominators: {name} (s)", whole, part, "a quarter of it: growth with the range")
    ours, theirs = bench_replay.rates()
    row("replaying 100,000 blocks (blocks a second)", ours, theirs, "the node's own get_block rate; aim: at least 0.8")
    (ours, old), (few_ours, _) = bench_pool.seconds(5_000), bench_pool.seconds(500)
    row("a reward among 5,000 delegates with 200,000 coins (s)", ours, old, "the old pool's search through arrays")
    row("a reward among 5,000 delegates with 200,000 coins (s)", ours, few_ours, "500 of them: growth")
    if (keeps := bench_keeps.looked(3_500)) is not None:
        row("looking at 3,500 keeps (s)", keeps.seconds, keeps.old_seconds, "one by one, as keep-collateral did")
        row(
            "looking at 3,500 keeps (requests)",
            keeps.requests,
            keeps.old_requests,
            "one by one, as keep-collateral did",
        )
    row("averaging that month (s)", many, loop_time(month), "ValTrac's loop over snapshots x nominators x users")
    bench_scale.main()


def row(what: str, ours: float, peer: float, name: str) -> None:
    print(f"{what:<58}{ours:>12.3f}{peer:>12.3f}{ours / peer:>8.2f}  {name}", flush=True)


def median(measure: Callable[[], float]) -> float:
    measure()  # the first run fills caches for everyone
    return statistics.median(measure() for _ in range(RUNS))


def spent(command: list[str]) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def first_screen() -> float:
    """Seconds until the question of the main menu is on a real terminal."""
    with tempfile.TemporaryDirectory() as home:
        master, slave = pty.openpty()
        environment = {**os.environ, "VALTRAC_HOME": home, "TERM": "xterm"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py")],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        seen = b""
        while b"Exit" not in seen and time.perf_counter() - start < 20:
            if select.select([master], [], [], 0.05)[0]:
                seen += os.read(master, 65_536)
                if b"\x1b[6n" in seen:  # the prompt asks where the cursor is; a real terminal answers
                    os.write(master, b"\x1b[1;1R")
                    seen = seen.replace(b"\x1b[6n", b"")
        took = time.perf_counter() - start
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
        return took


def history(snapshots: int, heads: int = 500) -> Iterator[Snapshot]:
    """Hourly snapshots of people whose stakes grow a little."""
    from valtrac.core.addresses import address_of

    dice = random.Random(1)
    stakes = {address_of(n.to_bytes(32, "big")): int(dice.lognormvariate(4, 2) * 10**9) for n in range(heads)}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(snapshots):
        stakes = {address: units + units // 20_000 for address, units in stakes.items()}
        yield Snapshot("HK", 0, 300 * hour, "0x", at + timedelta(hours=hour), "OWNER", 10**12, stakes, 10**9, True)


def bytes_per_reading() -> tuple[float, float]:
    """What a reading takes in the database (indexes and rosters too), and in ValTrac's log."""
    from valtrac.database.engine import writing
    from valtrac.database.opening import open_engine
    from valtrac.snapshots.store import snapshots as stored

    with tempfile.TemporaryDirectory() as home:
        engine = open_engine(f"sqlite:///{home}/v.sqlite")
        with writing(engine) as conn:
            empty = conn.exec_driver_sql(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).scalar_one()
            text = 0
            for snapshot in history(100):
                stored.add(conn, snapshot)
                whole = sum(snapshot.stakes.values())
                text += len(
                    json.dumps(
                        {
                            "nominators": [[a, u / 1e9] for a, u in snapshot.stakes.items()],
                            "nominators_percent": [[a, u / whole] for a, u in snapshot.stakes.items()],
                        }
                    )
                )
            full = conn.exec_driver_sql(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).scalar_one()
        return (full - empty) / 50_000, text / 50_000


def plan_time(snapshots: int) -> float:
    """Seconds for loading a range and weighing it."""
    from valtrac.database.engine import reading, writing
    from valtrac.database.opening import open_engine
    from valtrac.payouts.model import plans, sharing
    from valtrac.payouts.model.weights import weigh
    from valtrac.people.model.terms import Terms
    from valtrac.snapshots.model.stakes import moments
    from valtrac.snapshots.store import snapshots as stored

    with tempfile.TemporaryDirectory() as home:
        engine = open_engine(f"sqlite:///{home}/v.sqlite")
        with writing(engine) as conn:
            for snapshot in history(snapshots):
                stored.add(conn, snapshot)
        start = time.perf_counter()
        with reading(engine) as conn:
            rows = stored.load(conn, "HK", 0, 0, 10**9)
        rules = plans.Rules(10**12, 0, 10**9, 0, by="nominators")
        weights = weigh(rules, moments(rows, valued=False), None, Terms())
        sharing.share_out(rules, weights, Terms(), {}, 0)
        return time.perf_counter() - start


def figure_times(hours: int) -> tuple[float, ...]:
    """Seconds for the record, three figures and a chart of hourly snapshots with 2,000 nominators."""
    from menus.reports import drawing
    from tests import gallery
    from valtrac.reports import statistics as record_of
    from valtrac.reports.model import measures, rates

    with tempfile.TemporaryDirectory() as folder:
        app = gallery.year_home(Path(folder), hours=hours)
        try:
            made = record_of.record(app.engine, app.settings, record_of.Range(gallery.HOTKEY))
            acts: tuple[Callable[[], object], ...] = (
                lambda: record_of.record(app.engine, app.settings, record_of.Range(gallery.HOTKEY)),
                lambda: measures.overview(made),
                lambda: record_of.shares(made),
                lambda: rates.rates(made),
                lambda: drawing.drawn(app, made, drawing.chart_of("stake-by-nominator"), None),
            )
            return tuple(statistics.median(timed(act) for _ in range(3)) for act in acts)
        finally:
            app.close()


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def loop_time(snapshots: int, users: int = 250) -> float:
    """Seconds for the same averages by scanning every snapshot anew for every user: a part of it, scaled up."""
    taken = [[(a, u) for a, u in snapshot.stakes.items()] for snapshot in history(min(snapshots, 20))]
    addresses = [row[0] for row in taken[0]][:users]
    start = time.perf_counter()
    for address in addresses[:25]:
        shares = [
            stake / sum(row[1] for row in nominators)
            for nominators in taken
            for other, stake in nominators
            if other == address
        ]
        assert shares
    return (time.perf_counter() - start) * (users / 25) * (snapshots / len(taken))


if __name__ == "__main__":
    main()
