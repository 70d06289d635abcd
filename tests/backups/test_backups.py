"""Backups made while somebody writes, read back, audited, restored: and a restored database pays nobody twice."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.payout_world import HOTKEY, World, owed
from tests.test_old_homes import HOMES
from valtrac.backups import making, restoring, sealing
from valtrac.backups.making import Home
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.database import opening
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.payments import foreign, wallets
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import batches, restores
from valtrac.payments.store.ledger import receipts
from valtrac.payouts import drafts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.snapshots import snapshots
from valtrac.wiring import backups

NOW = datetime(2026, 11, 28, 13, 0, 7, 123, tzinfo=UTC)


def put_back(world: World, path: Path) -> None:
    restoring.restore(
        backups.home_of(world.app.settings), path, audit=backups.audit, mark=backups.mark, now=datetime.now(UTC)
    )


def restored(world: World, path: Path) -> World:
    world.app.close()
    put_back(world, path)
    return world.reopened()


def restored_without_the_log(world: World) -> tuple[World, PayoutBatch]:
    """A world as it was before its only batch was sent, and the batch; the list of payments is lost too."""
    batch = world.people().day().approved()
    path = backups.make(world.app.settings).path
    world.send(batch)
    world = restored(world, path)
    (world.home / "logs" / "payout_log.csv").unlink()
    return world, batch


def small(folder: Path) -> Home:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.sqlite")) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    (folder / "log.csv").write_text("head\n")
    return Home(
        {"a.sqlite": folder / "a.sqlite", "none.sqlite": folder / "none.sqlite"}, {"log.csv": folder / "log.csv"}
    )


def repacked(path: Path, change: dict[str, bytes | None]) -> None:
    """The archive with some files replaced; None: left out."""
    with tarfile.open(path, "r:gz") as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    files.update({name: content for name, content in change.items() if content is not None})
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            if change.get(name, b"") is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


def nothing_wrong(path: Path) -> list[str]:
    return []


def test_a_backup_holds_what_was_committed_and_says_what_it_holds(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    made = making.make(home, tmp_path / "b", public=None, now=NOW)
    assert made.path.name == "valtrac-20261128T130007Z.tar.gz"
    assert made.path.stat().st_mode & 0o077 == 0
    whole = restoring.verify(made.path, audit=nothing_wrong)
    assert whole.made_at == datetime(2026, 11, 28, 13, 0, 7, tzinfo=UTC)
    assert set(whole.sizes) == {"a.sqlite", "log.csv"}
    assert whole.problems == ()
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [".lock", made.path.name]


def test_it_is_one_moment_though_others_write(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(home.databases["a.sqlite"], timeout=30, isolation_level=None)) as conn:
            while not stop.is_set():
                conn.executescript("BEGIN; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        paths = [
            making.make(home, tmp_path / "b", public=None, now=NOW.replace(second=second)).path for second in range(5)
        ]
    finally:
        stop.set()
        writer.join()
    for path in paths:

        def even(copy: Path) -> list[str]:
            with closing(sqlite3.connect(copy)) as conn:
                twos, threes = (conn.execute(f"SELECT count(*) FROM t WHERE x = {x}").fetchone()[0] for x in (2, 3))
            return [] if twos == threes else [f"{twos} and {threes}"]

        assert restoring.verify(path, audit=even).problems == ()


def test_one_that_is_cut_off_changed_or_holds_something_else_is_refused(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    good = path.read_bytes()
    for broken in (good[:-8], good[: len(good) // 2], b"", good[:100] + b"\0\0\0\0" + good[104:]):
        path.write_bytes(broken)
        with pytest.raises(BadInput, match="cannot be read back"):
            restoring.verify(path, audit=nothing_wrong)
    changes: list[dict[str, bytes | None]] = [
        {"log.csv": b"other\n"},
        {"log.csv": None},
        {"more.csv": b"x"},
        {"../out.csv": b"x"},
        {"sub/out.csv": b"x"},
        {"manifest.json": b"{}"},
    ]
    for change in changes:
        path.write_bytes(good)
        repacked(path, change)
        with pytest.raises(BadInput, match="cannot be read back"):
            restoring.verify(path, audit=nothing_wrong)
    assert not (tmp_path / "out.csv").exists()


def test_a_database_that_is_broken_is_named_and_not_restored(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    before = home.databases["a.sqlite"].read_bytes()
    with pytest.raises(BadInput, match="is not sound") as refused:
        restoring.restore(home, path, audit=lambda _: ["an account is off"], mark=lambda *_: None, now=NOW)
    assert refused.value.problems == ("a.sqlite: an account is off",)
    assert home.databases["a.sqlite"].read_bytes() == before


def test_what_is_here_is_moved_aside_and_lists_of_payments_stay(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    with closing(sqlite3.connect(home.databases["a.sqlite"])) as conn:
        conn.executescript("INSERT INTO t VALUES (99)")
    home.logs["log.csv"].write_text("head\nnewer\n")
    done = restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
    assert (done.databases, done.kept) == (("a.sqlite",), ("log.csv",))
    assert home.logs["log.csv"].read_text() == "head\nnewer\n"
    with closing(sqlite3.connect(home.databases["a.sqlite"])) as conn:
        assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]
    (aside,) = done.asides
    with closing(sqlite3.connect(aside / "a.sqlite")) as conn:
        assert conn.execute("SELECT x FROM t").fetchall() == [(1,), (99,)]
    assert [path.name for path in (tmp_path / "home").glob(".reading-back-*")] == []


def test_a_sealed_one_needs_its_secret_key(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    public, secret = sealing.new_keys()
    path = making.make(home, tmp_path / "b", public=bytes.fromhex(public.split(":")[1]), now=NOW).path
    assert path.name.endswith(".tar.gz.sealed")
    assert b"SQLite" not in path.read_bytes()
    with pytest.raises(BadInput, match="is sealed"):
        restoring.verify(path, audit=nothing_wrong)
    with pytest.raises(BadInput, match="cannot be opened"):
        restoring.verify(path, secret=sealing.new_keys()[1], audit=nothing_wrong)
    assert restoring.verify(path, secret=secret, audit=nothing_wrong).problems == ()


def test_two_at_once_make_one_and_a_full_disk_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = small(tmp_path / "home")
    with making._alone(tmp_path / "b"), pytest.raises(Refused, match="another process"):
        making.make(home, tmp_path / "b", public=None, now=NOW)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gzip.GzipFile, "write", full)
    with pytest.raises(ValtracError, match="cannot be written"):
        making.make(home, tmp_path / "b", public=None, now=NOW)
    assert [path.name for path in (tmp_path / "b").iterdir()] == [".lock"]


def test_what_was_paid_after_the_backup_is_paid_to_nobody_again(world: World) -> None:
    batch = world.people().day().approved()
    path = backups.make(world.app.settings).path
    assert world.send(batch).state == "settled"
    world = restored(world, path)
    with reading(world.engine) as conn:
        assert batches.get(conn, batch.id).state == "approved"
        assert restores.not_compared(conn) is not None
    with pytest.raises(Refused) as refused:
        world.send(batch)
    assert refused.value.fix
    assert world.received() == owed(batch)
    with pytest.raises(Refused):
        backups.compare(world.app.settings)
    assert world.received() == owed(batch)


def test_after_it_was_taken_over_and_compared_payments_go_on(world: World) -> None:
    first = world.people().day().approved()
    world.send(first)
    second = world.day(1).approved()
    path = backups.make(world.app.settings).path
    world.send(second)
    both = {name: owed(first).get(name, 0) + units for name, units in owed(second).items()}
    world = restored(world, path)
    for _ in range(3):  # chunks of three of seven people
        with pytest.raises(Refused):
            backups.compare(world.app.settings)
        foreign.adopt(world.door(), world.app.wallet_address)
        reconcile(world.door())
    assert backups.compare(world.app.settings) == ["payouts"]
    assert backups.compare(world.app.settings) == []
    world.send(second)
    assert world.received() == both
    with reading(world.engine) as conn:
        assert len(receipts(conn)) == len(owed(first)) + len(owed(second))


def test_one_of_before_the_first_payment_is_not_trusted_even_where_the_list_of_payments_is_lost(world: World) -> None:
    world, batch = restored_without_the_log(world)
    with pytest.raises(Refused) as refused:
        backups.compare(world.app.settings)
    assert "before its first one was counted" in refused.value.problems[0]
    with pytest.raises(Refused):
        world.send(batch)
    assert world.received() == owed(batch)


def test_one_that_lost_nothing_goes_on_once_it_was_compared(world: World) -> None:
    batch = world.people().day().approved()
    world = restored(world, backups.make(world.app.settings).path)
    with pytest.raises(Refused, match="was restored from a backup"):
        world.send(batch)
    assert world.received() == {}
    assert backups.compare(world.app.settings) == ["payouts"]
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_reading_and_planning_go_on_without_comparing(world: World) -> None:
    world.people().day()
    world = restored(world, backups.make(world.app.settings).path)
    assert snapshots.take(world.engine, world.app.chain, HOTKEY).stored
    assert drafts.draft(world.engine, world.request(), world.app.chain).total


def test_databases_on_two_disks_are_put_in_place_and_aside_each_on_its_own(tmp_path: Path) -> None:
    if not (Path("/dev/shm").is_dir() and Path("/dev/shm").stat().st_dev != Path("/tmp").stat().st_dev):
        pytest.skip("there is one disk here")
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as one, tempfile.TemporaryDirectory(dir="/tmp") as other:
        first, second = small(Path(one) / "home"), small(Path(other) / "home")
        home = Home({"a.sqlite": first.databases["a.sqlite"], "b.sqlite": second.databases["a.sqlite"]}, {})
        path = making.make(home, tmp_path / "b", public=None, now=NOW).path
        for database in home.databases.values():
            database.write_bytes(b"something else")
        done = restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
        assert {aside.parent for aside in done.asides} == {Path(one) / "home", Path(other) / "home"}
        for name, database in home.databases.items():
            with closing(sqlite3.connect(database)) as conn:
                assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]
            (kept,) = [aside / name for aside in done.asides if aside.parent == database.parent]
            assert kept.read_bytes() == b"something else"
            assert not list(database.parent.glob(".*restoring"))


def test_where_there_is_no_room_beside_a_place_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    before = home.databases["a.sqlite"].read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("valtrac.backups.placing.shutil.copyfile", full)
    with pytest.raises(ValtracError, match="beside what is here") as refused:
        restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
    assert "nothing was changed" in refused.value.fix
    assert home.databases["a.sqlite"].read_bytes() == before
    assert not list((tmp_path / "home").glob("before-restoring*"))


def test_a_backup_that_unpacks_to_more_than_the_disk_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    path = making.make(small(tmp_path / "home"), tmp_path / "b", public=None, now=NOW).path
    room = SimpleNamespace(free=restoring.ROOM_LEFT + 10)
    monkeypatch.setattr("valtrac.backups.restoring.shutil.disk_usage", lambda _: room)
    with pytest.raises(Refused, match="no room to unpack"):
        restoring.verify(path, audit=nothing_wrong)


def test_one_is_due_when_the_newest_is_too_old(world: World) -> None:
    settings = world.app.settings
    world.people()
    assert backups.make_if_due(settings).startswith("backup valtrac-")
    assert backups.make_if_due(settings) == ""
    assert backups.make_if_due(settings.model_copy(update={"backup_hours": 0}), age_s=0) == ""
    assert backups.make_if_due(settings, age_s=-1).startswith("backup valtrac-")


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(world: World, tmp_path: Path) -> None:
    world.people()
    (tmp_path / "file").write_text("")
    settings = world.app.settings.model_copy(update={"backup_folder": tmp_path / "file"})
    assert backups.make_if_due(settings).startswith("no backup: ")


def test_before_tables_are_changed_they_are_kept_as_they_were(tmp_path: Path) -> None:
    shutil.unpack_archive(HOMES, tmp_path)
    database = tmp_path / "payouts" / "data" / "valtrac-devnet.sqlite"
    with closing(sqlite3.connect(database)) as conn:
        before = conn.execute("SELECT id, state, total FROM batches").fetchall()
    open_engine(database).dispose()
    (kept,) = (database.parent / "backups").glob(f"{database.stem}-0006-before-{opening.REVISION}-*.sqlite.gz")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(gzip.decompress(kept.read_bytes()))
    with closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0006",)
        assert conn.execute("SELECT id, state, total FROM batches").fetchall() == before != []
    assert kept.stat().st_mode & 0o077 == 0


def test_a_database_is_not_changed_where_it_cannot_be_kept_first(tmp_path: Path) -> None:
    shutil.unpack_archive(HOMES, tmp_path)
    database = tmp_path / "payouts" / "data" / "valtrac-devnet.sqlite"
    (database.parent / "backups").write_text("")
    with pytest.raises(ValtracError, match="cannot be opened"):
        open_engine(database)
    with closing(sqlite3.connect(database)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0006",)


def test_two_databases_of_one_name_are_both_in_it(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    url = f"sqlite:///{other / Path(str(world.app.settings.database)).name}"
    settings = world.app.settings.model_copy(update={"alerts_database_url": url})
    open_engine(Path(url.removeprefix("sqlite:///"))).dispose()
    made = backups.make(settings)
    assert made.files == 2
    assert restoring.verify(made.path, audit=backups.audit).problems == ()


def test_a_job_makes_one_and_whatever_goes_wrong_is_said_once(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import time

    from valtrac.loggers.backing_up import backing_up

    world.people()
    with backing_up(world.app.settings, every_s=0.01):
        until = time.monotonic() + 30
        while not making.listed(world.app.settings.backups) and time.monotonic() < until:
            time.sleep(0.01)
    assert len(making.listed(world.app.settings.backups)) == 1

    def broken(_: object) -> str:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(backups, "make_if_due", broken)
    capsys.readouterr()
    with backing_up(world.app.settings, every_s=0.01):
        time.sleep(0.2)
    assert capsys.readouterr().out.count("no backup: ZeroDivisionError: by zero") == 1


def test_a_send_that_is_refused_does_not_make_the_comparison_pass(world: World) -> None:
    world, batch = restored_without_the_log(world)
    with pytest.raises(Refused):
        wallets.adopt(world.door(), world.app.wallet_address, accept_history=True)
    with pytest.raises(Refused):
        backups.compare(world.app.settings)
    with pytest.raises(Refused):
        world.send(batch)
    assert world.received() == owed(batch)


def test_whoever_still_has_the_old_database_open_pays_nobody(world: World) -> None:
    batch = world.people().day().approved()
    path = backups.make(world.app.settings).path
    put_back(world, path)
    with pytest.raises(Refused, match="was restored from a backup"):
        world.send(batch)
    assert world.received() == {}


def test_every_wallet_of_earlier_batches_is_looked_at(world: World) -> None:
    world, _ = restored_without_the_log(world)
    with pytest.raises(Refused):
        backups.compare(world.app.settings.model_copy(update={"wallet_name": "//Bob"}))


def test_the_owners_word_on_what_the_wallet_did_before_lets_it_go_on(world: World) -> None:
    world.people().day()
    path = backups.make(world.app.settings).path
    world.send(world.approved())
    world = restored(world, path)
    (world.home / "logs" / "payout_log.csv").unlink()
    with pytest.raises(Refused, match="is not what the chain has"):
        backups.compare(world.app.settings)
    assert backups.compare(world.app.settings, accept_history=True) == ["payouts"]


def test_a_url_with_a_query_names_its_file_and_nothing_at_all_is_no_backup(world: World, tmp_path: Path) -> None:
    database = Path(str(world.app.settings.database))
    settings = world.app.settings.model_copy(update={"database_url": f"sqlite:///{database}?timeout=30"})
    assert backups.make(settings).files == 1
    with pytest.raises(Refused, match="no database"):
        making.make(Home({}, {}), tmp_path / "b", public=None, now=NOW)


def test_a_backup_of_a_time_to_come_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "valtrac-20990101T000000Z.tar.gz").write_bytes(b"x")
    assert making.due(tmp_path, NOW, age_s=3600)


def test_one_without_a_place_here_is_refused_and_two_restores_keep_both(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    strange = Home({"b.sqlite": tmp_path / "home" / "b.sqlite"}, home.logs)
    with pytest.raises(BadInput, match="has no place here"):
        restoring.restore(strange, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
    asides = {
        restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW).asides for _ in range(3)
    }
    assert len(asides) == 3


def test_what_a_killed_process_left_is_removed_and_copies_are_not_in_the_folder(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    (tmp_path / "home" / ".making-old").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "valtrac-20261128T120000Z.tar.gz.part").write_bytes(b"x")
    making.make(home, tmp_path / "b", public=None, now=NOW)
    assert not list((tmp_path / "home").glob(".making-*"))
    assert not list((tmp_path / "b").glob("*.part"))


def test_what_was_last_written_before_a_kill_is_in_what_is_moved_aside(tmp_path: Path) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path
    live = sqlite3.connect(home.databases["a.sqlite"])  # never closed: its last rows are in the log of writes
    live.executescript("INSERT INTO t VALUES (7)")
    done = restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
    (aside,) = done.asides
    with closing(sqlite3.connect(aside / "a.sqlite")) as conn:
        assert (7,) in conn.execute("SELECT x FROM t").fetchall()
    live.close()


def test_a_disk_without_hard_links_is_restored_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = small(tmp_path / "home")
    path = making.make(home, tmp_path / "b", public=None, now=NOW).path

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    done = restoring.restore(home, path, audit=nothing_wrong, mark=lambda *_: None, now=NOW)
    for database in (done.asides[0] / "a.sqlite", home.databases["a.sqlite"]):
        with closing(sqlite3.connect(database)) as conn:
            assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]
