"""Snapshots as rows of a table, one reading a row, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.text import plain
from valtrac.snapshots.model.stakes import Snapshot

COLUMNS = ("hotkey", "netuid", "block", "at", "address", "stake_rao", "owner", "price_rao", "total_rao", "dust_rao")
REQUIRED = COLUMNS[:7]
LARGEST_STAKE = 2**64 - 1
LARGEST_BLOCK = 2**53
MANY = 100


@dataclass(slots=True)
class _Group:
    """The readings of one snapshot while its rows come in."""

    row: int
    at: datetime
    price: int | None
    total: int | None
    dust: int | None
    stakes: dict[str, int] = field(default_factory=dict)
    owner: str = ""
    owner_stake: int = 0


def rows_of(snapshot: Snapshot) -> Iterator[list[str | int | None]]:
    """The rows of one snapshot in the order of COLUMNS, the owner's first."""
    instant = snapshot.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    total = snapshot.others_stake + snapshot.owner_stake if snapshot.verified else None
    head = (snapshot.hotkey, snapshot.netuid, snapshot.block, instant)
    tail = (snapshot.price_rao, total, snapshot.dust)
    if snapshot.owner:
        yield [*head, snapshot.owner, snapshot.owner_stake, 1, *tail]
    for address in sorted(snapshot.stakes):
        yield [*head, address, snapshot.stakes[address], 0, *tail]


def read(rows: Iterable[tuple[int, Mapping[str, str]]]) -> tuple[list[Snapshot], list[str]]:
    """Snapshots from numbered rows, and every problem in words (row, column, reason). Either is empty.

    A sum given in total_rao must be the sum of the snapshot's rows; without it the snapshot is
    marked unverified. dust_rao: what the hotkey's total on the chain had beyond that sum.
    """
    groups: dict[tuple[str, int, int], _Group] = {}
    problems: list[str] = []
    for number, row in rows:
        try:
            _add(groups, number, row)
        except ValueError as error:
            problems.append(f"row {number}, {error}")
            if len(problems) >= MANY:
                problems.append("and more: reading stopped here")
                return [], problems
    snapshots = []
    for (hotkey, netuid, block), group in sorted(groups.items()):
        held = sum(group.stakes.values()) + group.owner_stake
        if group.total is not None and held != group.total:
            problems.append(
                f"row {group.row}, total_rao: {group.total} is not {held}, the sum of the rows of block {block}, "
                f"netuid {netuid}"
            )
        snapshots.append(
            Snapshot(
                hotkey,
                netuid,
                block,
                "",
                group.at,
                group.owner,
                group.owner_stake,
                group.stakes,
                group.price,
                verified=group.total is not None,
                dust=group.dust,
            )
        )
    return ([], problems) if problems else (snapshots, [])


def _add(groups: dict[tuple[str, int, int], _Group], number: int, row: Mapping[str, str]) -> None:
    place = (_address(row, "hotkey"), _whole(row, "netuid", 65_535), _whole(row, "block", LARGEST_BLOCK))
    instant, address, stake = _instant(row["at"]), _address(row, "address"), _whole(row, "stake_rao", LARGEST_STAKE)
    price = _whole(row, "price_rao", LARGEST_STAKE) if row.get("price_rao") else None
    total = _whole(row, "total_rao", 2**96) if row.get("total_rao") else None
    dust = _whole(row, "dust_rao", LARGEST_STAKE) if row.get("dust_rao") else None
    group = groups.setdefault(place, _Group(number, instant, price, total, dust))
    for name, new, known in (
        ("at", instant, group.at),
        ("price_rao", price, group.price),
        ("total_rao", total, group.total),
        ("dust_rao", dust, group.dust),
    ):
        if new != known:
            raise ValueError(f"{name}: differs from row {group.row} of the same snapshot; make them equal")
    is_owner = row["owner"].strip()
    if is_owner not in ("0", "1"):
        raise ValueError(f"owner: {plain(is_owner, 20)!r} is neither 0 nor 1")
    if address in group.stakes or address == group.owner:
        raise ValueError(f"address: {address} is in this snapshot twice; take one of them out")
    if is_owner == "0":
        group.stakes[address] = stake
    elif group.owner:
        raise ValueError("owner: a snapshot has at most one owner row; set the others to 0")
    else:
        group.owner, group.owner_stake = address, stake


def _whole(row: Mapping[str, str], name: str, most: int) -> int:
    text = row[name].strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 40 or int(text) > most:
        raise ValueError(f"{name}: {plain(text, 40)!r} is no whole number from 0 to {most}; write only digits")
    return int(text)


def _address(row: Mapping[str, str], name: str) -> str:
    text = row[name].strip()
    try:
        key_of(text)
    except BadAddress as error:
        raise ValueError(f"{name}: {plain(text, 60)!r} is not an address: {error}; copy it whole") from error
    return text


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"at: {plain(text, 40)!r} is no ISO-8601 instant, like 2026-11-20T12:00:00Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"at: {plain(text, 40)!r} has no time zone; write it in UTC with a Z at the end")
    return instant.astimezone(UTC)
