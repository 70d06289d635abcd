"""The fee of a batch agrees to the last unit with its transactions, and each part of a pool is explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from menus.frame.ui import Ui
from menus.payouts import records, where_it_goes
from tests.payout_world import World, address
from valtrac.core.ledger_accounts import OWNER
from valtrac.core.money import decimal_text, rao
from valtrac.database.engine import reading
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import AttemptState
from valtrac.payments.store import attempts, batches, ledger
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.fees import fees_of
from valtrac.people import users

Told = tuple[PayoutBatch, list[BatchLine], list[Attempt]]


def told(world: World, batch: PayoutBatch) -> Told:
    with reading(world.engine) as conn:
        return batch, batches.lines_of(conn, batch.id), attempts.of_batch(conn, batch.id)


def seen(capsys: pytest.CaptureFixture[str], of: Told) -> str:
    capsys.readouterr()
    where_it_goes.show(Ui(width=120), *of)
    said = capsys.readouterr()
    return " ".join((said.out + said.err).split())


@pytest.mark.parametrize("policy", ["pool", "payee", "owner"])
def test_what_was_kept_and_what_the_owner_bears_is_what_the_transactions_took(world: World, policy: str) -> None:
    settled = world.send(world.people().day().approved(fee_policy=policy))
    of = told(world, settled)
    fees = fees_of(*of)
    taken = sum(each.fee or 0 for each in of[2])
    assert fees.final and fees.transactions == 3 and fees.taken == taken > 0
    assert fees.owner is not None and fees.kept + fees.owner == taken
    assert (fees.kept == 0) == (policy == "owner")
    with reading(world.engine) as conn:
        (booked,) = [
            row for row in ledger.entries_of(conn, settled.id) if (row["person"], row["kind"]) == (OWNER, "netted")
        ]
    assert booked["units"] == fees.owner
    record = records.whole(*of)
    assert (record["fee_kept"], record["fee_taken"], record["fee_of_owner"]) == tuple(
        map(decimal_text, (fees.kept, taken, fees.owner))
    )


def test_the_difference_is_told_where_the_batch_is_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    batch = world.people().day().approved()
    assert f"Network fee {rao(batch.fee)}, borne by the pool." in seen(capsys, told(world, batch))
    of = told(world, world.send(batch))
    fees = fees_of(*of)
    assert fees.owner is not None and fees.owner > 0
    said = seen(capsys, of)
    assert f"The network took {rao(fees.taken or 0)} for 3 transactions: {rao(fees.kept)} were kept" in said
    assert f"{rao(fees.owner)} more the owner bears" in said
    less = [replace(each, fee=(each.fee or 0) - 1_000) for each in of[2]]
    assert f"{rao(3_000 - fees.owner)} are left over and the owner's" in seen(capsys, (of[0], of[1], less))


def test_a_fee_that_nobody_told_is_unknown_and_one_half_way_is_told_so_far(world: World) -> None:
    batch, lines, tried = told(world, world.send(world.people().day().approved()))
    assert fees_of(batch, lines, [replace(tried[0], fee=None), *tried[1:]]).owner is None
    assert records.whole(batch, lines, [replace(tried[0], fee=None)])["fee_taken"] is None
    half = fees_of(replace(batch, state=batch.state.__class__("sending")), lines, tried[:1])
    assert (half.taken, half.owner) == (tried[0].fee, None)
    sent = [replace(each, state=AttemptState.SENT) for each in tried]
    assert fees_of(batch, lines, sent).transactions == 0


def test_what_is_nobodys_says_why_where_it_stands(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    users.add(world.engine, "u001", [address(1)])
    draft = world.day().draft()
    assert draft.unassigned > 0
    said = seen(capsys, told(world, draft))
    assert "for stake at addresses of no user; it stays in the payout wallet" in said
    users.add(world.engine, "u002", [address(number) for number in range(2, world.heads + 1)], from_block=0)
    again = world.draft()
    assert again.unassigned == 0
    assert "nobody's" not in seen(capsys, told(world, again))
