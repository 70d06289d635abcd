"""Answers of a node, checked before anyone believes them. Pure; Untrusted says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from valtrac.chains.untrusted import Untrusted, whole
from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.chain import Delegate, SubnetStake
from valtrac.core.text import plain


@dataclass(frozen=True, slots=True)
class Account:
    """System.Account at one block. free_units: rao that can be spent or are the existential deposit."""

    free_units: int
    nonce: int


def hash_of(value: Any, what: str) -> str:
    """0x and 64 hex digits, in small letters."""
    if not isinstance(value, str) or len(value) != 66 or not value.startswith("0x"):
        raise Untrusted(f"{what} is {plain(repr(value), 80)}")
    try:
        bytes.fromhex(value[2:])
    except ValueError as error:
        raise Untrusted(f"{what} is {plain(repr(value), 80)}") from error
    return value.lower()


def address(value: Any, what: str) -> str:
    """An address of this network."""
    try:
        key_of(value)
    except (BadAddress, TypeError) as error:
        raise Untrusted(f"{what}: {plain(repr(value), 60)} is no address") from error
    return str(value)


def moment(milliseconds: Any) -> datetime:
    """A block's time stamp in UTC."""
    return datetime.fromtimestamp(whole(milliseconds, "a block's time", 10**14) / 1000, UTC)


def account(value: Any) -> Account:
    """System.Account. What is frozen cannot be spent and does not count as free."""
    try:
        free, frozen = whole(value["data"]["free"], "a balance"), whole(value["data"]["frozen"], "a frozen balance")
        return Account(max(0, free - frozen), whole(value["nonce"], "a nonce", 2**32))
    except (KeyError, TypeError) as error:
        raise Untrusted("an account without balance or nonce") from error


def stakes_by_netuid(value: Any, hotkey: str) -> tuple[str, int, dict[int, dict[str, int]]]:
    """(owner, take, netuid -> address -> units) of a DelegateInfo."""
    try:
        if value["delegate_ss58"] != hotkey:
            raise Untrusted("the delegate is another one")
        owner = address(value["owner_ss58"], "the owner")
        take_raw = whole(value["take"], "the take", 65_536)
        stakes: dict[int, dict[str, int]] = {}
        for who, positions in value["nominators"]:
            nominator = address(who, "a nominator")
            for netuid, units in positions:
                held = stakes.setdefault(whole(netuid, "a netuid", 65_536), {})
                if nominator in held:
                    raise Untrusted(f"{nominator} is there twice in netuid {netuid}")
                held[nominator] = whole(units, "a stake")
    except (KeyError, TypeError, ValueError) as error:
        raise Untrusted("a delegate in a shape that nobody knows") from error
    return owner, take_raw, stakes


def totals(value: Any) -> dict[int, int]:
    """netuid -> units of a hotkey's TotalHotkeyAlpha."""
    try:
        pairs = [(whole(netuid, "a netuid", 65_536), whole(units, "a total")) for netuid, units in value]
    except (TypeError, ValueError) as error:
        raise Untrusted("totals in a shape that nobody knows") from error
    if len(dict(pairs)) != len(pairs):
        raise Untrusted("a netuid has two totals")
    return dict(pairs)


def delegate(
    hotkey: str,
    owner: str,
    take_raw: int,
    stakes: dict[int, dict[str, int]],
    sums: dict[int, int],
    prices: dict[int, int | None],
) -> Delegate:
    """Everything known about a hotkey, by netuid. A subnet that only one of the sources knows is kept, so that
    its sum is seen to differ from its total."""
    subnets = tuple(
        SubnetStake(
            netuid,
            {who: units for who, units in stakes.get(netuid, {}).items() if units},
            sums.get(netuid, 0),
            prices.get(netuid),
        )
        for netuid in sorted(prices)
    )
    return Delegate(hotkey, owner, take_raw, subnets)


def _call(call: Any) -> tuple[tuple[str, str], dict[str, Any]]:
    return ((call["call_module"], call["call_function"]), {arg["name"]: arg["value"] for arg in call["call_args"]})


def item_kinds(call: Any) -> tuple[str, tuple[str, ...]]:
    """(the outer call's function, the kind of each item in it): "call" or "proxy"; one item where it is no batch."""
    (module, function), args = _call(call)
    if module == "Utility" and function in ("batch", "batch_all", "force_batch"):
        return function, tuple("proxy" if item["call_module"] == "Proxy" else "call" for item in args["calls"])
    return function, ("proxy" if module == "Proxy" else "call",)
