"""`run.py payout verify`: is every payment still where the ledger says that it landed?"""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import Json, opened, screen
from menus.frame.layout import count
from valtrac.core.errors import Refused


def verify(
    batch_id: Annotated[int | None, typer.Argument(help="One batch alone; without it, all of them.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Look every payment that landed up once more; one that is gone is handed over again as the same bytes."""
    from valtrac.payments import verify as payments

    ui, valtrac = screen(as_json), opened()
    try:
        done = payments.verify(valtrac.door(), valtrac.chain.send, batch_id=batch_id)
    finally:
        valtrac.close()
    if as_json:
        ui.records([{"tx_id": gone.attempt.tx_id, "words": gone.words} for gone in done.gone])
    if done.gone:
        raise Refused(
            f"{count(len(done.gone), 'transaction')} of {done.looked_up} are not where the ledger has them",
            why="the chain's history has changed since, or a node tells another one",
            fix="ask another node, and compare with an explorer; pay nothing more until it is clear",
            problems=[f"{gone.attempt.tx_id}: {gone.words}" for gone in done.gone],
        )
    ui.done(f"{count(done.looked_up, 'transaction')} looked up: each stands in the block that the ledger names.")
