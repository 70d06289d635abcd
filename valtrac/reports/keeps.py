"""The figures of keeps, read from their database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.keeps.store import keeps as store
from valtrac.reports.model.keeps_figures import COURTESY, SEVERE, Collateral, collateral

MOST_KEEPS = 200


@dataclass(frozen=True)
class Figures:
    """What the charts of keeps are drawn from. operators: whose keeps; threshold: the owner's, in percent."""

    engine: sa.Engine
    operators: tuple[str, ...]
    threshold: int

    @cached_property
    def collateral(self) -> Collateral:
        """Percentages over time, of the keeps that were lowest."""
        with reading(self.engine) as conn:
            ours = [keep for keep in store.listed(conn, over=True) if keep.own_members(self.operators)]
            seen = {keep.deposit: store.history(conn, keep.id, most=5_000) for keep in ours}
        points = {
            deposit: [
                (each.at, None if each.percent is None or not each.state.redeemable else float(each.percent))
                for each in history
            ]
            for deposit, history in seen.items()
        }
        known = {deposit: rows for deposit, rows in points.items() if any(percent for _, percent in rows)}
        lowest = sorted(known, key=lambda deposit: min(percent for _, percent in known[deposit] if percent))
        return collateral(
            {deposit: known[deposit] for deposit in lowest[:MOST_KEEPS]}, (self.threshold, COURTESY, SEVERE)
        )
