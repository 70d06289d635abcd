"""Payments that another copy of this ledger has made: known by the number in their memo, and booked as paid."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.contracts import rulings
from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.contracts.marks import number_of
from valtrac.contracts.model.contracts import OPEN_STATES, Due
from valtrac.contracts.model.states import TransferState
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading, writing


def adopt_copies(custodian: Custodian) -> int:
    """Book what left the account, is not in the journal and carries the number of an open payment of ours: a copy of
    these books has made it. Returns how many.

    One whose own transaction is still under way waits for the end of that: it may only die, now that the other landed.
    """
    with reading(custodian.engine) as conn:
        left = [unruled for unruled in transfers.listed(conn, TransferState.UNRULED) if unruled.sealed is not None]
    done = 0
    for transfer in left:
        try:
            with writing(custodian.engine) as conn:
                done += _adopt(conn, custodian, transfer)
        except BadInput:
            continue
    return done


def _adopt(conn: sa.Connection, custodian: Custodian, transfer: RecordedTransfer) -> bool:
    fresh = transfers.get(conn, transfer.id)
    due = _made(conn, fresh)
    if fresh.state != TransferState.UNRULED or due is None:
        return False
    rulings.adopt(conn, custodian, fresh, due)
    msg = {"no": fresh.id, "pays": due.id, "words": "made by another copy of this ledger", "block_num": fresh.block}
    audit_events.add(conn, "ruled", msg, nonce=due.nonce, name=due.name)
    return True


def _made(conn: sa.Connection, transfer: RecordedTransfer) -> Due | None:
    """The open payment that a transfer was, by the number in its memo and by whom it paid how much."""
    if transfer.sealed is None or transfer.asset_id != CORE_ASSET:
        return None
    for due in contracts.in_states(conn, *OPEN_STATES):
        same = (due.account, due.units) == (transfer.account, transfer.units)
        if same and not due.was_paid_before and str(number_of(conn, due)) == transfer.sealed.nonce:
            return due
    return None
