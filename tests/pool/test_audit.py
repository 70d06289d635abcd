"""What `pool verify` says of payments after the chain has exchanged its newest blocks."""

from __future__ import annotations

from collections.abc import Callable

from tests.pool_world import World
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.payments.store import attempts
from valtrac.pool.audit import audit

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
