"""The calls of a decision, and the same read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.keeps.model.funds import Route
from valtrac.keeps.model.lines import Asked, Call, NotAsDecided, approve, calls_for, check, leave_call

TOKEN, MACHINE = "0x" + "aa" * 20, "0x" + "bb" * 20
SCRIPT = bytes.fromhex("160014") + bytes(20)
DEPOSITS = ["0x" + f"{number:040x}" for number in range(1, 6)]

redemptions = st.lists(
    st.builds(
        Asked,
        st.sampled_from(DEPOSITS),
        st.sampled_from(list(Route)),
        st.integers(0, 3),
        st.integers(1, 3),
        st.booleans(),
    ),
    unique_by=lambda each: each.deposit,
    max_size=4,
)


def lines(calls: list[Call]) -> list[tuple[str, int, str]]:
    return [(call.to, call.most, call.text) for call in calls]


def made(asked: list[Asked]) -> list[Call]:
    return calls_for(asked, token=TOKEN, machine=MACHINE, script=SCRIPT)


def checked(calls: list[tuple[str, int, str]], asked: list[Asked], **other: Any) -> None:
    known = {"token": TOKEN, "machine": MACHINE, "script": SCRIPT.hex()} | other
    check(calls, [each.stored() for each in asked], **known)


@given(redemptions)
def test_what_was_made_is_as_it_was_decided(asked: list[Asked]) -> None:
    checked(lines(made(asked)), asked)


@given(redemptions.filter(bool), st.data())
def test_any_change_of_any_line_is_noticed(asked: list[Asked], data: st.DataObject) -> None:
    calls = lines(made(asked))
    place = data.draw(st.integers(0, len(calls) - 1))
    to, most, text = calls[place]
    if text.startswith("notifyCourtesyCall"):
        return  # it takes nothing, and allows nothing
    changed = data.draw(
        st.sampled_from(
            [
                (to, most + 1, text),
                (DEPOSITS[-1][:-1] + "f", most, text),
                (to, most, text.replace(", ", ", 9", 1) if "approve" in text else text.replace("(0x", "(0xf", 1)),
                (to, most, text.replace(SCRIPT.hex(), "160014" + "ff" * 20)),
            ]
        )
    )
    if changed == calls[place]:
        return
    with pytest.raises(NotAsDecided):
        checked([*calls[:place], changed, *calls[place + 1 :]], asked)


@given(redemptions.filter(bool))
def test_a_redemption_more_or_less_is_noticed(asked: list[Asked]) -> None:
    calls = lines(made(asked))
    with pytest.raises(NotAsDecided):
        checked(calls, asked[1:])
    with pytest.raises(NotAsDecided):
        checked([*calls, calls[-1]], asked)


def test_one_sum_is_approved_for_the_machine_and_each_direct_one_its_own_before_calls_and_redemptions() -> None:
    asked = [
        Asked(DEPOSITS[0], Route.DIRECT, 10, 1, calls=True),
        Asked(DEPOSITS[1], Route.MACHINE, 5, 1),
        Asked(DEPOSITS[2], Route.MACHINE, 2, 1),
    ]
    texts = [call.text.partition("(")[0] for call in made(asked)]
    assert texts == ["approve", "approve", "notifyCourtesyCall", "requestRedemption", "tbtcToBtc", "tbtcToBtc"]
    assert made(asked)[0].text == f"approve({MACHINE}, 7)"
    assert made(asked)[1].text == f"approve({DEPOSITS[0]}, 10)"
    assert [call.redeems for call in made(asked)] == [False] * 3 + [True] * 3


def test_an_approval_of_another_token_and_a_redemption_elsewhere_are_told() -> None:
    asked = [Asked(DEPOSITS[1], Route.MACHINE, 5, 1)]
    calls = made(asked)
    other = [replace(calls[0], to=DEPOSITS[3]), replace(calls[1], to=DEPOSITS[4])]
    with pytest.raises(NotAsDecided) as wrong:
        checked(lines(other), asked)
    assert "an approval of another token than TBTC" in wrong.value.problems
    assert "a redemption through another contract than the VendingMachine" in wrong.value.problems


def test_closing_and_leaving_allow_nothing() -> None:
    checked(lines([approve(TOKEN, MACHINE, 0), leave_call(DEPOSITS[0])]), [])
    assert approve(TOKEN, MACHINE, 0).name == "close an allowance"
