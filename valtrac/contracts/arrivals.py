"""What was asked of an exchange, known again when it arrives."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_hex

import sqlalchemy as sa

from valtrac.contracts.audit_trail import note
from valtrac.contracts.custodian import CORE_ASSET
from valtrac.contracts.model import memos
from valtrac.contracts.model.money import may_have_come
from valtrac.contracts.model.states import WithdrawalState
from valtrac.contracts.settings import ACCOUNT
from valtrac.contracts.store import loans, withdrawals
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.errors import BadInput
from valtrac.core.text import plain, storable
from valtrac.database.engine import writing

LONGEST_NAME = 63
AFTER_ALL = timedelta(days=30)  # something that was given up may come after all


def new_reference() -> str:
    """A memo that nobody else can know before it is on the chain, so that its arrival proves itself."""
    return f"{memos.LOAN}#{token_hex(8)}"


def known_reference(conn: sa.Connection, reference: str, name: str) -> bool:
    """Whether what follows the # of a loan was given out: to an exchange by us, or to this account by the owner."""
    if not reference:
        return False
    asked = withdrawals.by_memo(conn, f"{memos.LOAN}#{reference}") is not None
    return asked or loans.given(conn, reference) == name


def give_reference(engine: sa.Engine, name: str, words: str = "") -> str:
    """A memo with which an account may lend to the custodian; every transfer from it with this memo counts as a loan.

    Raises BadInput for what is no account's name.
    """
    if not ACCOUNT.fullmatch(name) or len(name) > LONGEST_NAME:
        raise BadInput(
            f"{plain(name, 40)!r} is not the name of a BitShares account", fix="write it as the chain does: ann-1"
        )
    memo = new_reference()
    with writing(engine) as conn:
        loans.give(conn, memo.partition("#")[2], name, storable(words.strip(), 500))
    return memo


def arrived(conn: sa.Connection, withdrawal: Withdrawal, transfer: RecordedTransfer) -> None:
    """Book that what was asked of an exchange is here, once, and that no other was."""
    if withdrawal.state == WithdrawalState.ARRIVED or withdrawals.came_with(conn, transfer.id):
        return
    if withdrawals.set_state(conn, withdrawal, WithdrawalState.ARRIVED, arrived_id=transfer.id):
        note(
            conn,
            transfer,
            "exchange_arrived",
            exchange=withdrawal.exchange,
            reference=withdrawal.memo,
            cause=withdrawal.cause,
        )


def may_be_a_withdrawal(conn: sa.Connection, transfer: RecordedTransfer) -> bool:
    """Whether an exchange was asked for about as much: there are some that lose the memo on the way, and some things
    that were given up come after all."""
    given_up = [
        withdrawal
        for withdrawal in withdrawals.in_states(conn, WithdrawalState.FAILED)
        if transfer.at - withdrawal.created_at < AFTER_ALL
    ]
    asked = withdrawals.in_states(conn, *withdrawals.OPEN) + given_up
    return any(may_be(withdrawal, transfer) for withdrawal in asked)


def may_be(withdrawal: Withdrawal, transfer: RecordedTransfer) -> bool:
    """Whether a transfer can be what was asked for: that less a fee."""
    return transfer.asset_id == CORE_ASSET and may_have_come(withdrawal.units, transfer.units)
