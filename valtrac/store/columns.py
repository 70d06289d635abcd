"""What every table is made of: the names of constraints, and columns that mean the same everywhere."""

from __future__ import annotations

import sqlalchemy as sa

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


def one_of(name: str, *words: str) -> tuple[sa.Column[str], sa.CheckConstraint]:
    """A column that holds one of a few words."""
    allowed = ", ".join(f"'{word}'" for word in words)
    return (sa.Column(name, sa.String(10), nullable=False), sa.CheckConstraint(f"{name} IN ({allowed})", name=name))


def live(name: str, *columns: sa.Column[object], where: str) -> sa.Index:
    """A unique index over the rows that meet a condition."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)
