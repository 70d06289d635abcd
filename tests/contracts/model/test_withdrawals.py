"""What is done next about a withdrawal, and which payments become the owner's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.contracts.model.rows import due
from valtrac.contracts.model.states import WithdrawalState
from valtrac.contracts.model.withdrawals import LOST_AFTER, STALE, Step, given_up, next_step

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLANNED, ASKED = WithdrawalState.PLANNED, WithdrawalState.ASKED


@pytest.mark.parametrize(
    ("state", "age", "asked_ago", "listed_as", "has_transaction", "step"),
    [
        (PLANNED, STALE, None, None, False, Step.ASK),
        (PLANNED, STALE + SECOND, None, None, False, Step.FORGET),
        (PLANNED, STALE + SECOND, SECOND, None, False, Step.WAIT),
        (PLANNED, STALE, LOST_AFTER, None, False, Step.WAIT),
        (PLANNED, STALE, LOST_AFTER + SECOND, None, False, Step.NEVER_ACCEPTED),
        (ASKED, STALE, LOST_AFTER + SECOND, None, False, Step.WAIT),
        (PLANNED, SECOND, SECOND, "failed", False, Step.REFUSED),
        (ASKED, SECOND, SECOND, "failed", True, Step.REFUSED),
        (PLANNED, SECOND, SECOND, "pending", False, Step.ACCEPTED),
        (PLANNED, SECOND, SECOND, "ok", True, Step.ACCEPTED),
        (ASKED, SECOND, SECOND, "ok", True, Step.MATCH),
        (ASKED, SECOND, SECOND, "pending", False, Step.WAIT),
    ],
)
def test_the_next_step_follows_from_what_the_exchange_lists(
    state: WithdrawalState,
    age: timedelta,
    asked_ago: timedelta | None,
    listed_as: str | None,
    has_transaction: bool,
    step: Step,
) -> None:
    asked_at = None if asked_ago is None else NOW - asked_ago
    said = next_step(
        state,
        created_at=NOW - age,
        asked_at=asked_at,
        listed_as=listed_as,
        has_transaction=has_transaction,
        now=NOW,
    )
    assert said is step


def test_what_can_be_paid_now_is_not_given_up_and_what_is_above_a_cap_is() -> None:
    late = [due(1, 100), due(2, 90), due(3, 5)]
    poor = given_up(late, above_cap={3}, poor=True, each=2, spare=99)
    assert poor == {1: "there was no money for it", 3: "above the cap"}
    assert given_up(late, above_cap={3}, poor=False, each=2, spare=0) == {3: "above the cap"}
