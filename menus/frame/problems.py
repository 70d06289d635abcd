"""An error on its way to the owner: what nobody thought of, and what is open while it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valtrac.core.errors import ValtracError
from valtrac.core.text import plain

if TYPE_CHECKING:
    from menus.frame.ui import Ui

PAYOUTS, CONTRACTS, POOL, KEEPS = "payout", "contracts", "pool", "keeps"
FINDS_OUT = {
    PAYOUTS: "run.py payout reconcile",
    CONTRACTS: "run.py contracts pay",
    POOL: "run.py pool pay",
    KEEPS: "run.py keeps watch --once",
}


def business_of(arguments: list[str]) -> str:
    """The business that a command is of: whose journal is to be looked at where it goes wrong."""
    first = arguments[0] if arguments else ""
    return first if first in (CONTRACTS, POOL, KEEPS) else PAYOUTS


def show(ui: Ui, error: Exception, *businesses: str) -> int:
    """Show an error, with what is open in the journals of the businesses that were at work; its exit code."""
    from menus.frame.first_screen import unforeseen

    if isinstance(error, ValtracError):
        told = error
    elif isinstance(error, OSError) and error.filename is not None:
        told = of_the_system(error)
    else:
        told = unforeseen(error)
    told = as_it_stands(told, *businesses)
    ui.error(told)
    return int(told.exit_code)


def of_the_system(error: OSError) -> ValtracError:
    """A file or folder that the system does not let us use: no fault of ValTrac's, and the owner can mend it."""
    return ValtracError(
        f"{plain(error.filename)} cannot be used",
        why=plain(error.strerror or error),
        fix="see what stands there and whose it is: a folder in a file's place, or a missing right, looks like this",
    )


def as_it_stands(error: ValtracError, *businesses: str) -> ValtracError:
    """The same error; it says no more that nothing was sent where a transaction of one of the businesses is open."""
    from valtrac import settings
    from valtrac.payments import still_open
    from valtrac.payments.store.counts import open_transactions

    try:
        held = settings.load()
    except Exception:  # without settings nobody knows where the journal is; the error is about them then
        return error
    places = {
        PAYOUTS: held.database,
        CONTRACTS: held.bitshares_database,
        POOL: held.qtum_database,
        KEEPS: held.keeps_database,
    }
    for business in businesses:
        rows = open_transactions(places[business])
        listed = None if rows is None else [still_open.Open(*row) for row in rows]
        error = still_open.with_what_is_open(error, listed, FINDS_OUT[business])
    return error
