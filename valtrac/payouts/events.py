"""What payouts have to tell besides their payments: the wallet runs low."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.core.money import rao
from valtrac.payouts.liquidity import Liquidity

LEAST_PAYOUTS = 2  # the wallet should be good for so many payouts like the last ones
LOOK_EVERY_S = 600.0
FIX = "run.py payout liquidity"
LACKS, LOW = KINDS = (
    EventKind(
        "payouts.lacks",
        "The payout wallet lacks money",
        Severity.CRITICAL,
        "The payout wallet has enough",
        timedelta(1),
    ),
    EventKind(
        "payouts.low",
        "The payout wallet runs low",
        Severity.WARNING,
        "The payout wallet has enough again",
        timedelta(7),
    ),
)


@dataclass(slots=True)
class PayoutEvents:
    """The events of the payout wallet. ask: what it holds and has to pay, by a node, which is asked now and then; None
    where nothing was ever paid from it; raises where the node does not answer."""

    ask: Callable[[], Liquidity | None]
    clock: Callable[[], float] = time.monotonic
    _asked: tuple[float, Liquidity | None] | None = field(default=None)

    name = "payouts"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """None: what becomes of payouts is told by the payment door."""
        return ()

    def states(self, now: datetime) -> Iterable[Event]:
        """A wallet that lacks what approved batches owe, or is good for few payouts more."""
        held = self._liquidity()
        if held is None:
            return
        amounts = (rao(held.holds),)
        if held.missing:
            lacks = f"{rao(held.missing)} are missing for what is approved"
            words = f"The payout wallet {held.wallet} holds {rao(held.holds)}; {lacks}."
            fix = f"send {rao(held.missing)} to {held.wallet}"
            yield Event(LACKS.name, LACKS.name, now, words, f"{rao(held.missing)} are missing", fix, amounts)
        elif held.lasts is not None and held.lasts < LEAST_PAYOUTS:
            enough = f"enough for {held.lasts} more payouts like the last ones"
            words = f"The payout wallet {held.wallet} holds {rao(held.holds)}: {enough}."
            yield Event(LOW.name, LOW.name, now, words, f"{rao(held.holds)} left", FIX, amounts)

    def status(self, now: datetime) -> Status | None:
        """What the wallet holds, and for how many payouts that lasts."""
        held = self._liquidity()
        if held is None:
            return None
        lasts = "" if held.lasts is None else f", good for {held.lasts} payouts"
        return Status(f"the payout wallet holds {rao(held.holds)}{lasts}", f"wallet {rao(held.holds)}")

    def _liquidity(self) -> Liquidity | None:
        """As asked for less than ten minutes ago."""
        if self._asked is None or self.clock() - self._asked[0] > LOOK_EVERY_S:
            self._asked = (self.clock(), self.ask())
        return self._asked[1]
