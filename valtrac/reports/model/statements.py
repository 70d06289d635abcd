"""What one person, or the whole validator, was paid in a period, with its value in money at the time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from valtrac.core.money import decimal_text
from valtrac.reports.model.prices import PLACES, UNKNOWN, Price, value, value_text

# what tax tools such as Koinly read from a CSV file of their universal format, then what explains a payment
COLUMNS = (
    "Date",
    "Sent Amount",
    "Sent Currency",
    "Received Amount",
    "Received Currency",
    "Fee Amount",
    "Fee Currency",
    "Net Worth Amount",
    "Net Worth Currency",
    "Label",
    "Description",
    "TxHash",
    "Batch",
    "Block",
    "Address",
    "From Pool",
    "Released",
    "Fee Share",
    "Receipt",
)
LABEL = "reward"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment that arrived, in rao. at: the chain's time; price: of that time, None unknown.

    batch 0: another program made it, `told_by`, whose log is all that there is of it.
    """

    at: datetime
    name: str
    person: str
    batch: int
    from_block: int
    to_block: int
    address: str
    amount: int
    from_pool: int
    released: int
    fee_share: int
    tx_id: str
    block: int
    receipt: str
    price: Price | None
    told_by: str = ""

    @property
    def worth(self) -> int | None:
        """Its value in hundredths of the currency (or as the currency counts); None unknown."""
        if self.price is None:
            return None
        return value(self.amount, self.price.price_nano, places=PLACES.get(self.price.currency, 2))

    @property
    def worth_text(self) -> str:
        """The same for people: `unknown` where no price was known."""
        return value_text(self.amount, self.price)


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that one name was paid in a period [first, last). currency: of the values."""

    name: str
    person: str
    first: datetime
    last: datetime
    currency: str
    payments: tuple[Payment, ...]
    held: int

    @property
    def total(self) -> int:
        """The sum of the payments, in rao."""
        return sum(payment.amount for payment in self.payments)

    @property
    def worth(self) -> int | None:
        """The sum of the values at the times of the payments; None where one of them is unknown."""
        values = [payment.worth for payment in self.payments]
        return None if any(value is None for value in values) else sum(value for value in values if value is not None)

    @property
    def worth_text(self) -> str:
        """The same for people, with the currency."""
        return worth_text(self.payments, self.currency)


def worth_text(payments: Sequence[Payment], currency: str) -> str:
    """What payments were worth together; those of which it is not known are counted, never left out in silence."""
    known = [payment.worth for payment in payments if payment.worth is not None]
    unknown = len(payments) - len(known)
    if unknown and not known:
        return UNKNOWN
    text = f"{decimal_text(sum(known), PLACES.get(currency, 2))} {currency}"
    return f"{text}, and {unknown} of unknown worth" if unknown else text


def rows_of(payments: Sequence[Payment]) -> Iterator[list[str | int | Decimal | None]]:
    """The payments as rows under COLUMNS, amounts exact; no value where none is known."""
    for payment in payments:
        price, worth = payment.price, payment.worth
        places = 2 if price is None else PLACES.get(price.currency, 2)
        yield [
            f"{payment.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "",
            "",
            Decimal(decimal_text(payment.amount)),
            "TAO",
            "",
            "",
            None if worth is None else Decimal(decimal_text(worth, places)),
            "" if price is None else price.currency,
            LABEL,
            f"payout to {payment.name}, blocks {payment.from_block} to {payment.to_block}"
            + (f", as {payment.told_by} has it" if payment.told_by else ""),
            payment.tx_id,
            payment.batch or None,
            payment.block or None,
            payment.address,
            Decimal(decimal_text(payment.from_pool)),
            Decimal(decimal_text(payment.released)),
            Decimal(decimal_text(payment.fee_share)),
            payment.receipt,
        ]
