"""The owner's word on the record of stakes: kept beside it, never in its place."""

from __future__ import annotations

import pytest

from tests.payout_world import HOTKEY, World
from tests.payouts.test_ranges import imported
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.reports.store import history
from valtrac.snapshots import rulings
from valtrac.snapshots.store import bounds, snapshots


def test_a_snapshot_that_was_ruled_out_counts_nowhere_and_stays_recorded(world: World) -> None:
    world.people().day()
    assert rulings.rule_out(world.engine, HOTKEY, None, 148, "read from a node that lied") == [0]
    with reading(world.engine) as conn:
        assert snapshots.last_block(conn, HOTKEY, 0) == 98
        assert [found.block for found in snapshots.load(conn, HOTKEY, 0, 0, 999)] == [48, 98]
        assert bounds.after_last_snapshot(conn) == 99
        assert history.load(conn, HOTKEY, 0, 0, 999).blocks.tolist() == [48, 98]
        newest = snapshots.listed(conn, HOTKEY, None, 1)[0]
    assert (newest.block, newest.ruled_out) == (148, "read from a node that lied")


def test_ruling_out_needs_words_and_a_snapshot(world: World) -> None:
    world.people().day(1)
    with pytest.raises(BadInput, match="say in a few words"):
        rulings.rule_out(world.engine, HOTKEY, None, 48, " ")
    with pytest.raises(BadInput, match="no snapshot of block 51"):
        rulings.rule_out(world.engine, HOTKEY, None, 51, "one digit too many")
    rulings.rule_out(world.engine, HOTKEY, None, 48, "one digit too many")
    with pytest.raises(BadInput, match="no snapshot of block 48 that counts"):
        rulings.rule_out(world.engine, HOTKEY, None, 48, "one digit too many")


def test_what_a_payout_was_approved_for_is_not_ruled_out(world: World) -> None:
    batch = world.people().day().approved()
    with pytest.raises(Refused, match=f"batch #{batch.id} pays for the snapshot"):
        rulings.rule_out(world.engine, HOTKEY, None, 148, "one digit too many")


def test_what_was_paid_before_lies_not_after_the_last_snapshot(world: World) -> None:
    imported(world, 10, 20)
    with pytest.raises(BadInput, match="block 200 lies after the last snapshot, which is of block 20"):
        rulings.begin_after(world.engine, HOTKEY, 200)
