"""What a chart may be drawn from. Each figure is read when a chart first asks for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from valtrac.reports.model.keeps_figures import Collateral
from valtrac.reports.model.pool_figures import PoolDay, WeightPoint
from valtrac.reports.model.record import Record
from valtrac.reports.model.replay import Shares
from valtrac.reports.model.statistics import HeldBalance


class PayoutFigures(Protocol):
    """A range of a validator's record. who: the user that a chart is of, "" where it is of all."""

    @property
    def record(self) -> Record:
        """The record."""
        ...

    @property
    def who(self) -> str:
        """The user."""
        ...

    @property
    def shares(self) -> Shares:
        """Everybody's shares, before and after referrals."""
        ...

    @property
    def held_balances(self) -> Sequence[HeldBalance]:
        """What is owed and held back."""
        ...


class PoolFigures(Protocol):
    """A Qtum pool since it began."""

    @property
    def days(self) -> Sequence[PoolDay]:
        """Rewards and payouts by day."""
        ...

    @property
    def weights(self) -> Sequence[WeightPoint]:
        """Weights at the newest blocks."""
        ...


class KeepsFigures(Protocol):
    """Keeps of tBTC since they are watched."""

    @property
    def collateral(self) -> Collateral:
        """Percentages over time."""
        ...
