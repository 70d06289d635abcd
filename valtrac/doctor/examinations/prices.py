"""Prices: whether the exchanges that are asked answer with a price that counts."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.checks import Check, good, warning
from valtrac.doctor.patient import Patient

ORDER = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """sources: the exchanges that are asked. answers: how many of them gave a price; reasons: why the others did not.
    rehearsing: payments have no price there."""

    sources: tuple[str, ...]
    answers: int
    reasons: tuple[str, ...]
    rehearsing: bool


def examine(patient: Patient) -> list[Check]:
    """Ask each exchange once; nothing is written down."""
    settings = patient.settings
    if not settings.exchanges:
        return judged(Facts((), 0, (), settings.rehearsing))
    from valtrac.wiring.payouts import App

    heard = App(settings).prices.quotes()
    return judged(Facts(settings.exchanges, len(heard.quotes), heard.reasons, settings.rehearsing))


def judged(facts: Facts) -> list[Check]:
    """What is to be said of prices."""
    if not facts.sources:
        if facts.rehearsing:
            return [good("prices.sources", "A rehearsal asks no exchange for prices.")]
        fix = "name exchanges: VALTRAC_PRICE_SOURCES=kraken,gate; or import prices: run.py price import FILE"
        return [warning("prices.sources", "No exchange is asked: statements show no values in money.", fix)]
    why = "; ".join(facts.reasons[:3])
    if not facts.answers:
        fix = "see whether this machine reaches them, or name others: VALTRAC_PRICE_SOURCES"
        return [warning("prices.sources", f"No exchange tells a price: {why}.", fix)]
    if facts.reasons:
        words = f"{facts.answers} of {len(facts.sources)} exchanges tell a price; {why}."
        return [warning("prices.sources", words, "take the others out of VALTRAC_PRICE_SOURCES")]
    return [good("prices.sources", f"All {len(facts.sources)} exchanges tell a price.")]
