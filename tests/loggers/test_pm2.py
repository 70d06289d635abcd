"""pm2, the real one: loggers start, survive a kill, stop cleanly, and are told as they really are."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import run
from tests.homes import CHECKOUT, small_world
from tests.payout_world import HOTKEY, World, seeded
from valtrac.core.errors import BadInput, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.loggers import pm2, pm2_home
from valtrac.loggers.jobs import stakes
from valtrac.settings import Settings
from valtrac.snapshots.store import snapshots

needs_pm2 = pytest.mark.skipif(
    not (CHECKOUT / "node_modules" / "pm2").exists() or pm2_home.node_folder() is None,
    reason="pm2 is not installed beside the project: make install",
)
NAME = stakes.name_of(HOTKEY)
RUN = ["logger", "run", "stakes", "--hotkey", HOTKEY]
SECRET = "hunter2-not-to-be-written-down"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = small_world(monkeypatch, tmp_path)
    seeded_again(made, tmp_path)
    monkeypatch.setenv("VALTRAC_SNAPSHOT_INTERVAL", "10")
    monkeypatch.setenv("VALTRAC_TEST_SECRET", SECRET)
    monkeypatch.setenv("WALLET_PASSWORD", SECRET)
    yield made
    pm2.shut_down(made.app.settings)
    made.app.close()


def seeded_again(made: World, home: Path) -> None:
    """A chain whose blocks come by themselves, ten a second."""
    (home / "data" / "devnet.sqlite").unlink()
    seeded(home, made.heads, block_time_s=0.1)


def job(settings: Settings) -> pm2.Job:
    return next(job for job in pm2.jobs(settings) if job.name == NAME)


def until(true: Callable[[], bool], patience_s: float = 120) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def blocks(world: World) -> list[int]:
    with reading(world.engine) as conn:
        return [row.block for row in snapshots.listed(conn, HOTKEY, 0, 1000)]


def log(world: World) -> list[str]:
    return pm2.tail(world.app.settings, NAME, 100)


@needs_pm2
def test_a_logger_lives_through_a_kill_and_doubles_nothing(world: World) -> None:
    settings = world.app.settings
    pm2.start(settings, NAME, RUN)
    until(lambda: len(blocks(world)) >= 1)
    first = job(settings)
    assert (first.state, first.words) == ("running", "")
    assert first.beat is not None
    assert first.beat.block in blocks(world)
    with pytest.raises(BadInput, match="runs already"):
        pm2.start(settings, NAME, RUN)

    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: (now := job(settings)).state == "running" and now.pid != first.pid and now.words == "")
    seen = len(blocks(world))
    until(lambda: len(blocks(world)) > seen)
    assert job(settings).restarts == 1
    assert len(blocks(world)) == len(set(blocks(world)))

    pm2.stop(settings, NAME)
    assert job(settings).state == "stopped"
    assert log(world)[-1].endswith("stopped, as asked")
    pm2.restart(settings, NAME)
    assert job(settings).state == "running"
    pm2.remove(settings, NAME)
    assert pm2.jobs(settings) == []
    with pytest.raises(BadInput, match="there is no background logger"):
        pm2.stop(settings, NAME)


@needs_pm2
def test_nothing_of_the_owners_environment_is_written_down_or_passed_on(world: World) -> None:
    settings = world.app.settings
    pm2.start(settings, NAME, RUN)
    folder = pm2_home.home(settings)
    pid = job(settings).pid
    assert pid is not None
    passed = Path(f"/proc/{pid}/environ").read_bytes().decode()
    names = {one.partition("=")[0] for one in passed.split("\0")}
    assert SECRET not in passed
    assert "VALTRAC_HOME" in names
    assert not names & {"WALLET_PASSWORD", "VALTRAC_TEST_SECRET", "COLUMNS", "PYTEST_CURRENT_TEST"}
    for path in [*folder.rglob("*"), *settings.logs.rglob("*")]:
        if path.is_file():
            assert SECRET not in path.read_text(encoding="utf-8", errors="replace"), path
    ours = {name for name in json.loads((folder / "dump.pm2").read_text())[0]["env"] if name.startswith("VALTRAC_")}
    assert ours == {
        "VALTRAC_HOME",
        "VALTRAC_ENV_FILE",
        "VALTRAC_HOTKEYS",
        "VALTRAC_CHUNK_SIZE",
        "VALTRAC_SNAPSHOT_INTERVAL",
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "dump.pm2").stat().st_mode & 0o077 == 0
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    assert arguments[-6:-1] == ["logger", "run", "stakes", "--hotkey", HOTKEY]


@needs_pm2
def test_one_that_ended_for_good_reads_failed_with_the_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = world.app.settings
    stranger = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"
    with pytest.raises(ValtracError, match="ended at once") as caught:
        pm2.start(settings, NAME, ["logger", "run", "stakes", "--hotkey", stranger[:-1]])
    assert "is not an address" in caught.value.why
    found = job(settings)
    assert (found.state, found.pid) == ("failed", None)
    assert "is not an address" in found.words


@needs_pm2
def test_a_node_outage_is_a_running_logger_that_says_so_and_it_recovers(world: World) -> None:
    settings = world.app.settings
    devnet.misbehave(world.node, down=1000)
    pm2.start(settings, NAME, RUN)
    until(lambda: "trying again in" in job(settings).words)
    assert job(settings).state == "running"
    devnet.misbehave(world.node, clear=True)
    until(lambda: len(blocks(world)) >= 1)


@needs_pm2
def test_one_that_outlived_its_pm2_is_shown_stopped_cleanly_and_started_again(world: World) -> None:
    settings = world.app.settings
    pm2.start(settings, NAME, RUN)
    folder, alone = pm2_home.home(settings), job(settings).pid
    daemon = pm2_home.daemon_pid(folder)
    assert daemon is not None
    os.kill(daemon, signal.SIGKILL)  # as when the machine runs out of memory
    until(lambda: pm2_home.daemon_pid(folder) is None)
    found = job(settings)
    assert (found.state, found.pid) == ("running", alone)
    assert "pm2 is gone" in found.words
    seen = len(blocks(world))
    until(lambda: len(blocks(world)) > seen)  # it goes on with the record though nobody reads its log
    pm2.restart(settings, NAME)
    assert job(settings).pid not in (None, alone)
    assert alone is not None
    assert not pm2_home.alive(alone)


@needs_pm2
def test_after_a_reboot_the_loggers_are_listed_as_stopped_and_start_again(world: World) -> None:
    settings = world.app.settings
    pm2.start(settings, NAME, RUN)
    pm2.shut_down(settings)
    found = job(settings)
    assert (found.state, found.pid) == ("stopped", None)
    assert "start it again" in found.words
    pm2.restart(settings, NAME)
    assert job(settings).state == "running"


@needs_pm2
def test_a_home_with_a_very_long_path_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / ("long-" * 30) / ("path-" * 20)
    home.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short := tmp_path.parent / "r"))
    short.mkdir(exist_ok=True)
    made = small_world(monkeypatch, home)
    settings = made.app.settings
    try:
        assert len(str(pm2_home.home(settings))) < 100
        pm2.start(settings, NAME, RUN)
        assert job(settings).state == "running"
    finally:
        pm2.shut_down(settings)
        made.app.close()


def test_looking_starts_nothing(world: World) -> None:
    assert pm2.jobs(world.app.settings) == []
    assert pm2_home.daemon_pid(pm2_home.home(world.app.settings)) is None
    assert os.listdir(pm2_home.home(world.app.settings)) == []


def test_without_node_or_pm2_the_way_to_get_them_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pm2_home, "node_folder", lambda: None)
    with pytest.raises(ValtracError, match="node is missing") as caught:
        pm2.start(world.app.settings, NAME, RUN)
    assert "make install" in caught.value.fix
    monkeypatch.setattr(pm2_home, "node_folder", lambda: "/usr/bin")
    monkeypatch.setattr(pm2_home, "CHECKOUT", world.home)
    with pytest.raises(ValtracError, match="pm2 is missing") as caught:
        pm2.start(world.app.settings, NAME, RUN)
    assert caught.value.fix == "run: make install"


def test_a_job_that_a_new_pm2_does_not_know_is_stopped_and_not_forgotten(world: World) -> None:
    folder = pm2_home.home(world.app.settings)
    (folder / f"{NAME}.json").write_text(json.dumps({"apps": [{"name": NAME}]}))
    (folder / "module_conf.json").write_text("{}")  # of pm2's own
    (folder / "dump.pm2").write_text(json.dumps([{"name": "other", "status": "stopped"}, {"name": "lost"}]))
    seen = {job.name: (job.state, bool(job.words)) for job in pm2.jobs(world.app.settings)}
    assert seen == {NAME: ("stopped", False), "other": ("stopped", False), "lost": ("stopped", True)}


def test_a_short_runtime_folder_that_is_no_folder_of_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / ("x" * 100))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    planted = pm2_home.home(settings)
    planted.rmdir()
    planted.symlink_to(tmp_path)
    with pytest.raises(ValtracError, match="is not a folder of yours"):
        pm2_home.home(settings)


@pytest.mark.parametrize(
    ("status", "pid", "state"),
    [
        ("waiting restart", 0, "failed"),  # what pm2 says for ever of one that it has given up
        ("waiting restart", 99_999_999, "restarting"),
        ("online", 99_999_999, "restarting"),
        pytest.param("online", os.getpid(), "running", id="online-this-process"),
        ("stopped", 0, "stopped"),
        ("errored", 0, "failed"),
    ],
)
def test_a_state_is_what_the_operating_system_says_not_what_pm2_says(
    world: World, status: str, pid: int, state: str
) -> None:
    entry = {
        "name": NAME,
        "pid": pid,
        "pm2_env": {"status": status, "restart_time": 3, "pm_uptime": time.time() * 1000},
    }
    assert pm2._job(world.app.settings, entry).state == state


@needs_pm2
def test_by_command_a_logger_is_started_listed_read_stopped_and_removed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run.main(["logger", *arguments])
        return code, capsys.readouterr().out

    assert call("start", "stakes", "--hotkey", HOTKEY)[0] == 0
    code, out = call("status", "--json")
    (found,) = json.loads(out)
    assert (code, found["name"], found["state"]) == (0, NAME, "running")
    assert set(found) == {"name", "state", "pid", "restarts", "words", "heartbeat_at", "age_s", "block"}
    assert found["age_s"] < 60
    assert call("start", "stakes", "--hotkey", HOTKEY)[0] == 2
    assert "started" in call("tail", "stakes")[1]
    assert call("stop", "stakes")[0] == 0
    (found,) = json.loads(call("status", "--json")[1])
    assert (found["state"], found["words"]) == ("stopped", "")  # as its owner wanted it
    assert pm2_home.daemon_pid(pm2_home.home(world.app.settings)) is None  # nothing runs, so nothing is left to run it
    assert call("restart", "stakes")[0] == 0
    assert call("remove", "stakes")[0] == 0
    assert json.loads(call("status", "--json")[1]) == []
    assert pm2_home.daemon_pid(pm2_home.home(world.app.settings)) is None  # the last one leaves nothing behind
