"""The ledger by person: what accrued, is held, on its way and paid; corrections; payments set aside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.ledger_accounts import OWNER, POOL
from valtrac.core.money import rao
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import accounts as accounts_
from valtrac.payments.model.states import IN_FORCE, UNFINISHED, LineState
from valtrac.payments.producer import Producer
from valtrac.payments.reconcile import settle_if_done
from valtrac.payments.store import batches, ledger
from valtrac.payouts import approvals
from valtrac.people import policies
from valtrac.people.store import people

MOST_UNITS = 21_000_000 * 10**9  # all TAO that will ever be


@dataclass(frozen=True, slots=True)
class Account(accounts_.Account):
    """One person's account, by the name that he has now."""

    name: str = ""


def accounts(engine: sa.Engine) -> list[Account]:
    """Everyone's account, by name; the owner's and the pool's last."""
    with reading(engine) as conn:
        names = {term.person: term.name for term in people.terms(conn).users}
        booked = accounts_.accounts(conn)
    named = [Account(**asdict(account), name=policies.whom_of(account.person, names)) for account in booked]
    return sorted(named, key=lambda account: (account.person in (OWNER, POOL), account.name))


def account(engine: sa.Engine, whom: str) -> tuple[Account, list[dict[str, Any]]]:
    """One account and its entries, oldest first. Raises BadInput where there is no such person."""
    with reading(engine) as conn:
        person = whom if whom in (OWNER, POOL) else person_of(conn, whom)
        rows = ledger.entries_for(conn, person)
    account = next((account for account in accounts(engine) if account.person == person), None)
    return account or Account(person, name=plain(whom)), rows


def correct(engine: sa.Engine, whom: str, units: int, reason: str, *, batch_id: int | None = None) -> Account:
    """Book that someone got too little (units > 0) or too much (< 0): the next payouts put it right.

    What was too little is added to the balance and paid with the next payout; what was too much is taken back
    of the next ones, of each no more than the setting VALTRAC_TAKE_BACK allows. Nothing is edited.
    Raises BadInput: no amount, no reason, no such person or batch.
    """
    if units == 0 or abs(units) > MOST_UNITS:
        raise BadInput(
            "amount: nothing, or more than all TAO that will ever be", fix="give what was too little or much"
        )
    if not reason.strip():
        raise BadInput("say why the account is corrected", why="the ledger keeps the words", fix='--reason "WHY"')
    with writing(engine) as conn:
        person = person_of(conn, whom)
        if batch_id is not None and batches.get(conn, batch_id).state not in IN_FORCE:
            raise BadInput(f"batch #{batch_id} never paid anything", fix="name the batch that paid wrong, or none")
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


def set_aside(engine: sa.Engine, producer: Producer, batch_id: int, name: str, reason: str) -> Account:
    """Take one payment that is still owed out of its batch, back to the person's balance, to be paid later.

    For an address that is not to be used any more, or that the chain refuses. The next payout pays it
    where the person is paid then. Raises BadInput: no such payment; Refused: it is on its way, or paid.
    """
    if not reason.strip():
        raise BadInput("say why the payment is set aside", why="the ledger keeps the words", fix='--reason "WHY"')
    with writing(engine) as conn:
        batch = batches.get(conn, batch_id)
        lines = batches.lines_of(conn, batch_id)
        persons = {term.name: term.person for term in people.terms(conn).users}
        line = next((line for line in lines if line.name == name.strip()), None) or next(
            (line for line in lines if line.person == persons.get(name.strip())), None
        )
        if line is None:
            raise BadInput(
                f"{plain(name)} is not paid by batch #{batch_id}", fix=f"run.py payout show {batch_id} lists who is"
            )
        if batch.state not in UNFINISHED or line.state != LineState.OWED:
            raise Refused(
                f"the payment of {rao(line.amount)} to {plain(name)} is {line.state} in a batch that is {batch.state}",
                why="only what is still owed can be set aside",
                fix=f"look at it: run.py payout show {batch_id}",
            )
        batches.move_lines(conn, [line.id], LineState.OWED, LineState.VOID)
        ledger.book(
            conn, approvals.aside_entries(line, +1, f"set aside from batch #{batch_id}: {reason.strip()}"[:500])
        )
        settle_if_done(conn, producer, batch_id)
        person = line.person
    return next(account for account in accounts(engine) if account.person == person)


def person_of(conn: sa.Connection, whom: str) -> str:
    """The account that a balance or a correction is about. Raises BadInput, with the nearest name."""
    if ledger.known(conn, f"addr:{whom.strip()}"):
        return f"addr:{whom.strip()}"  # its own balance, also where a user has taken the address over
    return policies.account(conn, whom)
