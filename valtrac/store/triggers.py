"""Triggers that keep the past as it was, whoever holds the connection.

SQLite's table rebuilds drop triggers, so every migration ends with `install`.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.store import contract_tables
from valtrac.store import tables as t

# table -> the columns that may never change once written; everything else follows its arcs
FROZEN = {
    "users": ("id", "genesis", "created_at"),
    "user_terms": ("user_id", "from_block"),
    "address_terms": ("user_id", "address", "from_block"),
    "payout_terms": ("user_id", "address", "from_block"),
    "referral_terms": ("referee_id", "referrer_id", "from_block"),
    "rate_terms": ("referrer_id", "referee_id", "rate_bps", "from_block"),
    "policy_terms": ("person", "kind", "value", "words", "from_block"),
    "batches": (
        "genesis",
        "hotkey",
        "netuid",
        "wallet",
        "pool",
        "fee",
        "fee_policy",
        "unassigned",
        "total",
        "from_block",
        "to_block",
        "spec",
        "plan",
        "inputs_hash",
        "created_at",
    ),
    "lines": (
        "batch_id",
        "position",
        "name",
        "person",
        "address",
        "from_pool",
        "released",
        "fee_share",
        "amount",
        "memo",
    ),
    "claims": ("genesis", "hotkey", "netuid", "block", "batch_id"),
    "chunks": ("batch_id", "created_at"),
    "chunk_lines": ("chunk_id", "line_id", "position"),
    "attempts": (
        "genesis",
        "chunk_id",
        "wallet",
        "tx_id",
        "raw",
        "nonce",
        "birth_block",
        "birth_hash",
        "valid_until",
        "spec_version",
        "units",
        "chain_at",
        "created_at",
    ),
    **contract_tables.FROZEN,
}
ARCS = {
    "batches": ("draft>approved", "approved>sending", "sending>settled", "draft>void", "approved>void"),
    "lines": ("planned>owed", "owed>chunked", "chunked>owed", "chunked>paid", "planned>void", "owed>void"),
    "chunks": ("new>attempted", "attempted>landed", "attempted>failed", "attempted>dead", "new>failed", "new>dead"),
    "attempts": (
        "signed>sent",
        "signed>landed",
        "signed>failed",
        "signed>dead",
        "sent>landed",
        "sent>failed",
        "sent>dead",
    ),
    "claims": ("held>void", "overlap>void", "held>overlap"),
    **contract_tables.ARCS,
}


def _refusals(table: str) -> list[tuple[str, str, str]]:
    """(name, event, condition that must hold for the refusal) of a table's triggers."""
    found = [(f"{table}_no_delete", "DELETE", "1=1")] if table in t.NEVER_DELETED else []
    if table in t.APPEND_ONLY:
        found.append((f"{table}_no_update", "UPDATE", "1=1"))
    if table in FROZEN:
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN[table])
        found.append((f"{table}_frozen", "UPDATE", changed))
    if table in ARCS:
        legal = ", ".join(f"'{arc}'" for arc in ARCS[table])
        found.append(
            (
                f"{table}_arcs",
                "UPDATE",
                f"OLD.state IS DISTINCT FROM NEW.state AND OLD.state || '>' || NEW.state NOT IN ({legal})",
            )
        )
    if table == "operations":
        found.append(
            (
                "operations_skipped",
                "UPDATE",
                "OLD.state = 'handled' AND NEW.state = 'waiting' AND OLD.kind <> 'skipped'",
            )
        )
    if table == "dues":
        found.append(
            ("dues_owed", "UPDATE", "OLD.state = 'processing' AND NEW.state = 'aborted' AND OLD.type <> 'exchange'")
        )
    if table == "attempts":
        found.append(("attempts_final", "UPDATE", "OLD.state NOT IN ('signed', 'sent')"))
    return found


def names() -> list[str]:
    """The names of all triggers that a whole database has."""
    return [name for table in t.metadata.tables for name, _, _ in _refusals(table)]


def install(conn: sa.Connection) -> None:
    """Make every trigger anew, in the caller's transaction."""
    for table in t.metadata.tables:
        for name, event, condition in _refusals(table):
            if conn.dialect.name == "sqlite":
                _sqlite(conn, table, name, event, condition)
            else:
                _postgresql(conn, table, name, event, condition)
        if conn.dialect.name == "postgresql" and table in t.NEVER_DELETED:
            _postgresql(conn, table, f"{table}_no_truncate", "TRUNCATE", "")


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
