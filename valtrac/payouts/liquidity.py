"""What the payout wallet holds against what it has to pay, and for how many payouts that lasts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import Payment
from valtrac.core.ledger_accounts import POOL
from valtrac.database.engine import reading
from valtrac.payments.fees import estimate, with_slack
from valtrac.payments.model.states import IN_FORCE, BatchState, LineState
from valtrac.payments.store import batches, ledger
from valtrac.ports import PayingChain

COMPARED = 3


@dataclass(frozen=True, slots=True)
class Liquidity:
    """In rao. batch: what was asked about needs, fee and reserve included (0: none). others: owed by other batches.

    held: balances kept back, due one day. missing: what has to be sent to `wallet` before everything can be
    paid. average: of the last payouts, fees included; lasts: how many such payouts the rest is good for, None
    where there was none yet.
    """

    wallet: str
    holds: int
    batch: int
    others: int
    held: int
    missing: int
    average: int
    lasts: int | None
    forfeits: int


def liquidity(
    engine: sa.Engine, chain: PayingChain, wallet: str, batch_id: int | None = None, *, chunk_size: int
) -> Liquidity:
    """What the wallet holds at the finalized block and what is asked of it, fees as the node estimates them now.

    Raises BadInput without such a batch, ChainUnreachable.
    """
    holds = chain.balance(wallet, chain.finalized())
    reserve = chain.limits().existential_units
    with reading(engine) as conn:
        batch = None if batch_id is None else batches.get(conn, batch_id)
        lines = [] if batch_id is None else batches.lines_of(conn, batch_id)
        owed = batches.owed_by_batch(conn, wallet)
        held = sum(units for units in ledger.held(conn).values() if units > 0)
        pool = ledger.totals(conn).get(POOL, {}).get("accrued", 0)
        past = batches.listed(conn, IN_FORCE, limit=COMPARED)
    needs = 0
    if batch is not None and batch.state not in (BatchState.SETTLED, BatchState.VOID):
        owed.pop(batch.id, None)
        payments = [
            Payment(line.address, line.amount) for line in lines if line.state in (LineState.PLANNED, LineState.OWED)
        ]
        fee = estimate(chain, wallet, payments, chunk_size)
        needs = sum(payment.units for payment in payments) + with_slack(fee) if payments else 0
    others = sum(owed.values())
    spendable = max(0, holds - reserve)
    average = sum(payout.total + payout.fee for payout in past) // len(past) if past else 0
    return Liquidity(
        wallet,
        holds,
        needs,
        others,
        held,
        max(0, needs + others - spendable),
        average,
        max(0, spendable - needs - others) // average if average else None,
        pool,
    )
