"""What a plan reads, in one view of the database, and the seal over exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from valtrac.core.hashing import hash_of
from valtrac.payments.store import ledger
from valtrac.payouts.model.plans import Rules
from valtrac.people.model.terms import Terms
from valtrac.people.store import people
from valtrac.snapshots.model import stakes
from valtrac.snapshots.store import snapshots


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a plan reads, besides the rules."""

    range_: Sequence[stakes.Moment]
    before: stakes.Moment | None
    terms: Terms
    held: dict[str, int]
    digests: list[list[object]]


def read_inputs(conn: sa.Connection, hotkey: str, rules: Rules, *, before_batch: int | None = None) -> Inputs:
    """Snapshots of the range (and the one before it), terms, and held balances, in one view of the database."""
    if rules.by == "balances":
        return Inputs([], None, people.terms(conn), ledger.held(conn, before_batch=before_batch), [])
    valued = rules.netuid is None
    rows = snapshots.load(conn, hotkey, rules.netuid, rules.from_block, rules.to_block)
    earlier = (
        snapshots.block_before(conn, hotkey, rules.netuid, rules.from_block) if rules.method == "accrual" else None
    )
    before = [] if earlier is None else snapshots.at_block(conn, hotkey, rules.netuid, earlier)
    return Inputs(
        stakes.moments(rows, valued=valued),
        next(iter(stakes.moments(before, valued=False)), None),
        people.terms(conn),
        ledger.held(conn, before_batch=before_batch),
        [
            [netuid, block, digest.hex()]
            for first, last in ([] if earlier is None else [(earlier, earlier)]) + [(rules.from_block, rules.to_block)]
            for netuid, block, digest in snapshots.digests(conn, hotkey, rules.netuid, first, last)
        ],
    )


def inputs_hash(hotkey: str, wallet: str, rules: Rules, fee: int, inputs: Inputs) -> str:
    """sha256, 64 hex digits, over exactly what the plan read: rules, snapshots, terms of the range, balances, fee."""
    return hash_of(
        {
            "hotkey": hotkey,
            "wallet": wallet,
            "rules": rules.spec(),
            "fee": fee,
            "snapshots": inputs.digests,
            "terms": _terms_up_to(inputs.terms, rules.until),
            "held": inputs.held,
        }
    )


def _terms_up_to(terms: Terms, to_block: int) -> dict[str, Any]:
    """The terms that can be seen from blocks up to `to_block`; what begins or ends later is left out."""
    fields: dict[str, Any] = {}
    for group in ("users", "addresses", "payouts", "referrals", "rates", "policies"):
        rows = []
        for term in getattr(terms, group):
            if term.span.empty or term.span.from_block > to_block:
                continue
            row = asdict(term)
            until = row.pop("span")["until_block"]
            rows.append(
                [
                    term.span.from_block,
                    None if until is None or until > to_block else until,
                    sorted((key, value) for key, value in row.items()),
                ]
            )
        fields[group] = sorted(rows, key=str)
    if not fields["policies"]:
        del fields["policies"]  # the hash of a batch made before there were any stays what it was
    return fields
