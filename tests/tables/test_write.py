"""Writing a table: whole or not at all, for its owner only, with every number as it is."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.core.errors import BadInput
from valtrac.tables import read, write

COLUMNS = ("Name", "Amount", "Block")
ROWS: list[tuple[write.Cell, ...]] = [
    ("ann", Decimal("1.100000000"), 7),
    ("=cmd()", Decimal("0.000000001"), 2**60),
    ("NA", Decimal("-12345678901.123456789"), None),
]
BACK = [
    ("Name", "Amount", "Block"),
    ("ann", "1.1", "7"),
    ("=cmd()", "0.000000001", str(2**60)),
    ("NA", "-12345678901.123456789", ""),
]
ALL = [f"out.{ending}" for ending in write.FORMATS]


def cells(path: Path) -> list[tuple[str, ...]]:
    return [record.cells for record in read.records(path)]  # type: ignore[union-attr]


def trimmed(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Numbers without the zeros at their end: CSV keeps them, for people."""
    return [tuple(cell.rstrip("0").rstrip(".") if "." in cell else cell for cell in row) for row in rows]


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx", "out.parquet", "OUT.XLSX", "out"])
def test_what_was_written_is_read_back_exactly(tmp_path: Path, name: str) -> None:
    assert write.table(tmp_path / name, COLUMNS, ROWS) == 3
    assert trimmed(cells(tmp_path / name)) == BACK


def test_csv_is_text_with_all_places_and_formulas_escaped(tmp_path: Path) -> None:
    write.table(tmp_path / "out.csv", COLUMNS, ROWS)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        "Name,Amount,Block\nann,1.100000000,7\n'=cmd(),0.000000001,1152921504606846976\nNA,-12345678901.123456789,\n"
    )


def test_json_has_money_as_decimal_strings_and_nothing_as_null(tmp_path: Path) -> None:
    write.table(tmp_path / "out.json", COLUMNS, ROWS)
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == [
        {"Name": "ann", "Amount": "1.100000000", "Block": "7"},
        {"Name": "=cmd()", "Amount": "0.000000001", "Block": str(2**60)},
        {"Name": "NA", "Amount": "-12345678901.123456789", "Block": None},
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "=cmd|' /C calc'!A0"])
def test_no_text_of_a_workbook_is_a_formula(tmp_path: Path, text: str) -> None:
    write.table(tmp_path / "out.xlsx", ["=head"], [[text]])
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [(cell.data_type, cell.value[0]) for (cell,) in sheet.rows] == [("s", "'"), ("s", "'")] or text[0] == "\t"
    assert all(cell.data_type == "s" for (cell,) in sheet.rows)


def test_a_column_of_a_workbook_is_of_numbers_only_where_each_is_kept_exactly(tmp_path: Path) -> None:
    rows: list[list[Decimal | int]] = [
        [Decimal("1.5"), Decimal("1.5"), 1],
        [Decimal("2.25"), Decimal("1234567890.123456789"), 2],
    ]
    write.table(tmp_path / "out.xlsx", ["short", "long", "whole"], rows)
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        [1.5, "1.5", 1],
        [2.25, "1234567890.123456789", 2],
    ]


def test_parquet_has_decimals_and_whole_numbers(tmp_path: Path) -> None:
    write.table(tmp_path / "out.parquet", ["a", "b", "c"], [[Decimal("1.5"), 2**63, 0.25], [Decimal("2.125"), 1, None]])
    frame = pandas.read_parquet(tmp_path / "out.parquet", dtype_backend="pyarrow")
    assert frame["a"].tolist() == [Decimal("1.500"), Decimal("2.125")]
    assert frame["b"].tolist() == [Decimal(2**63), Decimal(1)]
    assert frame["c"].tolist()[0] == 0.25


@pytest.mark.parametrize("name", ALL)
def test_a_table_without_rows_is_a_header(tmp_path: Path, name: str) -> None:
    assert write.table(tmp_path / name, COLUMNS, []) == 0
    if name == "out.json":
        assert json.loads((tmp_path / name).read_text()) == []
    else:
        assert cells(tmp_path / name) == [COLUMNS]


def test_a_long_csv_has_one_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "ROWS_AT_ONCE", 2)
    assert write.table(tmp_path / "out.csv", ["n"], ([n] for n in range(5))) == 5
    assert (tmp_path / "out.csv").read_text() == "n\n0\n1\n2\n3\n4\n"


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=9)


@settings(max_examples=25)
@given(st.lists(st.tuples(names, amounts, st.integers(0, 2**96)), min_size=1, max_size=4))
@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_nothing_is_lost_on_the_way_out_and_in(
    tmp_path_factory: pytest.TempPathFactory, ending: str, rows: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("t") / f"t.{ending}"
    write.table(path, COLUMNS, rows)
    back = [(name, Decimal(amount), int(block)) for name, amount, block in cells(path)[1:]]
    assert back == [(name.strip(), amount, block) for name, amount, block in rows]


# -- whole or not at all ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_only_its_owner_can_read_it_and_nothing_else_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")
    (tmp_path / name).chmod(0o644)
    write.table(tmp_path / name, COLUMNS, ROWS)
    assert oct((tmp_path / name).stat().st_mode)[-3:] == "600"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ALL)
def test_the_old_file_stays_where_the_rows_break_off(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")

    def rows() -> Any:
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write.table(tmp_path / name, COLUMNS, rows())
    assert (tmp_path / name).read_text() == "old"
    assert os.listdir(tmp_path) == [name]


def test_what_a_workbook_cannot_hold_is_refused_with_another_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MAX_WORKBOOK_ROWS", 2)
    with pytest.raises(BadInput, match="3 rows do not fit") as caught:
        write.table(tmp_path / "out.xlsx", COLUMNS, ROWS)
    assert ".csv" in caught.value.fix
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["out.pdf", "out.ods", "out.xls"])
def test_an_ending_of_no_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is no name of a table") as caught:
        write.table(tmp_path / name, COLUMNS, ROWS)
    assert ".parquet" in caught.value.fix


def test_a_device_a_pipe_and_a_folder_are_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (Path("/dev/full"), tmp_path / "pipe", tmp_path / "folder"):
        with pytest.raises(BadInput, match="cannot be written"):
            write.write_text(path, "x")
    assert Path("/dev/full").is_char_device()
    assert (tmp_path / "pipe").is_fifo()


def test_folders_are_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    write.write_text(tmp_path / "a" / "b.txt", "ä")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "ä".encode()
    with pytest.raises(BadInput, match="cannot be written"):
        write.table(tmp_path / "c" / "out.csv", COLUMNS, ROWS, make_folder=False)


@pytest.mark.parametrize("kind", ["a link to a file", "a link to a device", "a pipe"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "out.csv", tmp_path / "target.csv"
    target.write_text("kept", encoding="utf-8")
    if kind == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if "file" in kind else "/dev/full")
    with pytest.raises(BadInput, match="cannot be written"):
        write.table(path, COLUMNS, ROWS)
    assert target.read_text(encoding="utf-8") == "kept"
    assert path.is_symlink() or path.is_fifo()


@pytest.mark.parametrize(
    "cell", [";=cmd()", ";+1", ",-1", "|@x", " =1", ";; =1", "＝cmd()", "＋1", "－1", "＠x", ";＝1", "\u3000=1", "'=1"]
)
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_a_cell_that_some_spreadsheet_would_run_is_escaped_and_comes_back(tmp_path: Path, cell: str, name: str) -> None:
    write.table(tmp_path / name, ("Name",), [(cell,)])
    if name.endswith(".csv"):
        assert "'" + cell in (tmp_path / name).read_text(encoding="utf-8")
    (_, (back,)) = cells(tmp_path / name)
    assert back == cell.strip() or back == cell
