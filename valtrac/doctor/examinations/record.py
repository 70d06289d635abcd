"""The record of stakes: blocks that are missing in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from valtrac.core.checks import Check, good, warning
from valtrac.core.events import Event
from valtrac.doctor.patient import Patient

ORDER = 80
LOOKED_AT = timedelta(days=31)


def examine(patient: Patient) -> list[Check]:
    """None where nothing was recorded yet."""
    settings = patient.settings
    if not patient.usable(settings.database):
        return []
    from valtrac.snapshots.events import SnapshotEvents
    from valtrac.wiring.payouts import App

    app = App(settings)
    try:
        source = SnapshotEvents(app.engine, settings.snapshot_interval, None)
        if source.status(patient.now) is None:
            return []
        return [judged(list(source.facts(patient.now - LOOKED_AT)))]
    finally:
        app.close()


def judged(gaps: Sequence[Event]) -> Check:
    """gaps: of the last month."""
    if not gaps:
        return good("record.gaps", "Nothing is missing in the record of stakes of the last month.")
    words = f"{len(gaps)} gaps in the record of stakes. {gaps[-1].words}"
    fix = "see that the logger runs (run.py logger status), or import a record of those blocks: run.py snapshot import"
    return warning("record.gaps", words, fix)
