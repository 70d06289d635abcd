"""The owner's word on the record of stakes: a snapshot that does not count, and what was paid before this ledger.

Both are entries of their own: nothing that was recorded is changed, and the words are kept for ever.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain, storable
from valtrac.database.engine import writing
from valtrac.snapshots.store import rulings, snapshots, sums

LEAST_WORDS = 5


def rule_out(engine: sa.Engine, hotkey: str, netuid: int | None, block: int, words: str) -> list[int]:
    """Say that the snapshots of a block do not count any more; return their subnets. netuid None: of all subnets.

    Raises BadInput without words or where there is no such snapshot, Refused where a payout was approved for one.
    """
    if len(words.strip()) < LEAST_WORDS:
        raise BadInput(
            "say in a few words why the snapshot does not count",
            why="the words are kept for ever",
            fix='--words "one digit too many in the imported file"',
        )
    with writing(engine) as conn:
        snapshot_of = rulings.at_block(conn, hotkey, netuid, block)
        if not snapshot_of:
            raise BadInput(
                f"there is no snapshot of block {block} that counts", fix="see which there are: run.py snapshot list"
            )
        if paid := rulings.payers_of(conn, hotkey, snapshot_of, block):
            raise Refused(
                f"batch #{paid[0]} pays for the snapshot of block {block}",
                why="what was approved stays as it was shown",
                fix=f"take the batch back where nothing of it was signed: run.py payout void {paid[0]}; "
                "else name the range of the next payout: --from and --allow-overlap",
            )
        rulings.rule_out(conn, snapshot_of.values(), storable(words.strip(), 500))
        sums.void_after(conn, hotkey, snapshot_of, block)
    return sorted(snapshot_of)


def begin_after(engine: sa.Engine, hotkey: str, block: int, words: str = "") -> None:
    """Say up to which block a hotkey was paid for before this ledger; 0: it never was. A later entry takes its place.

    Raises BadInput for a block after the last snapshot: what is recorded after it would never be paid.
    """
    with writing(engine) as conn:
        last = snapshots.last_block(conn, hotkey, None)
        if block < 0 or (block > 0 and (last is None or block > last)):
            raise BadInput(
                "there is no snapshot yet that could have been paid"
                if last is None
                else f"block {plain(block, 20)} lies after the last snapshot, which is of block {last}",
                why="payouts up to that block would be left out for ever",
                fix="import the old stakes first: run.py snapshot import FILE"
                if last is None
                else "look at the number once more; 0 says that nothing was paid",
            )
        rulings.begin_after(conn, hotkey, block, storable(words.strip(), 500))
