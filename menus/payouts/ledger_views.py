"""Accounts and the payout wallet on the screen: one form for menus and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menus.frame.layout import count
from menus.frame.plainly import short
from menus.frame.ui import Ui
from valtrac.core.ledger_accounts import OWNER, POOL
from valtrac.core.money import decimal_text, rao
from valtrac.payouts.balances import Account
from valtrac.payouts.liquidity import Liquidity

SUMS = ("accrued", "held", "on_the_way", "paid", "netted", "forfeited")
MOST_ROWS = 60  # of one table on a terminal; into a file or a pager all of them go


def accounts(ui: Ui, rows: Sequence[Account]) -> None:
    """Everyone's account as a table, or as JSON."""
    if ui.as_json:
        ui.records([record(account) for account in rows])
        return
    shown = rows[:MOST_ROWS] if ui.out.is_terminal else rows
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
        [[_name(account.name), *(decimal_text(getattr(account, name)) for name in SUMS)] for account in shown],
        footer=["together", *(decimal_text(sum(getattr(account, name) for account in rows)) for name in SUMS)],
        optional=["accrued", "forfeited", "fees borne", "on the way"],
        empty="No account yet: approving a batch books the first entries.",
    )
    if len(shown) < len(rows):
        ui.hint(f"and {len(rows) - len(shown):,} more. All of them: run.py ledger show | less")
    for account in rows:
        if not account.whole:
            ui.warn(f"The account of {account.name} does not add up: the database was changed by other hands.")


def account(ui: Ui, shown: Account, entries: Sequence[Mapping[str, Any]]) -> None:
    """One account with its entries, as a table or as JSON."""
    if ui.as_json:
        ui.records({**record(shown), "entries": [_entry(row) for row in entries]})
        return
    ui.table(
        shown.name,
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
            ("accrued", rao(shown.accrued)),
            ("held", rao(shown.held)),
            ("on the way", rao(shown.on_the_way)),
            ("paid", rao(shown.paid)),
            ("fees borne", rao(shown.netted)),
            ("forfeited", rao(shown.forfeited)),
        ]
    )
    if shown.held < 0:
        ui.hint(f"{rao(-shown.held)} was overpaid; the next payouts take it back, a part at a time.")
    batches = sorted({row["batch_id"] for row in entries if row["batch_id"] is not None})
    if batches and shown.person not in (OWNER, POOL):
        ui.hint(f"Down to the snapshots: run.py payout explain {batches[-1]} {shown.name!r}")


def _funding(figures: Liquidity, network: str) -> str:
    """The command of btcli that sends what is missing from another wallet; "" where nothing is, or in a rehearsal."""
    if not figures.missing or network == "devnet":
        return ""
    where = network if "://" not in network else "NODE"  # its address may hold a key
    amount = decimal_text(figures.missing)
    return f"btcli wallet transfer --wallet FROM --dest {figures.wallet} --amount {amount} --network {where}"


def liquidity(ui: Ui, figures: Liquidity, network: str) -> None:
    """What the payout wallet holds against what it has to pay; where something is missing, how it gets there.

    network: its name, or the address of a node; no command is shown on the rehearsal chain, whose TAO is nobody's.
    """
    if ui.as_json:
        amounts = ("holds", "batch", "others", "held", "missing", "average", "forfeits")
        ui.records(
            {
                "wallet": figures.wallet,
                **{name: decimal_text(getattr(figures, name)) for name in amounts},
                "lasts_payouts": figures.lasts,
                "fund": _funding(figures, network),
            }
        )
        return
    rows = [("the wallet holds", figures.holds)]
    rows += [("this batch, fees included", figures.batch)] if figures.batch else []
    rows += [("other batches still owe", figures.others)] if figures.others else []
    rows += [("held for later", figures.held)] if figures.held else []
    rows += [("forfeited, nobody's", figures.forfeits)] if figures.forfeits else []
    ui.table("The payout wallet", ["part", "amount (TAO)"], [[name, decimal_text(units)] for name, units in rows])
    if figures.missing:
        ui.warn(f"{rao(figures.missing)} is missing. Send it to {figures.wallet}")
        if command := _funding(figures, network):
            ui.line(command)
    elif figures.lasts is not None:
        ui.hint(
            f"What is left lasts for {count(figures.lasts, 'payout')} like the last ones ({rao(figures.average)} each)."
        )


def record(account: Account) -> dict[str, Any]:
    """An account for a program: amounts as decimal strings of TAO."""
    sums = {name: decimal_text(getattr(account, name)) for name in SUMS}
    return {"who": account.name, **sums, "whole": account.whole}


def _name(name: str) -> str:
    return short(name) if len(name) > 40 else name


def _entry(row: Mapping[str, Any]) -> dict[str, object]:
    """An entry of the ledger as plain values."""
    return {
        "at": f"{row['at']:%Y-%m-%dT%H:%M:%SZ}",
        "kind": row["kind"],
        "amount": decimal_text(row["units"]),
        "batch": row["batch_id"],
        "cause": row["cause"],
    }
