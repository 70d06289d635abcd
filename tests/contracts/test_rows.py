"""All rows in one list: every contract, every payment once, what a stop paid, and how each stands."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contracts_world import World
from tests.custody_world import begun, bts
from valtrac.contracts import overview, rows
from valtrac.contracts.model.states import DueState
from valtrac.contracts.model.statuses import Status, status_of
from valtrac.core.errors import BadInput
from valtrac.payments import payment_log
from valtrac.payments.log_file import WHAT_FOR, Form


def told(listed: list[rows.Entry]) -> list[tuple[str, int, str]]:
    """(what, its number, its status) of some rows."""
    return [
        (entry.due.type, entry.due.number, entry.status) if entry.due else ("contract", 0, entry.status)
        for entry in listed
    ]


def log_of(world: World) -> Path:
    return world.folder / "logs" / "contract_payments.csv"


def listed_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_stop_is_told_with_the_contract_that_it_ended(world: World) -> None:
    begun(world)
    world.take("ann", 7, "stop")
    (standing,) = overview.listed(world.engine)
    assert standing.stop is not None
    assert (standing.state, standing.stop.units, standing.paid, standing.open) == ("ended", bts(21_250), 0, bts(21_250))
    assert standing.next_due == standing.stop.due
    world.round()
    (standing,) = overview.listed(world.engine)
    assert (standing.paid, standing.open, standing.next_due) == (bts(21_250), 0, None)
    (client,) = overview.clients(world.engine)
    assert client.owed == 0


def test_one_stop_of_two_contracts_is_told_with_each_by_its_own_part(world: World) -> None:
    begun(world)
    world.take("ann", 100_000, "six_months")
    world.take("ann", 1, "stop")
    world.round()
    first, second = overview.listed(world.engine)
    assert first.stop is not None and second.stop is not None
    assert first.stop.due.id == second.stop.due.id
    assert (first.stop.units, second.stop.units) == (bts(21_250), bts(85_000))
    assert first.stop.due.units == bts(21_250 + 85_000)
    world.take("ann", 25_000, "three_months")
    assert overview.listed(world.engine)[2].stop is None


def test_all_rows_stand_by_their_contract_and_the_others_after_them(world: World) -> None:
    begun(world)
    world.take("bob", 1_000, "nonsense")
    world.round()
    world.days(31)
    world.take("ann", 1, "stop")
    world.round()
    assert told(rows.entries(world.engine)) == [
        ("contract", 0, "ended"),
        ("agreement", 0, "paid"),
        ("reward", 1, "paid"),
        ("stop", 0, "paid"),
        ("reward", 2, "aborted"),
        ("reward", 3, "aborted"),
        ("principal", 0, "premature"),
        ("penalty", 0, "premature"),
        ("refund", 0, "paid"),
    ]
    assert told(rows.entries(world.engine, client="bob")) == [("refund", 0, "paid")]
    with pytest.raises(BadInput, match="nobodys"):
        rows.entries(world.engine, client="nobodys")


def test_the_last_and_the_next_hours_hold_what_is_late_as_well(world: World) -> None:
    begun(world)
    world.round()
    world.days(29)
    listed = rows.entries(world.engine)
    assert told(rows.around(listed, world.now, 48)) == [("reward", 1, "pending")]
    assert told(rows.around(listed, world.now, 1)) == []
    assert told(rows.around(listed, world.now + timedelta(days=9), 1)) == [("reward", 1, "pending")]
    world.days(2)
    world.round()
    done = rows.around(rows.entries(world.engine), world.now, 48)
    assert told(done) == [("reward", 1, "paid")]


def test_rows_are_chosen_by_status_and_a_word_that_is_none_is_answered_with_those_there_are(world: World) -> None:
    begun(world)
    world.round()
    listed = rows.entries(world.engine)
    assert told(rows.in_status(listed, " Paid ")) == [("agreement", 0, "paid")]
    assert len(rows.in_status(listed, "pending")) == 5
    with pytest.raises(BadInput) as caught:
        rows.in_status(listed, "confirmed")
    assert list(caught.value.problems) == [*Status]


def test_of_many_rows_the_late_ones_and_those_next_to_now_are_seen(world: World) -> None:
    begun(world, word="twelve_months")
    world.round()
    world.days(95)
    listed = rows.entries(world.engine)
    seen = rows.nearest(listed, world.now, 4)
    assert told(seen) == [("reward", number, "pending") for number in (1, 2, 3, 4)]
    assert rows.nearest(listed, world.now, len(listed)) == listed


def test_the_log_of_payments_says_which_payment_each_was(world: World) -> None:
    begun(world)
    (contract,) = world.contracts()
    world.take("bob", 1_000, "nonsense")
    world.round()
    world.days(61)
    world.round()
    world.take("ann", 1, "stop")
    world.round()
    said = [row[WHAT_FOR].partition(", ")[2] for row in listed_in(log_of(world))]
    assert said == [
        f"agreement, contract {contract.key}",
        "refund: 50 BTS fee charged: the memo is none of the known words",
        f"reward 1 of 3, contract {contract.key}",
        f"reward 2 of 3, contract {contract.key}",
        f"stop: Principal less penalty of stake contract ended early: {contract.key}",
    ]


def test_a_log_that_was_begun_before_there_was_that_column_goes_on_without_it(world: World) -> None:
    begun(world)
    world.round()
    path = log_of(world)
    with path.open(newline="", encoding="utf-8") as file:
        older = [row[:-1] for row in csv.reader(file)]
    before = Form().written(older).decode()
    assert before.splitlines()[0].endswith(",Receipt")
    path.write_text(before, encoding="utf-8")
    for _ in range(2):  # the second time it is known, and not read row by row
        world.days(31)
        world.round()
    after = listed_in(path)
    assert path.read_text(encoding="utf-8").startswith(before)
    assert len(after) == 3
    assert all(WHAT_FOR not in row and None not in row for row in after)
    path.unlink()
    world.days(31)
    world.round()
    assert len(listed_in(path)) == 5
    assert all(row[WHAT_FOR].startswith("no. ") for row in listed_in(path))
    assert payment_log.sync(world.custodian.door(), path) == 0


def test_nothing_is_called_paid_before_it_is_in_a_block_that_cannot_be_undone(world: World) -> None:
    begun(world)
    world.round()
    (reward,) = [due for due in world.dues(type_="reward") if due.number == 1]
    for state, status in (
        (DueState.PENDING, "pending"),
        (DueState.PROCESSING, "under way"),
        (DueState.HANDED_OVER, "handed over"),
        (DueState.CONFIRMED, "paid"),
    ):
        assert status_of(replace(reward, state=state, line_id=7)) == status
    assert status_of(replace(reward, state=DueState.HANDED_OVER)) == "paid before"
    for due in world.dues():
        assert overview.explain(world.engine, due.id)["state"] == status_of(due)
    assert "confirmed" not in {*Status}
