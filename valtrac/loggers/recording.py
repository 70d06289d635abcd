"""What is written down with a snapshot, whoever asks for one: the job, a command, a menu."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.chain import Head
from valtrac.people import destinations
from valtrac.reports import prices
from valtrac.snapshots import files, snapshots
from valtrac.wiring.payouts import App


@dataclass(frozen=True, slots=True)
class Recorded:
    """taken: the snapshots. price: what is to be said of the price, unproven: why nothing counts as proven to be final;
    "" where there is nothing to say."""

    taken: snapshots.Taken
    price: str
    unproven: str


def record(app: App, hotkey: str, netuid: int | None = None, *, at: Head | None = None) -> Recorded:
    """Take a snapshot, note the price of its time, look for coldkey swaps, and follow who decides what is final.

    netuid: only this subnet, None for those of the settings. at: a final block, None for the newest. Raises as
    `snapshots.take`, and ChainUnreachable.
    """
    taken = snapshots.take(
        app.engine,
        app.chain,
        hotkey,
        netuid,
        only=app.settings.subnets,
        at=at,
        mirror=lambda snapshot: files.mirror(app.settings.logs, snapshot),
    )
    moment = at.at if at is not None else taken.stored[0][0].at
    price = prices.note(app.engine, app.prices, moment)
    destinations.look_for_swaps(app.engine, app.chain, destinations.in_use(app.engine), app.witnesses)
    return Recorded(taken, price, app.finality.keep_up())
