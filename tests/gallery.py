"""`make gallery`: every chart and both kinds of statement, of the demo and of a year with 2,000 nominators.

Written to data/gallery with an index.html to look at. The large history is made up here, by a fixed seed; it
comes from no chain.
"""

from __future__ import annotations

import html
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from charts.drawing import paint
from menus.frame.ui import Ui
from menus.reports import drawing
from menus.reports.commands import statement
from valtrac.core.addresses import address_of
from valtrac.database.engine import writing
from valtrac.people import referrals, users
from valtrac.rehearsal import payouts
from valtrac.reports import statements, statistics
from valtrac.reports.model.prices import Price
from valtrac.reports.model.record import Record
from valtrac.reports.store import prices
from valtrac.settings import Settings
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots
from valtrac.wiring.payouts import App

ROOT = Path(__file__).parent.parent
HOTKEY = address_of(b"\x47" * 32)
HEADS, HOURS, NAMED = 2_000, 24 * 365, 60
BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
DEMO_WHO, YEAR_WHO = "ann", "user 003"


def main() -> int:
    """Draw everything; print where it is and how long each took."""
    out = ROOT / "data" / "gallery"
    out.mkdir(parents=True, exist_ok=True)
    shown: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="vt-gallery-") as folder:
        demo = demo_home(Path(folder) / "demo")
        shown += drawn(demo, out, "demo", demo.known_hotkeys()[0], DEMO_WHO)
        demo.close()
        year = year_home(Path(folder) / "year", hours=int(sys.argv[1]) if len(sys.argv) > 1 else HOURS)
        shown += drawn(year, out, "year", HOTKEY, YEAR_WHO)
        year.close()
    cards = "\n".join(
        f'<figure><a href="{html.escape(file)}">{picture}</a><figcaption>{html.escape(words)}</figcaption></figure>'
        for file, picture, words in shown
    )
    (out / "index.html").write_text(PAGE.replace("CARDS", cards), encoding="utf-8")
    print(f"gallery: {len(shown)} pictures and pages, see {out / 'index.html'}")
    return 0


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Gallery</title><style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; background: #f4f6f8; color: #1c2430; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); gap: 1rem; }
figure { margin: 0; background: #fff; border: 1px solid #dfe4ea; border-radius: .5rem; padding: .75rem; }
img { width: 100%; } figcaption { color: #5b6675; }
</style></head><body><h1>Gallery</h1><main>
CARDS
</main></body></html>
"""


def drawn(app: App, out: Path, kind: str, hotkey: str, who: str) -> list[tuple[str, str, str]]:
    """Each chart as PNG, a statement of one user and the page of all."""
    start = time.perf_counter()
    record = statistics.record(app.engine, app.settings, statistics.Range(hotkey))
    print(f"{kind}: the record of {len(record.history):,} snapshots read in {time.perf_counter() - start:.2f} s")
    shown = []
    for chart in drawing.known():
        start = time.perf_counter()
        figure, sketch = drawing.drawn(app, record, chart, who)
        path = paint.save(figure, out / f"{kind}-{chart.NAME}.png")
        sketch(80)
        print(f"{kind}: {chart.NAME} in {time.perf_counter() - start:.2f} s")
        shown.append((path.name, f'<img src="{path.name}" alt="">', f"{chart.TITLE} ({kind})"))
    shown += pages(app, out, kind, record, who)
    return shown


def pages(app: App, out: Path, kind: str, record: Record, who: str) -> list[tuple[str, str, str]]:
    """The statements of the record's whole time."""
    first, last = record.history.at[0] - timedelta(days=1), datetime(2200, 1, 1, tzinfo=UTC)
    one = statements.of(app.engine, app.settings, who, first, last)
    statement.write_one(app, one, out / f"{kind}-statement.html", "html", record)
    shown = [(f"{kind}-statement.html", "statement of one user", f"Statement ({kind})")]
    every = statements.every(app.engine, app.settings, first, last)
    if every:
        statement.write_all(
            Ui(), app, every, out / f"{kind}-all", "html", "everything", record.hotkey, with_proofs=False
        )
        shown.append((f"{kind}-all/all.html", "page of the validator", f"All payments ({kind})"))
    return shown


def demo_home(home: Path) -> App:
    """The demo's own home after its payout."""
    app = payouts.fresh_home(home)
    payouts.load_people(app)
    payouts.record_a_day(app, lambda *_: None)
    payouts.pay(app, payouts.plan(app), lambda words: None)
    return app


def year_home(home: Path, *, heads: int = HEADS, hours: int = HOURS) -> App:
    """A year of hourly snapshots with people who come, go, add and take, a falling take, prices, and referrals."""
    app = App(Settings(home=home, hotkeys=(HOTKEY,), price_sources=()))
    for some in batched(history(heads, hours), 500):
        with writing(app.engine) as conn:
            for snapshot in some:
                snapshots.add(conn, snapshot)
    with writing(app.engine) as conn:
        prices.add(conn, made_up_prices(hours))
    for number in range(1, NAMED + 1):
        users.add(app.engine, f"user {number:03}", [_address(number)], from_block=0)
    for number in range(2, NAMED + 1):
        referrals.add(app.engine, f"user {(number + 1) // 3:03}", f"user {number:03}", 1_000, from_block=0)
    return app


def batched(rows: Iterator[Snapshot], size: int) -> Iterator[list[Snapshot]]:
    """Rows in lists of a size, the last one shorter."""
    while some := list(islice(rows, size)):
        yield some


def history(heads: int = HEADS, hours: int = HOURS) -> Iterator[Snapshot]:
    """Hourly snapshots, the same every time."""
    dice = random.Random(7)
    stakes = {_address(n): int(dice.lognormvariate(4, 1.6) * 10**9) + 10**8 for n in range(1, heads + 1)}
    away = {address: stakes.pop(address) for address in list(stakes)[heads * 9 // 10 :]}
    owner = 20_000 * 10**9
    for hour in range(hours):
        growth = 1 + (0.14 + 0.03 * dice.random()) / 8760 if dice.random() > 0.002 else 1.0
        stakes = {address: int(units * growth) for address, units in stakes.items()}
        owner = int(owner * growth) + int(sum(stakes.values()) * (growth - 1) * 0.18 / 0.82)
        for _ in range(2):
            address = dice.choice(list(stakes))
            stakes[address] = max(10**8, int(stakes[address] * dice.uniform(0.6, 1.6)))
        if away and dice.random() < 0.03:
            address = dice.choice(list(away))
            stakes[address] = away.pop(address)
        if dice.random() < 0.015:
            address = dice.choice(list(stakes))
            away[address] = stakes.pop(address)
        if 24 * 200 < hour < 24 * 202:  # the logger was down
            continue
        at = BEGIN + timedelta(hours=hour)
        yield Snapshot(
            HOTKEY,
            0,
            300 * (hour + 1),
            "0x",
            at,
            address_of(b"\x4f" * 32),
            owner,
            stakes,
            None,
            True,
            11_796 if hour < 24 * 150 else 9_830,
        )


def made_up_prices(hours: int) -> list[Price]:
    """A price a day, wandering."""
    dice, price, found = random.Random(3), 420.0, []
    for day in range(hours // 24 + 1):
        price *= dice.uniform(0.95, 1.052)
        found.append(Price(BEGIN + timedelta(days=day), "USD", int(price * 10**9), "made up"))
    return found


def _address(number: int) -> str:
    return address_of(number.to_bytes(32, "big"))


if __name__ == "__main__":
    sys.exit(main())
