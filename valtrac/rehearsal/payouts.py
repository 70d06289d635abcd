"""The main job from end to end on the embedded chain, in a home of its own: what `run.py demo` shows."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from valtrac.core.errors import Refused, ValtracError
from valtrac.core.home import CHECKOUT
from valtrac.core.money import decimal_text, parse_bps
from valtrac.database.counts import SQLITE
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send
from valtrac.payments.model.states import AttemptState, BatchState, LineState
from valtrac.payments.store import attempts, batches
from valtrac.payouts import approvals, drafts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.store.counts import counts
from valtrac.people import referrals, user_import, users
from valtrac.ports import PayingChain
from valtrac.settings import Settings
from valtrac.snapshots import files, snapshots
from valtrac.wiring.payouts import App

IN_THE_TREE, INSTALLED = CHECKOUT / "data" / "examples", Path(sys.prefix) / "share" / "valtrac" / "examples"
EXAMPLES = IN_THE_TREE if IN_THE_TREE.is_dir() else INSTALLED
EXAMPLE = EXAMPLES / "devnet.toml"
POOL_RAO = 12_500_000_000
CHUNK_SIZE = 5
HOURS = 24
BLOCKS_PER_HOUR = 300


@dataclass(frozen=True, slots=True)
class Summary:
    """What the rehearsal came to; chain_agrees: every balance on the chain moved by what the ledger says."""

    pool_rao: int
    paid_rao: int
    fees_rao: int
    held_rao: int
    unassigned_rao: int
    payees: int
    chunks: int
    lost_replies: int
    chain_agrees: bool


def fresh_home(home: Path) -> App:
    """An app on a new embedded chain in `home`; whatever an older rehearsal left there is thrown away."""
    marker = home / "this-is-a-rehearsal"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise ValtracError(
            f"{home} holds something that is no rehearsal", why="it would be thrown away", fix="move it elsewhere"
        )
    shutil.rmtree(home, ignore_errors=True)
    (home / "data").mkdir(parents=True)
    marker.touch()
    app = App(Settings(home=home, chunk_size=CHUNK_SIZE))
    devnet.seed(app.settings.devnet_file, EXAMPLE.read_text(encoding="utf-8"))
    return app


def begin(settings: Settings, toml_text: str, *, force: bool = False) -> tuple[str, Path | None]:
    """Make the rehearsal chain of a home; returns its genesis hash and where an older ledger was put, if any.

    A ledger that was used with an earlier chain knows of payments that the new one never saw.
    Raises Refused where there is one, or a chain, unless `force`: then the chain is thrown away and
    the ledger kept beside, under another name.
    """
    seen = counts(settings.database)
    tied = seen is not None and seen.tied
    if tied and not force:
        raise Refused(
            "there is a ledger of an earlier rehearsal chain here",
            why=f"{settings.url} knows its payments",
            fix="run.py devnet seed --force begins both anew and keeps the old ledger beside",
        )
    settings.data.mkdir(parents=True, exist_ok=True)
    genesis = devnet.seed(settings.devnet_file, toml_text, force=force)
    return genesis, _set_aside(_file(settings)) if tied else None


def _file(settings: Settings) -> Path:
    """The file of a SQLite ledger."""
    chosen = settings.database
    return chosen if isinstance(chosen, Path) else Path(chosen.removeprefix(SQLITE))


def _set_aside(ledger: Path) -> Path:
    """Rename a SQLite ledger, with what it has not written back yet."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = ledger.with_name(f"{ledger.stem}-until-{stamp}{ledger.suffix}")
    for ending in ("-wal", "-shm", ""):
        part = ledger.with_name(ledger.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def load_people(app: App) -> list[users.UserView]:
    """Users and referrals of the examples."""
    user_import.apply_import(app.engine, user_import.preview_import(app.engine, EXAMPLES / "users.csv"))
    with open(EXAMPLES / "referrals.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            referrals.add(app.engine, row["Referrer"], row["Referee"], parse_bps(row["Rate"], field="Rate"))
    return users.list_users(app.engine)


def record_a_day(app: App, tell: Callable[[int, int, str], None]) -> int:
    """A snapshot an hour for a day of the chain's time; the number of snapshots."""
    count = 0
    for hour in range(HOURS):
        devnet.advance(app.settings.devnet_file, BLOCKS_PER_HOUR)
        done = snapshots.take(
            app.engine,
            app.chain,
            app.hotkey(),
            mirror=lambda snapshot: files.mirror(app.settings.logs, snapshot),
        )
        count += len(done.stored)
        tell(hour + 1, HOURS, f"block {done.stored[0][0].block}")
    return count


def plan(app: App) -> PayoutBatch:
    """Who gets what of the pool, as a draft."""
    settings = app.settings
    return drafts.draft(
        app.engine,
        drafts.Request(
            hotkey=app.hotkey(),
            pool=POOL_RAO,
            wallet=app.wallet_address,
            minimum=settings.minimum,
            chunk_size=settings.chunk_size,
            interval=settings.snapshot_interval,
        ),
        app.chain,
    )


def pay(app: App, draft: PayoutBatch, tell: Callable[[str], None]) -> Summary:
    """Approve and send the draft while one reply of the node is lost, then compare chain and ledger."""
    approvals.approve(app.engine, app.settings, app.caps, draft.id, decimal_text(draft.total))
    payer = app.unlock()
    before = _balances(app.chain, draft, payer.address)
    devnet.misbehave(app.settings.devnet_file, lose_reply=1)
    door = replace(app.door(tell=tell), poll_s=0.1, patience_s=60)
    settled = send.send(door, payer, draft.id)
    after = _balances(app.chain, draft, payer.address)
    with reading(app.engine) as conn:
        paid = batches.lines_of(conn, draft.id, LineState.PAID)
        tried = attempts.of_batch(conn, draft.id)
        fees = attempts.fees_of_batch(conn, draft.id)
    moved = {address: after[address] - before[address] for address in after}
    expected = dict.fromkeys(moved, 0)
    for line in paid:
        expected[line.address] += line.amount
    expected[payer.address] -= sum(line.amount for line in paid) + (fees or 0)
    return Summary(
        pool_rao=draft.pool,
        paid_rao=sum(line.amount for line in paid),
        fees_rao=fees or 0,
        held_rao=sum(kept.amount for kept in draft.payout.held),
        unassigned_rao=draft.unassigned,
        payees=len(paid),
        chunks=sum(attempt.state == AttemptState.LANDED for attempt in tried),
        lost_replies=sum("reply was lost" in attempt.error for attempt in tried),
        chain_agrees=settled.state == BatchState.SETTLED and fees is not None and moved == expected,
    )


def write_summary(home: Path, summary: Summary) -> Path:
    """`summary.json` in the rehearsal's home."""
    path = home / "summary.json"
    path.write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")
    return path


def _balances(chain: PayingChain, draft: PayoutBatch, wallet: str) -> dict[str, int]:
    """address -> rao at the finalized block, of the wallet and of everyone whom the draft pays."""
    head = chain.finalized()
    return {
        address: chain.balance(address, head) for address in {wallet, *(line.address for line in draft.payout.lines)}
    }
