"""What a delegate of a Qtum pool was booked and paid, day by day, in satoshi. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from valtrac.pool.model.states import Booking

# what a delegate reads in the place of the book's own words
WORDS = {
    Booking.SHARE: "shares of rewards",
    Booking.UNDONE: "taken back: the chain dropped the block",
    Booking.OPENING: "taken over from the old program",
}


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that landed. units: what arrived; block: where."""

    at: datetime
    units: int
    tx_id: str
    block: int


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking. block: of the reward that it comes from, None where it comes from none; kind: as the book has it."""

    at: datetime
    kind: Booking
    units: int
    block: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Day:
    """What one day (UTC) brought. rewards: blocks that the delegate has a share of; kind: of its bookings."""

    day: date
    kind: Booking
    rewards: int
    units: int

    @property
    def words(self) -> str:
        """The kind, as a delegate reads it."""
        return WORDS.get(self.kind, self.kind.value)


@dataclass(frozen=True, slots=True)
class PoolStatement:
    """Everything of one delegate. owed: the sum of all bookings, which is paid later; below zero it is taken off
    what follows. fee: what the pool kept of the paydays so far, below zero where it added a bonus."""

    delegate: str
    staker: str
    days: Sequence[Day]
    payments: Sequence[Paid]
    owed: int
    fee: int

    @property
    def paid(self) -> int:
        """What has arrived, in satoshi."""
        return sum(payment.units for payment in self.payments)

    @property
    def rewards(self) -> int:
        """How many rewards the delegate has a share of."""
        return sum(day.rewards for day in self.days if day.kind is Booking.SHARE)

    @property
    def on_its_way(self) -> int:
        """What paydays took off the book and has not arrived yet, in satoshi."""
        return self.shared - self.owed - self.fee - self.paid

    @property
    def shared(self) -> int:
        """What was booked for the delegate without what was taken off for payments, in satoshi."""
        return sum(day.units for day in self.days)


def statement_of(
    delegate: str, staker: str, booked: Iterable[Booked], payments: Sequence[Paid], fee: int
) -> PoolStatement:
    """Bookings summed up by day and kind; those for paydays are told by the payments. fee: what the pool kept of
    these."""
    days: dict[tuple[date, Booking], tuple[int, set[int]]] = {}
    owed = 0
    for booking in booked:
        owed += booking.units
        if booking.kind == Booking.PAYDAY:
            continue
        units, blocks = days.get((booking.at.date(), booking.kind), (0, set[int]()))
        blocks = blocks if booking.block is None else blocks | {booking.block}
        days[booking.at.date(), booking.kind] = units + booking.units, blocks
    listed = [Day(day, kind, len(blocks), units) for (day, kind), (units, blocks) in sorted(days.items())]
    return PoolStatement(delegate, staker, listed, payments, owed, fee)
