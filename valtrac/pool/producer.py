"""Paydays of a pool as the payment door sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from valtrac.core.chain import Head, Mark
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.producer import Cap, Caps, Difference, Fate, LogColumns, Words
from valtrac.pool.model.paydays import net_of
from valtrac.pool.settings import PoolSettings
from valtrac.pool.store import blocks, book, paydays

NAME = "pool"
WORDS = Words(
    send="run.py pool pay",
    resume="run.py pool pay",
    show="run.py pool payouts {batch}",
    approve="run.py pool pay",
    reconcile="run.py pool pay",
    adopt="run.py pool pay --sent-by-hand",
    rule_foreign="run.py pool pay --sent-by-hand",
    rule_gone="run.py pool pay",
    verify="run.py pool verify",
    take_over_log="",
    wallet_setting="VALTRAC_QTUM_STAKER",
    high_fee="wait for a lower one",
    accept_history="run.py pool pay --sent-by-hand",
    pays_users="run.py pool pay --sent-by-hand",
    compare_restored="run.py backup compare",
)


@dataclass(frozen=True, slots=True)
class PoolProducer:
    """The producer of what a payday pays."""

    settings: PoolSettings
    name: str = NAME
    standing: bool = True
    words: Words = WORDS

    def caps(self, batch: Batch) -> Caps:
        """The owner's standing caps."""
        each = Cap(self.settings.pool_cap_payment, "VALTRAC_POOL_CAP_PAYMENT")
        day = Cap(self.settings.pool_cap_day, "VALTRAC_POOL_CAP_DAY")
        return Caps(each, day, day)

    def recheck(self, conn: sa.Connection, batch: Batch, lines: Sequence[BatchLine]) -> Difference | None:
        """Reckon each payment anew from what the book took off its delegate, and compare."""
        payday = paydays.of_batch(conn, batch.id)
        taken = {} if payday is None else book.taken_by(conn, payday["id"])
        bps = 0 if payday is None else payday["fee_bps"]
        wrong = [
            f"{line.address}: the book owes it {net_of(taken.get(line.address, 0), bps)}, the line has {line.amount}"
            for line in lines
            if line.amount != net_of(taken.get(line.address, 0), bps)
        ]
        if not wrong and payday is not None and payday["paid"] == sum(line.amount for line in lines):
            return None
        return Difference(
            f"batch #{batch.id} is not what its payday makes it",
            "the database was changed by other hands",
            "bring a backup back, and do not pay from this database",
            tuple(wrong),
        )

    def look(self, lines: Sequence[BatchLine], wallet: str) -> None:
        """Nothing: who is paid is no matter of the chain."""

    def waits(self, conn: sa.Connection, lines: Sequence[BatchLine], head: Head | None) -> dict[int, str]:
        """Nobody waits."""
        return {}

    def marks(self, conn: sa.Connection, lines: Sequence[BatchLine]) -> dict[int, Mark]:
        """None: a coin can be spent once, which is all that two copies on one wallet need."""
        return {}

    def moved(self, conn: sa.Connection, lines: Sequence[BatchLine], fate: Fate) -> None:
        """Nothing: the book gave the money up when the payday was kept."""

    def ruled(self, conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
        """None: what else the wallet spends is the owner's."""
        return set()

    def owners(self, conn: sa.Connection, addresses: Iterable[str]) -> dict[str, str]:
        """Delegates are known by their addresses."""
        known = book.accounts(conn)
        return {address: address for address in addresses if address in known}

    def fee_set_aside(self, batch: Batch) -> int:
        """Nothing: the pool bears the fees."""
        return 0

    @property
    def log_tells_what_for(self) -> bool:
        """No: its batch says it."""
        return False

    def log_columns(self, conn: sa.Connection, batches: Sequence[Batch]) -> Mapping[int, LogColumns]:
        """The blocks since the payday before, up to the one whose reward is in it, and what it pays."""
        begun = blocks.beginning(conn)
        columns = {}
        for batch in batches:
            to_block, due_at = batch.spec["block"], datetime.fromisoformat(batch.spec["due_at"])
            before = paydays.height_before(conn, due_at, begun[1] if begun else to_block)
            columns[batch.id] = LogColumns(min(before + 1, to_block), to_block, batch.total)
        return columns
