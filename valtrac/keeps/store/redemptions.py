"""Redemptions, and everything that was done about keeps, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.keeps.model.progress import OPEN, Action, RedemptionState
from valtrac.keeps.store import tables as t

R, A = t.redemptions.c, t.actions.c
REFUSED = "its transaction failed"
SAVED_BY_ANOTHER = "saved by another: somebody else has asked for it first"


@dataclass(frozen=True, slots=True)
class Redemption:
    """One redemption. cost: the most TBTC that it may take, taken: what it took, None before it did; value: what our
    operators would have lost; coin, fee: satoshi; since: of the request or the last increase, seconds since 1970."""

    id: int
    keep_id: int
    deposit: str
    keep: str
    batch_id: int
    line_id: int
    route: str
    cost: int
    value: int
    coin: int
    fee: int
    script: bytes
    reason: str
    state: RedemptionState
    tx_id: str
    taken: int | None
    requested_block: int | None
    since: int | None
    increases: int
    bitcoin_tx: str
    confirmations: int
    words: str
    created_at: datetime
    changed_at: datetime

    @property
    def refused(self) -> bool:
        """Whether its transaction stood in a block and failed there, and nobody else was faster."""
        return self.state is RedemptionState.FAILED and self.words == REFUSED

    @property
    def saved_by_another(self) -> bool:
        """Whether it failed because somebody else was faster: the keep is saved all the same."""
        return self.state is RedemptionState.FAILED and self.words == SAVED_BY_ANOTHER


@dataclass(frozen=True, slots=True)
class Acted:
    """One line of the audit log. deposit: "" where it is about none. tbtc, ether: what it took, in wei."""

    id: int
    at: datetime
    deposit: str
    action: Action
    words: str
    batch_id: int | None
    tx_id: str
    tbtc: int
    ether: int
    block: int


def begin(conn: sa.Connection, keep_id: int, values: Mapping[str, Any]) -> int:
    """Write a redemption down that is about to be asked for; its number. The index allows one that is open a keep."""
    now = datetime.now(UTC)
    row = {"genesis": genesis_of(conn), "keep_id": keep_id, "created_at": now, "changed_at": now, **values}
    row |= {"state": RedemptionState.ASKED, "reason": row["reason"][:500]}
    return int(conn.execute(t.redemptions.insert().values(row).returning(R.id)).scalar_one())


def change(conn: sa.Connection, redemption_id: int, **values: Any) -> None:
    """Note what has become of one."""
    if "words" in values:
        values["words"] = values["words"][:500]
    conn.execute(t.redemptions.update().where(R.id == redemption_id).values(**values, changed_at=datetime.now(UTC)))


def listed(conn: sa.Connection, *, still_open: bool = False, keep_id: int | None = None) -> list[Redemption]:
    """Redemptions, the oldest first."""
    chosen = sa.select(t.redemptions, t.keeps.c.deposit, t.keeps.c.keep).join(t.keeps, t.keeps.c.id == R.keep_id)
    if still_open:
        chosen = chosen.where(R.state.in_(OPEN))
    if keep_id is not None:
        chosen = chosen.where(R.keep_id == keep_id)
    return [_redemption(row) for row in conn.execute(chosen.order_by(R.id))]


def of_lines(conn: sa.Connection, line_ids: list[int]) -> dict[int, Redemption]:
    """line -> its redemption, of those lines that are one."""
    return {each.line_id: each for each in listed(conn) if each.line_id in line_ids}


def act(
    conn: sa.Connection,
    action: Action,
    words: str,
    *,
    keep_id: int | None = None,
    batch_id: int | None = None,
    tx_id: str = "",
    tbtc: int = 0,
    ether: int = 0,
    block: int = 0,
) -> None:
    """Add a line to the audit log."""
    conn.execute(
        t.actions.insert().values(
            genesis=genesis_of(conn),
            keep_id=keep_id,
            action=action,
            words=words[:500],
            batch_id=batch_id,
            tx_id=tx_id,
            tbtc=tbtc,
            ether=ether,
            block=block,
            at=datetime.now(UTC),
        )
    )


def actions(
    conn: sa.Connection, *, keep_id: int | None = None, since: datetime | None = None, most: int | None = None
) -> list[Acted]:
    """The audit log, the oldest first; the newest of it where there is more than `most`."""
    chosen = sa.select(t.actions, t.keeps.c.deposit).outerjoin(t.keeps, t.keeps.c.id == A.keep_id)
    if keep_id is not None:
        chosen = chosen.where(A.keep_id == keep_id)
    rows = conn.execute(chosen.order_by(A.id.desc()).limit(most)).all()
    acted = [_acted(row) for row in reversed(rows)]
    return [each for each in acted if since is None or each.at >= since]


def last_words(conn: sa.Connection, keep_id: int, action: Action) -> str:
    """The words of the newest action of a kind about a keep; "" before any."""
    chosen = sa.select(A.words).where(A.keep_id == keep_id, A.action == action).order_by(A.id.desc()).limit(1)
    return conn.execute(chosen).scalar() or ""


def _redemption(row: sa.Row[Any]) -> Redemption:
    names = {name: row._mapping[name] for name in Redemption.__dataclass_fields__}
    return Redemption(**{**names, "state": RedemptionState(row.state), "script": bytes.fromhex(row.script)})


def _acted(row: sa.Row[Any]) -> Acted:
    names = {name: row._mapping[name] for name in Acted.__dataclass_fields__}
    return Acted(**{**names, "action": Action(row.action), "deposit": row.deposit or ""})
