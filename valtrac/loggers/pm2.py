"""pm2, the real one, kept in a home of its own: start, stop, list and read background jobs.

Called with lists of arguments (never a shell) and an environment of a few names: pm2 writes the
caller's whole environment into its dump. What it says of a job is checked against the operating
system and the job's own heartbeat: it calls one that it gave up "waiting restart" for ever.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.home import CHECKOUT
from valtrac.core.text import plain
from valtrac.loggers.loop import Beat, last_beat
from valtrac.loggers.pm2_home import alive, command_line, daemon_pid, dumped, home, node_folder, program, script
from valtrac.settings import Settings

SILENT_S = 180.0  # a job says something at least once a minute, unless its node is away
GRACE_S = 60.0  # so long a fresh process may take to say its first word
FIRST_WORD_S, LOOK_S = 8.0, 1.5  # so long `start` waits for it, and so often it asks pm2 meanwhile
KILL_TIMEOUT_S = 15
GIVEN_UP = [2, 3]  # exit codes after which starting again would end the same way: bad input, refused
# HOME: where ~/.pgpass is. No password is among these, nor among our settings.
PASSED_ON = ("HOME", "PATH", "PGPASSFILE", "PGSERVICEFILE", "LANG", "LC_ALL", "TZ", "NO_PROXY", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Job:
    """A background job as it really is.

    state: running, restarting (it crashed, pm2 will start it again), stopped or failed (it will not).
    beat: what it last said. words: what is wrong, or "".
    """

    name: str
    state: str
    pid: int | None
    restarts: int
    started_at: datetime | None
    beat: Beat | None
    words: str


def start(settings: Settings, name: str, arguments: list[str]) -> None:
    """Start a job and wait for its first word.

    Raises BadInput when it runs already, ValtracError when pm2 is missing or the job ended at once.
    """
    if any(job.name == name and job.state == "running" for job in jobs(settings)):
        raise BadInput(f"{name} runs already", fix="see: run.py logger status")
    log = str(settings.logs / f"{name}.log")
    declared = {
        "name": name,
        "script": str(script()),
        "interpreter": sys.executable,
        "interpreter_args": "-u",
        "args": arguments,
        "cwd": str(CHECKOUT),
        "env": {},
        "autorestart": True,
        "exp_backoff_restart_delay": 200,
        "stop_exit_codes": GIVEN_UP,
        "kill_timeout": KILL_TIMEOUT_S * 1000,
        "time": False,
        "vizion": False,
        "out_file": log,
        "error_file": log,
    }
    _declaration(settings, name).write_text(json.dumps({"apps": [declared]}), encoding="utf-8")
    _launch(settings, name)


def stop(settings: Settings, name: str) -> None:
    """Stop a job; it ends cleanly and stays listed. With the last that runs, pm2 itself ends."""
    if _lost(_known(settings, name)):
        _end_orphan(settings, name)
        return
    _pm2(settings, ["stop", name])
    _pm2(settings, ["save", "--force"])
    if all(job.state == "stopped" for job in jobs(settings)):
        shut_down(settings)


def restart(settings: Settings, name: str) -> None:
    """Stop a job, if it runs, and start it with the settings of now."""
    _known(settings, name)
    if not _declaration(settings, name).exists():
        raise ValtracError(f"how {name} was started is not known any more", fix="remove it, then start it anew")
    _launch(settings, name)


def remove(settings: Settings, name: str) -> None:
    """Stop a job and forget it; what it recorded stays. With the last one pm2 itself ends."""
    if _lost(_known(settings, name)):
        _end_orphan(settings, name)
    _pm2(settings, ["delete", name], may_fail=True)
    _pm2(settings, ["save", "--force"])
    _declaration(settings, name).unlink(missing_ok=True)
    if not jobs(settings):
        shut_down(settings)


def shut_down(settings: Settings) -> None:
    """End pm2's own process with everything it runs."""
    if daemon_pid(home(settings)):
        _pm2(settings, ["kill"], may_fail=True)


def jobs(settings: Settings) -> list[Job]:
    """Every job that was started and not removed, in the state that it really is in; starts nothing."""
    folder = home(settings)
    if daemon_pid(folder) is None:
        return _with_those_that_pm2_forgot(settings, [_job(settings, entry) for entry in dumped(folder)])
    said = _pm2(settings, ["jlist"]).strip().splitlines()
    try:
        listed: list[dict[str, Any]] = json.loads(said[-1]) if said else []
        return _with_those_that_pm2_forgot(settings, [_job(settings, entry) for entry in listed])
    except (ValueError, KeyError, TypeError) as error:
        raise ValtracError(
            "pm2 answered with something unreadable",
            why=plain(said[-1] if said else ""),
            fix="run.py logger status once more",
        ) from error


def _with_those_that_pm2_forgot(settings: Settings, listed: list[Job]) -> list[Job]:
    """A pm2 that was started anew knows only what was started since: a job that was stopped before is stopped."""
    known = {job.name for job in listed}
    names = [path.stem for path in sorted(home(settings).glob("*.json")) if path.stem not in known]
    entries = [
        {"name": name, "pid": 0, "pm2_env": {"status": "stopped"}} for name in names if _is_declared(settings, name)
    ]
    return listed + [_job(settings, entry) for entry in entries]


def _is_declared(settings: Settings, name: str) -> bool:
    """Whether a file of pm2's home is how we start a job."""
    try:
        return bool(json.loads(_declaration(settings, name).read_text(encoding="utf-8"))["apps"][0]["name"] == name)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def tail(settings: Settings, name: str, lines: int = 20) -> list[str]:
    """The last lines that a job wrote, safe to show."""
    _known(settings, name)
    return _last_lines(settings, name, lines)


def node_version() -> str:
    """The version of the node that would run pm2; "" where there is none, or it does not start."""
    folder = node_folder()
    if folder is None:
        return ""
    try:
        said = subprocess.run(  # noqa: S603 - our own argument
            [str(Path(folder) / "node"), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return plain(said.stdout.strip(), 40)


def _launch(settings: Settings, name: str) -> None:
    """Start a declared job in the place of whatever is left of it, and wait for its first word."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    _end_orphan(settings, name)
    _pm2(settings, ["delete", name], may_fail=True)
    since = datetime.now(UTC)
    _pm2(settings, ["start", str(_declaration(settings, name))])
    _pm2(settings, ["save", "--force"])
    deadline, looked = time.monotonic() + FIRST_WORD_S, time.monotonic()
    while time.monotonic() < deadline:
        told = last_beat(settings.logs, name)
        if told is not None and told.at >= since and not told.failures:
            return
        if time.monotonic() - looked > LOOK_S:
            job = _known(settings, name)
            if job.state == "failed":
                raise ValtracError(
                    f"{name} ended at once", why=job.words, fix=f"mend that, then: run.py logger restart {name}"
                )
            if told is not None and told.at >= since:
                return
            looked = time.monotonic()
        time.sleep(0.1)


def _job(settings: Settings, entry: dict[str, Any]) -> Job:
    name, about, pid = str(entry["name"]), entry["pm2_env"], int(entry.get("pid") or 0)
    told, status = last_beat(settings.logs, name), str(about.get("status"))
    restarts = int(about.get("restart_time", 0))
    if status == "lost":
        orphan = _orphan(told)
        if orphan:
            return Job(name, "running", orphan, 0, None, told, "pm2 is gone and it goes on alone; restart it")
        return Job(name, "stopped", None, 0, None, told, "pm2 was not running any more; start it again")
    started = datetime.fromtimestamp(about["pm_uptime"] / 1000, UTC) if about.get("pm_uptime") else None
    if status in ("online", "launching") and alive(pid):
        return Job(name, "running", pid, restarts, started, told, _lateness(told, started))
    if status in ("stopped", "stopping"):
        return Job(name, "stopped", None, restarts, None, told, "")
    # "waiting restart" with the dead process's number is true; with 0, pm2 has given it up
    state = "restarting" if pid and status in ("waiting restart", "online", "launching") else "failed"
    said = told.words if told and told.failures and started and told.at >= started else ""
    return Job(name, state, None, restarts, None, told, said or _last_words(settings, name))


def _lateness(told: Beat | None, started: datetime | None) -> str:
    """What is wrong with a running job's heartbeat, or ""."""
    now = datetime.now(UTC)
    if told is None or (started is not None and told.at < started):
        fresh = started is not None and (now - started).total_seconds() < GRACE_S
        return "starting" if fresh else "runs, but has not said anything"
    if told.failures:
        return told.words
    age = (now - told.at).total_seconds()
    return f"silent for {age:.0f} s" if age > SILENT_S else ""


def _known(settings: Settings, name: str) -> Job:
    """The job of that name. Raises BadInput naming those there are."""
    known_jobs = jobs(settings)
    for job in known_jobs:
        if job.name == name:
            return job
    raise BadInput(
        f"there is no background logger {plain(name, 60)!r}",
        fix="see: run.py logger status",
        problems=[f"there is {job.name}" for job in known_jobs],
    )


def _lost(job: Job) -> bool:
    """Whether pm2 itself is gone, the job perhaps not."""
    return job.started_at is None and job.restarts == 0 and job.words.startswith("pm2 ")


def _orphan(told: Beat | None) -> int | None:
    """The process that last said something, if it still runs and is a logger of ours."""
    if told is None or not alive(told.pid):
        return None
    words = command_line(told.pid)
    return told.pid if f"{script().name} logger run" in words else None


def _end_orphan(settings: Settings, name: str) -> None:
    """Let a job that outlived its pm2 end cleanly: beside it, a new one would be refused."""
    if daemon_pid(home(settings)) is not None:
        return
    pid = _orphan(last_beat(settings.logs, name))
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + KILL_TIMEOUT_S
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)


def _last_lines(settings: Settings, name: str, lines: int) -> list[str]:
    path = settings.logs / f"{name}.log"
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 600 * lines))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [plain(line.strip(), 500) for line in text.splitlines()[-lines:] if line.strip()]


def _last_words(settings: Settings, name: str) -> str:
    """The error that a job's log ends with, or its last line."""
    lines = _last_lines(settings, name, 12)
    errors = [place for place, line in enumerate(lines) if line.startswith("error")]
    ended = lines[errors[-1] :] if errors else lines[-1:]
    return "; ".join(line.removeprefix("error").strip() for line in ended if line != "Nothing was sent.")


def _declaration(settings: Settings, name: str) -> Path:
    return home(settings) / f"{name}.json"


def _pm2(settings: Settings, arguments: list[str], *, may_fail: bool = False) -> str:
    pm2, folder = program()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    proxy = os.environ.get("HTTPS_PROXY", "")
    if proxy and "@" not in proxy:  # one with a password would be written down
        environment["HTTPS_PROXY"] = proxy
    environment |= {
        "PATH": f"{folder}:{environment.get('PATH', os.defpath)}",
        "PM2_HOME": str(home(settings)),
        "PM2_DISABLE_VERSION_CHECK": "true",
        **_ours(settings),
    }
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, all of them ours
            [str(Path(folder) / "node"), str(pm2), "-s", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            umask=0o077,  # its dump and logs are nobody else's business
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValtracError(
            "pm2 did not answer", why=plain(error), fix="look at the machine's load, then try again"
        ) from error
    if done.returncode and not may_fail:
        raise ValtracError(
            f"pm2 could not {arguments[0]} the logger",
            why=plain(done.stderr or done.stdout, 500),
            fix="see: run.py logger status",
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
