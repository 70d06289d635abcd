"""The database lets a due take only the steps that it may."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

import tests.contracts_world
from tests import databases
from tests.contracts_world import World
from tests.custody_world import begun, bts, sums
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import tables as t
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine

LEGAL = {tuple(arc.split(">")) for arc in DueState.arcs()}
STATES = sorted({state for arc in LEGAL for state in arc})
ILLEGAL = [(a, b) for a in STATES for b in STATES if a != b and (a, b) not in LEGAL]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_database_refuses_every_step_that_a_payment_may_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = databases.fresh(kind, tmp_path)
    monkeypatch.setattr(tests.contracts_world, "open_engine", lambda _: open_engine(url))
    world = World(tmp_path)
    try:
        begun(world)
        world.days(31)
        world.round()
        assert sums(world, "ann") == [bts(1), bts(2_000)]
        with reading(world.engine) as conn:
            row = dict(conn.execute(sa.select(t.dues).where(t.dues.c.type == "principal").limit(1)).one()._mapping)
        for place, (before, after) in enumerate(ILLEGAL):
            made = {**row, "number": 100 + place, "state": before, "line_id": None}
            del made["id"]
            with writing(world.engine) as conn:
                number = conn.execute(t.dues.insert().values(made).returning(t.dues.c.id)).scalar_one()
            with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                conn.execute(t.dues.update().where(t.dues.c.id == number).values(state=after))
        for values in ({"units": 1}, {"due_at": world.now}, {"account": "1.2.0"}, {"memo": "x"}):
            with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                conn.execute(t.dues.update().values(values))
        for table in (t.dues, t.operations, t.contracts, t.events, t.moves, t.cursors):
            with reading(world.engine) as conn:
                filled = conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            if filled:
                with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                    conn.execute(table.delete())
        with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
            conn.execute(t.events.update().values(msg="{}"))
    finally:
        world.close()
