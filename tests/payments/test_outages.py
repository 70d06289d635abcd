"""The line to the node goes dead at any step, bytes get lost or die: everyone is paid once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.payments.doorway import ready, states
from tests.payout_world import World, owed
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send
from valtrac.payments.store import attempts
from valtrac.payouts.model.batches import PayoutBatch


def test_a_transaction_that_died_is_signed_anew_with_its_own_nonce(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    door = world.door(sleep=lambda seconds: devnet.advance(world.node, 30))

    def until_dead(words: str) -> None:
        if "dead" in words:
            devnet.misbehave(world.node, hold_pool=False)

    send.send(
        send.Door(**{**{f: getattr(door, f) for f in door.__dataclass_fields__}, "tell": until_dead}),
        world.app.unlock(),
        batch.id,
    )
    assert world.received() == owed(batch)
    with reading(world.engine) as conn:
        tried = attempts.of_batch(conn, batch.id)
    assert [attempt.state for attempt in tried] == ["dead", "landed", "landed", "landed"]
    assert tried[0].nonce == tried[1].nonce


@pytest.fixture(scope="module")
def approved_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PayoutBatch]:
    """A home with an approved batch for four people, to copy; and the batch."""
    world = World(tmp_path_factory.mktemp("approved") / "home", heads=4)
    batch = ready(world)
    world.app.close()
    return world.home, batch


def counted_send(approved_home: tuple[Path, PayoutBatch], home: Path, fail_at: int) -> tuple[int, World, PayoutBatch]:
    """One send during which the line goes dead at the n-th access to the node; how many accesses there were."""
    template, batch = approved_home
    world = World(Path(shutil.copytree(template, home)), heads=4)
    accesses = 0

    def maybe_fail(_kind: str) -> None:
        nonlocal accesses
        accesses += 1
        if accesses == fail_at:
            raise ConnectionError("the line went dead")

    world.app.chain.substrate.before_access.append(maybe_fail)
    try:
        world.send(batch)
    except (ChainUnreachable, OutcomeUnknown) as error:
        assert error.what
    return accesses, world, batch


PARTS = 4  # so that two workers share the steps


@pytest.mark.parametrize("part", range(PARTS))
def test_an_outage_at_every_single_step_ends_in_words_and_the_next_run_pays_once(
    tmp_path: Path, approved_home: tuple[Path, PayoutBatch], part: int
) -> None:
    steps, world, batch = counted_send(approved_home, tmp_path / "whole", 0)
    assert world.received() == owed(batch)
    world.app.close()
    assert steps > 40
    for step in range(1 + part, steps + 1, PARTS):
        _, world, batch = counted_send(approved_home, tmp_path / str(step), step)
        assert world.reopened().send(batch).state == "settled", step
        assert world.received() == owed(batch), step
        world.app.close()


def test_what_landed_is_said_though_the_outcome_of_the_next_is_unknown(world: World) -> None:
    batch = ready(world)

    def hold_after_the_first(words: str) -> None:
        if "landed" in words:
            devnet.misbehave(world.node, hold_pool=True)

    with pytest.raises(OutcomeUnknown) as unknown:
        send.send(world.door(tell=hold_after_the_first, patience_s=5), world.app.unlock(), batch.id)
    assert f"of batch #{batch.id} had landed before, in 1 transactions" in unknown.value.why
    assert "charged as network fee" in unknown.value.why


def test_events_that_are_missing_leave_it_unknown(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, no_events=True)
    with pytest.raises(OutcomeUnknown):
        world.send(batch)
    assert states(world, batch.id) == ["sent"]
    devnet.misbehave(world.node, clear=True)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)
