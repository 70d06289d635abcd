"""What stake contracts have to tell: out of the trail of audit events, and what waits for the owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model.contracts import milliseconds, moment
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.core.hashing import hash_of
from valtrac.core.money import bts
from valtrac.core.text import plain
from valtrac.database.engine import reading

A_DAY = timedelta(days=1)
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
ALERT, DELINQUENT, WITHDRAWN, NOT_WITHDRAWN, BEGAN, STOPPED, PARKED, UNRULED, UNREAD, BY_HAND, SHORT = KINDS = (
    EventKind("contracts.alert", "Stake contracts: look at this", WARNING),
    EventKind("contracts.delinquent", "A payment became delinquent", WARNING),
    EventKind("contracts.withdrawal", "Money was asked of an exchange"),
    EventKind("contracts.withdrawal-failed", "A withdrawal failed", WARNING),
    EventKind("contracts.began", "A stake contract began"),
    EventKind("contracts.stopped", "A stake contract was stopped"),
    EventKind("contracts.parked", "A transfer waits for your word", WARNING, "A transfer waits no more", A_DAY),
    EventKind("contracts.unruled", "Money left and is not in the journal", CRITICAL, "What left was ruled on", A_DAY),
    EventKind("contracts.unread", "A memo is not read yet", WARNING, "A memo was read", A_DAY),
    EventKind("contracts.by-hand", "Delinquent payments wait for you", WARNING, "No delinquent payment waits", A_DAY),
    EventKind("contracts.short", "Money lacks for what is due", CRITICAL, "Money lacks no more", A_DAY),
)
OF_TRAIL = {
    "alert": ALERT,
    "delinquent": DELINQUENT,
    "cover": WITHDRAWN,
    "exchange_failed": NOT_WITHDRAWN,
    "stake_start": BEGAN,
    "stake_stop": STOPPED,
}
WAITING = {TransferState.PARKED: PARKED, TransferState.UNRULED: UNRULED, TransferState.WAITING: UNREAD}
FIXES = {
    ALERT: "run.py contracts verify",
    DELINQUENT: "run.py contracts delinquent",
    NOT_WITHDRAWN: "run.py contracts withdrawals",
    PARKED: "run.py contracts read {no}",
    UNRULED: "run.py contracts rule {no}",
    UNREAD: "run.py contracts unlock",
}
UNREAD_FOR = timedelta(minutes=10)
SHOWN = ("amount", "to", "from", "exchange", "reference", "why", "error")


@dataclass(frozen=True, slots=True)
class ContractEvents:
    """The events of the custodian account in one database."""

    engine: sa.Engine

    name = "contracts"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """What the trail says. An audit that says the same words every two hours is told once a day."""
        with reading(self.engine) as conn:
            written = audit_events.since(conn, milliseconds(since), OF_TRAIL)
        for entry in written:
            kind, written_at = OF_TRAIL[entry.kind], moment(entry.now)
            known_by = str(entry.id)
            if kind is ALERT and "no" not in entry.msg and "reference" not in entry.msg:
                known_by = f"{hash_of(str(entry.msg.get('warn')))[:16]}:{written_at:%Y-%m-%d}"
            figures = tuple((name, plain(entry.msg[name])) for name in SHOWN if entry.msg.get(name))
            yield Event(
                f"{kind.name}:{known_by}",
                kind.name,
                written_at,
                _words(entry),
                "",
                FIXES.get(kind, ""),
                figures=figures,
            )

    def states(self, now: datetime) -> Iterable[Event]:
        """Transfers and payments that wait for the owner, and whether money lacks."""
        with reading(self.engine) as conn:
            waiting = transfers.listed(conn, *WAITING)
            delinquent = contracts.in_states(conn, DueState.DELINQUENT)
            short = audit_events.last(conn, "short")
        for transfer in waiting:
            kind = WAITING[transfer.state]
            if kind is not UNREAD or now - transfer.at >= UNREAD_FOR:
                fix = FIXES[kind].format(no=transfer.id)
                key = f"{kind.name}:{transfer.id}"
                yield Event(key, kind.name, now, _described(transfer), "", fix, tx_ids=_ids(transfer))
        if delinquent:
            total = bts(sum(due.units for due in delinquent))
            words = f"{len(delinquent)} payments, {total}, are delinquent and wait to be paid by hand."
            short_words = f"{len(delinquent)} payments, {total}"
            yield Event(BY_HAND.name, BY_HAND.name, now, words, short_words, FIXES[DELINQUENT], (total,))
        if short is not None and not short.msg["over"]:
            words = f"{short.msg['missing']} BTS lack for what is due, since {moment(short.now):%Y-%m-%d %H:%M} UTC."
            fix = "send them to the custodian account; see: run.py contracts liabilities"
            yield Event(SHORT.name, SHORT.name, moment(short.now), words, f"{short.msg['missing']} BTS lack", fix)

    def status(self, now: datetime) -> Status | None:
        """How far the chain was read, and what waits."""
        with reading(self.engine) as conn:
            cursor = transfers.cursor(conn)
            waiting = len(transfers.listed(conn, *WAITING))
            delinquent = contracts.count(conn, DueState.DELINQUENT)
        if cursor is None:
            return None
        words = f"read up to block {cursor.block}; {waiting} transfers wait, {delinquent} payments are delinquent"
        return Status(words, f"contracts blk {cursor.block} wait {waiting} delinq {delinquent}")


def _words(entry: audit_events.Event) -> str:
    """A sentence about an entry of the trail."""
    msg: dict[str, Any] = entry.msg
    name = plain(entry.name or msg.get("to") or msg.get("exchange") or "", 80)
    if msg.get("warn"):
        return f"{name}: {plain(msg['warn'], 300)}." if name else f"{plain(msg['warn'], 300)}."
    return {
        "cover": f"{msg.get('amount')} BTS were asked of {name}.",
        "exchange_failed": f"A withdrawal from {name} failed.",
        "stake_start": f"A contract of {name} began: {msg.get('amount')} BTS.",
        "stake_stop": f"{name} stopped a contract.",
    }.get(entry.kind, f"{entry.kind}: {name}")


def _described(transfer: RecordedTransfer) -> str:
    way = "to" if transfer.direction == "out" else "from"
    amount = bts(transfer.units) if transfer.asset_id == "1.3.0" else f"{transfer.units} units of {transfer.asset_id}"
    why = f": {plain(transfer.words, 200)}" if transfer.words else ""
    return f"Transfer #{transfer.id}, {amount} {way} {plain(transfer.name, 80)}, waits for your word{why}."


def _ids(transfer: RecordedTransfer) -> tuple[str, ...]:
    return (transfer.tx_id,) if transfer.tx_id else ()
