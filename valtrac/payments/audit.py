"""Whether the chain of receipts is whole."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.payments.store import ledger


def audit(engine: sa.Engine) -> tuple[int, str | None]:
    """Walk the chain of receipts: how many there are, and the hash of the first that does not follow."""
    with reading(engine) as conn:
        return len(ledger.receipts(conn)), ledger.broken_receipt(conn)
