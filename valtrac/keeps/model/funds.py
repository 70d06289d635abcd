"""What the wallet can bear at once: ether that transactions in flight reserve, and allowances that none is left of.

Pure; amounts in wei.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate


class Route(StrEnum):
    """How a deposit is redeemed. MACHINE: through the VendingMachine, which holds its token; DIRECT: of the deposit
    itself."""

    MACHINE = "vending machine"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Gas:
    """What a transaction reserves: its gas limit times the highest price that is paid, in wei. cap: that price."""

    cap: int
    redeem: int = 800_000
    approve: int = 60_000
    call: int = 200_000

    def of(self, route: Route, *, first: bool, calls: bool) -> int:
        """The ether that one more redemption reserves. first: whether it is the first through the VendingMachine, which
        one approval serves for all; calls: whether the courtesy call has to be made before."""
        approves = route is Route.DIRECT or first
        return self.cap * (self.redeem + approves * self.approve + calls * self.call)


# what a call that brings a redemption on may use of gas, as the wallet signs it
STEP_GAS = {"provideRedemptionSignature": 250_000, "increaseRedemptionFee": 400_000, "provideRedemptionProof": 800_000}


def affordable(texts: Sequence[str], cap: int, ether: int) -> int:
    """How many of such calls, from the first on, an amount of ether bears at the highest price."""
    for number, needed in enumerate(accumulate(step_ether(text, cap) for text in texts)):
        if needed > ether:
            return number
    return len(texts)


def step_ether(text: str, cap: int) -> int:
    """The ether that such a call reserves. text: as it is journaled."""
    return cap * STEP_GAS[text.partition("(")[0]]


def most_in_flight(ether: int, gas: Gas) -> int:
    """How many redemptions through the VendingMachine an amount of ether bears at once, their one approval included."""
    return max(0, (ether - gas.cap * gas.approve) // (gas.cap * gas.redeem))


@dataclass(frozen=True, slots=True)
class Allowance:
    """An approval: so much, and no more, for one spender."""

    spender: str
    amount: int


def approvals(redemptions: Sequence[tuple[str, Route, int]], machine: str) -> list[Allowance]:
    """The approvals that redemptions (deposit, route, cost) need, in order: one sum for the VendingMachine, since a
    second approval would replace the first, and one for each deposit that is asked itself. machine: its address."""
    through = sum(cost for _, route, cost in redemptions if route is Route.MACHINE)
    wanted = [Allowance(machine, through)] if through else []
    return wanted + [Allowance(deposit, cost) for deposit, route, cost in redemptions if route is Route.DIRECT and cost]
