"""The ledger by person: what accrued, is held, on its way and paid."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.ledger_accounts import OWNER, POOL
from valtrac.database.engine import reading
from valtrac.payments.store import ledger


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account, in the asset's unit. held: owed and kept back, below zero what was overpaid; on_the_way:
    in batches that are not settled; netted: borne of the network fee; forfeited: withheld by policy.

    Always: accrued = paid + netted + held + on_the_way.
    """

    person: str
    accrued: int = 0
    held: int = 0
    on_the_way: int = 0
    paid: int = 0
    netted: int = 0
    forfeited: int = 0

    @property
    def whole(self) -> bool:
        """Whether every unit that accrued is somewhere, once."""
        return self.person in (OWNER, POOL) or (self.accrued == self.paid + self.netted + self.held + self.on_the_way)


def accounts(conn: sa.Connection) -> list[Account]:
    """Everyone's account; the owner's and the pool's last."""
    sums, balance, way = ledger.totals(conn), ledger.held(conn), ledger.on_the_way(conn)
    by_person = [
        Account(
            person,
            kinds.get("accrued", 0),
            balance.get(person, 0),
            way.get(person, 0),
            kinds.get("paid", 0),
            kinds.get("netted", 0),
            kinds.get("forfeited", 0),
        )
        for person, kinds in sums.items()
    ]
    return sorted(by_person, key=lambda account: (account.person in (OWNER, POOL), account.person))


def unbalanced(engine: sa.Engine) -> list[Account]:
    """The accounts in which a unit is lost or there twice; an empty list is a whole ledger."""
    with reading(engine) as conn:
        return [account for account in accounts(conn) if not account.whole]
