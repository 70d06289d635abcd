"""What `pool verify` says of payments after the chain has exchanged its newest blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from menus.pool import records
from tests.pool_world import World
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.payments.model.states import AttemptState
from valtrac.payments.store import attempts
from valtrac.pool import overview
from valtrac.pool.audit import audit
from valtrac.reports.pool import by_day

Pools = Callable[..., World]


def paid(pools: Pools) -> tuple[World, int]:
    """A pool after its first payday, and the block that the payment stands in."""
    world = pools()
    world.look()
    world.win()
    world.midnight()
    world.pay()
    with reading(world.engine) as conn:
        (landed,) = attempts.landed(conn, None)
    assert landed.block is not None
    return world, landed.block


def test_a_payment_that_stands_in_another_block_now_is_shown_and_no_problem(pools: Pools) -> None:
    world, block = paid(pools)
    before = audit(world.pool)
    assert before.problems == () and before.moved == ()
    qtum.reorganise(world.folder, world.height - block + 1, keep=True)
    world.blocks(8)
    told = audit(world.pool)
    assert told.problems == () and told.unexplained == 0
    (moved,) = told.moved
    assert moved.head.number >= block and moved.head.hash != moved.attempt.block_hash
    assert told.verified is not None and told.verified.gone == () and told.verified.there == ()


def test_a_payment_that_stands_nowhere_is_a_problem(pools: Pools) -> None:
    world, block = paid(pools)
    qtum.reorganise(world.folder, world.height - block + 1, keep=False)
    world.blocks(8)
    told = audit(world.pool)
    assert told.moved == ()
    assert len(told.problems) == 1 and "no final block holds it" in told.problems[0]


def test_a_payday_is_paid_only_as_far_as_final_blocks_hold_it(pools: Pools) -> None:
    world, _ = paid(pools)
    (shown,) = overview.payouts(world.pool)
    told, now = audit(world.pool), overview.now(world.pool, None)
    assert shown.paid == shown.payday["paid"] == told.landed == told.paid == now.last_paid > 0
    on_the_way = replace(shown, attempts=tuple(replace(each, state=AttemptState.SENT) for each in shown.attempts))
    assert on_the_way.paid == 0
    assert records.payday(on_the_way)["paid_qtum"] == "0.00000000"
    assert records.payday(on_the_way)["to_pay_qtum"] == records.payday(shown)["paid_qtum"]
    assert [day.paid for day in by_day(world.engine) if day.paid] == [shown.paid / 10**8]
