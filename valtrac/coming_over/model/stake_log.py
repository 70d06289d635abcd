"""ValTrac's log of stakes, a line at a time: its snapshots and its prices. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.text import plain
from valtrac.snapshots.model.readings import LARGEST_BLOCK, LARGEST_STAKE
from valtrac.snapshots.model.stakes import Snapshot

_PRICE = re.compile(r"Reporting for block number: (\d{1,15}), Price: (\S+)", re.ASCII)
_STAKES = re.compile(
    r"Timestamp: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d), Block: (\d{1,15}), Delegate info for (\w{1,60}): (?=\{)", re.ASCII
)
NETUID = 0  # ValTrac wrote before there were stakes on subnets: all stake was what is on the root now
TAKE_ONE = 65_535
_RAO = Decimal(10**9)


class BadLine(ValueError):
    """A line that cannot be taken; its words say why and are safe to show."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the beginning of a line of stakes: whose, at which block, when by the log's clock."""

    hotkey: str
    block: int
    at: str
    body: int  # where in the line its figures begin


@dataclass(frozen=True, slots=True)
class PriceLine:
    """Dollars for one TAO, as they stand before a line of stakes of the same block."""

    block: int
    dollars: str


def head_of(line: str) -> Head | PriceLine | None:
    """What a line is: of stakes, of a price, or none of both. Only its beginning is read."""
    start = line[:400]
    if found := _STAKES.search(start):
        return Head(found[3], int(found[2]), found[1], found.end())
    if found := _PRICE.search(start):
        return PriceLine(int(found[1]), found[2])
    return None


def moment_of(head: Head, zone: tzinfo) -> datetime:
    """When the line was written, UTC. zone: what the clock of the old machine showed. Raises BadLine."""
    try:
        return datetime.fromisoformat(head.at).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLine(f"{plain(head.at, 30)} is no time") from error


def snapshot_of(line: str, head: Head, zone: tzinfo, is_address: Callable[[str], bool]) -> Snapshot:
    """The snapshot of a line. is_address: whether a text is an address, checksum included.

    Amounts of TAO are rounded to whole rao. Raises BadLine naming what is wrong: no JSON, a field that is missing or
    of another kind, an address twice or none, stakes that do not sum to the total that the line gives.
    """
    try:
        body = json.loads(line[head.body :], parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadLine("its figures are no whole JSON: the line may have been cut off") from error
    if not isinstance(body, dict) or body.get("hotkey_ss58") != head.hotkey:
        raise BadLine("hotkey_ss58 is not the hotkey at its beginning")
    if not is_address(head.hotkey) or not is_address(str(body.get("owner_ss58"))):
        raise BadLine("the hotkey or owner_ss58 is not an address")
    if head.block > LARGEST_BLOCK:
        raise BadLine(f"{head.block} is no block")
    owner, stakes = str(body["owner_ss58"]), _nominators(body.get("nominators"), is_address)
    own, total = _rao(body, "delegate_stake"), _rao(body, "total_stake")
    if stakes.pop(owner, own) != own:
        raise BadLine("delegate_stake is not what nominators says of the owner")
    apart = total - own - sum(stakes.values())
    if abs(apart) > len(stakes) + 1:  # each amount was rounded by itself
        raise BadLine(f"its stakes sum to {total - apart} rao, total_stake is {total}")
    return Snapshot(
        head.hotkey,
        NETUID,
        head.block,
        "",
        moment_of(head, zone),
        owner,
        own,
        stakes,
        verified=not apart,
        take_raw=_take(body.get("take")),
    )


def is_address(text: str) -> bool:
    """Whether a text is an address, checksum included."""
    try:
        key_of(text)
    except BadAddress:
        return False
    return True


def _nominators(rows: Any, known: Callable[[str], bool]) -> dict[str, int]:
    if not isinstance(rows, list):
        raise BadLine("nominators is no list")
    stakes: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
            raise BadLine(f"nominators holds {plain(row, 60)}, which is no pair of an address and a stake")
        if not known(row[0]):
            raise BadLine(f"nominators: {plain(row[0], 60)!r} is not an address")
        if row[0] in stakes:
            raise BadLine(f"nominators: {row[0]} is there twice")
        stakes[row[0]] = _units(row[1], f"the stake of {row[0]}")
    return stakes


def _rao(body: Mapping[str, Any], name: str) -> int:
    if name not in body:
        raise BadLine(f"{name} is missing")
    return _units(body[name], name)


def _units(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise BadLine(f"{name}: {plain(value, 40)} is no amount of TAO")
    if not 0 <= value < LARGEST_STAKE // 10**9:
        raise BadLine(f"{name}: {plain(value, 40)} is no amount of TAO that there can be")
    return int((Decimal(value) * _RAO).to_integral_value())


def _take(value: Any) -> int | None:
    """The take as the chain counts it; None where the line has none that is a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1:
        return None
    return int((Decimal(value) * TAKE_ONE).to_integral_value())
