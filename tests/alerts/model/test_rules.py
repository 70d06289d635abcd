"""Who is told: each audience its own, the owner's rules the nearest first."""

from __future__ import annotations

import pytest

from valtrac.alerts.model.rules import ANY, Form, Manner, Place, Rule, Target, fits, manner_of
from valtrac.core.events import OWNER, PUBLIC, Severity, payee

INFO, CRITICAL = Severity.INFO, Severity.CRITICAL


def target(audience: str = OWNER, place: Place = Place.EVERYWHERE) -> Target:
    return Target(1, "my-mail", audience, Form.LONG, place, "mailto://...")


def rule(kind: str, manner: Manner, *, target: str = ANY, least: Severity = INFO, number: int = 1) -> Rule:
    return Rule(number, kind, target, least, manner)


def manner(*rules: Rule, kind: str = "payouts.settled", severity: Severity = INFO, **where: str) -> Manner:
    return manner_of(kind, severity, where.get("audience", OWNER), target(), rules, Place.DOMESTIC)


@pytest.mark.parametrize("listener", [OWNER, PUBLIC, payee("ann")])
@pytest.mark.parametrize("told", [OWNER, PUBLIC, payee("ann"), payee("bob")])
def test_a_target_hears_its_own_audience_and_no_rule_changes_that(listener: str, told: str) -> None:
    loud = [rule(ANY, Manner.AT_ONCE), rule("payouts.settled", Manner.AT_ONCE, target="my-mail")]
    said = manner_of("payouts.settled", CRITICAL, told, target(listener), loud, Place.DOMESTIC)
    assert said is (Manner.AT_ONCE if listener == told else Manner.NEVER)


def test_without_rules_everything_is_told_at_once() -> None:
    assert manner() is Manner.AT_ONCE


def test_the_rule_that_says_most_goes_first() -> None:
    everything, group, one = (
        rule(ANY, Manner.NEVER, number=3),
        rule("payouts.*", Manner.DAILY, number=2),
        rule("payouts.settled", Manner.AT_ONCE, number=1),
    )
    assert manner(everything, group, one) is Manner.AT_ONCE
    assert manner(everything, group, one, kind="payouts.dead") is Manner.DAILY
    assert manner(everything, group, one, kind="pool.reward") is Manner.NEVER


def test_a_rule_for_one_target_goes_before_one_for_all_and_a_newer_before_an_older() -> None:
    assert manner(rule("payouts.settled", Manner.NEVER), rule(ANY, Manner.DAILY, target="my-mail")) is Manner.DAILY
    assert manner(rule("*", Manner.NEVER, number=1), rule("*", Manner.DAILY, number=2)) is Manner.DAILY
    assert manner(rule("*", Manner.NEVER, target="other")) is Manner.AT_ONCE


def test_a_rule_from_a_severity_on_leaves_what_is_less_alone() -> None:
    only_bad = (rule(ANY, Manner.NEVER), rule("payouts.*", Manner.AT_ONCE, least=CRITICAL))
    assert manner(*only_bad) is Manner.NEVER
    assert manner(*only_bad, severity=CRITICAL) is Manner.AT_ONCE


@pytest.mark.parametrize("place", list(Place))
@pytest.mark.parametrize("now", [Place.DOMESTIC, Place.INTERNATIONAL])
def test_a_target_for_the_other_place_is_not_told(place: Place, now: Place) -> None:
    told = manner_of("payouts.settled", INFO, OWNER, target(place=place), [], now)
    assert told is (Manner.AT_ONCE if place in (Place.EVERYWHERE, now) else Manner.NEVER)


def test_a_group_is_whole_words() -> None:
    assert fits("pool.*", "pool.reward")
    assert not fits("pool.*", "poolside.open")
    assert not fits("pool.rew", "pool.reward")
