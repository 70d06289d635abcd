"""Which blocks a payout may be for: none without a snapshot, none beyond the chain, none that was paid elsewhere."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.payouts.model.plans import Rules
from valtrac.payouts.store import batches
from valtrac.ports import PayingChain
from valtrac.snapshots.files import AHEAD
from valtrac.snapshots.store import claims, rulings, snapshots


class OlderThanThisLedger(Refused):
    """Stakes that were recorded elsewhere would be paid, and nobody has said whether they were paid there."""


def paid_up_to(conn: sa.Connection, hotkey: str, netuid: int | None) -> int | None:
    """The last block that is paid for, by this ledger or, as the owner said, before it; None where neither is so."""
    known = [
        batches.last_paid_block(conn, hotkey, claims.netuid_text(netuid)),
        rulings.paid_before(conn, hotkey) or None,
    ]
    return max((block for block in known if block is not None), default=None)


def check(engine: sa.Engine, hotkey: str, rules: Rules, chain: PayingChain | None) -> None:
    """Raise BadInput or Refused where a draft for these blocks would swallow later payouts or repeat earlier ones."""
    head = None if chain is None else chain.finalized().number
    with reading(engine) as conn:
        last = snapshots.last_block(conn, hotkey, rules.netuid) or 0
        check_end(last, rules)
        in_range = snapshots.places(conn, hotkey, rules.netuid, rules.from_block, rules.to_block)
        newest = max((block for _, block in in_range), default=0)
        if head is not None and newest > head + AHEAD:
            raise Refused(
                f"the snapshot of block {newest} lies far beyond the chain's last block, {head}",
                why="one digit too many in a file would swallow all later payouts",
                fix=f"say that it does not count: run.py snapshot rule-out {newest} --words WHY; "
                "where the node is behind, wait until it has caught up",
            )
        _check_begin(conn, hotkey, rules)


def check_end(last: int, rules: Rules) -> None:
    """Raise BadInput where a range ends after the last snapshot: what comes there later would count as paid."""
    if rules.to_block > last:
        raise BadInput(
            f"to: block {rules.to_block} lies after the last snapshot, which is of block {last}",
            why="snapshots that come there later would count as paid",
            fix=f"--to {last}, or leave it out",
        )


def _check_begin(conn: sa.Connection, hotkey: str, rules: Rules) -> None:
    """Raise Refused for blocks that were paid before this ledger, and for those of which nobody has said so.

    Older than this ledger is what was imported and lies before the first snapshot that it took itself, and before
    everything that it has paid. Its own snapshots need no word.
    """
    check_not_paid_before(conn, hotkey, rules)
    if rulings.paid_before(conn, hotkey) is not None:
        return
    begun = [claim.from_block for claim in claims.held(conn, hotkey, claims.netuid_text(rules.netuid))]
    own = [block for block in (rulings.first_taken(conn, hotkey), *begun) if block is not None]
    until = min([rules.to_block, *(block - 1 for block in own)])
    oldest = rulings.first_imported(conn, hotkey, rules.netuid, rules.from_block, until)
    if oldest is not None:
        raise OlderThanThisLedger(
            f"the stakes from block {oldest} on were recorded before this ledger: up to which block were they paid?",
            why="they were imported, and paying what was paid elsewhere would pay it again",
            fix="say it once: run.py payout begin-after BLOCK, or --log with the old log; 0 where nothing was paid",
        )


def check_not_paid_before(conn: sa.Connection, hotkey: str, rules: Rules) -> None:
    """Raise Refused for blocks that were paid before this ledger, as was said."""
    said = rulings.paid_before(conn, hotkey)
    if said and rules.from_block <= said:
        raise Refused(
            f"blocks up to {said} were paid before this ledger, as was said with payout begin-after",
            why=f"this payout would begin with block {rules.from_block}",
            fix=f"--from {said + 1}, or say another block: run.py payout begin-after BLOCK",
        )
