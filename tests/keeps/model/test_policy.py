"""What a keep asks for, by its state first and by its percentage second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valtrac.keeps.model.funds import Route
from valtrac.keeps.model.policy import Act, Group, Holder, KeepNow, OpenCall, open_to_anybody, urgency, wish
from valtrac.keeps.model.states import DepositState

T = 1_604_000_000
ACTIVE = KeepNow("0xd", DepositState.ACTIVE, 150, Holder.MACHINE, now=T)
CALLED = KeepNow("0xd", DepositState.COURTESY_CALL, 120, Holder.MACHINE, called_at=T, now=T)


def wanted(keep: KeepNow, *, may_call: bool = True) -> tuple[Act, Group | None, Route | None]:
    """What is wanted at a threshold of 130."""
    told = wish(keep, threshold=130, may_call=may_call)
    assert told.why
    return told.act, told.group, told.route


@pytest.mark.parametrize(
    ("percent", "act", "group"),
    [
        (131, Act.NOTHING, None),
        (130, Act.NOTHING, None),
        (129, Act.REDEEM, Group.LOW),
        (125, Act.REDEEM, Group.LOW),
        (124, Act.REDEEM, Group.DANGER),
        (109, Act.REDEEM, Group.DANGER),
    ],
)
def test_thresholds_are_strictly_below_in_whole_percent(percent: int, act: Act, group: Group | None) -> None:
    assert wanted(replace(ACTIVE, percent=percent))[:2] == (act, group)


@pytest.mark.parametrize("state", [state for state in DepositState if not state.redeemable])
def test_a_keep_that_cannot_be_redeemed_is_left_alone_though_it_shows_nothing_percent(state: DepositState) -> None:
    keep = replace(ACTIVE, state=state, percent=0)
    assert wanted(keep) == (Act.NOTHING, None, None)
    assert open_to_anybody(keep) == ()


def test_an_unknown_price_decides_nothing() -> None:
    for keep in (ACTIVE, CALLED):
        unknown = replace(keep, percent=None)
        assert wanted(unknown) == (Act.NOTHING, None, None)
        assert "unknown" in wish(unknown, threshold=130, may_call=True).why
        assert open_to_anybody(unknown) == ()


def test_the_holder_of_the_token_decides_the_way() -> None:
    low, danger = replace(ACTIVE, percent=128), replace(ACTIVE, percent=122)
    assert wanted(low) == (Act.REDEEM, Group.LOW, Route.MACHINE)
    assert wanted(replace(low, holder=Holder.OWN)) == (Act.REDEEM, Group.LOW, Route.DIRECT)
    assert wanted(replace(low, holder=Holder.OTHER)) == (Act.NOTHING, None, None)
    assert wanted(replace(low, holder=Holder.OTHER, at_term=True)) == (Act.REDEEM, Group.LOW, Route.DIRECT)
    stranger = replace(danger, holder=Holder.OTHER)
    assert wanted(stranger) == (Act.CALL_AND_REDEEM, Group.DANGER, Route.DIRECT)
    assert wanted(stranger, may_call=False) == (Act.NOTHING, None, None)
    assert wanted(replace(CALLED, holder=Holder.OTHER)) == (Act.REDEEM, Group.DANGER, Route.DIRECT)
    assert wanted(CALLED) == (Act.REDEEM, Group.DANGER, Route.MACHINE)


def test_a_call_is_left_once_the_price_is_back() -> None:
    assert wanted(replace(CALLED, percent=124))[0] is Act.REDEEM
    assert wanted(replace(CALLED, percent=125)) == (Act.LEAVE_CALL, None, None)
    late = replace(CALLED, percent=150, now=T + 21_600)
    assert wanted(late)[0] is Act.LEAVE_CALL
    assert open_to_anybody(late) == (OpenCall.EXPIRED,)


def test_what_anybody_may_call_now() -> None:
    assert open_to_anybody(replace(ACTIVE, percent=125)) == ()
    assert open_to_anybody(replace(ACTIVE, percent=124)) == (OpenCall.COURTESY,)
    assert open_to_anybody(replace(ACTIVE, percent=110)) == (OpenCall.COURTESY,)
    assert open_to_anybody(replace(ACTIVE, percent=109)) == (OpenCall.COURTESY, OpenCall.LIQUIDATION)
    assert open_to_anybody(replace(CALLED, now=T + 21_599)) == ()
    assert open_to_anybody(replace(CALLED, percent=109, now=T + 21_600)) == (OpenCall.EXPIRED, OpenCall.LIQUIDATION)


def test_who_may_be_liquidated_now_is_the_most_urgent() -> None:
    expired = replace(CALLED, deposit="expired", percent=124, now=T + 21_600)
    keeps = [
        replace(ACTIVE, deposit="129", percent=129),
        replace(CALLED, deposit="called", percent=120),
        replace(ACTIVE, deposit="120", percent=120),
        expired,
        replace(ACTIVE, deposit="109", percent=109),
    ]
    assert [keep.deposit for keep in sorted(keeps, key=urgency)] == ["109", "expired", "called", "120", "129"]
