"""The logger `agreements`: reads every irreversible block for requests to the custodian."""

from __future__ import annotations

import time

from valtrac.contracts import listener
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.loggers import locked
from valtrac.loggers.loop import Tick
from valtrac.wiring.contracts import ContractsApp

WORD, STARTED_BY, NAME = "agreements", "contracts start", "valtrac-agreements"
BLOCK_S = 3.0
LOOK_S = 1.0  # the rehearsal chain goes at a pace of its own
KEEP_UP_S = 120.0
ONE_NODE = "one node is trusted: name another in VALTRAC_BITSHARES_SECOND_NODE"
SAID_EVERY = 1_000  # blocks: while catching up, how often it says how far it is


def tick(app: ContractsApp, *, most: int = 5_000) -> Tick:
    """Read on; at once again while there is more. Locked, it reads all but encrypted memos, which wait."""
    try:
        if not app.announced:
            listener.note_start(app.custodian)
            app.announced = True
        stands_still = _stands_still(app)
        done = listener.listen(app.custodian, most=most)
    except Refused as error:  # another listener, or another chain: to be seen, not to be given up
        return Tick(None, error.what, 30.0)
    except ChainUnreachable:
        raise
    except ValtracError as error:
        return Tick(None, error.what, 30.0)
    words = [stands_still] if stands_still else []
    if done.transfers:
        words.append(f"{_count(done.transfers, 'transfer')} up to block {done.block}")
    if done.unread and app.locked:
        words.append(f"{_count(done.unread, 'memo')} not read: locked; unlock it under Stake contracts")
    if done.parked:
        words.append(f"{_count(done.parked, 'transfer')} for your word")
    if done.behind:
        words.append(f"{done.behind:,} blocks behind")
    if app.trusts_one_node:
        words.append(ONE_NODE)
    wait_s = LOOK_S if app.settings.bitshares_network == "devnet" else BLOCK_S
    return Tick(done.block, "; ".join(words), 0.0 if done.behind > 1 else wait_s)


def _stands_still(app: ContractsApp) -> str:
    """Words where the node has stood still, looked for now and then: what it does not tell looks like peace."""
    if time.monotonic() < app.look_at:
        return ""
    app.look_at = time.monotonic() + KEEP_UP_S
    return app.keep_up()


def run(hotkey: str | None) -> None:
    """Read on until told to stop; locked until somebody hands the keys in. hotkey: of no use here."""
    locked.run_contracts(NAME, tick)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
