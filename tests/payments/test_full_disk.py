"""A disk that is full at any step: said in words, and once there is room, everyone is paid once."""

from __future__ import annotations

import errno
import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.once import Died, Meddling, assert_nothing_paid, assert_paid_once, line_states, tried
from tests.payments.doorway import handing, ready, sent_by
from tests.payout_world import World
from valtrac.core.errors import ValtracError
from valtrac.payments import payment_log
from valtrac.payments.reconcile import reconcile
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.ports import Payer

FULL = "database or disk is full"


@contextmanager
def bounded(world: World, statement: str) -> Iterator[None]:
    """No statement that begins like this finds any room."""

    def refuse(conn: Any, cursor: Any, text: str, parameters: Any, context: Any, many: Any) -> None:
        if text.startswith(statement):
            raise sa.exc.OperationalError(text, parameters, sqlite3.OperationalError(FULL))

    sa.event.listen(world.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        sa.event.remove(world.engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize(
    ("statement", "moved"),
    [
        ("INSERT INTO chunks", "no"),
        ("INSERT INTO attempts", "no"),
        ("UPDATE attempts SET state=?, sent_at", "unknown"),
        ("UPDATE attempts SET state=?, block", "unknown"),
        ("INSERT INTO entries", "unknown"),
        ("INSERT INTO receipts", "unknown"),
    ],
)
def test_a_disk_that_is_full_at_one_step_is_said_in_words_and_pays_nobody_twice(
    world: World, statement: str, moved: str
) -> None:
    batch = ready(world)
    with bounded(world, statement), pytest.raises(ValtracError) as full:
        world.send(batch)
    assert full.value.moved == moved
    assert FULL in full.value.why or "cannot be used" in full.value.what
    assert len(tried(world, batch)) == (moved == "unknown")
    if moved == "no":
        assert_nothing_paid(world, batch)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("moment", ["before the journal", "before the booking"])
def test_a_disk_that_is_really_full_stops_the_door_and_pays_nobody_twice(tmp_path: Path, moment: str) -> None:
    world = World(tmp_path, heads=150, chunk_size=150)
    batch = ready(world)

    def fill_up() -> None:
        with world.engine.connect() as conn:
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        world.engine.dispose()

        @sa.event.listens_for(world.engine, "connect")
        def limit(dbapi: Any, _record: object) -> None:
            dbapi.execute(f"PRAGMA max_page_count={pages}")

    def hand(payer: Payer, raw: bytes) -> None:
        if moment == "before the booking":
            fill_up()
        payer.broadcast(raw)

    signing = fill_up if moment == "before the journal" else lambda: None
    with pytest.raises(ValtracError) as full:
        sent_by(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
    assert full.value.moved == ("no" if moment == "before the journal" else "unknown")
    assert len(tried(world, batch)) == (moment == "before the booking")
    world.reopened().send(batch)
    assert_paid_once(world, batch)
    world.app.close()


PARTS = 2  # so that two workers share the commits


@pytest.fixture(scope="module")
def approved_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PayoutBatch]:
    """A home with an approved batch for four people, to copy; and the batch."""
    world = World(tmp_path_factory.mktemp("approved") / "home", heads=4)
    batch = ready(world)
    world.app.close()
    return world.home, batch


@pytest.mark.parametrize("part", range(PARTS))
def test_a_disk_that_is_full_at_any_commit_ends_in_words_and_the_next_run_pays_once(
    tmp_path: Path, approved_home: tuple[Path, PayoutBatch], part: int
) -> None:
    count = _send_with_a_full_disk(approved_home, tmp_path / "0", 0)
    assert count > 20
    for number in range(1 + part, count + 1, PARTS):
        _send_with_a_full_disk(approved_home, tmp_path / str(number), number)


def _send_with_a_full_disk(approved_home: tuple[Path, PayoutBatch], home: Path, number: int) -> int:
    """Send while the n-th commit finds no room, then once more; how many commits the first sending made."""
    template, batch = approved_home
    world = World(Path(shutil.copytree(template, home)), heads=4)
    dialect, commits = world.engine.dialect, 0
    commit = dialect.do_commit

    def counted(dbapi_connection: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == number:
            raise sqlite3.OperationalError(FULL)
        commit(dbapi_connection)

    dialect.do_commit = counted  # type: ignore[method-assign]
    try:
        world.send(batch)
    except ValtracError as error:
        assert number, error
    finally:
        dialect.do_commit = commit  # type: ignore[method-assign]
    made = commits
    world.reopened().send(batch)
    reconcile(world.door())
    assert_paid_once(world, batch)
    world.app.close()
    return made


class FullFile:
    """A file that takes a few bytes and then has no room left."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> FullFile:
        return self

    def __exit__(self, *problem: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._file.write(data[:50])
        self._file.flush()
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_while_the_log_is_written_loses_no_row_and_doubles_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ready(world)
    looked = iter([io.open])  # the look before anything is signed finds room

    def opened(*args: Any, **how: Any) -> Any:
        file = io.open(*args, **how)  # noqa: UP020, SIM115
        return file if next(looked, None) else FullFile(file)

    with monkeypatch.context() as full:
        full.setattr(payment_log, "open", opened, raising=False)
        assert world.send(batch).state == "settled"
    assert len([words for words in world.told if "No space left" in words and "written later" in words]) == 4
    assert line_states(world, batch) == {"paid": 7}
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_row_that_was_kept_out_after_the_last_booking_is_written_by_the_next_sending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ready(world)

    def never_written(*_: object) -> int:
        if line_states(world, batch) == {"paid": 7}:
            raise Died
        return 0

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(payment_log, "sync", never_written)
        world.send(batch)
    world.reopened().send(batch)
    assert_paid_once(world, batch)


def test_a_log_that_cannot_be_written_is_said_in_words_by_reconcile(world: World) -> None:
    batch = ready(world)
    world.send(batch)
    with pytest.raises(ValtracError):
        reconcile(world.door(log=world.home / "data"))


@pytest.mark.parametrize("in_the_way", ["a folder", "a file"])
def test_a_log_that_cannot_be_written_stops_the_door_before_anything_is_signed(world: World, in_the_way: str) -> None:
    batch = ready(world)
    if in_the_way == "a folder":
        (world.home / "logs" / "payout_log.csv").mkdir(parents=True)
    else:
        (world.home / "logs").write_text("", encoding="utf-8")
    payer = Meddling(world.app.unlock(), handing)
    with pytest.raises(ValtracError) as refused:
        sent_by(world, payer, batch)
    assert (refused.value.moved, payer.signed) == ("no", [])
