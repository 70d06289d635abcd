"""The ledger by person: what accrued, is held, on its way and paid; corrections; payments set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from valtrac.domain.money import rao
from valtrac.domain.policies import OWNER, POOL
from valtrac.domain.text import plain
from valtrac.errors import BadInput, Refused
from valtrac.services import approvals, policies
from valtrac.services.reconcile import settle_if_done
from valtrac.store import batches, ledger, people
from valtrac.store.engine import reading, writing

MOST_UNITS = 21_000_000 * 10**9  # all TAO that will ever be


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account, in rao. held: owed and kept back, below zero what was overpaid; on_the_way: in
    batches that are not settled; netted: borne of the network fee; forfeited: withheld by policy.

    Always: accrued = paid + netted + held + on_the_way.
    """

    name: str
    person: str
    accrued: int
    held: int
    on_the_way: int
    paid: int
    netted: int
    forfeited: int

    @property
    def whole(self) -> bool:
        """Whether every unit that accrued is somewhere, once."""
        return self.person in (OWNER, POOL) or (self.accrued == self.paid + self.netted + self.held + self.on_the_way)


def accounts(engine: sa.Engine) -> list[Account]:
    """Everyone's account, by name; the owner's and the pool's last."""
    with reading(engine) as conn:
        names = {term.person: term.name for term in people.terms(conn).users}
        sums, balance, way = ledger.totals(conn), ledger.held(conn), ledger.on_the_way(conn)
    found = [
        Account(
            policies.whom_of(person, names),
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
    return sorted(found, key=lambda one: (one.person in (OWNER, POOL), one.name))


def account(engine: sa.Engine, whom: str) -> tuple[Account, list[dict[str, Any]]]:
    """One account and its entries, oldest first. Raises BadInput where there is no such person."""
    with reading(engine) as conn:
        person = whom if whom in (OWNER, POOL) else policies.account(conn, whom)
        rows = ledger.entries_for(conn, person)
    found = next((one for one in accounts(engine) if one.person == person), None)
    return found or Account(plain(whom), person, 0, 0, 0, 0, 0, 0), rows


def correct(engine: sa.Engine, whom: str, units: int, reason: str, *, batch_id: int | None = None) -> Account:
    """Book that someone got too little (units > 0) or too much (< 0): the next payouts put it right.

    What was too little is added to the balance and paid with the next payout; what was too much is taken back
    of the next ones, of each no more than the setting VALTRAC_TAKE_BACK allows. Nothing is edited.
    Raises BadInput: no amount, no reason, no such person or batch.
    """
    if units == 0 or abs(units) > MOST_UNITS:
        raise BadInput(
            "amount: nothing, or more than all TAO that will ever be", "", "give what was too little or much"
        )
    if not reason.strip():
        raise BadInput("say why the account is corrected", "the ledger keeps the words", '--reason "WHY"')
    with writing(engine) as conn:
        person = policies.account(conn, whom)
        if batch_id is not None and batches.get(conn, batch_id).state not in ("approved", "sending", "settled"):
            raise BadInput(f"batch #{batch_id} never paid anything", "", "name the batch that paid wrong, or none")
        of = f" of batch #{batch_id}" if batch_id is not None else ""
        cause = f"correction{of}: {reason.strip()}"[:500]
        ledger.book(
            conn,
            [
                {"person": person, "kind": "accrued", "units": units, "cause": cause},
                {"person": person, "kind": "held", "units": units, "cause": cause},
            ],
        )
    return account(engine, whom)[0]


def set_aside(engine: sa.Engine, batch_id: int, name: str, reason: str) -> Account:
    """Take one payment that is still owed out of its batch, back to the person's balance, to be paid later.

    For an address that is not to be used any more, or that the chain refuses. The next payout pays it
    where the person is paid then. Raises BadInput: no such payment; Refused: it is on its way, or paid.
    """
    if not reason.strip():
        raise BadInput("say why the payment is set aside", "the ledger keeps the words", '--reason "WHY"')
    with writing(engine) as conn:
        batch = batches.get(conn, batch_id)
        lines = batches.lines_of(conn, batch_id)
        persons = {term.name: term.person for term in people.terms(conn).users}
        line = next((one for one in lines if one.name == name.strip()), None) or next(
            (one for one in lines if one.person == persons.get(name.strip())), None
        )
        if line is None:
            raise BadInput(
                f"{plain(name)} is not paid by batch #{batch_id}", "", f"run.py payout show {batch_id} lists who is"
            )
        if batch.state not in ("approved", "sending") or line.state != "owed":
            raise Refused(
                f"the payment of {rao(line.amount)} to {plain(name)} is {line.state} in a batch that is {batch.state}",
                "only what is still owed can be set aside",
                f"look at it: run.py payout show {batch_id}",
            )
        batches.move_lines(conn, [line.id], "owed", "void")
        ledger.book(
            conn, approvals.aside_entries(line, +1, f"set aside from batch #{batch_id}: {reason.strip()}"[:500])
        )
        settle_if_done(conn, batch_id)
        person = line.person
    return next(one for one in accounts(engine) if one.person == person)


def unbalanced(engine: sa.Engine) -> list[Account]:
    """The accounts in which a unit is lost or there twice; an empty list is a whole ledger."""
    return [one for one in accounts(engine) if not one.whole]
