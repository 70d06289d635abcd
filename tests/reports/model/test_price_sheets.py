"""A CSV sheet of prices: every row that cannot be used is named with its column and the fix."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from valtrac.core.errors import BadInput
from valtrac.reports.model import price_sheets
from valtrac.reports.model.price_sheets import Sheet
from valtrac.tables import delimited

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def parse(data: bytes, source: str, now: datetime) -> Sheet:
    return price_sheets.parse(delimited.records(io.BytesIO(data), source), source, now)


def rows(text: str) -> list[tuple[str, int]]:
    sheet = parse(text.encode(), "p.csv", NOW)
    assert sheet.problems == ()
    return [(f"{row.at:%Y-%m-%d %H:%M}", row.price_nano) for row in sheet.rows]


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text.encode(), "p.csv", NOW).problems]


def test_dates_and_prices_in_any_column_among_others() -> None:
    assert rows("Date,Price\n2026-01-01,412.50\n2026-01-02 14:30,1\n") == [
        ("2026-01-01 00:00", 412_500_000_000),
        ("2026-01-02 14:30", 1_000_000_000),
    ]
    assert rows('\ufeffprice,volume,DATE\n\n"7.5",9,2026-01-01\n') == [("2026-01-01 00:00", 7_500_000_000)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-13-01,1", "row 3, Date: '2026-13-01' is not a date; write it like 2026-01-31 or 2026-01-31 14:30"),
        ("2026-01-02,0", "row 3, Price: a price of zero; write money for one TAO, like 412.50, or leave it out"),
        ("2026-01-02,-1", "row 3, Price: '-1' is not a price; write money for one TAO, like 412.50"),
        ("2026-01-02,", "row 3, Price: '' is not a price; write money for one TAO, like 412.50"),
        ("2026-01-02", "row 3, Price: '' is not a price; write money for one TAO, like 412.50"),
        (",5", "row 3, Date: '' is not a date; write it like 2026-01-31 or 2026-01-31 14:30"),
        (
            "2026-01-02,1,234.50",
            "row 3: it has more cells than the header; write 1234.50 without a comma, or quote the cell",
        ),
        ("2026-07-01,5", "row 3, Date: 2026-07-01 00:00 UTC has not come yet; check the year and the day"),
        (
            "2026-01-01,6",
            "row 3, Date: 2026-01-01 00:00 UTC stands in row 2 already, with another price; leave one of the two away",
        ),
        ("2026-01-02,\x1b[2J", "row 3, Price: '\\x1b[2J' is not a price; write money for one TAO, like 412.50"),
    ],
)
def test_a_bad_row_is_named_with_its_column_and_the_fix(row: str, said: str) -> None:
    assert problems(f"Date,Price\n2026-01-01,5\n{row}\n") == [said]


def test_all_bad_rows_are_told_at_once() -> None:
    assert len(problems("Date,Price\nx,1\n2026-01-01,y\n2026-01-02,3\n")) == 2


def test_a_date_that_stands_twice_with_one_price_is_no_problem() -> None:
    assert len(rows("Date,Price\n2026-01-01,5\n2026-01-01,5.0\n")) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"Date,Price\n", "has a header and no prices"),
        (b"Date,Cost\n2026-01-01,1\n", "the column Price is missing"),
        (b"Price\n1\n", "the column Date is missing"),
        (b"Date,Price,price\n", "the column Price is there twice"),
        (b"Date;Cost\n", "the column Price is missing"),
        (b"\xff\xfeD", "is not UTF-8"),
        (b"Date,Price\n2026-01-01,\xff\n", "not UTF-8"),
        (b"Date,Price\n\x00", "NUL"),
        (b'"Date,Price\n', "do not close"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused_as_a_whole(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse(data, "p.csv", NOW)
