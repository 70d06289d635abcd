"""What the owner sees first: where this is, what there is, and what to do next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.contracts.store import counts as of_contracts
from valtrac.core.addresses import shortened
from valtrac.core.endpoints import shown
from valtrac.core.text import plain
from valtrac.database.counts import SQLITE
from valtrac.payments.model.states import BatchState
from valtrac.payouts.store import counts as of_payouts

if TYPE_CHECKING:
    from valtrac.core.errors import ValtracError
    from valtrac.wiring.payouts import App


def greet(app: App, ui: Ui) -> None:
    """The heading with one line of state and one of advice."""
    settings = app.settings
    said = ["rehearsal chain" if settings.network == "devnet" else plain(shown(settings.network))]
    if settings.hotkeys or settings.network != "devnet":
        said.append(", ".join(shortened(hotkey) for hotkey in settings.hotkeys[:3]) or "no hotkey set")
    seen = of_payouts.counts(settings.database) or of_payouts.Counts()
    if settings.url.startswith(SQLITE):
        said.append(count(seen.users, "user"))
        said.append("no snapshots yet" if seen.last_block is None else f"last snapshot at block {seen.last_block}")
    ui.title("ValTrac", " · ".join(said))
    for words in settings.warnings:
        ui.warn(words)
    if settings.url.startswith(SQLITE):
        ui.hint("Next: " + advice(app, seen))
    contracts = of_contracts.counts(settings.bitshares_database)
    if contracts is not None:
        ui.hint("Stake contracts: " + _of_contracts(contracts))


def _of_contracts(seen: of_contracts.Counts) -> str:
    said = [f"{count(seen.running, 'contract')} open" if seen.running else "no contract open"]
    said += [f"{count(seen.waiting, 'transfer')} for your word"] if seen.waiting else []
    said += [f"{count(seen.delinquent, 'payment')} to make by hand"] if seen.delinquent else []
    return " · ".join(said)


def advice(app: App, seen: of_payouts.Counts) -> str:
    """The one thing that is worth doing now."""
    settings = app.settings
    if settings.network != "devnet" and not settings.hotkeys:
        return "write your validator's hotkey into .env: VALTRAC_HOTKEYS=5..."
    if settings.network == "devnet" and not settings.devnet_file.exists():
        return "begin the rehearsal chain under Network and wallet."
    if seen.count(BatchState.SENDING):
        return "a batch stopped half-way; go on with it under Payout history and batches."
    if seen.count(BatchState.APPROVED):
        return "a batch is approved and not sent; send it under Payout history and batches."
    if not seen.users:
        return "load your users from a CSV file under Add users."
    if seen.last_block is None:
        return "start the record of stakes under Begin logging."
    if seen.count(BatchState.DRAFT):
        return "a draft waits for your approval under Payout history and batches, or make a new one."
    return "see what everyone is owed under Send payout by referral structure."


def unforeseen(error: Exception) -> ValtracError:
    """An error nobody thought of: the details go to a file of the owner's, never to the screen."""
    from valtrac.core.errors import ValtracError

    where = keep_details(error)
    return ValtracError(
        f"something unforeseen: {type(error).__name__}: {plain(error)}",
        why="this is a fault of ValTrac's",
        fix=f"the details are in {where}; please report them" if where else "please report it",
    )


def keep_details(error: BaseException) -> str:
    """Write an error with its traceback into a file of the owner's; the file, or "" where that cannot be done."""
    import traceback

    from valtrac.core.errors import ValtracError
    from valtrac.settings import load

    try:
        path = load().logs / "errors.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write("".join(plain(shown(line), 2000) + "\n" for line in traceback.format_exception(error)) + "\n")
        return str(path)
    except (OSError, ValtracError):
        return ""
