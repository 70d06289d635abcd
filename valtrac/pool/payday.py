"""Days of payment: kept once each, booked and made a batch in one transaction, sent by the door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from valtrac.core.chain import Payment
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.core.hashing import hash_of
from valtrac.core.money import qtum
from valtrac.core.staking import NodeState
from valtrac.database.engine import reading, writing
from valtrac.payments import fees, reconcile, send, standing_batches, still_open
from valtrac.payments.checks import Short
from valtrac.payments.door import Door
from valtrac.payments.store import attempts, ledger
from valtrac.pool import copies
from valtrac.pool.model.paydays import Payday, payday
from valtrac.pool.model.schedule import due
from valtrac.pool.model.states import Booking
from valtrac.pool.pool import PATIENCE_S, Pool
from valtrac.pool.producer import NAME
from valtrac.pool.store import blocks, book, paydays
from valtrac.pool.store.book import POOL, Entry
from valtrac.ports import Payer

CAUGHT_UP = 3  # blocks by which the monitor may be behind when a payday is kept


@dataclass(frozen=True, slots=True)
class PaydayFigures:
    """A payday as it would be kept now, or was. due_at: its moment; block: up to which rewards are in it; revenue: what
    is the pool's own by then, the network's fee not taken off yet."""

    due_at: datetime
    block: int
    payday: Payday
    revenue: int
    fee_bps: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of paying did. paid: delegates whose payments are final now; words: what has to be said."""

    paid: int
    kept: PaydayFigures | None
    words: tuple[str, ...]


def moment(pool: Pool, state: NodeState) -> datetime | None:
    """The moment of payment that has come and was not kept yet; None: none, or the pool has not begun."""
    with reading(pool.engine) as conn:
        begun, last = blocks.beginning(conn), paydays.last(conn)
    if begun is None:
        return None
    since = max(begun[2], last["due_at"]) if last else begun[2]
    return due(pool.settings.pool_schedule, clock=pool.now(), chain=state.tip.at, since=since)


def preview(pool: Pool, due_at: datetime) -> PaydayFigures:
    """What a payday would pay as things are; changes nothing."""
    with reading(pool.engine) as conn:
        return _reckoned(pool, conn, due_at)


def _reckoned(pool: Pool, conn: sa.Connection, due_at: datetime) -> PaydayFigures:
    settings, newest = pool.settings, blocks.newest(conn)
    shares = {delegate: units for delegate, units in book.balances(conn).items() if units > 0}
    minimum = max(settings.pool_minimum, pool.chain.limits().least_payment)
    plan = payday(shares, fee_bps=settings.pool_fee, minimum=minimum)
    revenue = book.revenue(conn) + plan.fees
    block = newest.head.number if newest else 0
    return PaydayFigures(due_at, block, plan, revenue, settings.pool_fee, minimum)


def keep(pool: Pool, due_at: datetime, payer: Payer) -> PaydayFigures | None:
    """Keep a payday: its bookings, its batch and its own row in one transaction; None where it was kept already."""
    fee = _fee(pool, preview(pool, due_at), payer)
    try:
        return _kept(pool, due_at, payer, fee)
    except _KeptBefore:  # what was written in the same transaction went with it
        return None


class _KeptBefore(Exception):
    """Another process has kept this day."""


def _kept(pool: Pool, due_at: datetime, payer: Payer, fee: int) -> PaydayFigures:
    with writing(pool.engine) as conn:
        attempts.lock_wallet(conn, payer.address)
        kept = _reckoned(pool, conn, due_at)
        batch_id = _batch(pool, conn, kept, payer.address, fee) if kept.payday.paid else None
        payments, carried = kept.payday.payments, kept.payday.carried
        payday_id = paydays.add(
            conn,
            {
                "due_at": due_at,
                "height": kept.block,
                "batch_id": batch_id,
                "fee_bps": kept.fee_bps,
                "minimum": kept.minimum,
                "revenue": kept.revenue,
                "paid": kept.payday.paid,
                "carried": sum(carried.values()),
                "delegates_paid": sum(1 for payment in payments if payment.net),
                "delegates_carried": len(carried),
                "at": pool.now(),
            },
        )
        if payday_id is None:
            raise _KeptBefore
        entries = [Entry(payment.delegate, Booking.PAYDAY, -payment.gross) for payment in payments]
        entries.append(Entry(POOL, Booking.FEE, kept.payday.fees))
        entries.append(Entry(POOL, Booking.PAYDAY, -kept.revenue, "revenue up to this payday"))
        book.add(conn, entries, payday_id=payday_id)
    return kept


def _fee(pool: Pool, kept: PaydayFigures, payer: Payer) -> int:
    """What the network will take for a payday, as far as that can be told now."""
    payments = [Payment(payment.delegate, payment.net) for payment in kept.payday.payments if payment.net]
    return fees.estimate(pool.chain, payer.address, payments, pool.settings.pool_chunk) if payments else 0


def _batch(pool: Pool, conn: sa.Connection, kept: PaydayFigures, wallet: str, fee: int) -> int:
    """The approved batch of a payday."""
    paid = [payment for payment in kept.payday.payments if payment.net]
    stored = standing_batches.approved(
        conn,
        producer=NAME,
        wallet=wallet,
        fee=fee,
        lines=[
            {
                "name": payment.delegate,
                "person": f"delegate:{payment.delegate}",
                "address": payment.delegate,
                "amount": payment.net,
            }
            for payment in paid
        ],
        spec={"due_at": kept.due_at.isoformat(), "block": kept.block},
        plan={"fee_bps": kept.fee_bps, "minimum": kept.minimum, "revenue": kept.revenue},
        inputs_hash=hash_of([[payment.delegate, payment.gross, payment.net] for payment in kept.payday.payments]),
        cause=f"payday of {kept.due_at:%Y-%m-%d %H:%M} UTC",
    )
    return stored[0].batch_id


def pay(
    pool: Pool,
    payer: Payer,
    state: NodeState,
    *,
    behind: int = 0,
    by_hand: bool = False,
    patience_s: float = PATIENCE_S,
) -> Round:
    """One round: finish what is open, then keep the payday that is due, and send it.

    behind: blocks that the monitor has not looked at. by_hand: what the wallet has paid delegates besides is the
    owner's own doing, and no payday of another copy. Raises ChainUnreachable, Refused where nothing may be paid at
    all, and OutcomeUnknown where a transaction has not been seen again: the next round finds it.
    """
    if not pool.settings.pool_payments:
        raise Refused(
            "payments are switched off", why="VALTRAC_POOL_PAYMENTS=no", fix="set it to yes; shares are kept meanwhile"
        )
    door, before = replace(pool.door(patience_s=patience_s), sent_by_hand=by_hand), _paid(pool)
    try:
        said, kept = _round(pool, door, payer, state, behind, by_hand=by_hand)
    except ValtracError as error:
        raise still_open.with_what_moved(
            error, pool.engine, lambda: _paid(pool) - before, pool.producer.words.reconcile
        ) from None
    return Round(_paid(pool) - before, kept, tuple(said))


def _round(
    pool: Pool, door: Door, payer: Payer, state: NodeState, behind: int, *, by_hand: bool
) -> tuple[list[str], PaydayFigures | None]:
    said: list[str] = []
    reconcile.reconcile(door, wallet=payer.address)
    if not by_hand:  # after what is open was looked at: it may have been written otherwise by who made its block
        copies.refuse_unknown(pool, payer.address)
    tried = _unfinished(pool)
    for batch_id in tried:
        said += _send(door, payer, batch_id)
    due_at = moment(pool, state)
    if due_at is None:
        return said, None
    if behind > CAUGHT_UP:
        return [*said, f"the payday of {due_at:%Y-%m-%d} waits until {behind:,} blocks are made up"], None
    kept = keep(pool, due_at, payer)
    if kept is None:
        return said, None
    for batch_id in _unfinished(pool):
        said += _send(door, payer, batch_id) if batch_id not in tried else []
    return said, kept


def _unfinished(pool: Pool) -> list[int]:
    with reading(pool.engine) as conn:
        return standing_batches.unfinished(conn)


def _send(door: Door, payer: Payer, batch_id: int) -> list[str]:
    """Send a batch; what it says where it cannot now: it waits, and is tried again with the next round."""
    try:
        send.send(door, payer, batch_id, isolate=True, retry_failed=True, accept_history=True)
    except Short as error:
        return [str(error)]
    except (ChainUnreachable, Refused) as error:
        if error.moved == "unknown":
            raise
        return [str(error)]
    return list(door.aside.values())


def list_what_landed(pool: Pool) -> None:
    """Write what was paid into the log of payments, where whoever paid it died before he could.

    Raises ChainUnreachable, and Refused where the log cannot be written.
    """
    reconcile.reconcile(pool.door())


def _paid(pool: Pool) -> int:
    with reading(pool.engine) as conn:
        return ledger.count_receipts(conn)


def in_words(kept: PaydayFigures) -> str:
    """A payday in one line."""
    plan = kept.payday
    return (
        f"payday of {kept.due_at:%Y-%m-%d %H:%M} UTC: {sum(1 for payment in plan.payments if payment.net)} delegates, "
        f"{qtum(plan.paid)}; {len(plan.carried)} carried over; revenue {qtum(kept.revenue)} before the network's fee"
    )
