"""Contracts as plain values for programs (`--json`). Amounts are decimal strings of BTS, times ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from valtrac.contracts.audit import Audit
from valtrac.contracts.import_stakebts import Preview
from valtrac.contracts.model.contracts import Due, Liabilities, milliseconds
from valtrac.contracts.model.statuses import status_of
from valtrac.contracts.overview import Client, Standing, Stop
from valtrac.contracts.store.audit_events import Event
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.money import BTS, decimal_text
from valtrac.settings import Settings

NO_CAP = 2**63 - 1


def text(units: int) -> str:
    """Satoshi as a decimal string of BTS."""
    return decimal_text(units, BTS.decimals)


def contract(standing: Standing) -> dict[str, Any]:
    """A contract as plain values; amounts are decimal strings of BTS."""
    held = standing.contract
    return {
        "id": held.id,
        "key": held.key,
        "client": held.name,
        "account": held.account,
        "amount": text(held.amount),
        "months": held.months,
        "reward_bps": held.reward_bps,
        "penalty_bps": held.penalty_bps,
        "start_at": held.start_at.isoformat(),
        "start_ms": milliseconds(held.start_at),
        "state": standing.state,
        "paid": text(standing.paid),
        "open": text(standing.open),
        "stop": None if standing.stop is None else stop(standing.stop),
        "source": held.source,
    }


def stop(ended: Stop) -> dict[str, Any]:
    """What ending a contract early pays: for this contract, and in the payment, which may be for several."""
    return {"pays": text(ended.units), "payment": due(ended.due)}


def due(due: Due) -> dict[str, Any]:
    """A payment as plain values."""
    return {
        "no": due.id,
        "contract": due.contract_id,
        "type": due.type,
        "number": due.number,
        "client": due.name,
        "account": due.account,
        "amount": text(due.units),
        "due_at": due.due_at.isoformat(),
        "status": status_of(due),
        "block": due.block,
        "tx": due.tx_id,
        "memo": due.memo,
        "note": due.words,
        "processed_at": due.processed_at.isoformat() if due.processed_at else None,
    }


def transfer(transfer: RecordedTransfer) -> dict[str, Any]:
    """A transfer as plain values."""
    return {
        "no": transfer.id,
        "key": transfer.key,
        "tx": transfer.tx_id,
        "at": transfer.at.isoformat(),
        "direction": transfer.direction,
        "name": transfer.name,
        "account": transfer.account,
        "units": str(transfer.units),
        "asset": transfer.asset_id,
        "memo": transfer.memo,
        "state": transfer.state,
        "kind": transfer.kind,
        "note": transfer.words,
        "tries": transfer.tries,
    }


def client(client: Client) -> dict[str, Any]:
    """Somebody with contracts."""
    return {
        "name": client.name,
        "account": client.account,
        "contracts": client.contracts,
        "open": client.running,
        "principal": text(client.principal),
        "owed": text(client.owed),
        "next_at": client.next_at.isoformat() if client.next_at else None,
    }


def withdrawal(withdrawal: Withdrawal) -> dict[str, Any]:
    """A withdrawal from an exchange."""
    return {
        "no": withdrawal.id,
        "account": withdrawal.exchange,
        "amount": text(withdrawal.units),
        "cause": withdrawal.cause,
        "state": withdrawal.state,
        "memo": withdrawal.memo,
        "external_id": withdrawal.external_id,
        "note": withdrawal.words,
        "asked_at": withdrawal.asked_at.isoformat() if withdrawal.asked_at else None,
    }


def liabilities(owed: Liabilities, said: Sequence[str], *, wallet: int | None) -> dict[str, Any]:
    """What is owed by when; wallet: satoshi that the account holds, None where no node told."""
    return {
        "gross": text(owed.gross),
        "month": text(owed.month),
        "week": text(owed.week),
        "day": text(owed.day),
        "past_due": text(owed.past_due),
        "processed_48h": text(owed.processed_48h),
        "due_48h": text(owed.due_48h),
        "clients": owed.clients,
        "wallet": None if wallet is None else text(wallet),
        "warnings": list(said),
    }


def audit(audited: Audit) -> dict[str, Any]:
    """The state of the ledger."""
    balance = audited.balance
    return {
        "whole": audited.whole,
        "receipts": audited.receipts,
        "first_broken": audited.broken,
        "odd": list(audited.odd),
        "block": balance.block if balance else None,
        "since_block": balance.since if balance else None,
        "holds": text(balance.holds) if balance else None,
        "unexplained": text(balance.unexplained) if balance else None,
        "sure": balance.sure if balance else None,
        "not_compared": audited.why_not or None,
    }


def event(event: Event, about: RecordedTransfer | None = None) -> dict[str, Any]:
    """An event of the trail. about: the transfer that it is about, told whole, as it stands on the chain."""
    said = {"nonce": event.nonce, "now": event.now, "kind": event.kind, "name": event.name, "msg": event.msg}
    return {**said, "operation": None if about is None else operation(about)}


def operation(raw: RecordedTransfer) -> dict[str, Any]:
    """A transfer with what its row in the lists leaves out: the fee in satoshi, and the memo as it is encrypted."""
    return {**transfer(raw), "fee_units": str(raw.fee), "sealed": asdict(raw.sealed) if raw.sealed else None}


def preview(look: Preview) -> dict[str, Any]:
    """What an import would do."""
    return {
        "new": look.new,
        "steps": [
            {
                "what": step.what,
                "client": step.old.name,
                "where": step.old.where,
                "amount": text(step.old.amount),
                "months": step.old.months,
                "months_paid": step.old.months_paid,
                "start_ms": milliseconds(step.old.start_at),
                "marks": len(step.marks),
            }
            for step in look.steps
        ],
        "differences": list(look.differences),
        "paid_at_once": text(look.past_due),
        "receipts": len(look.receipts),
        "read_to": look.read_to,
    }


def settings(held: Settings) -> dict[str, Any]:
    """The terms in force; null where there is no cap."""
    terms = held.contract_terms

    def cap(units: int) -> str | None:
        return None if units == NO_CAP else text(units)

    return {
        "network": held.bitshares_network,
        "custodian": held.bitshares_custodian,
        "amounts": [text(units) for units in sorted(terms.amounts)],
        "months": dict(terms.months),
        "reward_bps": terms.reward_bps,
        "penalty_bps": terms.penalty_bps,
        "fee": text(terms.fee),
        "least_refund": text(terms.least_refund),
        "reserve": text(held.contracts_reserve),
        "managers": list(held.contracts_managers),
        "admin_age_blocks": held.contracts_admin_age,
        "never_refund": list(held.contracts_never_refund),
        "skip_blocks": sorted(held.skipped_blocks),
        "cap_payment": cap(held.contracts_cap_payment),
        "cap_day": cap(held.contracts_cap_day),
        "exchange": held.contracts_exchange or None,
        "exchange_accounts": list(held.contracts_exchange_accounts),
        "patience_hours": held.contracts_patience_hours,
        "tries": held.contracts_tries,
        "support": held.contracts_support or None,
        "payments": held.contracts_payments,
    }
