"""What is said of money after an error: while a transaction is open, nobody says that nothing was sent."""

from __future__ import annotations

import pytest

from tests.payments.doorway import ready
from tests.payout_world import World
from valtrac.core.errors import BadInput, ChainUnreachable, Exit, OutcomeUnknown, Refused, ValtracError
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send, still_open
from valtrac.payouts.model.batches import PayoutBatch


def left_open(world: World) -> PayoutBatch:
    """A batch with one transaction that a node took and no block holds yet."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(OutcomeUnknown):
        send.send(world.door(patience_s=0.0), world.app.unlock(), batch.id)
    return batch


def test_a_node_that_is_away_while_a_transaction_is_open_leaves_its_outcome_unknown(world: World) -> None:
    batch = left_open(world)
    devnet.misbehave(world.node, down=1000)
    with pytest.raises(ValtracError) as away:
        world.send(batch)
    assert (away.value.moved, away.value.exit_code) == ("unknown", Exit.UNKNOWN)
    assert "reconcile" in away.value.fix


def test_a_list_that_cannot_be_written_while_a_transaction_is_open_leaves_its_outcome_unknown(world: World) -> None:
    batch = left_open(world)
    (world.home / "logs" / "payout_log.csv").unlink()
    (world.home / "logs" / "payout_log.csv").mkdir()
    with pytest.raises(Refused, match="cannot be written") as full:
        world.send(batch)
    assert (full.value.moved, full.value.exit_code) == ("unknown", Exit.UNKNOWN)


def test_a_journal_that_cannot_be_read_proves_nothing() -> None:
    error = still_open.with_what_is_open(ValtracError("the disk is gone"), None, "look later")
    assert (error.moved, error.exit_code, error.fix) == (
        "unknown",
        Exit.UNKNOWN,
        "find out what became of it: look later",
    )


def test_where_nothing_is_open_an_error_stays_as_it_is() -> None:
    error = still_open.with_what_is_open(ChainUnreachable("away", fix="wait"), [], "look later")
    assert (error.moved, error.exit_code, error.why, error.fix) == ("no", Exit.UNREACHABLE, "", "wait")


def test_a_word_that_was_mistyped_stays_bad_input_and_names_what_is_open() -> None:
    error = still_open.with_what_is_open(BadInput("no such batch"), [still_open.Open("0xab", 3)] * 2, "look later")
    assert (error.moved, error.exit_code) == ("unknown", Exit.BAD_INPUT)
    assert error.why == "transaction 0xab of batch #3 was sent before and is still open, and 1 more"
