"""Accounts and the payout wallet on the screen: one form for menus and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menus.layout import count
from menus.ui import Ui
from valtrac.domain.addresses import shortened
from valtrac.domain.money import decimal_text, rao
from valtrac.domain.policies import OWNER, POOL
from valtrac.services.balances import Account
from valtrac.services.treasury import Liquidity

SUMS = ("accrued", "held", "on_the_way", "paid", "netted", "forfeited")
MOST_ROWS = 60  # of one table on a terminal; into a file or a pager all of them go


def accounts(ui: Ui, found: Sequence[Account]) -> None:
    """Everyone's account as a table, or as JSON."""
    if ui.as_json:
        ui.records([record(one) for one in found])
        return
    shown = found[:MOST_ROWS] if ui.out.is_terminal else found
    ui.table(
        "Accounts",
        [
            "who",
            "accrued (TAO)",
            "held (TAO)",
            "on the way (TAO)",
            "paid (TAO)",
            "fees borne (TAO)",
            "forfeited (TAO)",
        ],
        [[_name(one.name), *(decimal_text(getattr(one, name)) for name in SUMS)] for one in shown],
        footer=["together", *(decimal_text(sum(getattr(one, name) for one in found)) for name in SUMS)],
        optional=["accrued", "forfeited", "fees borne", "on the way"],
        empty="No account yet: approving a batch books the first entries.",
    )
    if len(shown) < len(found):
        ui.hint(f"and {len(found) - len(shown):,} more. All of them: run.py ledger show | less")
    for one in found:
        if not one.whole:
            ui.warn(f"The account of {one.name} does not add up: the database was changed by other hands.")


def account(ui: Ui, found: Account, entries: Sequence[Mapping[str, Any]]) -> None:
    """One account with its entries, as a table or as JSON."""
    if ui.as_json:
        ui.records(
            {
                **record(found),
                "entries": [
                    {
                        "at": f"{row['at']:%Y-%m-%dT%H:%M:%SZ}",
                        "kind": row["kind"],
                        "amount": decimal_text(row["units"]),
                        "batch": row["batch_id"],
                        "cause": row["cause"],
                    }
                    for row in entries
                ],
            }
        )
        return
    ui.table(
        found.name,
        ["at UTC", "what", "amount (TAO)", "batch", "why"],
        [
            [
                f"{row['at']:%Y-%m-%d %H:%M}",
                row["kind"],
                decimal_text(row["units"]),
                "" if row["batch_id"] is None else f"#{row['batch_id']}",
                row["cause"],
            ]
            for row in entries
        ],
        optional=["at UTC"],
        empty="Nothing was ever booked here.",
    )
    ui.facts(
        [
            ("accrued", rao(found.accrued)),
            ("held", rao(found.held)),
            ("on the way", rao(found.on_the_way)),
            ("paid", rao(found.paid)),
            ("fees borne", rao(found.netted)),
            ("forfeited", rao(found.forfeited)),
        ]
    )
    if found.held < 0:
        ui.hint(f"{rao(-found.held)} was overpaid; the next payouts take it back, a part at a time.")
    batches = sorted({row["batch_id"] for row in entries if row["batch_id"] is not None})
    if batches and found.person not in (OWNER, POOL):
        ui.hint(f"Down to the snapshots: run.py payout explain {batches[-1]} {found.name!r}")


def liquidity(ui: Ui, found: Liquidity) -> None:
    """What the payout wallet holds against what it has to pay."""
    if ui.as_json:
        amounts = ("holds", "batch", "others", "held", "missing", "average", "forfeits")
        ui.records(
            {
                "wallet": found.wallet,
                **{name: decimal_text(getattr(found, name)) for name in amounts},
                "lasts_payouts": found.lasts,
            }
        )
        return
    rows = [("the wallet holds", found.holds)]
    rows += [("this batch, fees included", found.batch)] if found.batch else []
    rows += [("other batches still owe", found.others)] if found.others else []
    rows += [("held for later", found.held)] if found.held else []
    rows += [("forfeited, nobody's", found.forfeits)] if found.forfeits else []
    ui.table("The payout wallet", ["part", "amount (TAO)"], [[name, decimal_text(units)] for name, units in rows])
    if found.missing:
        ui.warn(f"{rao(found.missing)} is missing. Send it to {found.wallet}")
    elif found.lasts is not None:
        ui.hint(
            f"What is left is good for {count(found.lasts, 'payout')} like the last ones ({rao(found.average)} each)."
        )


def record(one: Account) -> dict[str, Any]:
    """An account for a program: amounts as decimal strings of TAO."""
    return {"who": one.name, **{name: decimal_text(getattr(one, name)) for name in SUMS}, "whole": one.whole}


def _name(name: str) -> str:
    return shortened(name) if len(name) > 40 else name
