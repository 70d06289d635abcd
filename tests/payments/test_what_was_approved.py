"""What is sent is what the owner approved: not a draft, no range twice, no figure that changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.payments.doorway import ready
from tests.payout_world import TAO, World, address, owed
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.payments.store import batches, ledger
from valtrac.payouts import approvals, drafts
from valtrac.people import users


def test_a_draft_is_not_sent(world: World) -> None:
    batch = world.people().day().draft()
    with pytest.raises(Refused, match="draft"):
        world.send(batch)
    assert world.received() == {}


def test_only_the_exact_total_approves(world: World) -> None:
    batch = world.people().day().draft()
    for wrong in ("7", decimal_text(batch.total + 1), "-1", "NaN", "1e3", "", "٧"):
        with pytest.raises(BadInput, match="total"):
            approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, wrong)
    assert (
        approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, decimal_text(batch.total)).state
        == "approved"
    )


def test_a_change_of_what_was_shown_voids_the_draft_and_says_what_changed(world: World) -> None:
    batch = world.people().day().draft()
    users.add_address(world.engine, "u001", address(50), from_block=0)
    users.set_payout(world.engine, "u001", address(50), from_block=0)
    with pytest.raises(Refused, match="changed since") as refused:
        approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, decimal_text(batch.total))
    assert any("u001" in line and address(50) in line for line in refused.value.problems)


def test_a_change_after_the_approval_voids_it_before_anything_is_signed(world: World) -> None:
    batch = ready(world)
    with reading(world.engine) as conn:
        before = ledger.held(conn)
    _rewrite_a_term(world)
    with pytest.raises(Refused, match="void"):
        world.send(batch)
    with reading(world.engine) as conn:
        assert batches.get(conn, batch.id).state == "void"
        assert ledger.held(conn) == before == {}
    assert world.received() == {}


def _rewrite_a_term(world: World) -> None:
    """What the commands refuse once a range is approved: a term that reaches back into it."""
    from valtrac.database.engine import writing
    from valtrac.people.store import tables as t

    with writing(world.engine) as conn:
        conn.execute(t.payout_terms.update().where(t.payout_terms.c.address == address(2)).values(until_block=1))


def test_a_range_is_paid_once_unless_a_reason_is_given(world: World) -> None:
    batch = ready(world)
    again = world.draft(from_block=batch.from_block, to_block=batch.to_block)
    with pytest.raises(Refused, match=f"batch #{batch.id} already pays"):
        approvals.approve(world.engine, world.app.settings, world.app.caps, again.id, decimal_text(again.total))
    both = approvals.approve(
        world.engine,
        world.app.settings,
        world.app.caps,
        again.id,
        decimal_text(again.total),
        overlap_reason="a bonus for the same days",
    )
    assert both.overlap_reason == "a bonus for the same days"


def test_the_next_range_begins_after_the_last_approved_one(world: World) -> None:
    batch = ready(world)
    with pytest.raises(Refused, match="in a batch already"):
        world.draft()
    world.day(1)
    assert world.draft().from_block == batch.to_block + 1


def test_a_voided_batch_frees_its_range_and_its_balances(world: World) -> None:
    batch = ready(world, minimum=2 * TAO)
    with reading(world.engine) as conn:
        assert sum(ledger.held(conn).values()) == sum(kept.amount for kept in batch.payout.held) > 0
    approvals.void(world.engine, batch.id, "a typo in the pool")
    with reading(world.engine) as conn:
        assert ledger.held(conn) == {}
    assert world.approved().from_block == batch.from_block


def test_held_balances_are_released_by_a_later_batch_and_only_once(world: World) -> None:
    first = ready(world, minimum=TAO)
    world.send(first)
    held = {kept.user: kept.amount for kept in first.payout.held}
    assert held
    second = world.day(1).approved()
    assert {line.user: line.released for line in second.payout.lines if line.released} == held
    world.send(second)
    total = {name: owed(first).get(name, 0) + owed(second).get(name, 0) for name in owed(second)}
    assert world.received() == total
    with reading(world.engine) as conn:
        assert ledger.held(conn) == {}


@pytest.mark.parametrize(("cap", "match"), [("cap_payment", "cap per payment"), ("cap_batch", "cap per batch")])
def test_caps_refuse_at_the_approval(tmp_path: Path, cap: str, match: str) -> None:
    world = World(tmp_path, **{cap: TAO})
    batch = world.people().day().draft()
    with pytest.raises(Refused) as refused:
        approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, decimal_text(batch.total))
    assert match in refused.value.why
    world.app.close()


def test_a_plan_needs_no_node_and_says_where_the_fee_comes_from(world: World) -> None:
    world.people().day()
    batch = drafts.draft(world.engine, world.request(fee_per_payee=1000), None)
    assert batch.fee == 7000
    assert any("VALTRAC_FEE_PER_PAYEE" in note for note in batch.payout.notes)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lines SET amount = '9999999999' WHERE position = 0",
        "UPDATE lines SET amount = from_pool, from_pool = '1' WHERE position = 0",
        f"UPDATE lines SET address = '{address(77)}' WHERE position = 0",
    ],
)
def test_figures_that_a_stranger_changed_are_not_paid(world: World, change: str) -> None:
    import sqlalchemy as sa

    batch = ready(world)
    with sa.create_engine(world.app.settings.url).begin() as conn:  # what only a stranger to the triggers can do
        conn.exec_driver_sql("DROP TRIGGER lines_frozen")
        conn.exec_driver_sql(change)
    with pytest.raises(Refused, match="do not add up"):
        world.send(batch)
    assert world.received() == {}


def test_a_plan_whose_parts_were_moved_about_is_not_paid_though_it_adds_up(world: World) -> None:
    import json

    import sqlalchemy as sa

    batch = ready(world)
    with sa.create_engine(world.app.settings.url).begin() as conn:
        for name in ("lines_frozen", "batches_frozen"):
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        plan = json.loads(conn.exec_driver_sql(f"SELECT plan FROM batches WHERE id = {batch.id}").scalar_one())
        for position, change in ((0, 5), (1, -5)):
            plan["lines"][position]["from_pool"] += change
            row = plan["lines"][position]
            amount = row["from_pool"] + row["released"] - row["fee_share"]
            columns = f"from_pool = '{row['from_pool']}', amount = '{amount}'"
            conn.exec_driver_sql(f"UPDATE lines SET {columns} WHERE batch_id = {batch.id} AND position = {position}")
        conn.execute(sa.text("UPDATE batches SET plan = :plan"), {"plan": json.dumps(plan)})
    with pytest.raises(Refused, match="do not add up"):
        world.send(batch)
    assert world.received() == {}


def test_the_door_adds_up_itself_whatever_the_business_says_of_its_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy as sa

    batch = ready(world)
    monkeypatch.setattr(type(world.app.producer), "recheck", lambda *_: None)
    with sa.create_engine(world.app.settings.url).begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER lines_frozen")
        conn.exec_driver_sql("UPDATE lines SET amount = '9999999999' WHERE position = 0")
    with pytest.raises(Refused, match="do not add up"):
        world.send(batch)
    assert world.received() == {}
