"""What the tests of users and referrals share: addresses, a database, and a past in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.core.addresses import address_of
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine
from valtrac.payments.store import tables as pt
from valtrac.people.model.terms import Terms
from valtrac.people.store import people
from valtrac.people.store import tables as t
from valtrac.snapshots.model.states import RangeState
from valtrac.snapshots.store import tables as st

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def addr(n: int) -> str:
    return address_of(n.to_bytes(32, "big"))


A, B, C, D, E = (addr(n) for n in range(1, 6))


def new_engine(tmp_path: Path) -> sa.Engine:
    return open_engine(f"sqlite:///{tmp_path}/v.sqlite")


def snapshot_at(engine: sa.Engine, block: int) -> None:
    with writing(engine) as conn:
        digest = block.to_bytes(32, "big")
        roster = conn.execute(
            st.rosters.insert().values(digest=digest, ids=b"").returning(st.rosters.c.id)
        ).scalar_one()
        conn.execute(
            st.snapshots.insert().values(
                genesis="",
                hotkey=addr(90),
                netuid=1,
                block=block,
                block_hash="0x",
                at=NOON,
                owner=addr(91),
                owner_stake=0,
                others_stake=0,
                verified=True,
                heads=0,
                roster_id=roster,
                depth=0,
                stakes=b"",
                digest=digest,
            )
        )


def paid_up_to(engine: sa.Engine, block: int, state: str = "settled") -> None:
    claimed = {"draft": RangeState.PLANNED, "void": RangeState.VOID}.get(state, RangeState.HELD)
    with writing(engine) as conn:
        row = {"genesis": "", "producer": "payouts", "state": state, "wallet": addr(91), "fee": 0, "total": 1}
        row |= {"spec": "{}", "plan": "{}", "inputs_hash": "", "created_at": NOON}
        batch_id = conn.execute(pt.batches.insert().values(row).returning(pt.batches.c.id)).scalar_one()
        blocks = {"hotkey": addr(90), "netuid": "1", "from_block": 0, "to_block": block}
        conn.execute(st.claimed_ranges.insert().values(genesis="", batch_id=batch_id, state=claimed, **blocks))


def terms_of(engine: sa.Engine) -> Terms:
    with reading(engine) as conn:
        return people.terms(conn)


def everything(engine: sa.Engine) -> list[list[tuple[Any, ...]]]:
    """Every row about people, to see that nothing changed."""
    tables = (t.users, t.renames, t.user_terms, t.address_terms, t.payout_terms, t.referral_terms, t.rate_terms)
    with reading(engine) as conn:
        return [[tuple(row) for row in conn.execute(sa.select(table).order_by(table.c.id))] for table in tables]


def spans(terms: Iterable[Any]) -> list[tuple[int, int | None]]:
    return [(term.span.from_block, term.span.until_block) for term in terms]
