"""Transactions, and which chain a database belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import Refused, ValtracError
from valtrac.core.money import ASSETS, TAO, Asset
from valtrac.core.text import plain
from valtrac.database import columns as t

UNKNOWN_GENESIS = ""

# Building a statement takes longer than running it: here, and wherever one is run at every step, it is built once.
_IDENTITY, _GENESIS, _ASSET = sa.select(t.identity), sa.select(t.identity.c.genesis), sa.select(t.identity.c.asset)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What goes with a transaction that may write. memo: what its parts share while it lasts; acts: what is done once
    it is committed, and left undone where it is not."""

    memo: dict[str, Any] = field(default_factory=dict)
    acts: list[Callable[[], None]] = field(default_factory=list)


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write: BEGIN IMMEDIATE on SQLite, so that no update is lost."""
    transaction = Transaction()
    options = {"valtrac_write": True, "valtrac_transaction": transaction}
    with told(), engine.connect().execution_options(**options) as conn, conn.begin():
        yield conn
    for act in transaction.acts:
        act()


def once_committed(conn: sa.Connection) -> Transaction | None:
    """What goes with the transaction of a connection; None where `writing` did not begin it."""
    transaction: Transaction | None = conn.get_execution_options().get("valtrac_transaction")
    return transaction


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One consistent view of the database, however many tables are read."""
    view = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with told(), engine.connect().execution_options(**view) as conn, conn.begin():
        yield conn


@contextmanager
def told() -> Iterator[None]:
    """Say in words what a database that is busy, full or gone says in codes; nothing was written then."""
    try:
        yield
    except sa.exc.OperationalError as error:
        cause = plain(error.orig)
        held = any(word in cause for word in ("locked", "full", "disk", "readonly"))
        fix = (
            "close other programs that hold it, make room on the disk, then try again"
            if held
            else "check that the server runs, VALTRAC_DATABASE_URL, and the rights of the folder"
        )
        raise ValtracError("the database cannot be used right now", why=cause, fix=fix) from error


def insert(conn: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the words of the database at hand."""
    from sqlalchemy.dialects import postgresql, sqlite

    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def insert_many(conn: sa.Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Many rows of a table in one go. columns: name -> its values, as many as there are rows; others take their default
    of the database. For thousands of rows: SQLAlchemy's own way takes longer to prepare them than the database does."""
    dialect = conn.dialect
    names = [column.name for column in table.columns if column.name in columns]
    prepared = []
    for name in names:
        prepare = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        prepared.append(columns[name] if prepare is None else list(map(prepare, columns[name])))
    compiled = table.insert().compile(dialect=dialect, column_keys=names)
    rows: list[Any] = list(zip(*prepared, strict=True))
    if not compiled.positional:
        rows = [dict(zip(names, row, strict=True)) for row in rows]
    if rows:
        conn.exec_driver_sql(str(compiled), rows)


def genesis_of(conn: sa.Connection) -> str:
    """The chain this database belongs to; "" while no node has been asked."""
    genesis: str | None = conn.execute(_GENESIS).scalar()
    return genesis or UNKNOWN_GENESIS


def claimed(conn: sa.Connection) -> bool:
    """Whether the database is tied to a chain."""
    return conn.execute(_GENESIS).first() is not None


def asset_of(conn: sa.Connection) -> Asset:
    """What this database's chain pays in; TAO while no node has been asked."""
    return ASSETS[conn.execute(_ASSET).scalar() or TAO.symbol]


def claim_identity(conn: sa.Connection, genesis: str, network: str, asset: Asset) -> None:
    """Tie the database to a chain, and to what it pays in, at the first contact; later, refuse any other.

    Raises Refused when the database belongs to another chain.
    """
    row = conn.execute(_IDENTITY).first()
    if row is None:
        conn.execute(
            t.identity.insert().values(id=1, genesis=genesis, network=network, at=datetime.now(UTC), asset=asset.symbol)
        )
    elif row.genesis != genesis:
        raise Refused(
            "this database belongs to another chain",
            why=f"it was made for {plain(row.network)} (genesis {row.genesis[:12]}...), "
            f"the node serves {plain(network)} (genesis {genesis[:12]}...)",
            fix="set the network and its nodes in .env back, or give this chain a home of its own: VALTRAC_HOME",
        )
