"""Starting the jobs of contracts, and the secrets that they ask their owner for: typed here, handed on, never kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from menus.backups.views import before_paying
from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.jobs import together
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.core.errors import BadInput, ValtracError

if TYPE_CHECKING:
    from valtrac.wiring.contracts import ContractsApp

START = "contracts start"


def secrets(ui: Ui, app: ContractsApp, *, password: str | None = None) -> dict[str, Any]:
    """The password of the wallet and the keys of exchange accounts: from the OS keyring where it has them, else typed.

    An account left empty stays locked.
    """
    settings = app.settings
    app.guard_memory()
    given: dict[str, Any] = {"password": "", "exchanges": {}}
    if app.needs_password:
        if not app.has_wallet:
            app.try_password("")  # says that there is none, before anything is typed
        given["password"] = ui.password("Password of the custodian's wallet:") if password is None else password
        app.try_password(given["password"])  # a slip is to be known before more is typed
    for name in settings.contracts_exchange_accounts if settings.contracts_exchange else ():
        keys = app.kept_keys(name)
        if not keys and ui.can_ask:
            keys = exchange_keys(ui, name)
        if keys:
            given["exchanges"][name] = keys
    return given


def exchange_keys(ui: Ui, name: str) -> dict[str, str]:
    """The keys of an exchange account, typed; {} where it is left empty."""
    key = ui.password(f"Key of exchange account {name} (empty to leave it locked):")
    if not key:
        return {}
    secret = ui.password(f"Secret of exchange account {name}:")
    if not secret:
        raise BadInput(
            f"no secret of exchange account {name} was typed", why="a key alone opens nothing", fix="try again"
        )
    more = ui.password("Password of its interface, where it has one (else empty):")
    return {"key": key, "secret": secret} | ({"password": more} if more else {})


def unlocked_here(ui: Ui, app: ContractsApp, *, password: str | None = None) -> None:
    """Unlock this process alone, for one payment by hand."""
    before_paying(ui, app.settings)
    given = secrets(ui, app, password=password)
    try:
        app.unlock(given["password"], given["exchanges"])
    except ValtracError:
        given.clear()
        raise


def advice(app: ContractsApp) -> tuple[str, str, str]:
    """(where this is, what the payer last said or "", the one thing worth doing now). Asks no node."""
    from valtrac.contracts import overview
    from valtrac.contracts.store import transfers
    from valtrac.database.engine import reading
    from valtrac.loggers import pm2
    from valtrac.loggers.jobs import agreements, payments

    settings = app.settings
    rehearsing = settings.bitshares_network == "devnet"
    where = "rehearsal chain" if rehearsing else settings.bitshares_network
    if rehearsing and not settings.bitshares_file.exists():
        first = "make the rehearsal chain: Rehearse, at the end of this menu."
        return f"{where} · {settings.bitshares_custodian}", "", first
    with reading(app.engine) as conn:
        waiting = transfers.listed(conn, TransferState.PARKED, TransferState.UNRULED)
        unread = transfers.listed(conn, TransferState.WAITING)
        cursor = transfers.cursor(conn)
    standings = overview.listed(app.engine)
    late = overview.due(app.engine, DueState.DELINQUENT)
    running = {job.name: job for job in pm2.jobs(settings) if job.state == "running"}
    payer = running.get(payments.NAME)
    told = payer.beat.words if payer and payer.beat else ""
    open_contracts = count(sum(standing.state == "open" for standing in standings), "open contract")
    read = f"read up to block {cursor.block}" if cursor and cursor.block else "nothing read yet"
    said = " · ".join([where, settings.bitshares_custodian, open_contracts, read])
    if waiting:
        advised = f"{count(len(waiting), 'transfer')} for your word: see What waits for your word."
    elif late:
        advised = f"{count(len(late), 'delinquent payment')}: pay by hand."
    elif agreements.NAME not in running or payer is None:
        advised = "start the listener and the payer, or read and pay now."
    elif payments.LOCKED in told or unread:
        advised = "unlock the payer" + (f": {count(len(unread), 'memo')} not read for want of keys." if unread else ".")
    else:
        advised = "nothing; listener and payer run. See what falls due."
    return said, told, advised


def start_jobs(ui: Ui, own: ContractsApp) -> bool:
    """The listener and the payer under pm2; whether both run then. Raises BadInput, ChainUnreachable where they could
    not even begin."""
    _ = own.chain  # nodes are named, or the rehearsal chain is there; whether one answers is for the jobs to wait for
    started = together.start(ui, own.settings, START)
    ui.hint("Next: unlock them (Unlock the payer, or run.py contracts unlock).")
    return started
