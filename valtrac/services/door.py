"""What the payment door works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.ports import Chain


@dataclass(frozen=True, slots=True)
class Door:
    """What the door works with. tell: one line of progress; patience_s: how long a node may be silent
    or a transaction unseen before the owner is told that the outcome is unknown."""

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
