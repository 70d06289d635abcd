"""What follows from a request, as a function of values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.model.rows import MONTH, START, contract, due
from valtrac.contracts.model import contracts, memos
from valtrac.contracts.model.requests import Action, Sender, decide, end_early, ignored_because
from valtrac.contracts.model.states import DueState
from valtrac.settings import Settings

TERMS = Settings().contract_terms
CLIENT, MANAGER, WALLET = Sender(False, False), Sender(True, False), Sender(False, True)
AMOUNT = min(TERMS.amounts)


def asking(memo: str) -> memos.Request:
    return memos.parse(memo, frozenset(TERMS.months))


@pytest.mark.parametrize(
    ("memo", "sender", "units", "action"),
    [
        ("three_months", CLIENT, AMOUNT, Action.BEGIN),
        ("three_months", CLIENT, AMOUNT - contracts.WHOLE, Action.REFUND),
        ("stop", CLIENT, 1, Action.STOP),
        ("nonsense", CLIENT, AMOUNT, Action.REFUND),
        ("three_months", WALLET, AMOUNT, Action.PARK),
        ("stop", WALLET, 1, Action.PARK),
        ("nonsense", WALLET, AMOUNT, Action.PARK),
    ],
)
def test_the_memo_the_amount_and_the_sender_decide(memo: str, sender: Sender, units: int, action: Action) -> None:
    assert decide(asking(memo), sender, units, TERMS).action is action


def test_what_may_be_a_withdrawal_without_its_memo_is_never_sent_back() -> None:
    assert decide(asking("nonsense"), CLIENT, AMOUNT, TERMS, may_be_withdrawal=True).action is Action.PARK
    assert decide(asking("three_months"), CLIENT, AMOUNT, TERMS, may_be_withdrawal=True).action is Action.BEGIN


def test_the_owners_word_is_not_parked_again() -> None:
    owner = Sender(False, True, by_owner=True)
    assert decide(asking("nonsense"), owner, AMOUNT, TERMS, may_be_withdrawal=True).action is Action.REFUND


def rows() -> list[contracts.Due]:
    past = due(1, 100, due_at=START + MONTH)
    coming = due(2, 100, due_at=START + 2 * MONTH)
    principal = due(3, 1_000, type=contracts.PRINCIPAL, due_at=START + 3 * MONTH)
    penalty = due(4, 200, type=contracts.PENALTY, due_at=START + 3 * MONTH)
    return [past, coming, principal, penalty]


def test_stopping_keeps_what_was_due_before_and_ends_only_what_began_before() -> None:
    asked_at = START + MONTH + timedelta(days=1)
    ending = end_early([(contract(), rows())], (11, 0, 0), asked_at)
    assert [row.id for row in ending.early] == [3, 4]
    assert [row.id for row in ending.aborted] == [2]
    assert end_early([(contract(), rows())], (10, 0, 0), asked_at).contracts == ()
    assert end_early([(contract(), rows())], (11, 0, 0), START + 3 * MONTH).contracts == ()


def test_a_contract_that_is_being_paid_back_is_not_stopped() -> None:
    held = rows()
    held[2] = due(3, 1_000, type=contracts.PRINCIPAL, due_at=START + 3 * MONTH, state=DueState.PROCESSING)
    assert end_early([(contract(), held)], (11, 0, 0), START + MONTH).contracts == ()


def test_what_a_manager_asks_is_refused_with_its_reason() -> None:
    request = memos.Request(memos.STOP, account=2, amount=5)
    asked: dict[str, Any] = {"lifetime_member": True, "age_blocks": 1, "oldest_blocks": 10, "accounts": 2}
    assert ignored_because(request, **asked) == ""
    assert "lifetime" in ignored_because(request, **{**asked, "lifetime_member": False})
    assert "older" in ignored_because(request, **{**asked, "age_blocks": 10})
    assert "no exchange account" in ignored_because(request, **{**asked, "accounts": 1})
    assert "no amount" in ignored_because(memos.Request(memos.STOP, account=2), **asked)
