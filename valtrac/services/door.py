"""What the payment door works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain.batches import BatchLine, Caps
from valtrac.domain.money import TAO
from valtrac.ports import Chain


@dataclass(frozen=True, slots=True)
class Door:
    """What the door works with. tell: one line of progress; patience_s: how long a node may be silent
    or a transaction unseen before the owner is told that the outcome is unknown. waits: line id -> why its payment
    has to wait, as the producer of a batch knows, asked in the transaction that writes the attempt too."""

    engine: sa.Engine
    chain: Chain
    settings: Settings
    witnesses: Sequence[Chain] = ()
    log: Path | None = None
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    poll_s: float = 2.0
    patience_s: float = 900.0
    waits: Callable[[sa.Connection, Sequence[BatchLine]], dict[int, str]] = field(default=lambda conn, lines: {})

    @property
    def caps(self) -> Caps:
        """What may be paid on this chain."""
        at = self.settings
        if self.chain.asset == TAO:
            return Caps(at.cap_payment, at.cap_batch, at.cap_day)
        return Caps(at.contracts_cap_payment, at.contracts_cap_day, at.contracts_cap_day)

    @property
    def period(self) -> int:
        """For how long a transaction may be included: blocks, or seconds where the chain counts those."""
        return self.settings.era_period if self.chain.counts_nonces else self.settings.bitshares_expiration_s
