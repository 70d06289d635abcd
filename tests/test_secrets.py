"""The password of a wallet: in the memory of the process that was given it, and nowhere else, not even for a moment."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import run as program
from tests.homes import CHECKOUT, move_in
from tests.once import assert_nothing_paid, assert_paid_once, tried
from tests.payout_world import HOTKEY, OWNER, World
from valtrac.devnet import bittensor as devnet
from valtrac.loggers import pm2, pm2_home
from valtrac.loggers.jobs import stakes
from valtrac.payments.model.batches import Batch
from valtrac.secrets import memory

MARKER = "marker-Zq7-Wk3-über-Vx9-geheim"
needs_pm2 = pytest.mark.skipif(
    not (CHECKOUT / "node_modules" / "pm2").exists() or pm2_home.node_folder() is None,
    reason="pm2 is not installed beside the project: make install",
)


def _spellings(secret: str) -> list[bytes]:
    """The secret as bytes that would give it away; of base64 the part that is the same wherever it begins."""
    found = [secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"), secret.encode().hex().encode()]
    for text in (secret.encode(), secret.encode("utf-16-le")):
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + text).rstrip(b"=")
            found += [coded[4:-4], coded[4:-4].replace(b"+", b"-").replace(b"/", b"_")]
    return found


SPELLINGS = _spellings(MARKER)


def given_away(content: bytes) -> bool:
    """Whether the password can be read out of this."""
    return any(spelling in content for spelling in SPELLINGS)


def files_that_give_it_away(folder: Path) -> list[Path]:
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and given_away(path.read_bytes()):
                found.append(path)
    return found


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a locked wallet that holds the money of the rehearsal chain's owner."""
    from bittensor.keyfiles import Keypair
    from bittensor.wallet import Wallet

    folder, key = tmp_path_factory.mktemp("wallets"), Keypair.create_from_uri(OWNER)
    Wallet(name="main", path=str(folder))._set_coldkey(key, True, True, False, MARKER)
    Wallet(name="main", path=str(folder))._set_coldkeypub(key, True)
    return folder


@pytest.fixture(scope="module")
def approved_home(tmp_path_factory: pytest.TempPathFactory, locked: Path) -> tuple[Path, Batch]:
    """A home with that wallet in it and an approved batch, to copy; and the batch."""
    home = tmp_path_factory.mktemp("approved") / "home"
    shutil.copytree(locked, home / ".bittensor" / "wallets")
    made = World(home, wallet_name="main", wallet_path=home / ".bittensor" / "wallets")
    batch = made.people().day().approved()
    made.app.close()
    return home, batch


@pytest.fixture
def batch(approved_home: tuple[Path, Batch]) -> Batch:
    """The batch that was approved in the world."""
    return approved_home[1]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, approved_home: tuple[Path, Batch]) -> Iterator[World]:
    """A home of one's own with that wallet in it and that batch."""
    shutil.copytree(approved_home[0], tmp_path, dirs_exist_ok=True)
    made = World(tmp_path, wallet_name="main", wallet_path=tmp_path / ".bittensor" / "wallets")
    move_in(monkeypatch, tmp_path, hotkeys=HOTKEY, chunk_size="3", wallet_name="main")
    monkeypatch.setenv("HOME", str(tmp_path))
    yield made
    pm2.shut_down(made.app.settings)
    made.app.close()


def sending(
    world: World, batch: Batch, password: str, prepare: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """`payout send` in a real process that was given the password by a pipe."""
    process = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "run.py"), "payout", "send", str(batch.id), "--password-stdin"],
        env={name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or "VALTRAC_" in name},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=world.home,
        preexec_fn=prepare,
    )
    assert process.stdin is not None
    process.stdin.write(password.encode() + b"\n")
    process.stdin.flush()
    return process


def family(pid: int) -> list[int]:
    """A process and everything that it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [one for child in task.read_text().split() for one in family(int(child))]
    return found


def shown_by(pid: int) -> bytes:
    """What every process of the machine can be asked about itself."""
    content = b""
    for one in family(pid):
        for name in ("cmdline", "environ", "comm"):
            with contextlib.suppress(OSError):
                content += Path(f"/proc/{one}/{name}").read_bytes()
    return content


def on_its_way(world: World, batch: Batch, process: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
    """Wait until a transaction is out, looking all the while."""
    while "sent" not in {attempt.state for attempt in tried(world, batch)}:
        assert process.poll() is None, process.communicate()
        look()
        time.sleep(0.01)


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    for number, content in enumerate(
        (
            MARKER.encode(),
            MARKER.encode("utf-16"),
            base64.b64encode(MARKER.encode()),
            base64.b64encode(b'{"p":"' + MARKER.encode() + b'"}'),
            base64.urlsafe_b64encode(b"xx" + MARKER.encode("utf-16")),
        )
    ):
        (tmp_path / str(number)).write_bytes(b"before" + content + b"after")
    assert len(files_that_give_it_away(tmp_path)) == 5


@needs_pm2
def test_a_password_shows_in_no_process_and_stays_in_no_file(world: World, batch: Batch) -> None:
    settings = world.app.settings
    pm2.start(settings, stakes.name_of(HOTKEY), ["logger", "run", "stakes", "--hotkey", HOTKEY])
    (job,) = pm2.jobs(settings)
    devnet.misbehave(world.node, hold_pool=True)
    looks: list[bytes] = []
    process = sending(world, batch, MARKER)
    try:
        on_its_way(world, batch, process, lambda: looks.append(shown_by(process.pid)))
        looks += [shown_by(job.pid or 0), shown_by(pm2_home.daemon_pid(pm2_home.home(settings)) or 0)]
        pm2.restart(settings, job.name)
        assert files_that_give_it_away(world.home) == []
        devnet.misbehave(world.node, hold_pool=False)
        while process.poll() is None:
            looks.append(shown_by(process.pid))
            devnet.advance(world.node, 1)
            time.sleep(0.05)
    finally:
        process.kill()
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert any(b"--password-stdin" in look for look in looks)
    assert not any(map(given_away, looks))
    assert not given_away(out + err)
    assert (pm2_home.home(settings) / "dump.pm2").exists()
    world.app.close()
    assert files_that_give_it_away(world.home) == []
    world.engine = world.app.engine
    assert_paid_once(world, batch)


def test_a_wrong_password_is_refused_by_a_process_without_being_said(world: World, batch: Batch) -> None:
    process = sending(world, batch, MARKER + "x")
    out, err = process.communicate(timeout=60)
    refused_without_being_said(world, batch, process.returncode, out, err)


@pytest.mark.parametrize("password", [MARKER[:-1], "", MARKER + "\0"], ids=["shorter", "none", "NUL"])
def test_a_wrong_password_is_refused_without_being_said(
    world: World,
    batch: Batch,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    password: str,
) -> None:
    monkeypatch.setattr(memory, "keep_to_itself", lambda: None)  # it would hold for this process until its end
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(password.encode() + b"\n"), encoding="utf-8"))
    code = program.main(["payout", "send", str(batch.id), "--password-stdin"])
    refused_without_being_said(world, batch, code, *capfdbinary.readouterr())


def refused_without_being_said(world: World, batch: Batch, code: int, out: bytes, err: bytes) -> None:
    assert code == 3
    assert b"fix" in err
    assert MARKER[:-1].encode() not in out + err
    world.app.close()
    assert files_that_give_it_away(world.home) == []
    world.engine = world.app.engine
    assert_nothing_paid(world, batch)


def test_a_password_in_the_environment_is_not_looked_for(
    world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BT_WALLET_PASSWORD", "BT_PW__" + str(world.app.settings.wallet_path), "WALLET_PASSWORD"):
        monkeypatch.setenv(name, MARKER)
    process = subprocess.run(
        [sys.executable, str(CHECKOUT / "run.py"), "payout", "send", str(batch.id)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert process.returncode == 3
    assert b"--password-stdin" in process.stderr
    assert_nothing_paid(world, batch)


def _cores_allowed() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="this machine lets no process leave its memory behind"
)
def test_an_unlocked_process_that_crashes_leaves_its_memory_nowhere(world: World, batch: Batch) -> None:
    devnet.misbehave(world.node, hold_pool=True)
    process = sending(world, batch, MARKER, _cores_allowed)
    on_its_way(world, batch, process, lambda: None)
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.communicate()
    assert process.returncode == -signal.SIGABRT
    cores = [path for path in world.home.iterdir() if path.name.startswith("core")]
    for core in cores:
        core.unlink()  # it is large, and it holds a password
    assert (os.WCOREDUMP(status), cores) == (False, [])


ASKING = ("snapshot take", "payout reconcile", "devnet advance", "contracts listen", "contracts settings")


def settings_of_a_silent_node(home: Path, address: str) -> dict[str, str]:
    """Settings with the key in the address of a node, where none answers."""
    url = address.format(MARKER)
    return {
        "VALTRAC_HOME": str(home / "home"),
        "VALTRAC_ENV_FILE": os.devnull,
        "VALTRAC_TIMEOUT_S": "2",
        "VALTRAC_HOTKEYS": HOTKEY,
        "VALTRAC_NETWORK": url,
        "VALTRAC_BITSHARES_NETWORK": "mychain",
        "VALTRAC_BITSHARES_NODES": url,
    }


def test_the_key_in_the_address_of_a_node_is_neither_shown_nor_written_down_by_a_process(tmp_path: Path) -> None:
    """Asked by a command of each business; all those that need a node follow below, in this process."""
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
        "HOME": str(tmp_path),
        **settings_of_a_silent_node(tmp_path, "ws://127.0.0.1:1/ws?apikey={}"),
    }
    said = b""
    for command in ("payout reconcile", "contracts listen"):
        process = subprocess.run(
            [sys.executable, str(CHECKOUT / "run.py"), *command.split()],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        said += process.stdout + process.stderr
    assert b"127.0.0.1" in said
    assert not given_away(said)
    assert files_that_give_it_away(tmp_path) == []


@pytest.mark.parametrize(
    "address", ["ws://127.0.0.1:1/ws?apikey={}", "ws://127.0.0.1:1/v1/{}", "wss://localhost:1/{}/ws"]
)
def test_the_key_in_the_address_of_a_node_is_neither_shown_nor_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], address: str
) -> None:
    """Asked with each command that needs a node."""
    move_in(monkeypatch, tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in settings_of_a_silent_node(tmp_path, address).items():
        monkeypatch.setenv(name, value)
    said = b""
    for command in ASKING:
        program.main(command.split())
        said += b"".join(capfdbinary.readouterr())
    assert b"127.0.0.1" in said or b"localhost" in said
    assert not given_away(said)
    assert files_that_give_it_away(tmp_path) == []


def test_the_key_in_the_address_of_a_node_that_answers_is_written_down_nowhere(tmp_path: Path) -> None:
    from tests.contracts_world import World as Contracts
    from valtrac.devnet import bitshares

    world = Contracts(tmp_path / "chain")
    server = bitshares.serve(world.path)
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
        "VALTRAC_HOME": str(tmp_path / "home"),
        "VALTRAC_ENV_FILE": os.devnull,
        "VALTRAC_BITSHARES_NETWORK": "mychain",
        "VALTRAC_BITSHARES_NODES": f"{server.url}/ws?apikey={MARKER}",
    }
    code = "from valtrac.loggers.jobs.agreements import tick; from valtrac.wiring.contracts import ContractsApp; "
    code += "from valtrac.settings import load; print(tick(ContractsApp(load())))"
    try:
        process = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=CHECKOUT, capture_output=True, check=False
        )
    finally:
        server.close()
        world.close()
    assert b"Tick(block=" in process.stdout, process.stderr
    assert not given_away(process.stdout + process.stderr)
    assert files_that_give_it_away(tmp_path / "home") == []
