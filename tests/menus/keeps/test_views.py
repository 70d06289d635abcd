"""Keeps on the screen: how dangerous each is shows without colour, and nothing long is cut in a narrow terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from menus.frame.ui import Ui
from menus.keeps import views
from valtrac.core.chain import Head
from valtrac.keeps.looking import Watched
from valtrac.keeps.model.collateral import Thresholds
from valtrac.keeps.model.policy import Holder, KeepNow, open_to_anybody, wish
from valtrac.keeps.model.progress import Action
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.overview import Counts, Holdings
from valtrac.keeps.store.keeps import Keep
from valtrac.keeps.store.redemptions import Acted

T = 1_604_000_000
HEX = "0123456789abcdef" * 4


def watched(state: DepositState = DepositState.ACTIVE, percent: int | None = 150, **now: Any) -> Watched:
    """A keep of one bitcoin with a bond of 75 ETH, one of three members ours, threshold 130."""
    deposit = "0x2925ce379bca1f75f94b31af463ad05fad7050aa"
    keep = _keep(deposit)
    told = KeepNow(deposit, state, percent, now.pop("holder", Holder.MACHINE), now=T, thresholds=Thresholds(), **now)
    wanted = wish(told, threshold=130, may_call=False)
    return Watched(keep, told, 1, 25 * 10**18, 130, wanted, open_to_anybody(told))


def _keep(deposit: str) -> Keep:
    values: dict[str, Any] = dict.fromkeys(Keep.__dataclass_fields__, 0)
    values |= {"deposit": deposit, "keep": "0x" + "4a" * 20, "lot": 10**8, "bond": 75 * 10**18, "holder": ""}
    values |= {"members": ("0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20), "percent": 150}
    return Keep(**values)


@pytest.mark.parametrize(
    ("keep", "mark"),
    [
        (watched(percent=150), ""),
        (watched(percent=130), ""),
        (watched(percent=129), "!"),
        (watched(percent=125), "!"),
        (watched(percent=124), "!!"),
        (watched(percent=124, holder=Holder.OTHER), "!!"),
        (watched(percent=129, holder=Holder.OTHER), "!"),
        (watched(percent=None), "?"),
        (watched(DepositState.COURTESY_CALL, 120, called_at=T), "!!"),
        (watched(DepositState.COURTESY_CALL, 150, called_at=T), "!!"),
        (watched(DepositState.COURTESY_CALL, None, called_at=T), "!!"),
        (watched(DepositState.AWAITING_WITHDRAWAL_SIGNATURE, 0), "~"),
        (watched(DepositState.AWAITING_WITHDRAWAL_PROOF, 0), "~"),
        (watched(DepositState.LIQUIDATION_IN_PROGRESS, 0), "x"),
        (watched(DepositState.FRAUD_LIQUIDATION_IN_PROGRESS, 0), "x"),
        (watched(DepositState.LIQUIDATED, 0), ""),
        (watched(DepositState.REDEEMED, 0), ""),
        (watched(DepositState.AWAITING_SIGNER_SETUP, 0), ""),
    ],
)
def test_its_mark_says_how_dangerous_it_is(keep: Watched, mark: str) -> None:
    assert views.mark(keep) == mark
    assert mark in views.STYLES


def test_every_state_has_a_word_that_fits_its_column() -> None:
    assert set(views.STATES) == set(DepositState)
    assert all(0 < len(word) <= 11 for word in views.STATES.values())


def test_a_percentage_of_zero_is_shown_for_no_state_that_has_none() -> None:
    assert views.percent(watched(DepositState.REDEEMED, 0)) == ""
    assert views.percent(watched(percent=None)) == "?"
    assert views.percent(watched(percent=109)) == "109 %"


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_watch_list_stays_a_table_in_a_narrow_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    views.watch_list(Ui(width=width), [watched(percent=124, holder=Holder.OTHER), watched()])
    said = capsys.readouterr().out
    assert "!!  0x2925ce37" in said
    assert max(map(len, said.splitlines())) <= width


def test_without_keeps_the_next_step_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    views.watch_list(Ui(), [])
    views.log(Ui(), [])
    views.redemptions(Ui(), [])
    said = capsys.readouterr().err
    assert "run.py keeps watch --once" in said
    assert "nothing was done yet" in said
    assert "No redemption was asked for yet" in said


def test_names_of_transactions_are_shortened_on_the_screen_and_whole_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    acted = Acted(
        1, datetime(2026, 1, 1, tzinfo=UTC), "0xd", Action.SEND, f"Bitcoin transaction {HEX}", 1, HEX, 0, 0, 1
    )
    views.log(Ui(width=80), [acted])
    views.log(Ui(as_json=True), [acted])
    told = capsys.readouterr().out
    assert "012345...abcdef" in told
    assert told.count(HEX) == 2
    assert views.short("block 12345, 0.5 TBTC") == "block 12345, 0.5 TBTC"


def test_a_wallet_that_is_none_is_not_shown_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    head = Head(1, "", "", datetime(2026, 1, 1, tzinfo=UTC))
    views.standing(Ui(), Counts(1, 1, 1, 0, 0, 1), Holdings(views.NOBODY, 0, 10**18, 0, head), [])
    said = " ".join(capsys.readouterr().out.split())
    assert "none is set: VALTRAC_KEEPS_WALLET_FILE" in said
    assert "1 in liquidation" in said
    assert views.NOBODY not in said


def test_what_is_asked_for_says_nothing_twice() -> None:
    assert views.asks(watched(percent=124)) == "below 125"
    assert views.asks(watched(percent=150)) == ""
    assert replace(watched()).danger is None
