"""Sheets of users: what is read is what was meant, and what is wrong is named with its row, column and fix."""

from __future__ import annotations

import csv
import io

import bittensor_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people_world import A, B, C, addr
from valtrac.core.errors import BadInput
from valtrac.core.text import is_plain
from valtrac.people.model import user_sheet
from valtrac.people.model.user_sheet import BadCell, Row, Sheet, clean_address, clean_name, table
from valtrac.tables import delimited
from valtrac.tables.delimited import csv_text


def parse(data: bytes, source: str) -> Sheet:
    return user_sheet.parse(delimited.records(io.BytesIO(data), source), source)


def write(people: list[tuple[str, tuple[str, ...]]]) -> str:
    header, rows = table(people)
    return csv_text([header, *rows])


def read(text: str, encoding: str = "utf-8") -> Sheet:
    return parse(text.encode(encoding), "users.csv")


def users(text: str, encoding: str = "utf-8") -> list[tuple[str, tuple[str, ...]]]:
    sheet = read(text, encoding)
    assert sheet.problems == ()
    return [(row.name, row.addresses) for row in sheet.rows]


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text).problems]


def refusal(text: str | bytes) -> str:
    with pytest.raises(BadInput) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "users.csv")
    error = caught.value
    assert error.moved == "no"
    assert error.fix
    return f"{error.what} | {error.why} | {error.fix}"


# -- what is read ------------------------------------------------------------------------------


def test_a_row_is_a_user_with_its_addresses_in_order() -> None:
    assert read(f"Name,Address1,Address2\nann,{B},{A}\nbob,,{C}\n").rows == (
        Row(2, "ann", (B, A), ("Address1", "Address2")),
        Row(3, "bob", (C,), ("Address2",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        f"Name,Address1\nann,{A}\n",
        f"Name,Address1\r\nann,{A}\r\n",
        f"Name,Address1\rann,{A}",
        f"\ufeffName,Address1\nann,{A}",
        f"name,ADDRESS1\nann,{A}",
        f" Name , Address 1 ,,\n ann , {A} ,,,,\n",
        f'"Name","Address1"\n"ann","{A}"',
        f"\n\nName,Address1\n\n,,\nann,{A}\n\n",
    ],
)
def test_line_ends_marks_blanks_quotes_and_trailing_commas_do_not_matter(text: str) -> None:
    assert users(text) == [("ann", (A,))]


def test_a_user_may_have_no_address_yet() -> None:
    assert users("Name,Address1\njon,\n") == [("jon", ())]
    assert users("Name,Address1\njon\n") == [("jon", ())]


def test_there_may_be_any_number_of_address_columns() -> None:
    many = tuple(addr(n) for n in range(1, 60))
    header = ",".join(f"Address{n}" for n in range(1, 60))
    assert users(f"Name,{header}\nann,{','.join(many)}\n") == [("ann", many)]


def test_a_name_that_looks_like_markup_or_a_formula_is_data() -> None:
    assert users('Name,Address1\nbob [/oops],\n=cmd(),\n\'-1+1,\n"a, ""b""",\n') == [
        ("bob [/oops]", ()),
        ("=cmd()", ()),
        ("-1+1", ()),
        ('a, "b"', ()),
    ]


def test_a_name_is_one_name_however_its_letters_are_written() -> None:
    assert users("Name,Address1\nJose\u0301,\n") == [("José", ())]


# -- what is wrong with a row ------------------------------------------------------------------


def test_a_wrong_checksum_names_row_column_reason_and_fix() -> None:
    wrong = A[:-1] + ("x" if A[-1] != "x" else "y")
    (found,) = problems(f"Name,Address1,Address2\nann,{B},{wrong}\n")
    assert found == (
        f"row 2, Address2: {wrong!r} is no address of this network: the checksum is wrong, so a letter "
        "was mistyped; copy it again from the wallet, whole"
    )


@pytest.mark.parametrize("prefix", [0, 2])
def test_an_address_of_another_network_is_refused(prefix: int) -> None:
    foreign = bittensor_core.ss58_encode(bytes([1]) * 32, ss58_format=prefix)
    (found,) = problems(f"Name,Address1\nann,{foreign}\n")
    assert found.startswith(f"row 2, Address1: {foreign!r} is no address of this network: ")
    assert found.endswith("; copy it again from the wallet, whole")


def test_a_second_spelling_of_the_same_key_is_refused() -> None:
    with pytest.raises(BadCell, match="no address of this network"):
        clean_address("1" + A)


def test_an_escape_sequence_is_shown_as_dots() -> None:
    name, address = problems("Name,Address1\n\x1b[2Jann,\x1b]0;x\x07\n")
    assert name.startswith("row 2, Name: '·[2Jann' holds a control or invisible character")
    assert name.endswith("type the name anew")
    assert address.startswith("row 2, Address1: '·]0;x·' is no address")
    assert is_plain(name + address)


def test_a_bidirectional_mark_in_a_name_is_refused() -> None:
    assert "row 2, Name: 'ann·bob' holds" in problems("Name,Address1\nann\u202ebob,\n")[0]


def test_more_cells_than_columns_are_named_by_their_column() -> None:
    (found,) = problems(f"Name,Address1\nann,{A},{B}\n")
    assert found.startswith(f"row 2, column 3: {B!r} stands right of Address1, the last column of the header; ")
    assert "add a column to the header" in found


def test_a_row_without_a_name_is_named() -> None:
    assert problems(f"Name,Address1\n,{A}\n") == ["row 2, Name: the name is empty; write the user's name"]


def test_the_same_user_twice_names_both_rows() -> None:
    (found,) = problems(f"Name,Address1\nann,{A}\n\nann,{B}\n")
    assert found == "row 4, Name: 'ann' stands in row 2 already; put all addresses of a user into one row"


def test_two_names_that_differ_by_capitals_are_named() -> None:
    (found,) = problems("Name,Address1\nann,\nANN,\n")
    assert "row 3, Name: 'ANN' stands in row 2 already as 'ann', apart from capitals" in found


def test_the_same_address_twice_names_both_places() -> None:
    found = problems(f"Name,Address1,Address2\nann,{A},{A}\nbob,,{A}\n")
    assert [text.split(": ")[0] for text in found] == ["row 2, Address2", "row 3, Address2"]
    assert all(f"{A} stands in row 2, Address1 already" in text for text in found)
    assert all("leave one of the two away" in text for text in found)


def test_every_wrong_row_is_listed_and_the_others_are_read() -> None:
    sheet = read(f"Name,Address1\nunassigned,\n{A},\nann,{A}\n{'x' * 101},\nbob,5abc\n")
    assert [problem.line for problem in sheet.problems] == [2, 3, 5, 6]
    assert [row.name for row in sheet.rows] == ["ann"]


def test_a_row_is_counted_as_an_editor_counts_lines() -> None:
    assert "row 5, Address1" in problems(f'Name,Address1\n\n"ann",{A}\n\nbob,"5a\nbc"\ncat,{B}\n')[0]


def test_a_quote_that_never_closes_is_named_with_the_row_where_it_opens() -> None:
    (found,) = problems(f'Name,Address1\nann,{A}\n"bob,{B}\ncat,\n')
    assert found.startswith("row 3: the quotes of this row do not close")
    assert 'write a quote inside as ""' in found


def test_letters_after_a_closing_quote_are_named() -> None:
    assert problems('Name,Address1\n"bob"x,\n')[0].startswith("row 2: the quotes of this row do not close")


# -- what is wrong with the file -----------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\r\n", b" ,,\n"])
def test_an_empty_file_is_told(data: bytes) -> None:
    assert "users.csv is empty" in refusal(data)
    assert "Name,Address1,Address2,..." in refusal(data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Name\nann\n", "row 1: the column Address1 is missing"),
        (f"ann,{A}\n", "row 1: column 1 must be Name | it is 'ann'"),
        ("\nName,Adress1\n", "row 2: column 2 must be Address1 | it is 'Adress1'"),
        ("Name,Address1,Address3\n", "row 1: column 3 must be Address2 | it is 'Address3'"),
        ("Name,Address1,\x1b[2J\n", "row 1: column 3 must be Address2 | it is '·[2J'"),
        ("Address1,Name\n", "row 1: column 1 must be Name | it is 'Address1'"),
    ],
)
def test_another_header_is_told_with_the_column(text: str, said: str) -> None:
    assert said in refusal(text)
    assert "make the first row: Name,Address1,Address2,..." in refusal(text)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_cells_may_be_separated_by_other_marks(separator: str) -> None:
    assert users(f"Name{separator}Address1\nann{separator}{A}\n") == [("ann", (A,))]


def test_rows_separated_by_another_mark_than_the_header_are_told() -> None:
    assert "row 2, Name" in problems(f"Name,Address1\n{'x' * 70};{A}\n")[0]


def test_a_header_without_users_is_told() -> None:
    assert "a header and no users" in refusal("Name,Address1\n\n,,\n")


def test_what_is_not_utf_8_is_told_with_its_row() -> None:
    assert "users.csv, row 3: not UTF-8 | byte 0xe9" in refusal("Name,Address1\nann,\nJosé,\n".encode("latin-1"))
    assert "row 2: not UTF-8" in refusal(b"\xef\xbb\xbfName,Address1\r\n\xff,\r\n")
    assert "UTF-16" in refusal("Name,Address1\nann,".encode("utf-16")[:-1])


def test_utf_16_with_its_mark_is_read() -> None:
    assert users(f"Name\tAddress1\nZoë\t{A}\n", "utf-16") == [("Zoë", (A,))]


def test_a_nul_byte_is_told_with_its_row() -> None:
    assert "users.csv, row 2: a NUL byte" in refusal(b"Name,Address1\nan\0n,\n")


def test_too_many_users_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_sheet, "MAX_ROWS", 2)
    assert len(read("Name,Address1\nann,\nbob,\n").rows) == 2
    assert "users.csv has more than 2 users" in refusal("Name,Address1\nann,\nbob,\ncat,\n")


def test_the_limit_is_two_hundred_thousand_users() -> None:
    assert user_sheet.MAX_ROWS == 200_000


@given(st.binary(max_size=200))
def test_no_bytes_at_all_crash_the_reader(data: bytes) -> None:
    for head in (b"", b"Name,Address1\n"):
        try:
            sheet = parse(head + data, "users.csv")
        except BadInput:
            continue
        assert all(is_plain(str(problem)) for problem in sheet.problems)


# -- names, and sheets written by us -----------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["bob [/oops]", "=cmd()", "+1", "@all", "日本", "Zoë", "a" * 100, "x,y", '"', "'tis", "'=cmd()", "#1"]
)
def test_a_legal_name_stays_as_it_is(name: str) -> None:
    assert clean_name(f"  {name}\n") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a" * 101,
        "a\x00",
        "a\x1bb",
        "a\u200bb",
        "a\u202eb",
        "a\nb",
        "unassigned",
        "Unassigned",
        A,
        "1" + A,
        "\ud800",
        "\ue000",
    ],
)
def test_an_illegal_name_is_refused_with_reason_and_fix(name: str) -> None:
    with pytest.raises(BadCell) as caught:
        clean_name(name)
    assert caught.value.fix
    assert is_plain(caught.value.reason)


names = st.text(max_size=100).map(lambda text: text.strip())


@given(st.dictionaries(names, st.lists(st.integers(1, 10**6), max_size=4, unique=True), min_size=1, max_size=5))
def test_what_was_written_is_read_back(people: dict[str, list[int]]) -> None:
    rows, taken, folded = [], set(), set()
    for name, numbers in people.items():
        try:
            name = clean_name(name)
        except BadCell:
            continue
        if name.casefold() not in folded:
            folded.add(name.casefold())
            rows.append((name, tuple(addr(n) for n in numbers if n not in taken)))
            taken.update(numbers)
    if rows:
        assert users(write(rows)) == rows


def test_no_cell_of_a_written_sheet_is_a_formula() -> None:
    text = write([("=cmd()", (A,)), ("@x", ()), ("-1", ()), ("+1", ())])
    assert [row[0] for row in csv.reader(io.StringIO(text))] == ["Name", "'=cmd()", "'@x", "'-1", "'+1"]
