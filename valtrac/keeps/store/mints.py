"""Deposits of one's own that TBTC is minted with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.keeps.model.minting import STILL_OPEN, MintState
from valtrac.keeps.store import tables as t

M = t.mints.c


@dataclass(frozen=True, slots=True)
class Mint:
    """One of them. lot: satoshi; deposit, keep: "" before its transaction has landed; pay_to: the Bitcoin address that
    the lot is to be paid to, "" before the members have made a key."""

    id: int
    lot: int
    batch_id: int
    line_id: int
    deposit: str
    keep: str
    state: MintState
    pay_to: str
    bitcoin_tx: str
    confirmations: int
    words: str
    created_at: datetime
    changed_at: datetime


def begin(conn: sa.Connection, *, lot: int, batch_id: int, line_id: int) -> int:
    """Write one down that is about to be asked for; its number."""
    now = datetime.now(UTC)
    row = {"genesis": genesis_of(conn), "lot": lot, "batch_id": batch_id, "line_id": line_id, "state": MintState.ASKED}
    added = t.mints.insert().values(**row, created_at=now, changed_at=now).returning(M.id)
    return int(conn.execute(added).scalar_one())


def change(conn: sa.Connection, mint_id: int, **values: Any) -> None:
    """Note what has become of one."""
    if "words" in values:
        values["words"] = values["words"][:500]
    conn.execute(t.mints.update().where(M.id == mint_id).values(**values, changed_at=datetime.now(UTC)))


def listed(conn: sa.Connection, *, still_open: bool = False) -> list[Mint]:
    """All of them, the oldest first; or those that are not over."""
    chosen = sa.select(t.mints).order_by(M.id)
    if still_open:
        chosen = chosen.where(M.state.in_(STILL_OPEN))
    names = Mint.__dataclass_fields__
    rows = ({name: row._mapping[name] for name in names} for row in conn.execute(chosen))
    return [Mint(**{**row, "state": MintState(row["state"])}) for row in rows]
