"""References that the owner gave out, by which a loan is known that comes from no manager."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.store import tables as t
from valtrac.database.engine import genesis_of

L = t.loan_references.c


def give(conn: sa.Connection, reference: str, name: str, words: str) -> None:
    """Write down that an account may lend under a reference."""
    conn.execute(
        t.loan_references.insert().values(
            genesis=genesis_of(conn), reference=reference, name=name, words=words, at=datetime.now(UTC)
        )
    )


def given(conn: sa.Connection, reference: str) -> str | None:
    """The account that a reference was given to; None where nobody gave it out."""
    return conn.execute(sa.select(L.name).where(L.reference == reference)).scalar()


def listed(conn: sa.Connection) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Every reference that was given out, the newest first."""
    return conn.execute(sa.select(L.reference, L.name, L.words, L.at).order_by(L.id.desc())).all()
