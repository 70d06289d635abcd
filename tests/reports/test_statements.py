"""Statements: the payments of a period with the value of their time, as values and as CSV that tax tools read."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.payout_world import TAO, World, address, owed
from valtrac.core.errors import BadInput
from valtrac.core.money import decimal_text
from valtrac.payouts import balances
from valtrac.people import users
from valtrac.reports import prices, statements
from valtrac.reports.model.statements import COLUMNS
from valtrac.tables import write

ALWAYS = (datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=3, currency="USD").people()


def test_everyone_has_what_arrived_and_what_is_held(world: World) -> None:
    first = world.send(world.day().approved(minimum=2 * TAO))
    second = world.send(world.day().approved())
    made = {one.name: one for one in statements.every(world.engine, world.app.settings, *ALWAYS)}
    assert {name: one.total for name, one in made.items()} == {
        name: owed(first).get(name, 0) + units for name, units in owed(second).items()
    }
    assert [payment.batch for payment in made["u003"].payments] == [first.id, second.id]
    assert made["u001"].payments[0].released == balances.account(world.engine, "u001")[1][1]["units"]
    assert made["u001"].held == 0


def test_a_payment_is_worth_what_it_was_worth_then_and_unknown_is_no_zero(world: World) -> None:
    world.send(world.day().approved())
    ((at, amount),) = [
        (payment.at, payment.amount)
        for payment in statements.of(world.engine, world.app.settings, "u001", *ALWAYS).payments
    ]
    unknown = statements.of(world.engine, world.app.settings, "u001", *ALWAYS)
    assert (unknown.worth, unknown.worth_text, unknown.payments[0].worth) == (None, "unknown", None)
    prices.enter(world.engine, "400", "USD", at=at - timedelta(hours=1))
    made = statements.of(world.engine, world.app.settings, "u001", *ALWAYS)
    assert made.worth == round(amount * 400 * 100 / TAO)
    assert made.worth_text.endswith(" USD")


def test_a_period_ends_before_its_last_instant(world: World) -> None:
    world.send(world.day().approved())
    at = statements.of(world.engine, world.app.settings, "u001", *ALWAYS).payments[0].at
    before = statements.of(world.engine, world.app.settings, "u001", ALWAYS[0], at)
    assert before.payments == ()
    assert len(statements.of(world.engine, world.app.settings, "u001", at, ALWAYS[1]).payments) == 1


def test_the_csv_has_the_columns_and_the_figures_that_tax_tools_read(world: World, tmp_path: Path) -> None:
    users.rename(world.engine, "u002", "=evil()")
    batch = world.day().approved()
    prices.enter(world.engine, "400", "USD", at=world.app.chain.finalized().at - timedelta(hours=1))
    world.send(batch)
    path = tmp_path / "out" / "all.csv"
    assert statements.write_table(path, statements.every(world.engine, world.app.settings, *ALWAYS)) == 3
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert {row["Received Amount"] for row in rows} == {decimal_text(units) for units in owed(batch).values()}
    assert all(row["Date"].endswith(" UTC") and row["Received Currency"] == "TAO" for row in rows)
    assert all(float(row["Net Worth Amount"]) > 0 and row["Net Worth Currency"] == "USD" for row in rows)
    assert all(row["TxHash"].startswith("0x") and row["Label"] == "reward" for row in rows)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert oct(path.stat().st_mode)[-3:] == "600"


def test_an_unwritable_folder_is_named_and_an_old_file_stays_whole(world: World, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("old")
    with pytest.raises(BadInput, match="cannot be written"):
        write.write_text(in_the_way / "page.html", "new")
    assert in_the_way.read_text() == "old"


def test_nobody_is_told_of_by_name(world: World) -> None:
    with pytest.raises(BadInput, match="no user 'nobody'"):
        statements.of(world.engine, world.app.settings, "nobody", *ALWAYS)
    assert statements.of(world.engine, world.app.settings, address(77), *ALWAYS).payments == ()
