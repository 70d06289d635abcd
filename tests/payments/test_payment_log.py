"""The list of payments, saved again by a spreadsheet: still ours, and no row of it twice."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from tests.payments.doorway import ready
from tests.payout_world import World, address
from valtrac.core.errors import Refused
from valtrac.core.money import TAO
from valtrac.payments import log_file, payment_log
from valtrac.people import users


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def saved(text: str, *, delimiter: str = ",", line_end: str = "\n", quoted: bool = False, comma: bool = False) -> str:
    """The list as a spreadsheet writes it. comma: numbers with a comma and without the zeros at their end."""
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
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


def log_of(world: World) -> Path:
    """The list after one batch was paid."""
    world.send(ready(world))
    return world.home / "logs" / "payout_log.csv"


def synced(world: World, path: Path) -> int:
    return payment_log.sync(world.door(), path)


def unknown_row(text: str) -> str:
    """A row of a payment that this ledger does not know."""
    return text.splitlines()[-1].replace("0x", "0xdead", 1)


MAKES = {
    "carriage returns": lambda text: text.replace("\n", "\r"),
    "no line end": lambda text: text[:-1],
    "both": lambda text: text.replace("\n", "\r")[:-1],
    "blank rows": lambda text: text + "\n,,,,,,,,,,\n",
}


@pytest.mark.parametrize("how", MAKES)
def test_a_payment_that_this_ledger_does_not_know_is_seen_however_the_list_was_saved(world: World, how: str) -> None:
    path = log_of(world)
    text = path.read_text(encoding="utf-8")
    content = MAKES[how](text + unknown_row(text) + "\n").encode()
    path.write_bytes(content)
    with pytest.raises(Refused, match="in 1 transactions that this ledger does not know"):
        payment_log.check(world.door(), path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("how", MAKES)
def test_a_list_saved_in_any_way_goes_on_with_every_payment_once(world: World, how: str) -> None:
    path = log_of(world)
    content = MAKES[how](path.read_text(encoding="utf-8")).encode()
    path.write_bytes(content)
    payment_log.check(world.door(), path)
    assert path.read_bytes() == content
    assert world.send(world.day(1).approved()).state == "settled"
    assert path.read_bytes().startswith(content)
    assert len([row for row in rows(path.read_text(encoding="utf-8")) if any(row)]) == 1 + 7 + 7
    assert synced(world, path) == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [*lines[:1], '"' + lines[1], *lines[2:]], "row 2 cannot be read"),
        (lambda lines: [*lines[:3], lines[3] + ",a note", *lines[4:]], "row 4 has 12 cells instead of 11"),
        (lambda lines: [*lines, "ann,5A,1.5"], "row 9 has 3 cells"),
        (lambda lines: [*lines, '"' + "x" * 200_000 + '"'], "row 9 cannot be read"),
        (lambda lines: [*lines[:2], '"' + lines[2], lines[3].replace(",", '",', 1), *lines[4:]], "in the next line"),
    ],
    ids=["a stray quote", "a note beside a row", "a row too short", "a cell too large", "two stray quotes"],
)
@pytest.mark.parametrize("line_end", ["\n", ""])
def test_a_row_that_is_not_understood_is_named_and_nobody_is_paid_until_it_is_put_right(
    world: World, spoil: Callable[[list[str]], list[str]], said: str, line_end: str
) -> None:
    path = log_of(world)
    content = ("\n".join(spoil(path.read_text(encoding="utf-8").splitlines())) + line_end).encode()
    path.write_bytes(content)
    for look in (payment_log.check, payment_log.sync):
        with pytest.raises(Refused, match=said) as refused:
            look(world.door(), path)
        assert "put that row right" in refused.value.fix
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [b"my diary, no line end", b"a,b\n1,2\nthe last line", b"\xff\xfea\x00,\x00", b"\n", b"User,Address\n", b'"open'],
)
def test_a_file_of_another_program_is_left_as_it_is(world: World, content: bytes) -> None:
    path = log_of(world)
    path.write_bytes(content)
    for look in (payment_log.check, payment_log.sync):
        with pytest.raises(Refused, match="log of another program"):
            look(world.door(), path)
        assert path.read_bytes() == content


def test_a_list_torn_anywhere_is_written_on_from_there_and_a_look_changes_nothing(world: World) -> None:
    path = log_of(world)
    whole = path.read_bytes()
    for kept in range(0, len(whole), 23):
        path.write_bytes(whole[:kept])
        payment_log.check(world.door(), path)
        assert path.read_bytes() == whole[:kept]
        synced(world, path)
        assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)])
def test_a_line_end_is_looked_for_at_whole_letters_of_utf_16(world: World, encoding: str, mark: bytes) -> None:
    """The bytes of a line end may also be the halves of two letters."""
    path = log_of(world)
    text = path.read_text(encoding="utf-8")
    looks_like_one = {"utf-16-le": "\u0a41\u0100", "utf-16-be": "\u4100\u0a41"}[encoding]
    lines = text.splitlines(keepends=True)
    path.write_bytes(mark + "".join([*lines[:-1], looks_like_one + lines[-1][:-1]]).encode(encoding))
    assert world.send(world.day(1).approved()).state == "settled"
    assert len(rows(path.read_bytes()[2:].decode(encoding))) == 1 + 7 + 7


def test_names_that_a_spreadsheet_rewrites_are_not_listed_twice(tmp_path: Path) -> None:
    world = World(tmp_path / "home", heads=2)
    for n, name in ((1, "André"), (2, "3-4")):
        users.add(world.engine, name, [address(n)])
    world.send(world.day().approved())
    path = world.home / "logs" / "payout_log.csv"
    text = path.read_text(encoding="utf-8").replace("3-4", "04-Mar")
    path.write_bytes(text.replace("\n", "\r\n").encode("cp1252"))
    assert synced(world, path) == 0
    assert world.send(world.day(1).approved()).state == "settled"
    assert len(rows(path.read_bytes().decode("cp1252"))) == 1 + 2 + 2
    world.app.close()


def test_of_two_who_are_paid_the_same_to_one_address_the_row_that_lacks_is_written() -> None:
    def receipt(user: str) -> dict[str, object]:
        body = {"user": user, "address": "5A", "amount_rao": 7, "tx_id": "0x1", "block": 3, "batch": 1}
        return {"body": body, "hash": f"of {user}"}

    ann, bob, again = receipt("ann"), receipt("bob"), {**receipt("bob"), "hash": "of bob, again"}
    cells = [payment_log._columns(one, TAO) for one in (ann, bob, again)]
    listed = payment_log._unlisted([ann, bob, again], cells[1:], TAO)
    assert listed == [ann]
    renamed = {**cells[0], "Username": "01-Jan", "Receipt": "of an older ledger"}
    assert payment_log._unlisted([ann, bob, again], [renamed, cells[1]], TAO) == [again]


def test_a_log_that_nobody_changed_is_not_read_row_by_row_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.people().day(2).door().log
    assert path is not None
    world.send(world.approved())
    world.day()
    read = list[object]()
    parse = log_file.parse

    def noted(content: bytes, name: object, *, what_for: bool) -> log_file.Log:
        read.append(name)
        return parse(content, name, what_for=what_for)

    monkeypatch.setattr(log_file, "parse", noted)
    before = path.read_text()
    world.send(world.approved())
    assert read == []
    assert path.read_text().startswith(before)
    assert path.read_text().count("\n") == 1 + 14
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]) + "\n")  # three rows were taken out by hand
    world.day()
    world.send(world.approved())
    assert read
    after = path.read_text().splitlines()
    assert after[: len(lines) - 3] == lines[:-3]
    assert set(lines) < set(after)
    assert len(after) == len(set(after)) == 1 + 21
    assert payment_log.sync(world.door(), path) == 0
