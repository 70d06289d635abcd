"""What transfers, dues and withdrawals may become."""

from __future__ import annotations

from collections.abc import Mapping

from valtrac.core.states import State


class TransferState(State):
    """waiting: its memo could not be read yet; parked: the owner has to say what it asks for; unruled: it left the
    account and is not in the journal."""

    WAITING = "waiting"
    PARKED = "parked"
    UNRULED = "unruled"
    HANDLED = "handled"

    @classmethod
    def _moves(cls) -> Mapping[TransferState, tuple[TransferState, ...]]:
        return {
            cls.WAITING: (cls.PARKED, cls.HANDLED),
            cls.PARKED: (cls.HANDLED, cls.WAITING),
            cls.UNRULED: (cls.HANDLED,),
            cls.HANDLED: (cls.WAITING,),  # what was skipped, and nothing else
        }


class DueState(State):
    """processing: in a batch; handed over: to a node (StakeBTS's files and the database say "paid" for it); confirmed:
    irreversible; premature: ended before its time; delinquent: to be paid by hand."""

    PENDING = "pending"
    PROCESSING = "processing"
    HANDED_OVER = "paid"
    CONFIRMED = "confirmed"
    ABORTED = "aborted"
    PREMATURE = "premature"
    DELINQUENT = "delinquent"

    @classmethod
    def _moves(cls) -> Mapping[DueState, tuple[DueState, ...]]:
        return {
            cls.PENDING: (cls.PROCESSING, cls.ABORTED, cls.PREMATURE, cls.DELINQUENT),
            cls.PROCESSING: (cls.HANDED_OVER, cls.CONFIRMED, cls.DELINQUENT, cls.ABORTED),
            cls.HANDED_OVER: (cls.PROCESSING, cls.CONFIRMED),
            cls.DELINQUENT: (cls.PROCESSING,),
        }


class WithdrawalState(State):
    """planned: not asked for, or asked for and the answer lost; asked: the exchange gave it a number; arrived: seen in
    a block."""

    PLANNED = "planned"
    ASKED = "asked"
    ARRIVED = "arrived"
    FAILED = "failed"

    @classmethod
    def _moves(cls) -> Mapping[WithdrawalState, tuple[WithdrawalState, ...]]:
        return {
            cls.PLANNED: (cls.ASKED, cls.ARRIVED, cls.FAILED),
            cls.ASKED: (cls.ARRIVED, cls.FAILED),
            cls.FAILED: (cls.ARRIVED,),
        }
