"""What every table is made of: the names of constraints, and columns that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import sqlalchemy as sa

from valtrac.database.types import Utc

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Address = sa.String(64)
Hash = sa.String(66)


def own_id() -> sa.Column[int]:
    """The number of a row."""
    return sa.Column("id", Big, sa.Identity(), primary_key=True)


def genesis() -> sa.Column[str]:
    """The chain that the row was read from or is paid on."""
    return sa.Column("genesis", Hash, nullable=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may become of the rows of a table, kept by triggers; no row is ever removed.

    append_only: a row never changes. frozen: columns that never do. arcs: the moves of the column `state` that are
    legal, `from>to`. refused: name -> a condition on OLD and NEW under which an update is refused.
    """

    append_only: bool = False
    frozen: tuple[str, ...] = ()
    arcs: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def table(name: str, *parts: sa.schema.SchemaItem, rules: Rules) -> sa.Table:
    """A table of the schema, with its rules."""
    return sa.Table(name, metadata, *parts, info={"rules": rules})


def one_of(name: str, *words: str | StrEnum) -> tuple[sa.Column[str], sa.CheckConstraint]:
    """A column that holds one of a few words."""
    allowed = ", ".join(f"'{word!s}'" for word in words)
    return (sa.Column(name, sa.String(10), nullable=False), sa.CheckConstraint(f"{name} IN ({allowed})", name=name))


def live(name: str, *columns: sa.Column[object], where: str) -> sa.Index:
    """A unique index over the rows that meet a condition."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)


# which chain this database belongs to, and what it pays in
identity = table(
    "identity",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="one"),
    genesis(),
    sa.Column("network", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("asset", sa.String(10), nullable=False, server_default="TAO"),
    rules=Rules(append_only=True),
)
