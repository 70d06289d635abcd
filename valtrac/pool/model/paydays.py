"""What is paid on a day of payment, and what is carried over. Pure; all in satoshi and basis points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHOLE_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Payment:
    """One delegate's. gross: what its shares had grown to; net: what it is paid, more than gross where a bonus is."""

    delegate: str
    gross: int
    net: int


@dataclass(frozen=True, slots=True)
class Payday:
    """payments in the order of first credit; carried: delegate -> gross that waits for a later day, in that order."""

    payments: tuple[Payment, ...]
    carried: Mapping[str, int]

    @property
    def fees(self) -> int:
        """What the pool keeps; below nothing where it pays a bonus out of its own coins."""
        return sum(payment.gross - payment.net for payment in self.payments)

    @property
    def paid(self) -> int:
        """What all delegates are sent together."""
        return sum(payment.net for payment in self.payments)


def net_of(gross: int, fee_bps: int) -> int:
    """What is left of a share after the pool's fee, rounded down."""
    return gross * (WHOLE_BPS - fee_bps) // WHOLE_BPS


def least_gross(minimum: int, fee_bps: int) -> int | None:
    """The smallest share that is paid; None where nothing ever is: at a fee of all of it."""
    kept = WHOLE_BPS - fee_bps
    return None if kept <= 0 else max(1, -(-minimum * WHOLE_BPS // kept))


def payday(shares: Mapping[str, int], *, fee_bps: int, minimum: int) -> Payday:
    """Pay whose share is worth sending, and carry the others over whole: what is carried meets the fee of its own day.

    shares: delegate -> gross. fee_bps: from -10,000 (a bonus as large as the share) to 10,000 (all is the pool's: then
    each share is its revenue, and nothing is sent or carried). minimum: the least net payment.
    ValueError: a fee beyond that, a share below nothing.
    """
    if not -WHOLE_BPS <= fee_bps <= WHOLE_BPS:
        raise ValueError("a fee is from -100 to 100 percent")
    if any(gross < 0 for gross in shares.values()):
        raise ValueError("a share below nothing")
    all_is_kept = fee_bps == WHOLE_BPS
    payments, carried = list[Payment](), dict[str, int]()
    for delegate, gross in shares.items():
        net = net_of(gross, fee_bps)
        if gross and (all_is_kept or net >= max(1, minimum)):
            payments.append(Payment(delegate, gross, net))
        elif gross:
            carried[delegate] = gross
    return Payday(tuple(payments), carried)
