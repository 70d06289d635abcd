"""Payments that fall due: found by the chain's time, reserved and made a batch in one transaction, sent by the door.

What a batch could not pay stays in it and is tried again, until it is given up (`delinquents`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from valtrac.contracts import audit
from valtrac.contracts.adopting import adopt_copies
from valtrac.contracts.custodian import Custodian
from valtrac.contracts.delinquents import give_up, impatient, note_short, too_late, waiting_deposits
from valtrac.contracts.forecast import Outlook, as_read, fees_of, held_back, outlook, read_on
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.model.money import Budget, affordable, fee_each
from valtrac.contracts.model.states import DueState
from valtrac.contracts.model.statuses import status_of
from valtrac.contracts.producer import NAME
from valtrac.contracts.store import contracts
from valtrac.core.chain import Head
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.core.hashing import hash_of
from valtrac.core.money import BTS, bts, parse_units
from valtrac.database.engine import reading, writing
from valtrac.payments import reconcile, send, standing_batches, still_open
from valtrac.payments.checks import Short
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Batch
from valtrac.payments.model.states import LineState
from valtrac.payments.store import attempts, batches
from valtrac.ports import Payer

MOST_LINES = 20  # each is a transaction of its own, and irreversible after a minute
LONGEST_ROUND_S = 900.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of paying did. payments: those that are irreversible now; words: what has to be said."""

    payments: tuple[Due, ...]
    outlook: Outlook
    words: tuple[str, ...]

    @property
    def paid(self) -> int:
        """How many payments are irreversible now."""
        return len(self.payments)


def draft(custodian: Custodian, head: Head) -> int | None:
    """Make a batch of what is due and can be paid, and return its number; None where there is nothing.

    Rows, batch, lines and ledger in one transaction, so that nothing is ever reserved twice or without a payment.
    What does not fit into the account's funds is passed over, and smaller payments after it are not.
    """
    state = outlook(custodian, head)
    with reading(custodian.engine) as conn:
        due_now = contracts.payable(conn, head.at)
        held = held_back(conn, custodian.settings, due_now)
        today = attempts.spent_since(conn, custodian.account.id, head.at)
    payable = [due for due in due_now if due.id not in held]
    budget = Budget(
        left=state.funds - custodian.settings.contracts_reserve - state.reserved,
        allowed=custodian.settings.contracts_cap_day - today - state.reserved,
        each=fee_each(state.fees, len(payable)),
        most=MOST_LINES,
    )
    chosen = affordable(payable, budget)
    return make_batch(custodian, chosen, DueState.PENDING, head) if chosen else None


def make_batch(
    custodian: Custodian, chosen: Sequence[Due], from_state: DueState, head: Head, *, by_hand: bool = False
) -> int:
    """Turn dues into an approved batch, in one transaction. Raises Refused when one has moved on meanwhile.

    by_hand: the owner typed the amount, so that the cap per payment is not for it.
    """
    rows = [{"user": due.name, "address": due.account, "amount": due.units, "due": due.id} for due in chosen]
    fee = fees_of(custodian, chosen, head)
    with writing(custodian.engine) as conn:
        attempts.lock_wallet(conn, custodian.account.id)
        stored = standing_batches.approved(
            conn,
            producer=NAME,
            wallet=custodian.account.id,
            fee=fee,
            lines=[_line_values(due) for due in chosen],
            spec={"by_hand": by_hand, "block": head.number},
            plan={"lines": rows},
            inputs_hash=hash_of([[due.id, due.units, due.account] for due in chosen]),
            cause="due by contract or request",
        )
        for due, line in zip(chosen, stored, strict=True):
            contracts.reserve(conn, due.id, from_state, line.id)
        ended = [due.contract_id for due in chosen if due.type == domain.PRINCIPAL and due.contract_id is not None]
        contracts.end_penalties(conn, ended, head.at)
    return stored[0].batch_id


def _line_values(due: Due) -> dict[str, object]:
    """A due as a line of a batch; the custodian bears the fee."""
    return {
        "name": due.name,
        "person": f"account:{due.account}",
        "address": due.account,
        "amount": due.units,
        "memo": due.memo,
    }


def pay(custodian: Custodian, payer: Payer, *, patience_s: float = 180.0, poll_s: float | None = None) -> Round:
    """One round: finish what is open, then pay what is due. Raises ChainUnreachable, Refused where nothing may be
    paid at all, and OutcomeUnknown where a transaction has not been seen again: the next round finds it."""
    _switched_on(custodian)
    before = _confirmed(custodian)
    try:
        return _round(custodian, _door(custodian, patience_s, poll_s), payer, before)
    except ValtracError as error:
        raise still_open.with_what_moved(
            error, custodian.engine, lambda: len(_confirmed(custodian) - before), custodian.producer.words.reconcile
        ) from None


def _round(custodian: Custodian, door: send.Door, payer: Payer, before: set[int]) -> Round:
    said: list[str] = []
    reconcile.reconcile(door, wallet=payer.address)
    adopt_copies(custodian)
    head = as_read(custodian)
    audit.begin(custodian)
    said += too_late(custodian, head)
    with reading(custodian.engine) as conn:
        unfinished = standing_batches.unfinished(conn)
    for batch_id in unfinished:
        try:
            said += _send(custodian, door, payer, batch_id, head)
        except Refused as error:  # a cap, say: it waits, and what else is due does not
            if error.moved == "unknown":
                raise
            said.append(str(error))
    impatient(custodian, head)
    until = custodian.clock() + LONGEST_ROUND_S  # the rest in the next round, by what is read then
    while custodian.clock() < until and (fresh := draft(custodian, head)) is not None:
        words = _send(custodian, door, payer, fresh, head)
        said += words
        if words:
            break
    said += door.aside.values()
    state = outlook(custodian, head)
    said += waiting_deposits(custodian, head)
    note_short(custodian, head, state)
    with reading(custodian.engine) as conn:
        payments = contracts.of_ids(conn, contracts.ids(conn, DueState.CONFIRMED) - before)
    return Round(tuple(payments), state, tuple(said))


def _door(custodian: Custodian, patience_s: float, poll_s: float | None = None) -> Door:
    """The door, with a producer that reads on before each payment, and sees that what came in is there."""

    def look() -> Head:
        head = read_on(custodian)
        audit.see_that_it_is_there(custodian)
        return head

    producer = replace(custodian.producer, read_on=look)
    return replace(custodian.door(patience_s=patience_s, poll_s=poll_s), producer=producer)


def _switched_on(custodian: Custodian) -> None:
    if not custodian.settings.contracts_payments:
        raise Refused(
            "payments are switched off",
            why="VALTRAC_CONTRACTS_PAYMENTS=no",
            fix="set it to yes, or take it out of .env",
        )


def _send(custodian: Custodian, door: Door, payer: Payer, batch_id: int, head: Head) -> list[str]:
    """Send a batch; what it says when it cannot now. What the chain has refused often enough is given up, and so is
    what nothing could be signed for longer than the owner's patience."""
    said = []
    try:
        send.send(door, payer, batch_id, isolate=True, retry_failed=True, accept_history=True)
    except Short as error:
        said = [error.what]
    with reading(custodian.engine) as conn:
        owed = batches.lines_of(conn, batch_id, LineState.OWED)
        held = custodian.producer.waits(conn, owed, None)
    said += [f"{line.name} waits: {held[line.id]}" for line in owed if line.id in held]
    give_up(custodian, batch_id, door.aside, head)
    return said


def pay_delinquent(
    custodian: Custodian, payer: Payer, number: int, typed_total: str, *, patience_s: float = 180.0
) -> Batch:
    """Pay a delinquent one by hand, once: its amount is typed as the confirmation.

    Raises BadInput where the amount differs or it is not delinquent, and whatever the door says.
    """
    with reading(custodian.engine) as conn:
        due = contracts.due(conn, number)
    if due.state != DueState.DELINQUENT:
        raise BadInput(
            f"payment no. {number} is {status_of(due)}, not delinquent", fix="see: run.py contracts delinquent"
        )
    if parse_units(typed_total.removesuffix("BTS"), field="total", decimals=BTS.decimals) != due.units:
        raise BadInput(
            f"payment no. {number} is {bts(due.units)}, not {typed_total.strip()[:40]}", fix="type its amount"
        )
    _switched_on(custodian)
    head = as_read(custodian)
    _check_affordable(custodian, due, head)
    batch_id = make_batch(custodian, [due], DueState.DELINQUENT, head, by_hand=True)
    door = _door(custodian, patience_s)
    batch = send.send(door, payer, batch_id, isolate=True, retry_failed=True, accept_history=True)
    for why in door.aside.values():
        raise Refused(f"payment no. {number} cannot be made: {why}", fix="nothing of it was sent; it stays owed")
    return batch


def _check_affordable(custodian: Custodian, due: Due, head: Head) -> None:
    """Raise Refused where a payment by hand is above the cap per day, or would stand in the way of the others."""
    number = due.id
    if due.units > custodian.settings.contracts_cap_day:
        raise Refused(
            f"payment no. {number} is {bts(due.units)}",
            why=f"the cap per day is {bts(custodian.settings.contracts_cap_day)}",
            fix="raise VALTRAC_CONTRACTS_CAP_DAY",
        )
    state = outlook(custodian, head)
    lacking = (
        due.units
        + fees_of(custodian, [due], head)
        + state.reserved
        + custodian.settings.contracts_reserve
        - state.funds
    )
    if lacking > 0:  # it would stand in the way of everybody else's payments
        raise Refused(
            f"{bts(lacking)} are missing for payment no. {number} of {bts(due.units)}",
            why=f"the account holds {bts(state.funds)}, with {bts(state.reserved)} of it in payments under way and "
            f"{bts(custodian.settings.contracts_reserve)} to be kept",
            fix=f"send them to {custodian.account.name} with the memo loan from a manager, or from another with "
            "a memo of run.py contracts loan-reference, then pay again",
        )


def _confirmed(custodian: Custodian) -> set[int]:
    with reading(custodian.engine) as conn:
        return contracts.ids(conn, DueState.CONFIRMED)
