"""A node that is away while a payment is awaited: said at once and now and then, with how long is still waited."""

from __future__ import annotations

import pytest

from tests.payments.doorway import ready
from tests.payout_world import World, owed
from valtrac.core.errors import OutcomeUnknown
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send


def away(world: World) -> list[str]:
    return [words for words in world.told if "the node is away" in words]


def test_a_node_that_goes_away_is_told_at_once_and_again_with_the_time_that_is_left(world: World) -> None:
    batch = ready(world)
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        devnet.misbehave(world.node, down=1000)

    devnet.misbehave(world.node, hold_pool=True)
    door = world.door(sleep=sleep, clock=lambda: now[0], patience_s=200.0, poll_s=2.0)
    with pytest.raises(OutcomeUnknown):
        send.send(door, world.app.unlock(), batch.id)
    told = away(world)
    assert 3 <= len(told) <= 5
    assert "looked for again for 3 more minutes" in told[0]
    assert "more seconds" in told[-1]


def test_a_node_that_comes_back_is_told_and_the_payment_goes_on(world: World) -> None:
    batch = ready(world)
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            devnet.misbehave(world.node, down=3)
        devnet.advance(world.node, 1)

    devnet.misbehave(world.node, hold_finality=True)
    door = world.door(sleep=sleep)

    def tell(words: str) -> None:
        world.told.append(words)
        if "away" in words:
            devnet.misbehave(world.node, hold_finality=False)

    object.__setattr__(door, "tell", tell)
    assert send.send(door, world.app.unlock(), batch.id).state == "settled"
    assert len(away(world)) == 1
    assert "the node answers again" in world.told
    assert world.received() == owed(batch)
