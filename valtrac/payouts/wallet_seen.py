"""What was last seen of the payout wallet, in a small file: the first screen tells it without asking a node."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "wallet-seen.json"
LARGEST = 10_000  # bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """holds, missing: rao. lasts: for so many payouts like the last ones; None: there were none. at: UTC."""

    wallet: str
    holds: int
    missing: int
    lasts: int | None
    at: datetime


def note(data: Path, seen: Seen) -> None:
    """Write it down, whole or not at all; where that cannot be done, nothing is lost but a line of the first screen."""
    from valtrac.core.home import write_for_its_owner

    with suppress(OSError):
        text = json.dumps({**asdict(seen), "at": seen.at.astimezone(UTC).isoformat()})
        write_for_its_owner(data / FILE, text.encode())


def last(data: Path) -> Seen | None:
    """What was seen last; None where nothing was, or nothing that can be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        path = data / FILE
        if path.stat().st_size <= LARGEST:
            read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            wallet, holds, missing, lasts = (read[name] for name in ("wallet", "holds", "missing", "lasts"))
            whole = isinstance(wallet, str) and type(holds) is int and type(missing) is int
            if whole and (lasts is None or type(lasts) is int):
                at = datetime.fromisoformat(read["at"])
                return Seen(wallet, holds, missing, lasts, at) if at.tzinfo is not None else None
    return None
