"""What to do about a withdrawal that was written down, from what the exchange lists of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import Enum

from valtrac.contracts.model.contracts import Due
from valtrac.contracts.model.states import WithdrawalState

LOST_AFTER = timedelta(minutes=30)  # an exchange that did not list a withdrawal by then has not accepted it
SLOW = timedelta(hours=6)  # a withdrawal that has not arrived by then is told of
STALE = timedelta(hours=12)  # what a manager asked for is not done after that: he may have thought better of it


class Step(Enum):
    """The next thing to do about a withdrawal."""

    ASK = "ask the exchange for it"
    FORGET = "cancel it: it was not asked for in time"
    NEVER_ACCEPTED = "cancel it: the exchange does not list it"
    REFUSED = "cancel it: the exchange refused it"
    ACCEPTED = "note that the exchange has it"
    MATCH = "look for the transfer that brought it"
    WAIT = "nothing yet"


def next_step(
    state: WithdrawalState,
    *,
    created_at: datetime,
    asked_at: datetime | None,
    listed_as: str | None,
    has_transaction: bool,
    now: datetime,
) -> Step:
    """What to do about a withdrawal that is still open.

    asked_at: None while it was never asked for. listed_as: its state on the exchange's own list, None where it is not
    there. has_transaction: whether the list names the transaction that carries it.
    """
    if asked_at is None:
        return Step.FORGET if now - created_at > STALE else Step.ASK
    if listed_as is None:
        lost = state == WithdrawalState.PLANNED and now - asked_at > LOST_AFTER
        return Step.NEVER_ACCEPTED if lost else Step.WAIT
    if listed_as == WithdrawalState.FAILED:
        return Step.REFUSED
    if state == WithdrawalState.PLANNED:
        return Step.ACCEPTED
    return Step.MATCH if has_transaction else Step.WAIT


def given_up(late: Iterable[Due], *, above_cap: Collection[int], poor: bool, each: int, spare: int) -> dict[int, str]:
    """due id -> why the owner pays it by hand, of payments that have been late for longer than his patience.

    above_cap: ids that no standing policy pays. poor: whether money has been wanting for as long. each: satoshi set
    aside for the fee of one payment; spare: what may leave the account now.
    """
    reasons: dict[int, str] = {}
    for due in late:
        if due.id in above_cap:
            reasons[due.id] = "above the cap"
        elif poor and due.units + each > spare:
            reasons[due.id] = "there was no money for it"
    return reasons
