"""Weights summed up from the first snapshot on: what a range gives is one such sum less another, to the last unit.

`stakes.py` says what the methods mean, moment by moment; here is the same over columns. The numbers are as wide as the
sums of any stakes can become (LIMBS), so that nothing is ever rounded or lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from valtrac.core import wide
from valtrac.core.wide import Column
from valtrac.snapshots.model import seals
from valtrac.snapshots.model.seals import Seal
from valtrac.snapshots.model.stakes import SHARE_ONE, Method

Ids: TypeAlias = npt.NDArray[np.int64]
# how many words a sum takes: of one subnet, of all valued in TAO (a stake times a price, of 65,536 subnets)
LIMBS: Mapping[Method, tuple[int, int]] = {"mean-share": (3, 3), "stake-time": (2, 4), "accrual": (4, 5)}
_VALUED = 3  # words of a stake that is valued in TAO
_LEAST, _MOST = 2**33, 2**63  # totals for which words suffice to divide by


@dataclass(frozen=True, slots=True)
class Reading:
    """All chosen subnets of a hotkey at one block, in columns.

    ids: numbers of addresses, rising; stakes: of each, (1, count) or, valued in TAO, (3, count). levels: netuid -> the
    owner's own stake; prices: netuid -> what one unit counts. priced: whether every subnet had a price, where one is
    needed. members: (netuid, digest) of the snapshots.
    """

    block: int
    ids: Ids
    stakes: Column
    levels: Mapping[int, int]
    prices: Mapping[int, int]
    priced: bool = True
    members: tuple[tuple[int, bytes], ...] = ()


@dataclass(slots=True)
class Running:
    """Sums over all snapshots so far.

    columns: method -> the sum of each address, in the order in which they were met (ids). last: the block of the newest
    snapshot, levels: the owner's stakes then. moments: how many; empty: of them without any stake but the owner's;
    falls: how often the owner's stake fell; unpriced: how many had no price; grown: the growth of the owner's stake.
    """

    valued: bool
    columns: dict[Method, Column]
    ids: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    last: int | None = None
    levels: dict[int, int] = field(default_factory=dict)
    moments: int = 0
    empty: int = 0
    falls: int = 0
    unpriced: int = 0
    grown: int = 0
    seal: Seal = field(default_factory=seals.nothing)
    _place: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def feed(self, reading: Reading) -> None:
        """Add the snapshots of the next block. Of those without a price only the levels count."""
        time = 0 if self.last is None else reading.block - self.last
        grown = self._grown(reading)
        self.last, self.moments = reading.block, self.moments + 1
        self.grown += grown
        if not reading.priced:
            self.unpriced += 1
            return
        total = wide.total(reading.stakes)
        if not total:
            self.empty += 1
            return
        stakes = self.spread(reading)
        wanted = self.columns
        if "stake-time" in wanted:
            self._add("stake-time", wide.times(stakes, time, len(wanted["stake-time"])))
        if "mean-share" in wanted or ("accrual" in wanted and grown):
            parts = shares(stakes, total)
            if "mean-share" in wanted:
                self._add("mean-share", parts)
            if "accrual" in wanted and grown:
                self._add("accrual", wide.times(parts, grown, len(wanted["accrual"])))

    def spread(self, reading: Reading) -> Column:
        """The stakes in the order of `ids`, nothing for who is not there."""
        self.admit(reading.ids)
        stakes = wide.zeros(len(reading.stakes), len(self.ids))
        stakes[:, self._place[reading.ids]] = reading.stakes
        return stakes

    def admit(self, ids: Ids) -> None:
        """Make room for addresses that were not met yet."""
        if not len(ids):
            return
        if ids[-1] >= len(self._place):
            room = np.full(int(ids[-1]) + 1 + len(self._place) // 4, -1, dtype=np.int64)
            room[: len(self._place)] = self._place
            self._place = room
        new = ids[self._place[ids] < 0]
        if not len(new):
            return
        self._place[new] = np.arange(len(self.ids), len(self.ids) + len(new))
        self.ids = np.concatenate([self.ids, new])
        for method, column in self.columns.items():
            self.columns[method] = np.concatenate([column, wide.zeros(len(column), len(new))], axis=1)

    def copy(self) -> Running:
        """The same, that does not change when this one goes on."""
        return Running(
            self.valued,
            {method: column.copy() for method, column in self.columns.items()},
            self.ids,
            self.last,
            dict(self.levels),
            self.moments,
            self.empty,
            self.falls,
            self.unpriced,
            self.grown,
            self.seal.copy(),
            self._place.copy(),
        )

    def since(self, earlier: Running, method: Method) -> Column:
        """What was added after an earlier state of the same, in the order of `ids`."""
        column = self.columns[method].copy()
        if len(earlier.ids):
            wide.subtract(column, earlier.spread_to(self, method))
        return column

    def equals(self, other: Running) -> bool:
        """Whether this is the same sum over the same snapshots, whatever the order of the addresses."""
        told = [
            (state.last, state.levels, state.moments, state.empty, state.falls, state.unpriced, state.grown)
            for state in (self, other)
        ]
        same_ids = np.array_equal(np.sort(self.ids), np.sort(other.ids))
        return (
            told[0] == told[1]
            and same_ids
            and np.array_equal(self.seal, other.seal)
            and all(np.array_equal(self.columns[method], other.spread_to(self, method)) for method in self.columns)
        )

    def spread_to(self, later: Running, method: Method) -> Column:
        """The sums in the order of the addresses of another state, which has all of these."""
        column = wide.zeros(len(self.columns[method]), len(later.ids))
        column[:, later._place[self.ids]] = self.columns[method]
        return column

    def _grown(self, reading: Reading) -> int:
        grown = 0
        for netuid, level in reading.levels.items():
            change = level - self.levels.get(netuid, level)
            self.falls += change < 0
            grown += max(change, 0) * reading.prices[netuid]
            self.levels[netuid] = level
        return grown

    def _add(self, method: Method, values: Column) -> None:
        wide.add(self.columns[method], values)


def begun(methods: Collection[Method], *, valued: bool) -> Running:
    """Sums over no snapshot."""
    return Running(valued, {method: wide.zeros(LIMBS[method][valued], 0) for method in methods})


def restored(state: Running, ids: Ids) -> Running:
    """A state that was read: with the place of each address. ids: rising, in the order of its columns."""
    room = np.full(int(ids[-1]) + 1 if len(ids) else 0, -1, dtype=np.int64)
    room[ids] = np.arange(len(ids))
    state.ids, state._place = ids, room
    return state


def shares(stakes: Column, total: int) -> Column:
    """floor(stake * 2**96 / total) of each, two words wide. stakes: (words, count); each at most `total`."""
    if len(stakes) > 1 or not _LEAST <= total < _MOST:
        return wide.of_ints([stake * SHARE_ONE // total for stake in wide.to_ints(stakes)], 2)
    # 2**96 = whole * total + rest, so that a share is stake * whole + floor(stake * rest / total); the latter is got by
    # multiplying with floor(rest * 2**64 / total), which gives it or one less
    whole, rest = divmod(SHARE_ONE, total)
    units = stakes[0]
    parts = wide.product(units, whole)
    small = wide.high(units, (rest << 64) // total)
    left = units * np.uint64(rest) - small * np.uint64(total)  # modulo 2**64, and less than twice the total
    small += left >= np.uint64(total)
    wide.add(parts, small[None])
    return parts


def valued_stakes(parts: Collection[tuple[Ids, Column, int]]) -> tuple[Ids, Column]:
    """(ids, stakes valued in TAO) of the subnets of one block: the sum of stake * price of each address."""
    ids = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(ids for ids, _, _ in parts)]))
    sums = wide.zeros(_VALUED, len(ids))
    for part, stakes, price in parts:
        worth = wide.zeros(_VALUED, len(ids))
        worth[:, np.searchsorted(ids, part)] = wide.times(stakes[None], price, _VALUED)
        wide.add(sums, worth)
    return ids, sums
