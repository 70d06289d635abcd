"""Contracts as plain values for programs (`--json`). Amounts are decimal strings of BTS, times ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valtrac.config import Settings
from valtrac.domain.contracts import Due, Liabilities, milliseconds
from valtrac.domain.money import BTS, decimal_text
from valtrac.services.books import Books
from valtrac.services.contracts import Client, Standing
from valtrac.services.legacy.stakebts import Preview
from valtrac.store.events import Event
from valtrac.store.moves import Move
from valtrac.store.operations import Operation

NO_CAP = 2**63 - 1


def text(units: int) -> str:
    """Satoshi as a decimal string of BTS."""
    return decimal_text(units, BTS.decimals)


def contract(one: Standing) -> dict[str, Any]:
    """A contract as plain values; amounts are decimal strings of BTS."""
    held = one.contract
    return {
        "id": held.id, "key": held.key, "client": held.name, "account": held.account, "amount": text(held.amount),
        "months": held.months, "reward_bps": held.reward_bps, "penalty_bps": held.penalty_bps,
        "start_at": held.start_at.isoformat(), "start_ms": milliseconds(held.start_at), "state": one.state,
        "paid": text(one.paid), "open": text(one.open), "source": held.source,
    }  # fmt: skip


def due(one: Due) -> dict[str, Any]:
    """A payment as plain values."""
    return {
        "no": one.id, "contract": one.contract_id, "type": one.type, "number": one.number, "client": one.name,
        "account": one.account, "amount": text(one.units), "due_at": one.due_at.isoformat(), "status": one.state,
        "block": one.block, "tx": one.tx_id, "memo": one.memo, "note": one.words,
        "processed_at": one.processed_at.isoformat() if one.processed_at else None,
    }  # fmt: skip


def operation(one: Operation) -> dict[str, Any]:
    """A transfer as plain values."""
    return {
        "no": one.id, "key": one.key, "tx": one.tx_id, "at": one.at.isoformat(), "direction": one.direction,
        "name": one.name, "account": one.account, "units": str(one.units), "asset": one.asset_id, "memo": one.memo,
        "state": one.state, "kind": one.kind, "note": one.words, "tries": one.tries,
    }  # fmt: skip


def client(one: Client) -> dict[str, Any]:
    """Somebody with contracts."""
    return {
        "name": one.name, "account": one.account, "contracts": one.contracts, "open": one.running,
        "principal": text(one.principal), "owed": text(one.owed),
        "next_at": one.next_at.isoformat() if one.next_at else None,
    }  # fmt: skip


def move(one: Move) -> dict[str, Any]:
    """A withdrawal from an exchange."""
    return {
        "no": one.id, "account": one.exchange, "amount": text(one.units), "cause": one.cause, "state": one.state,
        "memo": one.memo, "external_id": one.external_id, "note": one.words,
        "asked_at": one.asked_at.isoformat() if one.asked_at else None,
    }  # fmt: skip


def liabilities(owed: Liabilities, said: Sequence[str], *, wallet: int | None) -> dict[str, Any]:
    """What is owed by when; wallet: satoshi that the account holds, None where no node told."""
    return {
        "gross": text(owed.gross), "month": text(owed.month), "week": text(owed.week), "day": text(owed.day),
        "past_due": text(owed.past_due), "processed_48h": text(owed.processed_48h),
        "due_48h": text(owed.due_48h), "clients": owed.clients,
        "wallet": None if wallet is None else text(wallet), "warnings": list(said),
    }  # fmt: skip


def books(found: Books) -> dict[str, Any]:
    """The state of the books."""
    at = found.reckoning
    return {
        "whole": found.whole, "receipts": found.receipts, "first_broken": found.broken, "odd": list(found.odd),
        "block": at.block if at else None, "since_block": at.since if at else None,
        "holds": text(at.holds) if at else None, "unexplained": text(at.unexplained) if at else None,
        "sure": at.sure if at else None, "not_compared": found.why_not or None,
    }  # fmt: skip


def event(one: Event) -> dict[str, Any]:
    """An event of the trail."""
    return {"nonce": one.nonce, "now": one.now, "kind": one.kind, "name": one.name, "msg": one.msg}


def preview(look: Preview) -> dict[str, Any]:
    """What an import would do."""
    return {
        "new": look.new, "steps": [{"what": step.what, "client": step.old.name, "where": step.old.where,
        "amount": text(step.old.amount), "months": step.old.months, "months_paid": step.old.months_paid,
        "start_ms": milliseconds(step.old.start_at), "marks": len(step.marks)} for step in look.steps],
        "differences": list(look.differences), "paid_at_once": text(look.past_due),
        "receipts": len(look.receipts), "read_to": look.read_to,
    }  # fmt: skip


def settings(held: Settings) -> dict[str, Any]:
    """The terms in force; null where there is no cap."""
    terms = held.contract_terms

    def cap(units: int) -> str | None:
        return None if units == NO_CAP else text(units)

    return {
        "network": held.bitshares_network, "custodian": held.bitshares_custodian,
        "amounts": [text(units) for units in sorted(terms.amounts)], "months": dict(terms.months),
        "reward_bps": terms.reward_bps, "penalty_bps": terms.penalty_bps, "fee": text(terms.fee),
        "least_refund": text(terms.least_refund), "reserve": text(held.contracts_reserve),
        "managers": list(held.contracts_managers), "admin_age_blocks": held.contracts_admin_age,
        "never_refund": list(held.contracts_never_refund), "skip_blocks": sorted(held.skipped_blocks),
        "cap_payment": cap(held.contracts_cap_payment), "cap_day": cap(held.contracts_cap_day),
        "exchange": held.contracts_exchange or None, "exchange_accounts": list(held.contracts_exchange_accounts),
        "patience_hours": held.contracts_patience_hours, "tries": held.contracts_tries,
        "support": held.contracts_support or None, "payments": held.contracts_payments,
    }  # fmt: skip
