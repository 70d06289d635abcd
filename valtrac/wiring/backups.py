"""The wiring of backups: what there is to back up, when one is due, and how a copy of a database is looked at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from valtrac.backups import making
from valtrac.backups.making import Home, Made
from valtrac.backups.settings import public_key
from valtrac.core.errors import Refused, ValtracError
from valtrac.core.text import plain
from valtrac.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

T = TypeVar("T")
FRESH_S = 600.0  # a backup that is younger will do before a payment of a standing business


def home_of(settings: Settings) -> Home:
    """The databases and lists of payments of every business."""
    named: list[str | Path] = [
        settings.database,
        settings.bitshares_database,
        settings.qtum_database,
        settings.keeps_database,
        settings.alerts_database,
    ]
    files, elsewhere = dict[str, Path](), list[str]()
    for database in named:
        path = _file_of(database)
        if path is not None:
            if path not in files.values():
                files[path.name if path.name not in files else f"{len(files)}-{path.name}"] = path
        else:
            elsewhere.append("a PostgreSQL database is backed up by pg_dump, not from here")
    logs = {path.name: path for path in (settings.log, settings.contracts_log, settings.pool_log)}
    return Home(files, logs, tuple(dict.fromkeys(elsewhere)))


def make(settings: Settings) -> Made:
    """Make a backup now. Raises Refused, ValtracError."""
    public = public_key(settings.backup_key) if settings.backup_key else None
    return making.make(home_of(settings), settings.backups, public=public, now=datetime.now(UTC))


def make_if_due(settings: Settings, *, age_s: float | None = None) -> str:
    """Make one where the newest is too old; words about it, "" where nothing was to be done.

    age_s: how old it may be, None for what the settings say. Where it cannot be made, the words say why: a payment
    waits for nobody's disk, and is written down in a database that waits for its own.
    """
    age_s = settings.backup_hours * 3600.0 if age_s is None else age_s
    if not settings.backup_hours or not any(path.is_file() for path in home_of(settings).databases.values()):
        return ""
    try:
        if making.due(settings.backups, datetime.now(UTC), age_s=age_s):
            made = make(settings)
            return f"backup {made.path.name}"
    except Refused:
        return ""  # another process is just making one
    except ValtracError as error:
        return f"no backup: {error.what}{': ' + error.why if error.why else ''}"
    except Exception as error:  # whatever it is, no payment waits for it
        return f"no backup: {type(error).__name__}: {plain(error)}"
    return ""


def _file_of(database: str | Path) -> Path | None:
    """The file of a database; None where it is on a server."""
    if isinstance(database, Path):
        return database
    from sqlalchemy.engine import make_url

    url = make_url(database)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def audit(path: Path) -> list[str]:
    """What is wrong with a copy of a database, in words: receipts that do not follow, accounts that do not add up."""
    from valtrac.payments import accounts
    from valtrac.payments.audit import audit as receipts

    def look(engine: sa.Engine) -> list[str]:
        _, broken = receipts(engine)
        wrong = [f"receipt {broken[:16]}... does not follow from the one before it"] if broken else []
        return wrong + [f"the account of {account.person} does not add up" for account in accounts.unbalanced(engine)]

    return _opened(path, look)


def mark(path: Path, made_at: datetime) -> None:
    """Write into a copy of a database that it came out of a backup. Raises ValtracError."""
    from valtrac.payments import restored

    _opened(path, lambda engine: restored.mark(engine, made_at))


def compare(settings: Settings, *, accept_history: bool = False) -> list[str]:
    """Compare every database that came out of a backup with its chain; the names of those that pay again.

    accept_history: as `restored.compare`. Raises Refused, ChainUnreachable, the first of them after all were tried;
    those that were compared before stay so.
    """
    businesses = (
        ("payouts", settings.database, partial(_payouts, accept_history=accept_history)),
        ("contracts", settings.bitshares_database, _contracts),
        ("pool", settings.qtum_database, _pool),
        ("keeps", settings.keeps_database, _keeps),
    )
    done, wrong = list[str](), list[ValtracError]()
    for name, database, act in businesses:
        path = _file_of(database)
        try:
            if path is not None and path.is_file() and act(settings):
                done.append(name)
        except ValtracError as error:
            wrong.append(error)
    if wrong:
        raise wrong[0]
    return done


def _opened(path: Path, act: Callable[[sa.Engine], T]) -> T:
    from valtrac.database.opening import open_engine

    engine = open_engine(path)
    try:
        return act(engine)
    finally:
        engine.dispose()


def _payouts(settings: Settings, *, accept_history: bool) -> bool:
    from valtrac.payments import accounts, restored
    from valtrac.wiring.payouts import App

    app = App(settings)
    try:
        if not _waits(app.engine):
            return False
        wrong = [f"the account of {account.person} does not add up" for account in accounts.unbalanced(app.engine)]
        return restored.compare(app.door(), app.wallet_address, lambda: wrong, accept_history=accept_history)
    finally:
        app.close()


def _contracts(settings: Settings) -> bool:
    from valtrac.contracts import audit as audits
    from valtrac.contracts import listener
    from valtrac.payments import restored
    from valtrac.wiring.contracts import ContractsApp

    app = ContractsApp(settings)

    def business() -> list[str]:
        custodian = app.custodian
        while listener.listen(custodian).behind:
            pass
        found = audits.check(custodian)
        said = [*found.odd, *([found.why_not] if found.balance is None else [])]
        return said + ([found.balance.words] if found.balance and found.balance.words else [])

    try:
        return _waits(app.engine) and restored.compare(app.custodian.door(), "", business)
    finally:
        app.close()


def _pool(settings: Settings) -> bool:
    from valtrac.payments import restored
    from valtrac.pool import monitor
    from valtrac.pool.audit import audit as audits
    from valtrac.wiring.pool import PoolApp

    app = PoolApp(settings)

    def business() -> list[str]:
        pool = app.pool
        while monitor.look(pool, app.chain.state()).behind:
            pass
        return list(audits(pool).problems)

    try:
        return _waits(app.engine) and restored.compare(app.pool.door(), "", business)
    finally:
        app.close()


def _keeps(settings: Settings) -> bool:
    from valtrac.payments import restored
    from valtrac.wiring.keeps import KeepsApp

    app = KeepsApp(settings)
    try:
        return _waits(app.engine) and restored.compare(app.watching.door(), app.wallet, list)
    finally:
        with suppress(ValtracError):
            app.close()


def _waits(engine: sa.Engine) -> bool:
    from valtrac.database.engine import reading
    from valtrac.payments.store import restores

    with reading(engine) as conn:
        return restores.not_compared(conn) is not None
