"""What a transfer is when it is written down, before anybody has read its words."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.contracts.model.states import TransferState
from valtrac.contracts.store import transfers
from valtrac.core.chain import Transfer
from valtrac.payments.store import attempts


def first_state(conn: sa.Connection, custodian: Custodian, transfer: Transfer) -> tuple[TransferState, str]:
    """(state, kind) of a transfer when it is written down."""
    if transfer.receiver != custodian.account.id:
        return _outgoing(conn, transfer)
    if transfer.asset_id != CORE_ASSET:
        return TransferState.HANDLED, "other_asset"
    if transfer.block in custodian.settings.skipped_blocks or _is_passed_over(conn, transfer.block):
        return TransferState.HANDLED, transfers.SKIPPED
    return TransferState.WAITING, ""


def _outgoing(conn: sa.Connection, transfer: Transfer) -> tuple[TransferState, str]:
    """(state, kind) of a transfer that left the custodian: ours, from before this ledger, or not ours; so is one of
    which it was said that it never left: what it paid may have been paid once more since."""
    ours = [transfer.tx_id] if transfer.tx_id else []
    if attempts.known(conn, ours) - attempts.ruled_dead(conn, ours):
        return TransferState.HANDLED, "ours"
    baseline = transfers.cursor(conn, transfers.BASELINE)
    if baseline is not None and transfer.block <= baseline.block:
        return TransferState.HANDLED, "before"
    return TransferState.UNRULED, "foreign"


def _is_passed_over(conn: sa.Connection, block: int) -> bool:
    """Whether the owner wanted to begin after this block: it is read for what left the account, not for requests."""
    last = transfers.cursor(conn, transfers.PASSED_OVER)
    return last is not None and block <= last.block
