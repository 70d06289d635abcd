"""What lasts right now, as every business that is in use tells it to alerts: a line for each kind of trouble."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from valtrac.core.checks import Check, bad, good, warning
from valtrac.core.events import Event, EventKind, Severity
from valtrac.doctor.patient import Patient

ORDER = 110
LOOK = "look at it in the menus, or see what is told of it: run.py alerts list"


def examine(patient: Patient) -> Iterable[Check]:
    """Of each source that is wired; whoever is added there is asked too."""
    from valtrac.wiring.alerts import AlertsApp

    there = [condition for condition in patient.databases().values() if condition.exists]
    if any(not condition.usable for condition in there):
        return  # the databases say what is to be done first: reading them as they are would change them
    app = AlertsApp(patient.settings)
    try:
        for source in app.sources():
            try:
                yield from judged(source.kinds, list(source.states(patient.now)))
            except Exception as error:  # one that cannot be read, as a node that is away, hides no other
                yield warning(source.name, f"What {source.name} has to tell cannot be read: {error}.", LOOK)
    finally:
        app.close()


def judged(kinds: Sequence[EventKind], states: Sequence[Event]) -> list[Check]:
    """kinds: all that a source may tell; states: what holds now. Facts, which happen once, are no state."""
    checks = []
    for kind in kinds:
        now = [state for state in states if state.kind == kind.name]
        if not kind.over:
            continue
        if not now:
            checks.append(good(kind.name, f"Not the case: {kind.title}."))
            continue
        grave = any((state.severity or kind.severity) is Severity.CRITICAL for state in now)
        words = now[0].words + (f" And {len(now) - 1} more like it." if len(now) > 1 else "")
        fix = now[0].fix if now[0].fix else LOOK
        checks.append((bad if grave else warning)(kind.name, words, fix))
    return checks
