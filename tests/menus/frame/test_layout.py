"""The form of a table: nothing is ever cut, columns go before figures are broken, cards are the last resort."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menus.frame.layout import column, count, fitted

PAYMENTS = [column(spec) for spec in ("who", "to", "from pool (TAO)", "released (TAO)", "amount (TAO)", "state")]
FIRST = ["ann", "5GF2pj...A6ZfJe", "4.600234022", "0.000000000", "4.600234022", "paid"]
SECOND = ["bob", "5DAEfx...hMdrH2", "1.902195067", "1.000000000", "2.902195067", "paid"]
OPTIONAL = ("state", "released", "from pool")


def shown(rows: list[list[str]], width: int) -> list[str]:
    return [PAYMENTS[place].name for place in fitted(PAYMENTS, rows, width, optional=OPTIONAL).places]


def test_a_wide_terminal_shows_every_column_that_says_something() -> None:
    assert shown([FIRST, SECOND], 120) == ["who", "to", "from pool", "released", "amount", "state"]


def test_a_column_of_zeros_is_left_out_everywhere() -> None:
    assert shown([FIRST], 120) == ["who", "to", "from pool", "amount", "state"]


def test_a_zero_that_is_no_amount_is_shown() -> None:
    layout = fitted([column("netuid")], [["0"]], 80, optional=["netuid"])
    assert layout.places == (0,)


def test_the_last_of_the_optional_columns_goes_first_and_is_named() -> None:
    layout = fitted(PAYMENTS, [FIRST, SECOND], 60, optional=OPTIONAL)
    assert layout.dropped == ("from pool",)
    assert shown([FIRST, SECOND], 36) == ["who", "to", "amount"]


def test_what_does_not_fit_without_them_is_read_as_cards() -> None:
    assert not fitted(PAYMENTS, [FIRST], 40, optional=OPTIONAL).cards
    assert fitted(PAYMENTS, [FIRST], 30, optional=OPTIONAL).cards


@pytest.mark.parametrize(
    ("spec", "unit", "right", "prose"),
    [
        ("amount (TAO)", "TAO", True, False),
        ("block", "", True, False),
        ("who", "", False, False),
        ("reason", "", False, True),
    ],
)
def test_a_unit_or_a_well_known_name_makes_a_number(spec: str, unit: str, right: bool, prose: bool) -> None:
    found = column(spec)
    assert (found.unit, found.right, found.prose) == (unit, right, prose)


@given(st.lists(st.text("ab0.", max_size=30), min_size=6, max_size=6), st.integers(1, 200))
def test_only_optional_columns_are_ever_left_out(row: list[str], width: int) -> None:
    places = fitted(PAYMENTS, [row], width, optional=OPTIONAL).places
    assert {0, 1, 4} <= set(places)


def test_one_is_not_many() -> None:
    assert [count(1, "address"), count(2, "address"), count(0, "user"), count(5000, "user")] == [
        "1 address",
        "2 addresses",
        "0 users",
        "5,000 users",
    ]


def test_a_column_is_optional_by_its_name_with_its_unit_or_without() -> None:
    heads = [column("who"), column("gas (ETH)")]
    for name in ("gas", "gas (ETH)"):
        assert fitted(heads, [["ann", "0.123456789"]], 8, optional=[name]).dropped == ("gas",)
