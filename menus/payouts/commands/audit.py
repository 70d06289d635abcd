"""`run.py audit ...`: the chain of receipts and the accounts."""

from __future__ import annotations

from menus.frame.commands import Json, opened, screen
from menus.frame.grouping import group
from valtrac.core.errors import Exit

app = group("The ledger: walk the chain of receipts.")


@app.command("verify")
def verify(as_json: Json = False) -> int:
    """Walk all receipts (each is sealed with the one before) and all accounts (each unit is in one place)."""
    from valtrac.payments import audit
    from valtrac.payouts import balances

    ui, engine = screen(as_json), opened().engine
    count, broken = audit.audit(engine)
    wrong = [account.name for account in balances.accounts(engine) if not account.whole]
    if as_json:
        ui.records({"receipts": count, "first_broken": broken, "unbalanced": wrong})
    if broken is not None:
        ui.warn(f"The receipt {broken} does not follow from the one before: the database was changed by other hands.")
    for name in wrong:
        ui.warn(f"The account of {name} does not add up: the database was changed by other hands.")
    if broken is None and not wrong:
        ui.done(f"{count} receipts, each sealed with the one before; in every account each unit is in one place.")
        return int(Exit.DONE)
    return int(Exit.OUR_FAULT)


@app.callback()
def _audit() -> None:
    """Keep `verify` a command of the group, also while it is the only one."""
