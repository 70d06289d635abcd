"""Running every examination: what one of them cannot look at is a line of its own, and stops no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType

from valtrac.core.checks import Check, Health, bad, good
from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.text import plain
from valtrac.doctor import examinations
from valtrac.doctor.patient import Patient
from valtrac.settings import load

GRAVITY = (Health.GOOD, Health.WARNING, Health.BAD)


def examine() -> list[Check]:
    """Every check of this installation, in the order of the examinations. Never raises."""
    try:
        patient = Patient(load())
    except BadInput as error:
        found = [bad("settings", f"{error.what}.", error.fix), *_of_machine()]
        return [*found, *(bad("settings", problem, error.fix) for problem in error.problems if problem != error.what)]
    return [good("settings", "Every setting can be used."), *once(_all(examinations.found(), patient))]


def once(checks: Iterable[Check]) -> list[Check]:
    """Each name once, at its first place: the worse word on it counts."""
    kept: dict[str, Check] = {}
    for check in checks:
        before = kept.get(check.name)
        if before is None or GRAVITY.index(check.health) > GRAVITY.index(before.health):
            kept[check.name] = check
    return list(kept.values())


def _of_machine() -> list[Check]:
    """What needs no settings."""
    return once(_all([each for each in examinations.found() if getattr(each, "NEEDS_NO_SETTINGS", False)], None))


def _all(found: Iterable[ModuleType], patient: Patient | None) -> Iterator[Check]:
    for examination in found:
        name = examination.__name__.rpartition(".")[2]
        try:
            yield from [cleaned(check) for check in examination.examine(patient)]
        except Exception as error:
            yield cleaned(unexamined(name, error))


def unexamined(name: str, error: Exception) -> Check:
    """What could not be looked at, and why."""
    if isinstance(error, ValtracError):
        return bad(name, f"{error.what}{': ' + error.why if error.why else ''}.", error.fix or "look at it by hand")
    return bad(
        name, f"It cannot be examined: {type(error).__name__}: {error}", "report it: this is a fault of ValTrac's"
    )


def cleaned(check: Check) -> Check:
    """The same with nothing in it that a terminal would obey, and no key that is part of an address."""
    return Check(check.name, check.health, plain(shown(check.words), 600), plain(shown(check.fix), 600))
