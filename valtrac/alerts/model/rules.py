"""Who is told of what: targets, the owner's rules, and what follows from them for one event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from valtrac.core.events import Severity

ANY = "*"
EVERYWHERE = "everywhere"
RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Form(StrEnum):
    """How long a message may be: as a mail, or as one text message of 160 characters."""

    LONG = "long"
    SMS = "sms"


class Place(StrEnum):
    """Where the owner is: a target may be for one of the two only."""

    EVERYWHERE = EVERYWHERE
    DOMESTIC = "domestic"
    INTERNATIONAL = "international"


class Manner(StrEnum):
    """How a target is told: at once, in the daily digest, or never."""

    AT_ONCE = "at once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go. audience: whose events it hears, and no other's. shown: its address without its secrets."""

    id: int
    name: str
    audience: str
    form: Form
    place: Place
    shown: str


@dataclass(frozen=True, slots=True)
class Rule:
    """The owner's word on some events. kind: a kind, `payouts.*`, or `*`; target: a name, or `*` for all.
    least: it is about events of this severity and worse."""

    id: int
    kind: str
    target: str
    least: Severity
    manner: Manner


def at_least(severity: Severity, least: Severity) -> bool:
    """Whether a severity is as bad as another, or worse."""
    return RANKS[severity] >= RANKS[least]


def fits(pattern: str, kind: str) -> bool:
    """Whether a rule's kind is that of an event."""
    return pattern in (ANY, kind) or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def manner_of(
    kind: str, severity: Severity, audience: str, target: Target, rules: Sequence[Rule], place: Place
) -> Manner:
    """How a target is told of an event.

    A target hears the events of its own audience only, whatever the rules say. Of the rules that fit, the one that
    names the target goes before one for all, then the one that says most about the kind, then the newest. Without a
    rule it is told at once.
    """
    if audience != target.audience or target.place not in (Place.EVERYWHERE, place):
        return Manner.NEVER
    fitting = [
        rule
        for rule in rules
        if rule.target in (ANY, target.name) and fits(rule.kind, kind) and at_least(severity, rule.least)
    ]
    if not fitting:
        return Manner.AT_ONCE
    return max(fitting, key=_precedence).manner


def _precedence(rule: Rule) -> tuple[bool, int, int]:
    exactness = 0 if rule.kind == ANY else 1 if rule.kind.endswith(".*") else 2
    return (rule.target != ANY, exactness, rule.id)
