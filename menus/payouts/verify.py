"""`run.py payout verify`: is every payment still where the ledger says that it landed, and is that final?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from menus.frame.commands import Json, opened, screen
from menus.frame.layout import count
from valtrac.core.errors import Refused
from valtrac.core.finality import Finality

if TYPE_CHECKING:
    from valtrac.payments.verify import There, Verified

MEANING = {
    Finality.PROVEN: "proven to be final by the votes of pinned authorities",
    Finality.AGREED: "agreed: two nodes say that it is final",
    Finality.BELIEVED: "believed: one node says that it is final",
}


def verify(
    batch_id: Annotated[int | None, typer.Argument(help="One batch alone; without it, all of them.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Look every payment that landed up once more; one that is gone is handed over again as the same bytes."""
    from valtrac.payments import verify as payments

    ui, valtrac = screen(as_json), opened()
    try:
        valtrac.finality.keep_up()
        done = payments.verify(valtrac.door(), valtrac.chain.send, batch_id=batch_id)
        left = valtrac.chain.left
    finally:
        valtrac.close()
    for words in left:
        ui.warn(f"A node is not asked any more: {words}")
    if as_json:
        ui.records(records(done))
    if done.gone:
        raise Refused(
            f"{count(len(done.gone), 'transaction')} of {done.looked_up} are not where the ledger has them",
            why="the chain's history has changed since, or a node tells another one",
            fix="ask another node, and compare with an explorer; pay nothing more until it is clear",
            problems=[f"{gone.attempt.tx_id}: {gone.words}" for gone in done.gone],
        )
    if not done.looked_up:
        ui.say("No transaction of this ledger has landed yet: there is nothing to look up.")
        return
    ui.done(f"{count(done.looked_up, 'transaction')} looked up: each stands in the block that the ledger names.")
    how_final(ui, done.there)


def how_final(ui: Any, there: Sequence[There]) -> None:
    """How many of them stand in a block that is proven, agreed or believed to be final, and why not proven."""
    for finality, meaning in MEANING.items():
        so_far = [transaction for transaction in there if transaction.known.finality == finality]
        if not so_far:
            continue
        blocks = sorted({transaction.attempt.block or 0 for transaction in so_far})
        where = f"block {blocks[0]}" if len(blocks) == 1 else f"blocks {blocks[0]} to {blocks[-1]}"
        ui.say(f"{count(len(so_far), 'transaction')} in {where}: {meaning}.")
        for words in sorted({transaction.known.words for transaction in so_far} - {""}):
            if finality != Finality.PROVEN:
                ui.hint(f"Not proven: {words}.")


def records(done: Verified) -> list[dict[str, Any]]:
    """Each transaction for a program. finality: proven, agreed or believed, None where it is gone."""
    there = [
        {
            "tx_id": transaction.attempt.tx_id,
            "block": transaction.attempt.block,
            "there": True,
            "finality": str(transaction.known.finality),
            "words": transaction.known.words,
        }
        for transaction in done.there
    ]
    gone = [
        {
            "tx_id": transaction.attempt.tx_id,
            "block": transaction.attempt.block,
            "there": False,
            "finality": None,
            "words": transaction.words,
        }
        for transaction in done.gone
    ]
    return there + gone
