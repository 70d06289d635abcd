"""What a lost payout paid of held balances is not held any more, and a log that was changed tells nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.backups.test_backups import restored
from tests.coming_over.test_lost_payouts import log, lost, taken
from tests.payout_world import HOTKEY, TAO, World, owed
from valtrac.coming_over import lost_payouts
from valtrac.core.addresses import address_of
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.payments import accounts, foreign
from valtrac.payments.store import ledger
from valtrac.payouts import approvals, balances, drafts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.reports.store import old_payments
from valtrac.snapshots import rulings
from valtrac.wiring import backups


def held(world: World) -> dict[str, int]:
    with reading(world.engine) as conn:
        return ledger.held(conn)


def of_balances(world: World) -> PayoutBatch:
    draft = drafts.draft_balances(world.engine, world.request(), world.app.chain)
    return approvals.approve(
        world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total), despite="as planned"
    )


def changed(world: World, row: int, column: int, cell: str) -> None:
    """Another cell in a row of the log."""
    rows = [line.split(",") for line in log(world).read_text().splitlines()]
    rows[row][column] = cell
    log(world).write_text("".join(",".join(cells) + "\n" for cells in rows))


def test_held_balances_that_a_lost_batch_paid_are_not_paid_again(world: World) -> None:
    world.send(world.people().day().approved())
    balances.correct(world.engine, "u001", TAO, "too little")
    path = backups.make(world.app.settings).path
    world.send(of_balances(world))
    before = world.received()
    world = restored(world, path)
    (one,) = taken(world)
    assert (one.to_block, one.held_rao, one.gap) == (lost_payouts.BALANCES, TAO, None)
    assert backups.compare(world.app.settings) == ["payouts"]
    assert held(world) == {}
    assert accounts.unbalanced(world.engine) == []
    with pytest.raises(Refused, match="no held balance"):
        of_balances(world)
    batch = world.day().approved()  # and no block counts as paid by it
    world.send(batch)
    assert Counter(world.received()) == Counter(before) + Counter(owed(batch))


@pytest.mark.parametrize("with_log", [True, False])
def test_a_balance_that_went_out_with_a_lost_payout_is_not_paid_again(world: World, with_log: bool) -> None:
    world.send(world.people().day().approved())
    balances.correct(world.engine, "u001", TAO, "too little")
    path = backups.make(world.app.settings).path
    second = world.day().approved()
    world.send(second)
    world = restored(world, path)
    if not with_log:
        log(world).unlink()
    done = [one for _ in range(1 if with_log else 3) for one in taken(world, to_block=_end(with_log, second))]
    assert sum(one.held_rao for one in done) == TAO
    assert held(world) == {}
    assert accounts.unbalanced(world.engine) == []


def _end(with_log: bool, batch: PayoutBatch) -> int | None:
    return None if with_log else batch.to_block


def test_what_is_held_for_those_whom_it_did_not_pay_stays(world: World) -> None:
    world.send(world.people().day().approved())
    balances.correct(world.engine, "u001", TAO, "too little")
    balances.correct(world.engine, "u002", 2 * TAO, "too little")
    path = backups.make(world.app.settings).path
    with reading(world.engine) as conn:
        person = balances.person_of(conn, "u001")
    draft = drafts.draft_balances(world.engine, world.request(persons=(person,)), world.app.chain)
    world.send(
        approvals.approve(
            world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total), despite="as planned"
        )
    )
    world = restored(world, path)
    taken(world)
    assert sorted(held(world).values()) == [2 * TAO]


def test_of_several_hotkeys_the_owner_says_which_one_each_was_for(world: World) -> None:
    world, _, last = lost(world)
    other = address_of(b"\x66" * 32)
    with pytest.raises(lost_payouts.NotListed, match="for which hotkey"):
        taken(world, hotkeys=(HOTKEY, other))
    (one,) = taken(world, hotkeys=(HOTKEY, other), to_block=last)
    assert one.to_block == last


@pytest.mark.parametrize(("column", "cell"), [(3, "1"), (4, "7"), (6, "9"), (4, "9" * 5000)])
def test_rows_of_one_transaction_that_differ_were_changed(world: World, column: int, cell: str) -> None:
    world, _, _ = lost(world)
    changed(world, -2, column, cell)
    with pytest.raises(Refused, match="different batches or blocks"):
        taken(world)
        taken(world)


@pytest.mark.parametrize("amount", ["1e99999", "1e999999", "nan", "inf", "-1", "1.2.3", ""])
def test_an_amount_that_cannot_be_is_not_what_was_paid(world: World, amount: str) -> None:
    world, _, _ = lost(world, before=False)
    changed(world, 1, 2, amount)
    with pytest.raises(Refused, match="lists something else"):
        taken(world)


def test_an_end_before_the_beginning_is_no_stretch(world: World) -> None:
    world, _, _ = lost(world, before=False)
    for row in (1, 2, 3):
        changed(world, row, 4, "0")
    with pytest.raises(Refused, match="were changed"):
        taken(world)


def test_whose_name_a_spreadsheet_has_spoiled_is_told_by_the_address(world: World) -> None:
    world.people().day(1)
    path = backups.make(world.app.settings).path
    world.send(world.day().approved())
    world = restored(world, path)
    changed(world, 1, 0, "2026-01-07")  # as a spreadsheet writes a name
    taken(world)
    with reading(world.engine) as conn:
        told = old_payments.between(conn, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    assert sorted(one.name for one in told) == [f"u{number:03}" for number in range(1, 8)]


def test_a_draft_for_blocks_that_were_said_to_be_paid_since_is_not_approved(world: World) -> None:
    draft = world.people().day().draft()
    rulings.begin_after(world.engine, HOTKEY, draft.to_block, "paid by hand")
    with pytest.raises(Refused, match="were paid before this ledger"):
        approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))


def test_an_open_batch_of_balances_of_the_same_payees_has_to_go_first(world: World) -> None:
    world.send(world.people().day().approved())
    balances.correct(world.engine, "u001", TAO, "too little")
    batch = of_balances(world)
    path = backups.make(world.app.settings).path
    approvals.void(world.engine, batch.id, "more is held")
    balances.correct(world.engine, "u001", TAO, "more")
    world.send(of_balances(world))
    world = restored(world, path)
    with pytest.raises(Refused, match=f"batch #{batch.id}, which is open here"):
        taken(world)


def test_a_payout_of_balances_takes_no_block(world: World) -> None:
    world.send(world.people().day().approved())
    balances.correct(world.engine, "u001", TAO, "too little")
    path = backups.make(world.app.settings).path
    world.send(of_balances(world))
    world = restored(world, path)
    with pytest.raises(BadInput, match="held balances"):
        taken(world, to_block=10)


def test_of_two_processes_one_takes_it_over_and_the_other_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _, _ = lost(world)
    found = foreign.find(world.door(), world.app.wallet_address)
    done = taken(world)
    monkeypatch.setattr(foreign, "find", lambda *_: found)  # as it was before the other one had written
    with pytest.raises(Refused, match="another process"):
        taken(world, to_block=done[0].to_block)


def test_a_block_before_what_is_paid_for_is_a_slip(world: World) -> None:
    world, _, last = lost(world)
    log(world).unlink()
    with pytest.raises(BadInput, match="are paid for already"):
        taken(world, to_block=last // 10)
    taken(world, to_block=last)
