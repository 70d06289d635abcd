"""Before a batch: what the payout wallet holds and lacks, how long it lasts, and what is unusual in a draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.payout_world import TAO, World, address
from valtrac.core.errors import Refused
from valtrac.core.money import decimal_text
from valtrac.payouts import approvals, liquidity
from valtrac.people import users


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=4).people()


def looked(world: World, batch_id: int | None = None) -> liquidity.Liquidity:
    return liquidity.liquidity(world.engine, world.app.chain, world.app.wallet_address, batch_id, chunk_size=3)


def test_the_amount_that_is_missing_is_just_enough(world: World) -> None:
    batch = world.day().draft(pool=1001 * TAO)
    found = looked(world, batch.id)
    assert (found.holds, found.wallet) == (1000 * TAO, batch.wallet)
    assert found.missing == found.batch + 500 - found.holds  # 500 rao is what an account must keep
    less = world.draft(pool=1001 * TAO - found.missing)
    assert looked(world, less.id).missing == 0
    approvals.approve(world.engine, world.app.settings, world.app.caps, less.id, decimal_text(less.total))
    assert world.send(less).state == "settled"


def test_what_other_batches_owe_is_not_there_for_this_one(world: World) -> None:
    first = world.day().approved(pool=600 * TAO)
    second = world.day().draft(pool=500 * TAO)
    found = looked(world, second.id)
    assert found.others == first.total
    assert found.missing > 99 * TAO
    assert looked(world).batch == 0


def test_how_many_payouts_it_lasts_follows_from_the_last_ones(world: World) -> None:
    assert looked(world).lasts is None
    batch = world.send(world.day().approved(pool=100 * TAO))
    found = looked(world)
    assert found.average == batch.total + batch.fee
    assert found.lasts == 8  # 900 and a little less are left


def unusual(world: World, draft_id: int) -> tuple[list[str], list[str]]:
    found = approvals.unusual(world.engine, world.app.settings, draft_id)
    return [one.words for one in found if one.asks], [one.words for one in found if not one.asks]


def test_a_draft_like_the_last_ones_is_approved_without_words(world: World) -> None:
    assert unusual(world, world.day().draft().id) == ([], [])  # nothing to compare with
    world.send(world.approved())
    draft = world.day().draft()
    assert unusual(world, draft.id) == ([], [])
    approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))


def test_a_slip_in_the_pool_asks_for_words_which_are_kept(world: World) -> None:
    world.send(world.day().approved())
    draft = world.day().draft(pool=70 * TAO)
    asks, _ = unusual(world, draft.id)
    assert any("10.00 times as much as" in words for words in asks)
    with pytest.raises(Refused, match="unlike the payouts before") as refused:
        approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))
    assert asks == list(refused.value.problems)
    done = approvals.approve(
        world.engine,
        world.app.settings,
        world.app.caps,
        draft.id,
        decimal_text(draft.total),
        despite="a bonus for the year",
    )
    assert (done.state, done.despite) == ("approved", "a bonus for the year")


def test_the_same_pool_for_a_tenth_of_the_time_is_unusual_and_for_twice_the_time_is_not(world: World) -> None:
    world.send(world.day(4).approved())
    assert unusual(world, world.day(5).draft().id)[0] == []
    (words,) = unusual(world, world.draft(from_block=400, to_block=420).id)[0]
    assert "for 21 blocks" in words


def test_a_newer_batch_that_was_approved_first_is_compared_with_too(world: World) -> None:
    large = world.day().draft(pool=400 * TAO)
    world.day()
    world.send(world.approved(pool=7 * TAO, from_block=large.to_block + 1))
    asks, _ = unusual(world, large.id)
    assert any("times as much" in words for words in asks)


def test_another_address_of_somebody_paid_before_asks_for_words(world: World) -> None:
    world.send(world.day().approved())
    users.add_address(world.engine, "u004", address(70))
    users.set_payout(world.engine, "u004", address(70))
    asks, _ = unusual(world, world.day().draft().id)
    assert any("u004" in words and address(70) in words and address(4) in words for words in asks)


def test_newcomers_are_named_and_ask_only_when_they_get_much(world: World) -> None:
    for name in ("u001", "u004"):
        users.end(world.engine, name, from_block=0)
    world.send(world.day().approved())
    users.add(world.engine, "new", [address(1)])
    _, said = unusual(world, world.day().draft().id)
    assert any("1 are paid who were not" in words and "new" in words for words in said)
    users.add(world.engine, "rich", [address(4)])
    asks, _ = unusual(world, world.day().draft().id)
    assert any("rich" in words for words in asks)
