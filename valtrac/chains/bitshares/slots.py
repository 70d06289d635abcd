"""Slots of the chain's time, in which every copy of this program signs the same transaction for the same payment.

A slot is used once an irreversible block stamped after its beginning was read. The transaction refers to the last block
that is not after the beginning and expires at the end, and its fee is a function of its length: nothing in it hangs on
the moment or the node. Of equal transactions a chain takes one, for as long as they have not expired; and before the
next slot is used, an irreversible block after the end of this one was read, and so every block that may hold it.

LENGTH_S, LENGTH_REHEARSAL_S, the fee and `Mark`'s number are one set: copies with different ones could both pay. They
are changed only while no copy runs, and none starts before a whole slot is irreversible.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from valtrac.core.errors import NotYet

LENGTH_S = 600
LENGTH_REHEARSAL_S = 60  # its blocks are irreversible after two more, not after a minute
BLOCK_S = 3
FEE_UNITS, FEE_UNITS_PER_BYTE = (
    100_000,
    60,
)  # above what the chain asks for: 0.87 BTS and 47 satoshi by the byte of memo


def length_of(network: str) -> int:
    """Seconds of a slot. network: the rehearsal chain of this machine is called devnet."""
    return LENGTH_REHEARSAL_S if network == "devnet" else LENGTH_S


def began(read_at: datetime, length_s: int) -> int:
    """When the newest slot began that may be used, in seconds since 1970. read_at: the time of the newest irreversible
    block that was read, which has to be later: one at the very beginning may be followed by others of the slot before.
    """
    return (int(read_at.timestamp()) - 1) // length_s * length_s


def check_time_left(began_at: int, length_s: int, now: datetime) -> None:
    """Raise NotYet where a transaction of that slot would hardly be included any more."""
    left = began_at + length_s - int(now.timestamp())
    if left < length_s // 10 + BLOCK_S:
        raise NotYet(
            f"this slot of the chain's time has {max(0, left)} s left",
            why=f"payments are signed for slots of {length_s} s each, so that two copies sign the same",
            fix="wait for the next one",
        )


def fee_of(memo_size: int) -> int:
    """Satoshi of a transfer with a memo of so many bytes."""
    return FEE_UNITS + FEE_UNITS_PER_BYTE * memo_size


def last_before(moment: int, newest: int, time_of: Callable[[int], int | None]) -> int:
    """The last block that is not after a moment, or the first that there is. time_of: when a block was made, in seconds
    since 1970, None where there is none so early; newest: a block that is after the moment."""
    newest_at = time_of(newest)
    # no two blocks are closer together than BLOCK_S
    low = max(0, newest - (0 if newest_at is None else max(0, newest_at - moment)) // BLOCK_S - 1)
    high = newest
    while high - low > 1:
        middle = (low + high) // 2
        when = time_of(middle)
        if when is None or when <= moment:
            low = middle
        else:
            high = middle
    when = time_of(low) if low else None
    return high if when is None else low
