"""Which transactions are open, without loading anything heavy: asked while an error is told."""

from __future__ import annotations

from pathlib import Path

from valtrac.database.counts import rows_of


def open_transactions(url: str | Path) -> list[tuple[str, int]] | None:
    """(transaction's id, batch) of each that was signed and whose fate is not known; None where nobody can say."""
    rows = rows_of(
        url,
        "attempts",
        "SELECT attempts.tx_id, chunks.batch_id FROM attempts JOIN chunks ON chunks.id = attempts.chunk_id "
        "WHERE attempts.state IN ('signed', 'sent') ORDER BY attempts.id",
    )
    return None if rows is None else [(str(tx_id), int(batch_id)) for tx_id, batch_id in rows]
