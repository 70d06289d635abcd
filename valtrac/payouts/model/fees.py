"""The network's fee of a batch: what was kept for it, what the chain took, and whose the difference is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import INCLUDED, BatchState, LineState
from valtrac.payouts.model.batches import PayoutBatch


@dataclass(frozen=True, slots=True)
class Fees:
    """In rao. from_pool, from_payees: what was kept for the fee; taken: what the chain took so far, None where it did
    not say of a transaction; transactions: how many it took it for; final: nothing of the batch is still to be sent."""

    from_pool: int
    from_payees: int
    taken: int | None
    transactions: int
    final: bool

    @property
    def kept(self) -> int:
        """What pool and payees bear together."""
        return self.from_pool + self.from_payees

    @property
    def owner(self) -> int | None:
        """What the chain took beyond what was kept: the owner's to bear; below zero where it took less. None: unknown,
        or more may be taken."""
        return None if self.taken is None or not self.final else self.taken - self.kept


def fees_of(batch: PayoutBatch, lines: Sequence[BatchLine], tried: Sequence[Attempt]) -> Fees:
    """The fee of a batch. lines, tried: all of it, as they are now. A payment that was set aside bears no fee."""
    charged = [attempt.fee for attempt in tried if attempt.state in INCLUDED]
    known = [fee for fee in charged if fee is not None]
    return Fees(
        batch.payout.fee_from_pool,
        sum(line.fee_share for line in lines if line.state != LineState.VOID),
        sum(known) if len(known) == len(charged) else None,
        len(charged),
        batch.state == BatchState.SETTLED,
    )
