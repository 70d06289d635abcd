"""The databases: whole, of this version, and nobody else's to read."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from valtrac.core.checks import Check, bad, good, warning
from valtrac.database.condition import WANTED, Condition
from valtrac.doctor.patient import Patient

ORDER = 20


def examine(patient: Patient) -> list[Check]:
    """Of every business that has begun here."""
    return judged(patient.databases())


def judged(found: Mapping[str, Condition]) -> list[Check]:
    """found: name of the setting -> how its database is."""
    there = {name: condition for name, condition in found.items() if condition.exists}
    if not there:
        fix = "begin with a rehearsal: run.py devnet seed, or Network and wallet in the menus"
        return [warning("databases", "Nothing was begun here yet.", fix)]
    return [check for name, condition in there.items() for check in _of_one(_named(name), condition)]


def _of_one(name: str, found: Condition) -> list[Check]:
    if found.words:
        fix = "stop what writes to it, and put the newest copy in its place; let payments be looked for before you pay"
        return [bad(f"{name}.whole", f"{found.place} cannot be read as it should be: {found.words}.", fix)]
    checks = [good(f"{name}.whole", f"{found.place} is whole.")]
    if found.revision > WANTED:
        fix = "update ValTrac on this machine"
        checks.append(bad(f"{name}.version", f"It was written by a newer ValTrac ({found.revision}).", fix))
    elif found.revision != WANTED:
        fix = "start ValTrac once: it brings the tables up to date by itself"
        checks.append(
            warning(f"{name}.version", f"Its tables are of version {found.revision or 'none'}, not {WANTED}.", fix)
        )
    else:
        checks.append(good(f"{name}.version", f"Its tables are of version {WANTED}."))
    if found.open_to_others:
        fix = f"chmod 600 {quote(found.place)}"
        checks.append(warning(f"{name}.private", "Other users of this machine can read it.", fix))
    else:
        checks.append(good(f"{name}.private", "Only you can read it."))
    return checks


def _named(setting: str) -> str:
    return "database" if setting == "database" else f"database-{setting.removesuffix('_database')}"
