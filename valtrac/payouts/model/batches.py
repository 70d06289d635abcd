"""A payout as it is stored: what the door knows of it, and what it was asked for and computed."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.payments.model.batches import Batch
from valtrac.payouts.model.plans import FeePolicy, PayoutPlan, Rules
from valtrac.people.model.policies import By


@dataclass(frozen=True, slots=True)
class PayoutBatch(Batch):
    """A batch of payouts. Amounts in rao. rules: what was asked for; payout: who gets what; hotkey: whose stakers are
    paid, "" where held balances are."""

    rules: Rules
    payout: PayoutPlan
    hotkey: str

    @property
    def by(self) -> By:
        """Whether users, nominators or held balances are paid."""
        return self.rules.by

    @property
    def netuid(self) -> str:
        """The subnet: a number in text, or `all`."""
        return "all" if self.rules.netuid is None else str(self.rules.netuid)

    @property
    def pool(self) -> int:
        """What was shared."""
        return self.payout.pool

    @property
    def fee_policy(self) -> FeePolicy:
        """Who bears the network's fee."""
        return self.payout.fee_policy

    @property
    def unassigned(self) -> int:
        """What is nobody's."""
        return self.payout.unassigned

    @property
    def from_block(self) -> int:
        """The first block that is paid for."""
        return self.rules.from_block

    @property
    def to_block(self) -> int:
        """The last one."""
        return self.rules.to_block
