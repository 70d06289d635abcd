"""What came in by the word of one node: whether its sender has signed it."""

from __future__ import annotations

from datetime import datetime, timedelta

from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.core.chain import Head, Transfer

KEYS_OF_NOW = timedelta(days=1)  # what is older may have been signed by keys that its sender has changed since
NOT_SIGNED = "it is not signed by keys that its sender has now, and one node alone tells of it"


def doubt_of(custodian: Custodian, transfer: Transfer, at: datetime, head: Head) -> str:
    """Why money that came in may never have been sent, or "". None where two nodes have told the same block."""
    came_in = transfer.receiver == custodian.account.id and transfer.asset_id == CORE_ASSET
    if not came_in or custodian.witnesses or head.at - at > KEYS_OF_NOW:
        return ""
    return "" if custodian.chain.may_sign(transfer.sender, transfer.signers) else NOT_SIGNED
