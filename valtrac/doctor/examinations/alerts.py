"""Alerts: whether anybody is told when something breaks."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.checks import Check, bad, good, warning
from valtrac.doctor.patient import Patient

ORDER = 90


@dataclass(frozen=True, slots=True)
class Facts:
    """targets: names; without_address: those whose address cannot be had here; failed: messages that were given up.
    rehearsing: nothing that is at risk is looked after here."""

    targets: tuple[str, ...]
    without_address: tuple[str, ...]
    failed: int
    rehearsing: bool


def examine(patient: Patient) -> list[Check]:
    """As the database of alerts and the keyring say; nothing is sent."""
    return judged(gathered(patient))


def gathered(patient: Patient) -> Facts:
    """Read, where there is something to read."""
    settings = patient.settings
    if not patient.usable(settings.alerts_database):
        return Facts((), (), 0, settings.rehearsing)
    from valtrac.alerts import overview
    from valtrac.wiring.alerts import AlertsApp

    app = AlertsApp(settings)
    try:
        standing = overview.standing(app.engine, None)
        names = tuple(row.target.name for row in standing.targets)
        lacking = tuple(name for name in names if not app.addresses.of(name))
    finally:
        app.close()
    return Facts(names, () if settings.alerts_addresses == "none" else lacking, standing.failed, settings.rehearsing)


def judged(facts: Facts) -> list[Check]:
    """What is to be said of alerts."""
    if not facts.targets:
        if facts.rehearsing:
            return [good("alerts.targets", "Nobody is told of anything, and in a rehearsal nobody has to be.")]
        words = "Nobody is told when something breaks."
        return [warning("alerts.targets", words, "name where alerts go: run.py alerts targets add NAME")]
    checks = [good("alerts.targets", f"Alerts go to {', '.join(facts.targets)}.")]
    if facts.without_address:
        named = ", ".join(facts.without_address)
        fix = f"hand it in again: run.py alerts targets add {facts.without_address[0]}, after removing the old one"
        checks.append(bad("alerts.addresses", f"The address of {named} is not at hand.", fix))
    else:
        checks.append(good("alerts.addresses", "The address of every target is at hand."))
    if facts.failed:
        fix = "see which and why, and send them again: run.py alerts outbox"
        checks.append(warning("alerts.outbox", f"{facts.failed} messages were given up.", fix))
    else:
        checks.append(good("alerts.outbox", "No message was given up."))
    return checks
