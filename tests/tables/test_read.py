"""Reading a table: from CSV, .xlsx, .ods and Parquet come the same records, and a number is what was entered."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.core.errors import BadInput
from valtrac.tables import frames, read
from valtrac.tables.delimited import delimiter_of
from valtrac.tables.frames import entered
from valtrac.tables.records import Problem, Record, Unclear

HEADER = ["Name", "Amount"]
ROWS = [["ann", "12.5"], ["NA", "1"], ["null", ""], ["nan", "0.000000001"]]


def text_file(path: Path, rows: list[list[str]], mark: str = ",", encoding: str = "utf-8") -> Path:
    path.write_bytes("".join(mark.join(row) + "\n" for row in rows).encode(encoding))
    return path


def workbook(path: Path, rows: list[list[Any]], engine: str) -> Path:
    pandas.DataFrame(rows, dtype=object).to_excel(path, header=False, index=False, engine=engine)
    return path


def parquet(path: Path, rows: list[list[Any]]) -> Path:
    pandas.DataFrame(rows[1:], columns=rows[0], dtype=object).to_parquet(path, index=False)
    return path


def ods(path: Path, rows: list[list[Any]]) -> Path:
    return workbook(path, rows, "odf")


def xlsx(path: Path, rows: list[list[Any]]) -> Path:
    return workbook(path, rows, "openpyxl")


BOOKS = {"t.xlsx": xlsx, "t.ods": ods}
WRITERS: dict[str, Callable[[Path, list[list[Any]]], Path]] = {"t.csv": text_file, **BOOKS, "t.parquet": parquet}


def cells(path: Path) -> list[list[str]]:
    return [list(record.cells) for record in taken(path)]


def taken(path: Path) -> list[Record]:
    records = list(read.records(path))
    assert not any(isinstance(record, Problem) for record in records)
    return [record for record in records if isinstance(record, Record)]


def refusal(path: Path, **how: Any) -> str:
    with pytest.raises(BadInput) as caught:
        list(read.records(path, **how))
    assert caught.value.fix
    return f"{caught.value.what} | {caught.value.why} | {caught.value.fix}"


# -- the same from every kind of file ------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_text_is_text_and_no_word_means_that_nothing_is_there(tmp_path: Path, name: str) -> None:
    assert cells(WRITERS[name](tmp_path / name, [HEADER, *ROWS])) == [HEADER, *ROWS]


@pytest.mark.parametrize("name", BOOKS)
def test_a_number_cell_is_the_decimal_that_was_entered(tmp_path: Path, name: str) -> None:
    numbers = [12.5, 1, 1.0, 0.1, 412.1, 0.000000001, 1e-7, 123456.789012345, 999_999_999_999_999, -3]
    wanted = ["12.5", "1", "1", "0.1", "412.1", "0.000000001", "0.0000001", "123456.789012345", "999999999999999", "-3"]
    rows = cells(BOOKS[name](tmp_path / name, [["n"], *([number] for number in numbers)]))
    assert rows == [["n"], *([text] for text in wanted)]


def test_what_excel_writes_with_17_digits_is_what_was_typed(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", [["n"], [1.1]])
    changed = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b"<v>1.1</v>", b"<v>1.1000000000000001</v>"))
    assert cells(changed) == [["n"], ["1.1"]]


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("number", [1_000_000_000_000_000, 1 / 3, 12_345_678_901_234_567])
def test_a_number_that_a_spreadsheet_may_have_changed_is_unclear(tmp_path: Path, name: str, number: float) -> None:
    _, record = taken(BOOKS[name](tmp_path / name, [HEADER, ["ann", number]]))
    (problem,) = record.problems(HEADER)
    assert (problem.line, problem.column) == (2, "Amount")
    assert "may not be the number that was entered" in problem.reason
    assert "text" in problem.fix
    assert record.problems(HEADER, [0]) == []


def test_parquet_keeps_whole_numbers_and_decimals_of_any_size(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["a", "b", "c"],
        [2**62, Decimal("1234567890.123456789"), "x"],
        [None, Decimal("1.10"), None],
    ]
    assert cells(parquet(tmp_path / "t.parquet", rows)) == [
        ["a", "b", "c"],
        [str(2**62), "1234567890.123456789", "x"],
        ["", "1.1", ""],
    ]


def test_dates_are_written_out_and_text_is_never_taken_for_one(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 31, 14, 30)  # noqa: DTZ001 - a spreadsheet's has no zone
    rows: list[list[Any]] = [["d", "t"], [datetime(2026, 1, 31), "2026-01-31"], [moment, "31.1.26"]]  # noqa: DTZ001
    for name, write in BOOKS.items():
        assert cells(write(tmp_path / name, rows)) == [
            ["d", "t"],
            ["2026-01-31", "2026-01-31"],
            ["2026-01-31 14:30:00", "31.1.26"],
        ]
    zoned = [["d"], [pandas.Timestamp(moment, tz=UTC)]]
    assert cells(parquet(tmp_path / "t.parquet", zoned)) == [["d"], ["2026-01-31T14:30:00+00:00"]]


@pytest.mark.parametrize("name", BOOKS)
def test_rows_are_numbered_as_the_spreadsheet_numbers_them(tmp_path: Path, name: str) -> None:
    path = BOOKS[name](tmp_path / name, [["", ""], HEADER, ["", ""], ["ann", "1"], ["bob", ""]])
    assert [(record.line, record.cells) for record in taken(path)] == [
        (2, ("Name", "Amount")),
        (4, ("ann", "1")),
        (5, ("bob", "")),
    ]


def test_the_header_of_a_parquet_file_is_its_row_1_and_a_named_index_a_column(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"Amount": ["1"]}, index=pandas.Index(["ann"], name="Name"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert [(r.line, r.cells) for r in taken(tmp_path / "t.parquet")] == [(1, ("Name", "Amount")), (2, ("ann", "1"))]


def test_a_formula_without_a_value_and_an_error_are_unclear_and_one_with_a_value_is_it(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["a", "b", "c"])
    sheet.append(["=1+1", "#REF!", "=x"])
    sheet["C2"].data_type = "s"
    sheet["B2"].data_type = "e"
    book.save(tmp_path / "t.xlsx")
    _, record = taken(tmp_path / "t.xlsx")
    assert record.cells == ("", "", "=x")
    assert [problem.reason for problem in record.problems("abc")] == [
        "it is a formula whose value is not in the file",
        "its value is an error or no number",
    ]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5, allow_nan=False))
def test_every_decimal_of_fifteen_digits_survives_being_a_float(number: Decimal) -> None:
    assert Decimal(str(entered(float(number)))) == number


@pytest.mark.parametrize(
    ("number", "digits"),
    [("0", 1), ("0.001", 1), ("1.230", 3), ("1000", 4), ("1E+20", 21), (f"1.{'0' * 40}1", 42), ("-12.50", 3)],
)
def test_digits_that_mean_something_are_counted_and_none_is_rounded_away(number: str, digits: int) -> None:
    assert frames.digits_of(Decimal(number)) == digits


@pytest.mark.parametrize("value", [float("nan"), float("inf"), pandas.NaT, b"bytes", [1]])
def test_what_is_neither_text_nor_number_nor_date_is_unclear(value: Any) -> None:
    assert isinstance(entered(value), Unclear)


# -- CSV -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_of_any_mark_and_encoding(tmp_path: Path, mark: str, encoding: str) -> None:
    rows = [["Name", "Amount"], ["Zoë", '"1,5; a|b\t"'], ['"two\nlines"', ""], ["x", "y"]]
    records = taken(text_file(tmp_path / "t.csv", rows, mark, encoding))
    assert [record.line for record in records] == [1, 2, 3, 5]
    assert [record.cells for record in records][1:3] == [("Zoë", "1,5; a|b"), ("two\nlines", "")]


@pytest.mark.parametrize(
    ("line", "mark"), [("Name", ","), ("", ","), ('"a;b;c",d', ","), ('"a,b,c";d', ";"), ("a,b;c;d", ";"), ('"a', ",")]
)
def test_the_mark_is_what_stands_in_the_header_outside_of_quotes(line: str, mark: str) -> None:
    assert delimiter_of(line) == mark


def test_an_escaped_cell_is_what_it_was_before(tmp_path: Path) -> None:
    for name in ("t.csv", "t.xlsx"):
        assert cells(WRITERS[name](tmp_path / name, [["'=a"], ["'-1"], ["'tis"]])) == [["=a"], ["-1"], ["'tis"]]


def test_a_row_whose_bytes_are_no_text_is_named_though_it_comes_late(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"Name\n" + b"ann\n" * 50_000 + b"\xe9\n")
    assert "t.csv, row 50002: not UTF-8 | byte 0xe9 begins no letter" in refusal(path)


def test_a_file_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"Name\n" + b"ann\n" * 50_000 + b"\xe9\n")
    assert isinstance(next(read.records(path)), Record)


# -- what is no table ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.xlsx", "t.ods", "t.parquet"])
@pytest.mark.parametrize("content", [b"", b"Name,Amount\nann,1\n", b"PK\x03\x04 and then nothing", b"PAR1"])
def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "cannot be read as the kind of file" in refusal(tmp_path / name)


def test_a_workbook_that_calls_itself_csv_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", [HEADER])
    words = refusal(path.rename(tmp_path / "t.csv"))
    assert "NUL" in words or "not UTF-8" in words
    assert ".xlsx" in words


@pytest.mark.parametrize("name", ["t.xlsx", "t.ods", "t.parquet"])
def test_what_is_large_only_once_it_is_unpacked_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = WRITERS[name](tmp_path / name, [HEADER, *ROWS])
    monkeypatch.setattr(frames, "MAX_UNPACKED_BYTES", 10)
    assert "is too large" in refusal(path)


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.parquet", "t"])
def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    with open(tmp_path / name, "wb") as file:
        file.truncate(200_000_000)  # takes no room on the disk
    assert "is too large: 200,000,000 bytes | such a file has at most 10 MB" in refusal(tmp_path / name)
    assert "at most 100 MB" in refusal(tmp_path / name, most_bytes=2 * 10**9) or name in ("t.csv", "t")


def test_what_is_no_file_on_a_disk_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is not a file on a disk" in refusal(tmp_path / "pipe.csv")
    assert "is not a file on a disk" in refusal(Path("/dev/full"))
    assert "is a folder" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "no.xlsx")
    assert "cannot be read" in refusal(tmp_path / "a\0b.csv")
