"""What the payment door works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from valtrac.payments.producer import Producer
from valtrac.ports import FinalityProofs, NumberedWallet, PayingChain, SpentCoins


@dataclass(frozen=True, slots=True)
class Door:
    """One wallet's way out.

    numbers: the chain again where it numbers an account's transactions; None where it does not, and where whoever
    reads every block finds what is not ours. period: for how long a transaction may be included, in what the chain
    counts. chunk_size: payments in one transaction at most. witnesses: further nodes that must agree. evidence: how
    far what became of a payment is believed where it is not proven to be final, added to the words that tell it.
    parallel: transactions of the wallet that may be on their way at once; more than 1 only where each has a number of
    its own and spends it for good. finality: what proves that a block is final, on a chain that has such. coins: each
    of these nodes again where transactions spend coins or numbers and do not expire; empty where they do. sent_by_hand:
    the owner's word that what spent coins of ours was sent by himself, for other things. tell: one line of progress.
    patience_s: how long a node may be silent or a transaction unseen before the owner is told that the outcome is
    unknown. aside: line id -> why nothing could be signed for it; such a line stays owed and holds no other.
    """

    engine: sa.Engine
    chain: PayingChain
    producer: Producer
    numbers: NumberedWallet | None
    period: int
    chunk_size: int
    witnesses: Sequence[PayingChain] = ()
    evidence: str = ""
    finality: FinalityProofs | None = None
    coins: Sequence[SpentCoins] = ()
    sent_by_hand: bool = False
    parallel: int = 1
    log: Path | None = None
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    poll_s: float = 2.0
    patience_s: float = 900.0
    aside: dict[int, str] = field(default_factory=dict)

    def say(self, words: str) -> None:
        """One line of progress. A screen that is gone, full or lacks a letter is no reason to stop paying."""
        with suppress(Exception):
            self.tell(words)
