"""The list of payments, saved again by a spreadsheet: still ours, and no row of it twice."""

from __future__ import annotations

import codecs
import csv
import io

import pytest

from tests.payments.doorway import ready
from tests.payout_world import World


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def saved(text: str, *, delimiter: str = ",", line_end: str = "\n", quoted: bool = False, comma: bool = False) -> str:
    """The list as a spreadsheet writes it. comma: numbers with a comma and without the zeros at their end."""
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    for place, row in enumerate(rows(text)):
        if comma and place:
            row[2] = row[2].rstrip("0").rstrip(".").replace(".", ",")
        writer.writerow(row)
    return out.getvalue()


@pytest.mark.parametrize(
    ("how", "mark"),
    [
        ({}, "\ufeff"),
        ({"delimiter": ";", "line_end": "\r\n", "comma": True}, ""),
        ({"delimiter": "\t"}, "\ufeff"),
        ({"delimiter": "|"}, ""),
        ({"quoted": True, "line_end": "\r\n"}, "\ufeff"),
        ({"comma": True}, ""),
    ],
    ids=["byte-order mark", "semicolons", "tabs", "bars", "quoted", "decimal commas"],
)
def test_a_list_that_a_spreadsheet_saved_is_read_and_goes_on_in_its_own_form(
    world: World, how: dict[str, object], mark: str
) -> None:
    world.send(ready(world))
    path = world.home / "logs" / "payout_log.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(mark + saved(text, **how), encoding="utf-8", newline="")  # type: ignore[arg-type]
    assert world.send(world.day(1).approved()).state == "settled"
    with path.open(encoding="utf-8-sig", newline="") as file:
        now = rows(file.read(), str(how.get("delimiter", ",")))
    assert len(now) == 1 + 7 + 7
    assert {len(row) for row in now} == {11}


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)])
def test_a_list_saved_as_unicode_text_goes_on_as_such_and_a_torn_row_of_it_is_written_again(
    world: World, encoding: str, mark: bytes
) -> None:
    world.send(ready(world))
    path = world.home / "logs" / "payout_log.csv"
    text = saved(path.read_text(encoding="utf-8"), delimiter="\t", line_end="\r\n")
    path.write_bytes((mark + text.encode(encoding))[:-25])
    assert world.send(world.day(1).approved()).state == "settled"
    now = rows(path.read_bytes()[len(mark) :].decode(encoding), "\t")
    assert path.read_bytes().startswith(mark)
    assert len(now) == 1 + 7 + 7
    assert {len(row) for row in now} == {11}


def test_a_list_of_another_program_is_still_refused(world: World) -> None:
    batch = ready(world)
    path = world.home / "logs" / "payout_log.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("Who;What\nann;1\n", encoding="utf-8")
    with pytest.raises(Exception, match="log of another program"):
        world.send(batch)
