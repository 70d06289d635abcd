"""The referral tree as a table."""

from __future__ import annotations

from menus.frame.ui import Ui
from valtrac.core.money import bps_text, decimal_text
from valtrac.people.model.referrals import TreeRow


def show_tree(ui: Ui, rows: list[TreeRow]) -> None:
    """The tree as a table, two places each."""

    def short(units: int) -> str:
        return decimal_text(units // 10**7, 2)

    ui.table(
        "Referral tree: each brings 100 TAO",
        ["name", "gives away", "keeps (TAO)", "collects (TAO)", "ends with (TAO)"],
        [
            [
                "   " * row.depth + ("└ " if row.depth else "") + row.name,
                "" if row.rate_bps is None else f"{bps_text(row.rate_bps)} to {row.referrer}",
                short(row.keeps_units),
                short(row.collects_units),
                short(row.ends_with_units),
            ]
            for row in rows
        ],
        optional=["collects", "keeps"],
        empty="No referrals yet. Add one under Add referral, or: run.py referrals add REFERRER REFEREE --rate 0.25",
    )
