"""The logger `stakes`: a snapshot of one hotkey at every N-th finalized block."""

from __future__ import annotations

from contextlib import suppress

from valtrac import settings as config
from valtrac.core.addresses import shortened
from valtrac.core.errors import ValtracError
from valtrac.database.engine import reading
from valtrac.loggers import loop
from valtrac.loggers.loop import Tick
from valtrac.loggers.recording import record
from valtrac.snapshots.store import snapshots as stored
from valtrac.wiring.payouts import App

WORD, STARTED_BY, NAME = "stakes", "logger start", "valtrac-stakes"
BLOCK_TIME_S = 12.0
LONGEST_POLL_S = 60.0
LOOK_S = 1.0  # the rehearsal chain goes at a pace of its own
KEPT_BLOCKS = 200  # a pruning node keeps the state of the last 256 blocks


def name_of(hotkey: str) -> str:
    """The name of a hotkey's logger, as pm2 lists it: short, and the same for ever."""
    return f"{NAME}-{hotkey[:6]}{hotkey[-6:]}"


def tick(app: App, hotkey: str) -> Tick:
    """Take the snapshot that is due, if any, and say how long to wait for the next.

    Due are the multiples of the interval, so that a restart neither shifts nor doubles them. One
    that was missed is taken late: at its block while a pruning node still has it, else at the head.
    """
    interval = app.settings.snapshot_interval
    chain = app.chain
    head = chain.finalized()
    due = head.number - head.number % interval
    with reading(app.engine) as conn:
        last = stored.last_block(conn, hotkey, None)
    wait_s = LOOK_S if app.settings.network == "devnet" else _wait_s(due + interval - head.number)
    if due == 0 or (last is not None and last >= due):
        return Tick(last, "", wait_s)
    snapshot_head = chain.block(due).head if 0 < head.number - due <= KEPT_BLOCKS else head
    recorded = record(app, hotkey, at=snapshot_head)
    with suppress(ValtracError):  # the first screen tells it; a home without a wallet has none
        app.liquidity()
    done, stopped = recorded.taken, recorded.unproven
    heads = sum(len(snapshot.stakes) for snapshot, new in done.stored if new)
    words = f"block {snapshot_head.number}: {heads} readings of {shortened(hotkey)}, {len(done.stored)} snapshots"
    missing = [f"not stored: {why}" for why in done.refused]
    left = [f"not asked any more: {node}" for node in chain.left]
    said = [
        words,
        *missing,
        recorded.price,
        *left,
        f"nothing counts as proven to be final: {stopped}" if stopped else "",
    ]
    return Tick(snapshot_head.number, "; ".join(filter(None, said)), wait_s)


def run(hotkey: str | None) -> None:
    """Take every snapshot of a hotkey until told to stop. hotkey: None for the one of the settings."""
    app = App(config.load())
    try:
        chosen = app.hotkey(hotkey)
        loop.note(app.settings.warnings)
        loop.run(name_of(chosen), lambda: tick(app, chosen), app.settings.logs)
    finally:
        app.close()


def _wait_s(blocks: int) -> float:
    """Until the next one is due, looking now and then: the chain may be faster than its usual pace."""
    return max(1.0, min(blocks * BLOCK_TIME_S / 2, LONGEST_POLL_S))
