"""Names and numbers in charts: harmless, of known width, and no longer than their place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from charts.drawing import labels
from tests.charts.samples import HOSTILE
from valtrac.core.text import is_plain

ANY = st.text(max_size=60) | st.sampled_from(HOSTILE)


@given(ANY, st.integers(3, 40))
def test_a_cell_is_exactly_as_wide_as_its_place(name: str, columns: int) -> None:
    assert labels.width_of(labels.cell(name, columns)) == columns
    assert is_plain(labels.cell(name, columns))


@given(st.text(st.characters(max_codepoint=0xFFFF), max_size=40), st.integers(3, 40))
@example("000䷀", 4)  # a sign that became wide in Unicode 16, which Python's own tables do not know yet
def test_a_name_is_never_wider_on_a_screen_than_counted(name: str, columns: int) -> None:
    assert cell_len(labels.short(name, columns)) <= columns


@given(ANY, st.integers(10, 60))
def test_wrapped_rows_fit(text: str, width: int) -> None:
    assert all(labels.width_of(row) <= width for row in labels.wrapped(labels.clean(text), width))


def test_an_address_loses_its_middle_and_a_short_name_nothing() -> None:
    assert labels.short("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX", 15) == "5F3sa2TJAW…YjQX"
    assert labels.short("alice", 15) == "alice"


def test_wide_signs_count_twice_and_marks_not_at_all() -> None:
    assert labels.width_of("漢字") == 4
    assert labels.width_of("e\u0301") == 1
    assert labels.width_of("\x1b[31mred\x1b[0m") == 3


def test_no_name_is_told_as_such() -> None:
    assert labels.clean("") == labels.clean("   ") == "(no name)"


def test_a_shortened_name_never_begins_its_end_with_a_mark() -> None:
    assert "…\u0301" not in labels.short("a\u0301" * 40, 10)


def test_a_name_from_right_to_left_leaves_the_figures_beside_it_alone() -> None:
    assert labels.apart("שלום") == "\u200eשלום\u200e"
    assert labels.apart("alice") == "alice"


def test_heaps_of_marks_are_cut_down() -> None:
    assert labels.clean("a" + "\u0301" * 50) == "a\u0301\u0301"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (17_415.390535413, "17,415.390535413"),
        (1_200.5, "1,200.5"),
        (1e6, "1,000,000"),
        (-1e-12, "0"),
    ],
)
def test_figures_beside_an_axis_have_thousands_apart_and_no_empty_decimals(value: float, text: str) -> None:
    assert labels.figure_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (-1e-15, "0.00"),
        (1234.5, "1,234.50"),
        (123_456.7, "123,457"),
        (0.0321, "0.032"),
        (0.000_000_001, "0.0000000010"),
        (-0.05, "-0.050"),
        (1e18, "1.00e+18"),
    ],
)
def test_a_small_number_keeps_two_places_that_count(value: float, text: str) -> None:
    assert labels.figure(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.0, "+1.00"), (-1.0, "−1.00"), (0.0, "0.00"), (1e-15, "0.00")])
def test_a_change_has_its_sign(value: float, text: str) -> None:
    assert labels.signed(value) == text


@pytest.mark.parametrize(("number", "text"), [(1, "1 day"), (0, "0 days"), (1500, "1,500 days")])
def test_things_are_counted_in_words(number: int, text: str) -> None:
    assert labels.count(number, "day") == text
