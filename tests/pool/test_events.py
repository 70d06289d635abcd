"""What a pool tells: rewards, what was undone, paydays, and states that last."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.pool.ledger_world import COIN, FIRST, NOON, credited, looked, opened
from valtrac.core.events import OWNER, PUBLIC
from valtrac.database.engine import writing
from valtrac.pool import watch
from valtrac.pool.events import KINDS, STATES, PoolEvents
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.store import blocks, paydays

WEIGHTS = {"QannA": 100 * COIN, "QbobB": 300 * COIN}


def test_a_reward_is_told_once_with_its_figures_and_how_to_see_more(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    credited(engine, looked(1), WEIGHTS)
    (told,) = PoolEvents(engine).facts(NOON)
    assert told.kind == "pool.reward" and told.audience == OWNER
    assert told.words == f"Block {FIRST + 1} brought 4.00000000 QTUM, won by the coins of QDelegate."
    assert told.short == f"blk {FIRST + 1} stk 1574.5 rwd 4.000"
    assert told.fix == f"run.py pool explain {FIRST + 1}"
    assert [event.id for event in PoolEvents(engine).facts(NOON)] == [told.id]
    assert list(PoolEvents(engine).facts(NOON + timedelta(hours=1))) == []


def test_an_own_block_and_a_reward_of_nobody_have_kinds_of_their_own(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with writing(engine) as conn:
        blocks.add(conn, looked(1, Won.OWN))
        blocks.add(conn, looked(2, Won.OTHERS))
    credited(engine, looked(3), {})
    assert [event.kind for event in PoolEvents(engine).facts(NOON)] == ["pool.own-block", "pool.unshared"]


def test_a_reward_that_was_undone_is_told_beside_it(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    block_id = credited(engine, looked(1), WEIGHTS)
    with writing(engine) as conn:
        blocks.undo(conn, block_id, NOON + timedelta(hours=2))
    later = list(PoolEvents(engine).facts(NOON + timedelta(hours=1)))
    assert [event.kind for event in later] == ["pool.reward", "pool.undone"]
    assert "booked out again" in later[1].words


def test_the_public_hears_of_a_payday_and_nothing_of_the_revenue(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    values = {"height": 1, "batch_id": None, "fee_bps": 1_200, "minimum": 1, "revenue": 77_000_000, "paid": 500_000_000}
    with writing(engine) as conn:
        paydays.add(
            conn,
            {**values, "due_at": NOON, "carried": 5, "delegates_paid": 2, "delegates_carried": 1, "at": NOON},
        )
    owner, public = PoolEvents(engine).facts(NOON)
    assert (owner.audience, public.audience) == (OWNER, PUBLIC)
    assert "revenue 0.77 QTUM" in owner.words
    assert owner.short == "2get 5.00 revenue 0.77"
    assert "revenue" not in public.words + public.short
    assert public.fix == ""


def test_states_are_told_while_they_last(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    assert watch.note(engine, watch.NOT_STAKING, "wallet \x1b[2Jlocked", NOON)
    assert not watch.note(engine, watch.NOT_STAKING, "again", NOON)
    (told,) = PoolEvents(engine).states(NOON)
    assert told.kind == "pool.not-staking" and told.fix == "run.py pool check"
    assert "\x1b" not in told.words
    assert watch.over(engine, watch.NOT_STAKING, NOON)
    assert list(PoolEvents(engine).states(NOON)) == []


def test_every_state_that_is_watched_can_be_told() -> None:
    assert set(STATES) == set(watch.KINDS)
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_the_hourly_figures_are_those_of_the_old_program(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    assert PoolEvents(engine).status(NOON) is None
    credited(engine, looked(1), WEIGHTS)
    status = PoolEvents(engine).status(NOON)
    assert status is not None
    assert status.short == f"stk 1574.5 bal 8915.3 blk {FIRST + 1} mwt 71617 dwt 607820 stking yes"
    assert len(status.short) <= 160
