"""Which payments the money at hand allows, what is missing, and what is asked of exchanges for it. Pure, in satoshi."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from valtrac.contracts.model.contracts import WHOLE, Due, whole

LARGEST_WITHDRAWAL_FEE = 100 * WHOLE


@dataclass(frozen=True, slots=True)
class Budget:
    """left: what may leave the account now; allowed: of it within the cap of the day; each: set aside for the fee of
    one payment; most: how many payments."""

    left: int
    allowed: int
    each: int
    most: int


def affordable(dues: Iterable[Due], budget: Budget) -> list[Due]:
    """The payments that can be made, in their order: what is too large is passed over, and smaller ones after it are
    not."""
    left, allowed, chosen = budget.left, budget.allowed, list[Due]()
    for due in dues:
        if due.units + budget.each <= left and due.units <= allowed and len(chosen) < budget.most:
            chosen.append(due)
            left -= due.units + budget.each
            allowed -= due.units
    return chosen


def fee_each(fees: int, count: int) -> int:
    """What is set aside for the fee of one payment: twice the mean. What is missing reckons with the same, or a
    payment could neither be made nor lack anything."""
    return -(-2 * fees // count) if count else 0


def missing(dues: Sequence[Due], *, lent: int, reserved: int, fees: int, reserve: int, funds: int) -> int:
    """What the account lacks for these payments and those under way. lent: what of them goes to an exchange, which is
    not fetched there; reserve: what has to stay."""
    due = sum(payment.units for payment in dues)
    if due <= lent and not reserved:
        return 0
    lacking = due - lent + reserved + len(dues) * fee_each(fees, len(dues)) + reserve - funds
    return max(0, lacking)


def withdrawal_for(lacking: int, *, available: int, fee: int, least: int, keep: int) -> int:
    """What to ask of an exchange account, its fee included; 0 where it is not worth it.

    available: what it holds; least: below this nothing is asked of it; keep: what stays there.
    """
    if available <= least:
        return 0
    gross = min(-(-(lacking + fee) // WHOLE) * WHOLE, whole(available - keep))
    return gross if gross > fee else 0


def may_have_come(asked_units: int, came_units: int) -> bool:
    """Whether an amount can be what was asked of an exchange: that less a fee."""
    return asked_units - min(LARGEST_WITHDRAWAL_FEE, asked_units // 10) <= came_units <= asked_units
