"""What one node says and another does not is credited to nobody; when they agree again, it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pool.test_worked_examples import spend
from tests.pool_world import COIN, World
from valtrac.core.errors import ChainUnreachable
from valtrac.devnet import qtum

Pools = Callable[..., World]
LIES = ("hide_coin", "invent_coin", "hide_delegation", "invent_delegation", "stale_tip")
FALSE_BLOCKS = ("hide_transaction", "invent_transaction", "other_body", "other_header", "unsigned_header")


def credited(world: World) -> dict[str, int]:
    """Look until it may be looked, as the background job does; what everybody is owed then."""
    for _ in range(6):
        try:
            world.look()
            break
        except ChainUnreachable:
            world.blocks(1)
    return world.owed()


def due_of(world: World) -> dict[str, int]:
    """ann has 900 and bob 300 QTUM that count; cid's fee is below what is required."""
    return {world.address("ann"): 3 * COIN, world.address("bob"): COIN}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("liar", ["first", "second"])
def test_nothing_is_credited_while_two_nodes_differ(pools: Pools, lie: str, liar: str) -> None:
    world = pools(second=True)
    world.look()
    folder = world.folder if liar == "first" else world.second
    assert folder is not None
    world.win()
    qtum.misbehave(folder, **{lie: 30 if lie == "stale_tip" else True})
    for _ in range(2):
        with pytest.raises(ChainUnreachable):
            world.look()
        assert world.owed() == {} and world.rewards() == []
    qtum.clear(folder)
    assert credited(world) == due_of(world)


def test_a_spent_coin_that_one_node_hides_is_credited_to_nobody(pools: Pools) -> None:
    world = pools(second=True)
    world.look()
    world.win()
    spend(world, "bob", 150 * COIN, 6_300_000, to="dan")
    world.misbehave(hide_delta=True)
    with pytest.raises(ChainUnreachable):
        world.look()
    assert world.owed() == {}
    qtum.clear(world.folder)
    assert credited(world) == due_of(world)


@pytest.mark.parametrize("lie", ["hide_delegation", "invent_delegation"])
def test_one_node_alone_is_caught_where_its_list_and_its_events_differ_and_what_it_told_is_read_anew(
    pools: Pools, lie: str
) -> None:
    world = pools()
    world.look()
    world.restart()
    world.win()
    world.misbehave(**{lie: {"searchlogs": 200}})
    with pytest.raises(ChainUnreachable, match="not what its events add up to"):
        world.look()
    qtum.clear(world.folder)
    assert world.owed() == {}
    assert credited(world) == due_of(world)


def test_a_delegation_that_one_node_hid_for_a_while_and_that_is_over_counts_all_the_same(pools: Pools) -> None:
    """At the newest block both lists are the same: only the events tell who delegated at the block in question."""
    world = pools(second=True)
    qtum.delegate(world.folder, "dan", "pool")
    world.blocks(12)  # what is left of the coin that paid for it has to rest
    world.look()
    world.win(bury=False)
    qtum.undelegate(world.folder, "dan")
    world.blocks(6)
    world.restart()
    world.misbehave(hide_delegation={"searchlogs": 200})
    with pytest.raises(ChainUnreachable, match="different delegations"):
        world.look()
    qtum.clear(world.folder)
    owed = credited(world)
    assert owed[world.address("dan")] > 0 and sum(owed.values()) > 4 * COIN - 3


@pytest.mark.parametrize("lie", FALSE_BLOCKS)
def test_a_block_that_does_not_fit_its_header_is_not_looked_at(pools: Pools, lie: str) -> None:
    world = pools()
    world.look()
    world.win()
    world.misbehave(**{lie: 4})
    assert credited(world) == due_of(world)


@pytest.mark.parametrize("flag", ["no_addrindex", "no_logevents"])
def test_without_an_index_nobody_is_credited_by_guessing(pools: Pools, flag: str) -> None:
    world = pools()
    world.look()
    world.win()
    world.misbehave(**{flag: True})
    with pytest.raises(ChainUnreachable):
        world.look()
    lacking = {"no_addrindex": "-addrindex", "no_logevents": "-logevents"}[flag]
    assert lacking in world.pool.chain.policy(world.pool.staker).lacking
    qtum.clear(world.folder)
    assert credited(world) == due_of(world)


def test_a_node_that_cannot_tell_whose_coin_won_does_not_make_it_the_pools_own_block(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    world.misbehave(no_txindex=True)
    with pytest.raises(ChainUnreachable, match="is not told"):
        world.look()
    qtum.clear(world.folder)
    assert credited(world) == due_of(world) and world.revenue() == 0


def test_blocks_that_a_node_claims_and_has_not_are_not_counted_as_confirmations(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win(bury=False)
    world.misbehave(ahead_tip=20)
    with pytest.raises(ChainUnreachable):
        world.look()
    assert world.rewards() == []
    world.misbehave(ahead_tip=0, wrong_chain=True)
    with pytest.raises(ChainUnreachable, match="serves the network"):
        world.look()


def test_delegations_of_a_history_that_is_gone_are_forgotten(pools: Pools) -> None:
    world = pools()
    world.look()
    qtum.delegate(world.folder, "dan", "pool")
    world.blocks(12)
    world.look()
    assert [event.delegate for event in world.pool.roster.events][3:] == [world.address("dan")]
    qtum.reorganise(world.folder, 12, keep=False)
    world.blocks(2)
    world.look()
    assert world.address("dan") not in {event.delegate for event in world.pool.roster.events}
    world.win()
    assert credited(world) == due_of(world)
