"""The marks of payments: what they are owed for, and whose keys their words are for, as the chain tells both."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model import marks
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.store import contracts, transfers
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.chain import Head, Mark
from valtrac.database.engine import genesis_of


def number_of(conn: sa.Connection, due: Due) -> int:
    """The number that the memo of this payment carries, whichever copy of this ledger makes it."""
    return marks.number(genesis_of(conn), _identity(conn, due))


def marks_of(conn: sa.Connection, dues: Sequence[Due], read: Head) -> dict[int, Mark]:
    """due id -> its mark. read: the newest final block up to which nothing is left to be read.

    What managers send to an exchange goes to another account than the request came from: for its words the key has to
    be the one that the exchange reads with now.
    """
    mark_of = {}
    for due in dues:
        asked = _request(conn, due)
        own, other = (asked.sealed.receiver_key, asked.sealed.sender_key) if asked and asked.sealed else ("", "")
        key = None if due.type == domain.DEPOSIT else other
        mark_of[due.id] = Mark(number_of(conn, due), read, own_key=own, memo_key=key)
    return mark_of


def _identity(conn: sa.Connection, due: Due) -> str:
    if due.parent_id is not None:
        return marks.about(_identity(conn, contracts.due(conn, due.parent_id)), due.type)
    if due.contract_id is not None:
        return marks.of_contract(contracts.get(conn, due.contract_id).key, due.type, due.number)
    if due.operation_id is not None:
        return marks.of_request(transfers.get(conn, due.operation_id).key, due.type)
    raise AssertionError(f"payment no. {due.id} is owed for nothing")


def _request(conn: sa.Connection, due: Due) -> RecordedTransfer | None:
    """The transfer that a payment answers; None for a contract that came with a list: the transfer that began it may be
    known to one copy of this ledger and not to another."""
    if due.parent_id is not None:
        return _request(conn, contracts.due(conn, due.parent_id))
    number = due.operation_id
    if due.contract_id is not None:
        read = contracts.get(conn, due.contract_id).source == domain.FROM_MEMO
        number = contracts.operation_of(conn, due.contract_id) if read else None
    return None if number is None else transfers.get(conn, number)
