"""Held balances that a lost payout paid: what was held for its payees went out with it, and would be paid again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from valtrac.core.chain import Payment
from valtrac.payments.store import ledger
from valtrac.people.store import people


def paid_with(conn: sa.Connection, paid: Sequence[tuple[Payment, str]], cause: str, *, listed: bool) -> int:
    """Take what was held for the payees of a transaction out of their accounts; how much.

    paid: each payment and the name of its payee. listed: whether they are lines of a payout, each of which pays all
    that is held for its payee; of others no more than what was paid counts.
    """
    persons = {term.name: term.person for term in people.terms(conn).users}
    held, taken = ledger.held(conn), dict[str, int]()
    for payment, name in paid:
        own = f"addr:{payment.address}"
        left = sum(units for units in held.values() if units > 0) if listed else payment.units
        mine = [own] if name == payment.address else [persons.get(name, own)]
        for person in mine if listed else dict.fromkeys((*mine, own)):
            units = min(max(0, held.get(person, 0) - taken.get(person, 0)), left)
            taken[person], left = taken.get(person, 0) + units, left - units
    ledger.book(
        conn,
        [
            {"person": person, "kind": kind, "units": -units, "cause": cause[:500]}
            for person, units in taken.items()
            for kind in ("accrued", "held")
        ],
    )
    return sum(taken.values())
