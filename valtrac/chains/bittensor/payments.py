"""What a payment may be, and as much of a key as is needed to ask what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.addresses import key_of
from valtrac.core.chain import Payment


@dataclass(frozen=True, slots=True)
class PublicKey:
    """As much of a key as the SDK needs to estimate a fee."""

    ss58_address: str
    public_key: bytes
    crypto_type: int = 1


def check_payments(payments: tuple[Payment, ...]) -> None:
    """ValueError: no payment at all, one below 1 rao or beyond 64 bits, or to something that is no address."""
    if not payments or any(not 0 < payment.units < 2**64 for payment in payments):
        raise ValueError("a transaction needs payments of at least 1 rao and less than 2^64 rao each")
    for payment in payments:
        key_of(payment.address)
