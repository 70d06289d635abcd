"""Snapshots of a hotkey's stakes, and the weights that a range of them gives to each address."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Literal

from valtrac.core.errors import BadInput, Refused

Method = Literal["mean-share", "stake-time", "accrual"]
METHODS: tuple[Method, ...] = ("mean-share", "stake-time", "accrual")
SHARE_ONE = 2**96
TIME_ONE = 2**32


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stakes on a hotkey in one subnet at one finalized block.

    stakes: coldkey address -> units, the owner's own apart in owner_stake. Units: rao on
    netuid 0, else the subnet's 1e-9 alpha. price_rao: TAO per 1 alpha in rao, None unknown.
    verified: the sum fits what the chain gives as the hotkey's total. take_raw: the validator's
    take of 65535, None unknown; dust: units of that total which no staker holds, because the runtime
    rounds each share down, None unknown; no plan reads either.
    """

    hotkey: str
    netuid: int
    block: int
    block_hash: str
    at: datetime
    owner: str
    owner_stake: int
    stakes: Mapping[str, int]
    price_rao: int | None = None
    verified: bool = False
    take_raw: int | None = None
    dust: int | None = None

    @property
    def others_stake(self) -> int:
        """Everyone's stake but the owner's, in units."""
        return sum(self.stakes.values())

    def digest(self) -> bytes:
        """32 bytes that change with anything a plan can read from this snapshot."""
        names = sorted(self.stakes)
        return self.sealed(names, struct.pack(f"<{len(names)}Q", *map(self.stakes.__getitem__, names)))

    def sealed(self, names: Sequence[str], units: bytes) -> bytes:
        """`digest`, of the addresses in code-point order and their stakes as eight bytes each, lowest first."""
        said = f"{self.hotkey}|{self.netuid}|{self.block}|{self.owner}|{self.owner_stake}|{self.price_rao}"
        seal = sha256(f"stakes-2|{said}|{len(names)}|".encode())
        seal.update("|".join(names).encode())
        seal.update(units)
        return seal.digest()

    def first_digest(self) -> bytes:
        """The digest as it was before the stakes were stored as residuals: of text, stake by stake."""
        seal = blake2b(digest_size=32)
        seal.update(
            f"{self.hotkey}|{self.netuid}|{self.block}|{self.owner}|{self.owner_stake}|{self.price_rao}".encode()
        )
        for address in sorted(self.stakes):
            seal.update(f"|{address}={self.stakes[address]}".encode())
        return seal.digest()


@dataclass(frozen=True, slots=True)
class Moment:
    """All chosen subnets of a hotkey at one block, as one weight per address.

    stakes: address -> integer stake (one subnet: units; several: units x price_rao).
    levels: netuid -> the owner's own stake; prices: netuid -> what one unit counts.
    """

    block: int
    stakes: Mapping[str, int]
    levels: Mapping[int, int]
    prices: Mapping[int, int]

    @property
    def total(self) -> int:
        """Everyone's weight but the owner's."""
        return sum(self.stakes.values())


def moments(snapshots: Iterable[Snapshot], *, valued: bool) -> list[Moment]:
    """The snapshots by block, the subnets of a block in one.

    valued: add the subnets up in TAO (stake x price_rao, exact). Raises Refused naming the
    block where a price is missing.
    """
    by_block: dict[int, list[Snapshot]] = {}
    for snapshot in snapshots:
        by_block.setdefault(snapshot.block, []).append(snapshot)
    changes = []
    for block in sorted(by_block):
        group = sorted(by_block[block], key=lambda snapshot: snapshot.netuid)
        unpriced = [snapshot.netuid for snapshot in group if snapshot.price_rao is None]
        if valued and unpriced:
            check_priced((unpriced[0], block))
        prices = {snapshot.netuid: snapshot.price_rao or 0 if valued else 1 for snapshot in group}
        stakes: dict[str, int] = {}
        for snapshot in group:
            price = prices[snapshot.netuid]
            for address, units in snapshot.stakes.items():
                stakes[address] = stakes.get(address, 0) + units * price
        changes.append(Moment(block, stakes, {s.netuid: s.owner_stake for s in group}, prices))
    return changes


def check_priced(unpriced: tuple[int, int] | None) -> None:
    """Raise Refused naming the subnet and block that has no price, where there is one."""
    if unpriced is None:
        return
    netuid, block = unpriced
    raise Refused(
        f"netuid {netuid} has no price at block {block}",
        why="all subnets are valued in TAO, which needs a price of each in every snapshot",
        fix=f"plan one subnet (--netuid {netuid}), or a range without block {block}",
    )


def time_weights(
    method: Method,
    range_: Sequence[Moment],
    before: Moment | None,
    from_block: int,
    *,
    ignore_withdrawals: bool = False,
) -> dict[int, int]:
    """What each snapshot of a range counts: block -> factor.

    mean-share: 1. stake-time: the blocks since the one before it in the range. accrual: the growth
    of the owner's own stake since the snapshot before (also one before the range; without
    any, the first only sets the level), valued at this snapshot's prices.
    Raises Refused: the owner's stake shrank (blocks named) and ignore_withdrawals is not
    given, or nothing grew at all.
    """
    if method == "mean-share":
        return {moment.block: 1 for moment in range_}
    if method == "stake-time":
        previous = [from_block - 1, *(moment.block for moment in range_)]
        return {moment.block: moment.block - last for moment, last in zip(range_, previous, strict=False)}
    levels = dict(before.levels) if before else {}
    last_block = before.block if before else None
    growth: dict[int, int] = {}
    for moment in range_:
        grown = 0
        for netuid, level in moment.levels.items():
            change = level - levels.get(netuid, level)
            if change < 0 and not ignore_withdrawals:
                raise Refused(
                    f"the owner's stake on netuid {netuid} fell between blocks {last_block} and {moment.block}",
                    why=f"it was {levels[netuid]} and is {level}, and nothing here says where the difference went",
                    fix="count it as zero with --ignore-withdrawals, or plan with another method",
                )
            grown += max(change, 0) * moment.prices[netuid]
            levels[netuid] = level
        growth[moment.block], last_block = grown, moment.block
    if not any(growth.values()):
        raise Refused(
            "the owner's stake did not grow in this range",
            why="accrual shares by that growth",
            fix="choose a longer range or another method (--method mean-share)",
        )
    return growth


def add_weights(sums: dict[str, int], method: Method, moment: Moment, factor: int) -> None:
    """Add one snapshot to the running weights of the addresses (arithmetic of a payout: weights)."""
    total = moment.total
    if total <= 0 or factor == 0:
        return
    if method == "stake-time":
        scale = factor * TIME_ONE
        for address, stake in moment.stakes.items():
            sums[address] = sums.get(address, 0) + scale * stake
        return
    for address, stake in moment.stakes.items():
        sums[address] = sums.get(address, 0) + factor * (stake * SHARE_ONE // total)


def parse_netuid(text: str) -> int | None:
    """`all` -> None, else a subnet's number. Raises BadInput."""
    if text.strip().lower() == "all":
        return None
    if not text.strip().isdecimal() or not text.strip().isascii() or int(text) > 65_535:
        raise BadInput(f"netuid: {text[:20]!r} is no subnet", fix="give a number from 0 to 65535, or all")
    return int(text)
