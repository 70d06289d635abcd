"""What is written down of a database that came out of a backup: the only SQL for it."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.payments.model.states import Restore
from valtrac.payments.store import tables as t

R = t.restores.c


def not_compared(conn: sa.Connection) -> datetime | None:
    """When the backup was made that this database came out of, where nothing was compared with the chain since."""
    row = conn.execute(sa.select(R.kind, R.made_at).order_by(R.id.desc()).limit(1)).first()
    return row.made_at if row is not None and row.kind == Restore.RESTORED else None


def wallets(conn: sa.Connection) -> set[str]:
    """The wallets that batches here are paid from."""
    return set(conn.execute(sa.select(t.batches.c.wallet).distinct()).scalars()) - {""}


def note(conn: sa.Connection, kind: Restore, made_at: datetime, words: str) -> None:
    """Write down that it was restored, or compared. made_at: of the backup, UTC."""
    conn.execute(t.restores.insert().values(made_at=made_at, kind=kind, words=words[:500], at=datetime.now(UTC)))
