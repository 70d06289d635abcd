"""How a payment stands, in the words that people and programs read. The database has words of its own (`states.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from valtrac.contracts.model.contracts import PENALTY, Due
from valtrac.contracts.model.states import DueState


class Status(StrEnum):
    """paid: in a block that cannot be undone, and booked; nothing else is called so. under way: in a batch; handed
    over: a node has its transaction; paid before: by the program before, as an import tells it; premature: ended before
    its time; delinquent: to be paid by hand."""

    PENDING = "pending"
    UNDER_WAY = "under way"
    HANDED_OVER = "handed over"
    PAID = "paid"
    PAID_BEFORE = "paid before"
    ABORTED = "aborted"
    PREMATURE = "premature"
    DELINQUENT = "delinquent"


_OF_STATE: Mapping[DueState, Status] = {
    DueState.PENDING: Status.PENDING,
    DueState.PROCESSING: Status.UNDER_WAY,
    DueState.HANDED_OVER: Status.HANDED_OVER,
    DueState.CONFIRMED: Status.PAID,
    DueState.ABORTED: Status.ABORTED,
    DueState.PREMATURE: Status.PREMATURE,
    DueState.DELINQUENT: Status.DELINQUENT,
}


def status_of(due: Due) -> Status:
    """How a payment stands."""
    return Status.PAID_BEFORE if due.was_paid_before else _OF_STATE[due.state]


def is_late(due: Due, now: datetime) -> bool:
    """Whether it should be paid by now and nothing has become of it yet. A penalty is nothing that is paid."""
    return due.type != PENALTY and due.state == DueState.PENDING and due.due_at < now
