"""Waiting for a node that is away: said at once, and again now and then, with how long is still waited."""

from __future__ import annotations

from valtrac.core.text import plain
from valtrac.payments.door import Door

AGAIN_S = 60.0


class Patience:
    """How long a transaction is still looked for, and when its owner last heard that the node is away."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._deadline = door.clock() + door.patience_s
        self._told_at: float | None = None

    @property
    def over(self) -> bool:
        """Whether it is time to say that the outcome is unknown."""
        return self._door.clock() > self._deadline

    def away(self, error: Exception) -> None:
        """The node did not answer."""
        now = self._door.clock()
        if self._told_at is None or now - self._told_at >= AGAIN_S:
            self._told_at = now
            self._door.say(f"the node is away ({plain(error)}); looked for again for {_span(self._deadline - now)}")

    def answered(self) -> None:
        """The node answered."""
        if self._told_at is not None:
            self._told_at = None
            self._door.say("the node answers again")


def _span(seconds: float) -> str:
    """A time to wait, for people."""
    whole = max(0, round(seconds))
    return f"{whole} more seconds" if whole < 120 else f"{whole // 60} more minutes"
