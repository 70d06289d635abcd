"""Backups: whether there are any, and how old the newest is."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from valtrac.backups.making import listed
from valtrac.core.checks import Check, bad, good, warning
from valtrac.doctor.patient import Patient

ORDER = 120
OLD, VERY_OLD = timedelta(days=1), timedelta(days=7)
FIX = "make one now: run.py backup now; while a job runs, it makes them by itself"


def examine(patient: Patient) -> list[Check]:
    """Nothing to say where there is no database yet."""
    if not any(condition.exists for condition in patient.databases().values()):
        return []
    found = newest(patient.settings.backups)
    if found is None:
        return [warning("backups.age", "There is no backup of the databases yet.", FIX)]
    return [judged(patient.now - found)]


def newest(folder: Path) -> datetime | None:
    """When the newest backup in it was made; None without one."""
    return next((name.at for name, _ in listed(folder)), None)


def judged(age: timedelta) -> Check:
    """age: of the newest backup."""
    words = f"The newest backup is {max(age, timedelta()).total_seconds() / 3600:.0f} hours old."
    if age < -timedelta(minutes=5):
        return bad("backups.age", "The newest backup is of a time to come.", "set the clock, and delete that backup")
    if age > VERY_OLD:
        return bad("backups.age", words, FIX)
    return warning("backups.age", words, FIX) if age > OLD else good("backups.age", words)
