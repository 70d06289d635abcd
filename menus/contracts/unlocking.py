"""What contracts ask the owner: secrets for unlocking, which are typed here and handed on, never kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.core.errors import BadInput, ValtracError

if TYPE_CHECKING:
    from valtrac.settings import Settings
    from valtrac.wiring.contracts import ContractsApp


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


def unlock_jobs(ui: Ui, settings: Settings, given: dict[str, Any]) -> int:
    """Hand secrets to every background job that listens; returns how many took them. Raises Refused, BadInput."""
    from valtrac.loggers.jobs import started_by
    from valtrac.loggers.locked import socket_of
    from valtrac.secrets.unlock_socket import hand_in

    done, problems = 0, []
    for name in started_by("contracts start"):
        path = socket_of(settings, name)
        if not path.exists():
            problems.append(f"{name} does not run")
            continue
        try:
            ui.done(f"{name}: {hand_in(path, given)}")
            done += 1
        except BadInput as error:
            problems.append(f"{name}: {error.what}")
    for words in problems:
        ui.warn(words)
    if not done:
        raise BadInput("no background job took the keys", fix="start them first: run.py contracts start")
    return done


def unlocked_here(ui: Ui, app: ContractsApp, *, password: str | None = None) -> None:
    """Unlock this process alone, for one payment by hand."""
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
