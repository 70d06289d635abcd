"""What contracts ask the owner: secrets for unlocking, which are typed here and handed on, never kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from menus.layout import count
from menus.ui import Ui
from valtrac.errors import BadInput, ValtracError

if TYPE_CHECKING:
    from pathlib import Path

    from valtrac.config import Settings
    from valtrac.custody import CustodyApp


def secrets(ui: Ui, app: CustodyApp, *, password: str | None = None) -> dict[str, Any]:
    """The password of the wallet and the keys of exchange accounts: from the OS keyring where it has them, else typed.

    An account left empty stays locked.
    """
    settings = app.settings
    app.guard_memory()
    given: dict[str, Any] = {"password": "", "exchanges": {}}
    if settings.bitshares_network != "devnet":
        given["password"] = ui.password("Password of the custodian's wallet:") if password is None else password
    for name in settings.contracts_exchange_accounts if settings.contracts_exchange else ():
        keys = app.kept_keys(name)
        if not keys and ui.can_ask:
            keys = {"key": ui.password(f"Key of exchange account {name} (empty to leave it locked):")}
            if keys["key"]:
                keys["secret"] = ui.password(f"Secret of exchange account {name}:")
                more = ui.password("Password of its interface, where it has one (else empty):")
                keys |= {"password": more} if more else {}
        if keys.get("key"):
            given["exchanges"][name] = keys
    return given


def unlock_jobs(ui: Ui, settings: Settings, given: dict[str, Any]) -> int:
    """Hand secrets to every background job that listens; returns how many took them. Raises Refused, BadInput."""
    from valtrac.loggers import agreements, payments
    from valtrac.loggers.keyhole import hand_in

    done, problems = 0, []
    for name in (agreements.NAME, payments.NAME):
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
        raise BadInput("no background job took the keys", "", "start them first: run.py contracts start")
    return done


def socket_of(settings: Settings, name: str) -> Path:
    """Where a job listens for its secrets."""
    from valtrac.loggers.pm2_home import home

    return home(settings) / f"{name}.sock"


def unlocked_here(ui: Ui, app: CustodyApp, *, password: str | None = None) -> None:
    """Unlock this process alone, for one payment by hand."""
    given = secrets(ui, app, password=password)
    try:
        app.unlock(given["password"], given["exchanges"])
    except ValtracError:
        given.clear()
        raise


def advice(app: CustodyApp) -> tuple[str, str]:
    """(where this is, the one thing that is worth doing now). Asks no node."""
    from valtrac.loggers import agreements, payments, pm2
    from valtrac.services import contracts
    from valtrac.store import operations
    from valtrac.store.engine import reading

    settings = app.settings
    rehearsing = settings.bitshares_network == "devnet"
    where = "rehearsal chain" if rehearsing else settings.bitshares_network
    if rehearsing and not settings.bitshares_file.exists():
        return f"{where} · {settings.bitshares_custodian}", "make the rehearsal chain: run.py contracts rehearse"
    with reading(app.engine) as conn:
        waiting = operations.listed(conn, "parked", "unruled")
        unread = operations.listed(conn, "waiting")
        at = operations.cursor(conn)
    found = contracts.listed(app.engine)
    late = contracts.due(app.engine, "delinquent")
    running = {job.name for job in pm2.jobs(settings) if job.state == "running"}
    said = " · ".join(
        [
            where, settings.bitshares_custodian, count(sum(one.state == "open" for one in found), "open contract"),
            f"read up to block {at.block}" if at else "nothing read yet",
        ]
    )  # fmt: skip
    if waiting:
        return said, f"{count(len(waiting), 'transfer')} for your word: see What waits for your word."
    if late:
        return said, f"{count(len(late), 'delinquent payment')}: pay by hand."
    if agreements.NAME not in running or payments.NAME not in running:
        return said, "start the listener and the payer, or read and pay now."
    if unread:
        return said, f"{count(len(unread), 'memo')} not read for want of keys: unlock the payer."
    return (
        said,
        "nothing; listener and payer run. See what falls due, or unlock the payer if it says that it is locked.",
    )
