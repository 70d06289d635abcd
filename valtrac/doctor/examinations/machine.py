"""The machine: Python, Node, pm2, the room on its disk, the folder of ValTrac, letters, and what is installed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from valtrac.core.checks import Check, bad, good, warning
from valtrac.core.home import CHECKOUT, in_a_checkout
from valtrac.doctor.patient import Patient

ORDER = 10
NEEDS_NO_SETTINGS = True
OLDEST_PYTHON, OLDEST_NODE = (3, 11), 18
LITTLE_ROOM, NO_ROOM = 2_000_000_000, 200_000_000  # bytes
OTHERS = 0o077
INSTALL = "run: make install"
INSTALL_PM2 = INSTALL if in_a_checkout() else "install it: npm install --global pm2"


@dataclass(frozen=True, slots=True)
class Facts:
    """node: its version, "" where there is none; pm2: its version, "" where it is not installed, None where it is not
    known which is wanted. wanted, installed: package -> version, of the lock and of this environment."""

    python: tuple[int, int, int]
    node: str
    pm2: str
    pm2_wanted: str
    home: Path
    free_bytes: int
    writable: bool
    open_folders: tuple[str, ...]
    encoding: str
    wanted: Mapping[str, str]
    installed: Mapping[str, str]


def examine(patient: Patient | None) -> list[Check]:
    """As found on this machine; without settings, of the folder of the program."""
    return judged(gathered(CHECKOUT if patient is None else patient.settings.home))


def gathered(home: Path) -> Facts:
    """Look; nothing is made or changed."""
    from valtrac.loggers import pm2
    from valtrac.loggers.pm2_home import pm2_folder

    there = home
    while not there.exists():
        there = there.parent
    folders = [folder for folder in (home / "data", home / "logs") if folder.exists()]
    wanted = _locked(CHECKOUT / "requirements.txt")
    return Facts(
        sys.version_info[:3],
        pm2.node_version(),
        _version(pm2_folder() / "package.json"),
        _wanted_pm2(CHECKOUT / "package-lock.json"),
        home,
        shutil.disk_usage(there).free,
        os.access(there, os.W_OK),
        tuple(str(folder) for folder in folders if stat.S_IMODE(folder.stat().st_mode) & OTHERS),
        getattr(sys.stdout, "encoding", "") or "",
        wanted,
        _installed(wanted),
    )


def judged(facts: Facts) -> list[Check]:
    """What is to be said of a machine."""
    return [
        _python(facts),
        _node(facts),
        _pm2(facts),
        _disk(facts),
        _home(facts),
        _private(facts),
        _letters(facts),
        *_packages(facts),
    ]


def _python(facts: Facts) -> Check:
    version, oldest = ".".join(map(str, facts.python)), ".".join(map(str, OLDEST_PYTHON))
    if facts.python[:2] < OLDEST_PYTHON:
        return bad("machine.python", f"This is Python {version}.", f"install Python {oldest} or newer, then {INSTALL}")
    return good("machine.python", f"Python {version}.")


def _node(facts: Facts) -> Check:
    if not facts.node:
        return bad("machine.node", "Node.js is missing: background jobs cannot run.", f"{INSTALL} (it brings one)")
    major = facts.node.lstrip("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        return bad("machine.node", f"This is Node.js {facts.node}.", f"install Node.js {OLDEST_NODE} or newer")
    return good("machine.node", f"Node.js {facts.node.lstrip('v')}.")


def _pm2(facts: Facts) -> Check:
    if not facts.pm2:
        return bad("machine.pm2", "pm2 is missing: background jobs cannot run.", INSTALL_PM2)
    if facts.pm2_wanted and facts.pm2 != facts.pm2_wanted:
        return warning("machine.pm2", f"pm2 is {facts.pm2}; {facts.pm2_wanted} is what was tried.", INSTALL)
    return good("machine.pm2", f"pm2 {facts.pm2}.")


def _disk(facts: Facts) -> Check:
    room = f"{facts.free_bytes / 1e9:.1f} GB are free where {facts.home} lies."
    if facts.free_bytes < NO_ROOM:
        return bad("machine.disk", room, "make room on the disk now: nothing can be written down before it is full")
    if facts.free_bytes < LITTLE_ROOM:
        return warning("machine.disk", room, "make room on the disk, or move the folder with VALTRAC_HOME")
    return good("machine.disk", room)


def _home(facts: Facts) -> Check:
    if not facts.writable:
        fix = "give yourself the right to it, or name another folder: VALTRAC_HOME"
        return bad("machine.home", f"{facts.home} cannot be written to.", fix)
    return good("machine.home", f"{facts.home} can be written to.")


def _private(facts: Facts) -> Check:
    if facts.open_folders:
        named = " and ".join(facts.open_folders)
        return warning(
            "machine.private",
            f"Other users of this machine can look into {named}.",
            f"chmod 700 {shlex.join(facts.open_folders)}",
        )
    return good("machine.private", "Only you can look into data and logs.")


def _letters(facts: Facts) -> Check:
    if facts.encoding.lower().replace("-", "") not in ("utf8", ""):
        fix = "set LANG=C.UTF-8 (or another UTF-8 one) in your shell"
        return warning("machine.letters", f"The terminal takes {facts.encoding}: names are shown with gaps.", fix)
    return good("machine.letters", "The terminal takes every letter.")


def _packages(facts: Facts) -> list[Check]:
    """What is installed against the lock; none where the lock is not at hand, as in an installed command."""
    if not facts.wanted:
        return []
    missing = [name for name in facts.wanted if not facts.installed.get(name)]
    other = [
        f"{name} is {facts.installed[name]} and not {version}"
        for name, version in facts.wanted.items()
        if facts.installed.get(name) and facts.installed[name] != version
    ]
    if missing:
        return [bad("machine.packages", f"{len(missing)} packages are missing: {', '.join(missing[:5])}.", INSTALL)]
    if other:
        return [
            warning("machine.packages", f"{len(other)} packages differ from the lock: {'; '.join(other[:3])}.", INSTALL)
        ]
    return [good("machine.packages", f"All {len(facts.wanted)} packages are those of the lock.")]


def _version(package: Path) -> str:
    try:
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _wanted_pm2(lock: Path) -> str:
    try:
        return str(json.loads(lock.read_text(encoding="utf-8"))["packages"]["node_modules/pm2"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _locked(lock: Path) -> dict[str, str]:
    """name -> version of what the lock wants on this machine; {} without a lock."""
    from packaging.requirements import Requirement

    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    wanted = [Requirement(line.rstrip("\\ ")) for line in lines if "==" in line and not line.startswith((" ", "#"))]
    here = [each for each in wanted if each.marker is None or each.marker.evaluate()]
    return {each.name: next(iter(each.specifier)).version for each in here}


def _installed(names: Mapping[str, str]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
