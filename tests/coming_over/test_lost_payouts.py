"""A payout whose batch a restored database has lost counts as paid, and nothing of it is paid again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.backups.test_backups import restored
from tests.payout_world import HOTKEY, World, address, owed
from valtrac.coming_over import lost_payouts
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.payments import foreign
from valtrac.payouts import ranges
from valtrac.reports.store import old_payments
from valtrac.wiring import backups


def taken(world: World, **how: object) -> list[lost_payouts.Lost]:
    return lost_payouts.take_over(world.door(), world.app.wallet_address, HOTKEY, **how)  # type: ignore[arg-type]


def log(world: World) -> Path:
    return world.home / "logs" / "payout_log.csv"


def lost(world: World, *, before: bool = True) -> tuple[World, Counter[str], int]:
    """A world restored from a backup that was made before its last batch was; what was paid, and up to which block."""
    paid = Counter[str]()
    if before:
        first = world.people().day().approved()
        world.send(first)
        paid.update(owed(first))
    else:
        world.people().day(1)
    path = backups.make(world.app.settings).path
    second = world.day().approved()
    world.send(second)
    paid.update(owed(second))
    return restored(world, path), paid, second.to_block


@pytest.mark.parametrize("before", [True, False])
def test_what_the_log_lists_is_paid_and_is_not_paid_again(world: World, before: bool) -> None:
    world, paid, last = lost(world, before=before)
    with pytest.raises(Refused):
        backups.compare(world.app.settings)
    done = taken(world)
    assert [one.payments for one in done] == [3, 3, 1]
    assert {one.to_block for one in done} == {last}
    assert all(one.gap is None for one in done)
    assert backups.compare(world.app.settings) == ["payouts"]
    world.day()
    batch = world.approved()
    with reading(world.engine) as conn:
        assert ranges.paid_up_to(conn, HOTKEY, None) == batch.to_block > last
    assert batch.from_block > last
    world.send(batch)
    assert Counter(world.received()) == paid + Counter(owed(batch))


def test_statements_show_it_with_names_and_block_and_once(world: World) -> None:
    from datetime import UTC, datetime

    world, _, last = lost(world)
    taken(world)
    with pytest.raises(BadInput, match="accounted for"):
        taken(world)
    with reading(world.engine) as conn:
        told = old_payments.between(conn, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    assert sorted(one.name for one in told) == [f"u{number:03}" for number in range(1, 8)]
    assert {one.to_block for one in told} == {last}
    assert {one.source for one in told} == {lost_payouts.SOURCE}


def test_without_the_log_the_owner_says_up_to_which_block_one_by_one(world: World) -> None:
    world, paid, last = lost(world)
    log(world).unlink()
    with pytest.raises(Refused, match="does not list"):
        taken(world)
    for number in (3, 3, 1):
        (one,) = taken(world, to_block=last, words="the backup was a day old")
        assert one.payments == number
    assert backups.compare(world.app.settings) == ["payouts"]
    world.day()
    batch = world.approved()
    assert batch.from_block > last
    world.send(batch)
    assert Counter(world.received()) == paid + Counter(owed(batch))


def test_a_log_that_says_something_else_than_the_chain_is_not_believed(world: World) -> None:
    world, _, _ = lost(world)
    text = log(world).read_text()
    log(world).write_text(text.replace(address(7), address(6)))
    with pytest.raises(Refused, match="lists something else") as refused:
        taken(world)
    assert any(address(7) in problem for problem in refused.value.problems)
    with pytest.raises(Refused):
        backups.compare(world.app.settings)


def test_a_batch_that_is_open_here_for_the_same_blocks_has_to_go_first(world: World) -> None:
    world.people().day()
    draft = world.draft()
    path = backups.make(world.app.settings).path
    world.send(world.approved(pool=6 * 10**9))
    world = restored(world, path)
    with pytest.raises(Refused, match=f"batch #{draft.id}, which is open here"):
        taken(world)


def test_a_transaction_that_an_open_batch_owes_is_adopted_and_not_lost(world: World) -> None:
    batch = world.people().day().approved()
    world.send(batch)
    second = world.day(1).approved()
    path = backups.make(world.app.settings).path
    world.send(second)
    world = restored(world, path)
    with pytest.raises(Refused, match="which is here"):
        taken(world)


def test_what_the_log_lists_is_not_ruled_foreign(world: World) -> None:
    world, _, _ = lost(world)
    with pytest.raises(Refused, match="the log of payments lists"):
        foreign.rule(world.door(), world.app.wallet_address, "the rent", pays_users=True)


def test_another_block_than_the_log_has_and_one_after_the_payment_are_refused(world: World) -> None:
    world, _, last = lost(world)
    with pytest.raises(BadInput, match=f"up to block {last}, and not {last - 1}"):
        taken(world, to_block=last - 1)
    log(world).unlink()
    with pytest.raises(BadInput, match="lies after the payment itself"):
        taken(world, to_block=10**9)


def test_blocks_before_it_that_nothing_says_were_paid_are_named(world: World) -> None:
    first = world.people().day().approved()
    world.send(first)
    path = backups.make(world.app.settings).path
    second = world.day().approved()
    world.send(second)
    third = world.day().approved()
    world.send(third)
    only_third = [line for line in log(world).read_text().splitlines() if f",{second.id}," not in line]
    world = restored(world, path)
    log(world).write_text("\n".join(only_third) + "\n")
    for _ in (3, 3, 1):
        taken(world, to_block=first.to_block + 1)
    done = taken(world)
    assert done[0].gap == (first.to_block + 2, third.from_block - 1)
