"""How long nothing is paid to a new address: some time by the clock, and as many blocks as pass in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

BLOCK_TIME = timedelta(seconds=12)  # of Bittensor's chain, which is never faster


@dataclass(frozen=True, slots=True)
class Quarantine:
    """until: its end by the clock; block: the one that must be final, too, so that no clock that is wrong ends it."""

    until: datetime
    block: int

    def why(self, now: datetime, block: int | None) -> str:
        """Why it lasts still, or "". block: the final one, None where that is not to count."""
        if now < self.until:
            return f"in quarantine until {self.until:%Y-%m-%d %H:%M} UTC"
        if block is not None and block < self.block:
            return f"in quarantine until block {self.block}, whatever this machine's clock says"
        return ""


def quarantine_of(changes: Iterable[tuple[datetime, int]], length: timedelta) -> Quarantine | None:
    """That of an address, None where it has none. changes: when each that made it new was entered, and from which block
    on it holds."""
    entered = list(changes)
    if not entered or not length:
        return None
    return Quarantine(max(at for at, _ in entered) + length, max(block for _, block in entered) + length // BLOCK_TIME)
