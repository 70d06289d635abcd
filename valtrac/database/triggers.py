"""Triggers that keep the past as it was, whoever holds the connection: made from the rules of the tables.

SQLite's table rebuilds drop triggers, so every migration ends with `install`.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Rules
from valtrac.database.schema import whole


def _refusals(table: sa.Table) -> list[tuple[str, str, str]]:
    """(name, event, condition that must hold for the refusal) of a table's triggers."""
    rules: Rules = table.info["rules"]
    refusals = [(f"{table.name}_no_delete", "DELETE", "1=1")]
    if rules.append_only:
        refusals.append((f"{table.name}_no_update", "UPDATE", "1=1"))
    if rules.frozen:
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in rules.frozen)
        refusals.append((f"{table.name}_frozen", "UPDATE", changed))
    if rules.arcs:
        legal = ", ".join(f"'{arc}'" for arc in rules.arcs)
        moved = f"OLD.state IS DISTINCT FROM NEW.state AND OLD.state || '>' || NEW.state NOT IN ({legal})"
        refusals.append((f"{table.name}_arcs", "UPDATE", moved))
    return refusals + [(name, "UPDATE", condition) for name, condition in rules.refused.items()]


def names() -> list[str]:
    """The names of all triggers that a whole database has."""
    return [name for table in whole().tables.values() for name, _, _ in _refusals(table)]


def install(conn: sa.Connection) -> None:
    """Make every trigger anew, in the caller's transaction."""
    for table in whole().tables.values():
        for name, event, condition in _refusals(table):
            if conn.dialect.name == "sqlite":
                _sqlite(conn, table.name, name, event, condition)
            else:
                _postgresql(conn, table.name, name, event, condition)
        if conn.dialect.name == "postgresql":
            _postgresql(conn, table.name, f"{table.name}_no_truncate", "TRUNCATE", "")


def remove(conn: sa.Connection) -> None:
    """Take every trigger away, for a migration that brings rows into another shape; `install` follows it."""
    if conn.dialect.name == "sqlite":
        names = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for name in names:
            conn.exec_driver_sql(f'DROP TRIGGER "{name}"')
        return
    owned = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    for name, table in conn.exec_driver_sql(owned).all():
        conn.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")


def _sqlite(conn: sa.Connection, table: str, name: str, event: str, condition: str) -> None:
    condition = condition.replace("IS DISTINCT FROM", "IS NOT")
    conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    conn.exec_driver_sql(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, 'refused: {name}'); END"
    )


def _postgresql(conn: sa.Connection, table: str, name: str, event: str, condition: str) -> None:
    each = "FOR EACH STATEMENT" if event == "TRUNCATE" else f"FOR EACH ROW WHEN ({condition})"
    conn.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION valtrac_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'refused: %', TG_NAME; END$$".replace("%'", "%%'")
    )
    conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    conn.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {each} EXECUTE FUNCTION valtrac_refuse()")
