"""The calls that carry a decision out, in the order in which they are sent, and the same read back. Pure.

An approval comes before what it is for; one sum serves every redemption through the VendingMachine, since a second
approval would replace the first. What a call may take of TBTC stands with the call that takes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valtrac.keeps.model.funds import Route, approvals

_APPROVE = re.compile(r"approve\((0x[0-9a-f]{40}), ([0-9]{1,78})\)")
_MACHINE = re.compile(r"tbtcToBtc\((0x[0-9a-f]{40}), 0x([0-9a-f]{16}), 0x([0-9a-f]*)\)")
_DIRECT = re.compile(r"requestRedemption\(0x([0-9a-f]{16}), 0x([0-9a-f]*)\)")


class NotAsDecided(ValueError):
    """What differs, line by line. problems: in words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract. to: its address; text: as it is journaled; most: TBTC that it may take, in wei; deposit:
    whose it is, "" for what is for several; redeems: whether it asks for the redemption of that deposit."""

    to: str
    text: str
    most: int
    name: str
    deposit: str = ""
    redeems: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A redemption that was decided on. cost: TBTC in wei; output: what arrives on Bitcoin, in satoshi; calls: whether
    the courtesy call has to be made before."""

    deposit: str
    route: Route
    cost: int
    output: int
    calls: bool = False

    def stored(self) -> dict[str, Any]:
        """As it is kept with its batch."""
        return {"deposit": self.deposit, "route": self.route.value, "cost": str(self.cost), "output": self.output}


def calls_for(redemptions: Sequence[Asked], *, token: str, machine: str, script: bytes) -> list[Call]:
    """The calls of redemptions, which stand in the order of their urgency."""
    made: list[Call] = []
    costs = [(each.deposit, each.route, each.cost) for each in redemptions]
    for allowance in approvals(costs, machine):
        made.append(approve(token, allowance.spender, allowance.amount))
    made += [courtesy_call(each.deposit) for each in redemptions if each.calls]
    return made + [_redeem(each, machine, script) for each in redemptions]


def approve(token: str, spender: str, amount: int) -> Call:
    """Let a spender take so much of the wallet's TBTC, in place of whatever it might take before."""
    name = "approve" if amount else "close an allowance"
    return Call(token, f"approve({spender}, {amount})", 0, name)


def courtesy_call(deposit: str) -> Call:
    """Make the courtesy call of a deposit."""
    return Call(deposit, "notifyCourtesyCall()", 0, f"courtesy call of {deposit[:10]}", deposit)


def leave_call(deposit: str) -> Call:
    """Leave the courtesy call of a deposit whose collateral has come back."""
    return Call(deposit, "exitCourtesyCall()", 0, f"leave the courtesy call of {deposit[:10]}", deposit)


def _redeem(each: Asked, machine: str, script: bytes) -> Call:
    value, paid_to = each.output.to_bytes(8, "little").hex(), script.hex()
    name = f"redeem {each.deposit[:10]}"
    if each.route is Route.MACHINE:
        text = f"tbtcToBtc({each.deposit}, 0x{value}, 0x{paid_to})"
        return Call(machine, text, each.cost, name, each.deposit, redeems=True)
    return Call(each.deposit, f"requestRedemption(0x{value}, 0x{paid_to})", each.cost, name, each.deposit, redeems=True)


def check(
    lines: Sequence[tuple[str, int, str]],
    decided: Sequence[Mapping[str, Any]],
    *,
    token: str,
    machine: str,
    script: str,
    handed_in: Sequence[tuple[str, int]] = (),
) -> None:
    """Read calls (address, most, text) back and compare them with what was decided. Raises NotAsDecided.

    script: where Bitcoin is paid to, in hex. handed_in: (token of deposits, its number) of those that the
    VendingMachine is to have. What is allowed to each spender must be just what its redemptions cost.
    """
    tokens = {(to, f"approve({machine}, {number})") for to, number in handed_in}
    lines = [each for each in lines if (each[0], each[2]) not in tokens]
    allowed, costs, redeemed = _read(lines)
    meant = [
        (str(each["deposit"]), str(each["route"]), f"{_output(each).hex()}:{script}", int(each["cost"]))
        for each in decided
    ]
    problems = [f"{deposit}: not as it was decided" for deposit, *rest in redeemed if (deposit, *rest) not in meant]
    lacking = [deposit for deposit, *rest in meant if (deposit, *rest) not in redeemed]
    problems += [f"{deposit}: decided, and no line redeems it" for deposit in lacking]
    if len(redeemed) != len(meant):
        problems.append(f"{len(redeemed)} redemptions in place of {len(meant)}")
    if any(to != machine for to, _, text in lines if _MACHINE.fullmatch(text)):
        problems.append("a redemption through another contract than the VendingMachine")
    if any(to != token for to, _, text in lines if _APPROVE.fullmatch(text)):
        problems.append("an approval of another token than TBTC")
    problems += _not_as_allowed(allowed, costs)
    if problems:
        raise NotAsDecided(problems)


def _read(
    lines: Sequence[tuple[str, int, str]],
) -> tuple[dict[str, int], dict[str, int], list[tuple[str, str, str, int]]]:
    """(spender -> allowed, spender -> what its redemptions cost, redemptions), out of calls."""
    allowed, costs = dict[str, int](), dict[str, int]()
    redeemed = list[tuple[str, str, str, int]]()
    for to, most, text in lines:
        costs[to] = costs.get(to, 0) + most
        if match := _APPROVE.fullmatch(text):
            allowed[match[1]] = int(match[2])
        elif match := _MACHINE.fullmatch(text):
            redeemed.append((match[1], Route.MACHINE.value, f"{match[2]}:{match[3]}", most))
        elif match := _DIRECT.fullmatch(text):
            redeemed.append((to, Route.DIRECT.value, f"{match[1]}:{match[2]}", most))
    return allowed, costs, redeemed


def _output(decided: Mapping[str, Any]) -> bytes:
    return int(decided["output"]).to_bytes(8, "little")


def _not_as_allowed(allowed: Mapping[str, int], costs: Mapping[str, int]) -> list[str]:
    """Where a spender may take another amount than its redemptions cost."""
    wanted = {spender: units for spender, units in costs.items() if units}
    given = {spender: units for spender, units in allowed.items() if units}
    return [
        f"{spender}: {given.get(spender, 0)} wei allowed, {wanted.get(spender, 0)} needed"
        for spender in sorted({*wanted, *given})
        if given.get(spender, 0) != wanted.get(spender, 0)
    ]
