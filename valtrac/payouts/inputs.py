"""What a plan reads, in one view of the database, and the seal over exactly that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from valtrac.core.hashing import hash_of
from valtrac.payments.store import ledger
from valtrac.payouts.model.plans import Rules
from valtrac.people.model.terms import Terms
from valtrac.people.store import people
from valtrac.snapshots.store import snapshots, sums

BY_SUMS = 2  # rules that say so are sealed over the sum of what their snapshots are; before, over a list of them


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan reads besides the rules and the weights. sealed: over the snapshots of its range, and the one before
    where the method looks at it."""

    terms: Terms
    held: dict[str, int]
    sealed: object


def read_inputs(conn: sa.Connection, hotkey: str, rules: Rules, *, before_batch: int | None = None) -> Inputs:
    """Terms, held balances and the seal of the snapshots, in one view of the database."""
    sealed: object = []
    if rules.by != "balances":
        sealed = _by_sums(conn, hotkey, rules) if rules.sealed == BY_SUMS else _one_by_one(conn, hotkey, rules)
    return Inputs(people.terms(conn), ledger.held(conn, before_batch=before_batch), sealed)


def _by_sums(conn: sa.Connection, hotkey: str, rules: Rules) -> dict[str, object]:
    sealed = sums.seal(conn, sums.Scope(hotkey, rules.netuid), rules.from_block, rules.to_block)
    return {"range": sealed, "before": _before(conn, hotkey, rules)}


def _one_by_one(conn: sa.Connection, hotkey: str, rules: Rules) -> list[list[object]]:
    rows = snapshots.digests(conn, hotkey, rules.netuid, rules.from_block, rules.to_block)
    return [*_before(conn, hotkey, rules), *([netuid, block, digest.hex()] for netuid, block, digest in rows)]


def _before(conn: sa.Connection, hotkey: str, rules: Rules) -> list[list[object]]:
    """The snapshots of the block before the range, where the method looks at it."""
    if rules.method != "accrual":
        return []
    earlier = snapshots.block_before(conn, hotkey, rules.netuid, rules.from_block)
    rows = [] if earlier is None else snapshots.digests(conn, hotkey, rules.netuid, earlier, earlier)
    return [[netuid, block, digest.hex()] for netuid, block, digest in rows]


def inputs_hash(hotkey: str, wallet: str, rules: Rules, fee: int, inputs: Inputs) -> str:
    """sha256, 64 hex digits, over exactly what the plan read: rules, snapshots, terms of the range, balances, fee."""
    return hash_of(
        {
            "hotkey": hotkey,
            "wallet": wallet,
            "rules": rules.spec(),
            "fee": fee,
            "snapshots": inputs.sealed,
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
