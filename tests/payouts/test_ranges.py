"""Which blocks a payout may be for: nothing beyond the last snapshot, nothing that was paid elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.database.engine import writing
from valtrac.payouts import approvals, ranges
from valtrac.snapshots import rulings
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots

AT = datetime(2026, 1, 1, tzinfo=UTC)


def imported(world: World, *blocks: int) -> None:
    """Snapshots as an import leaves them: no chain vouched for their blocks."""
    stakes = {address(number): number * TAO for number in range(1, world.heads + 1)}
    with writing(world.engine) as conn:
        for block in blocks:
            snapshots.add(conn, Snapshot(HOTKEY, 0, block, "", AT, address(90), TAO, stakes))


def test_a_range_that_ends_after_the_last_snapshot_is_refused(world: World) -> None:
    world.people().day()
    with pytest.raises(BadInput, match="lies after the last snapshot, which is of block 148") as refused:
        world.draft(to_block=1500)
    assert "--to 148" in refused.value.fix
    assert world.draft(to_block=148).to_block == 148


def test_a_snapshot_far_beyond_the_chain_is_not_paid_and_swallows_no_later_payout(world: World) -> None:
    world.people().day()
    imported(world, 1_480_000)
    with pytest.raises(Refused, match="far beyond the chain's last block") as refused:
        world.draft()
    assert "snapshot rule-out 1480000" in refused.value.fix
    rulings.rule_out(world.engine, HOTKEY, None, 1_480_000, "one digit too many")
    assert world.draft().to_block == 148


def test_an_old_record_of_stakes_is_not_paid_before_somebody_says_what_was_paid(world: World) -> None:
    world.people()
    imported(world, 10, 20, 30)
    world.day()
    for asked in ({}, {"from_block": 10}, {"from_block": 0, "to_block": 30}):
        with pytest.raises(ranges.OlderThanThisLedger, match="up to which block were they paid") as refused:
            world.draft(**asked)
        assert "payout begin-after" in refused.value.fix
    rulings.begin_after(world.engine, HOTKEY, 20)
    assert world.draft().from_block == 21
    with pytest.raises(Refused, match="blocks up to 20 were paid before this ledger"):
        world.draft(from_block=10)


def test_a_record_without_any_snapshot_of_our_own_asks_too(world: World) -> None:
    world.people()
    imported(world, 10, 20)
    with pytest.raises(ranges.OlderThanThisLedger):
        world.draft()
    rulings.begin_after(world.engine, HOTKEY, 0)
    assert world.draft().from_block == 10


def test_a_first_payout_of_own_snapshots_is_asked_nothing(world: World) -> None:
    assert world.people().day().draft().from_block == 48


def test_a_gap_that_is_filled_later_is_asked_nothing(world: World) -> None:
    world.people().day(1)
    imported(world, 60, 70)
    world.day(1)
    assert world.draft().to_block == 98


def test_what_lies_before_the_first_payout_of_this_ledger_asks_though_others_followed(world: World) -> None:
    world.people().day().approved()
    imported(world, 10)
    world.day(1)
    assert world.draft().from_block == 149
    with pytest.raises(ranges.OlderThanThisLedger):
        world.draft(from_block=5, to_block=40)


def test_a_later_word_on_what_was_paid_takes_the_place_of_the_first(world: World) -> None:
    world.people()
    imported(world, 10, 20, 30)
    rulings.begin_after(world.engine, HOTKEY, 30)
    with pytest.raises(Refused, match="paid before this ledger"):
        world.draft()
    rulings.begin_after(world.engine, HOTKEY, 10, "the old log ends with block 10")
    assert world.draft().from_block == 20 - 9


def test_a_draft_of_an_earlier_version_that_ends_too_late_is_not_approved(world: World) -> None:
    draft = world.people().day().draft()
    late = replace(draft.rules, to_block=1500)
    with pytest.raises(BadInput, match="lies after the last snapshot"):
        ranges.check_end(148, late)
    assert approvals.approve(
        world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total)
    ).to_block
