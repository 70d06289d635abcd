"""Stake contracts on BitShares; what a database's chain pays in; words that go with a payment."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cursors",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("block_id", sa.String(length=66), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "events",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("nonce", BIG, nullable=False),
        sa.Column("now", BIG, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("msg", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_nonce"), "events", ["nonce"], unique=False)
    op.create_index("ix_events_now", "events", ["now"], unique=False)
    op.create_table(
        "operations",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("trx", sa.Integer(), nullable=False),
        sa.Column("op", sa.Integer(), nullable=False),
        sa.Column("tx_id", sa.String(length=66), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("asset_id", sa.String(length=20), nullable=False),
        sa.Column("fee", Units(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("handled_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_operations_direction")),
        sa.CheckConstraint("state IN ('waiting', 'parked', 'unruled', 'handled')", name=op.f("ck_operations_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sa.UniqueConstraint("block", "trx", "op", name="one_operation"),
    )
    op.create_index(op.f("ix_operations_account"), "operations", ["account"], unique=False)
    op.create_index("ix_operations_state", "operations", ["state"], unique=False)
    op.create_table(
        "contracts",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("operation_id", BIG, nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("amount", Units(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("reward_bps", sa.Integer(), nullable=False),
        sa.Column("penalty_bps", sa.Integer(), nullable=False),
        sa.Column("month_ms", BIG, nullable=False),
        sa.Column("start_at", Utc(length=40), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("trx", sa.Integer(), nullable=False),
        sa.Column("op", sa.Integer(), nullable=False),
        sa.Column("known_at", Utc(length=40), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_contracts_operation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("key", name=op.f("uq_contracts_key")),
        sa.UniqueConstraint("operation_id", name=op.f("uq_contracts_operation_id")),
    )
    op.create_index(op.f("ix_contracts_account"), "contracts", ["account"], unique=False)
    op.create_table(
        "moves",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("exchange", sa.String(length=40), nullable=False),
        sa.Column("operation_id", BIG, nullable=True),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("memo", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("external_id", sa.String(length=100), server_default="", nullable=False),
        sa.Column("asked_at", Utc(length=40), nullable=True),
        sa.Column("arrived_id", BIG, nullable=True),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'asked', 'arrived', 'failed')", name=op.f("ck_moves_state")),
        sa.ForeignKeyConstraint(["arrived_id"], ["operations.id"], name=op.f("fk_moves_arrived_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_moves_operation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moves")),
        sa.UniqueConstraint("arrived_id", name=op.f("uq_moves_arrived_id")),
        sa.UniqueConstraint("memo", name=op.f("uq_moves_memo")),
        sa.UniqueConstraint("operation_id", name=op.f("uq_moves_operation_id")),
    )
    op.create_index(
        "one_cover_per_exchange",
        "moves",
        ["exchange"],
        unique=True,
        sqlite_where=sa.text("cause = 'cover' AND state IN ('planned', 'asked')"),
        postgresql_where=sa.text("cause = 'cover' AND state IN ('planned', 'asked')"),
    )
    op.create_table(
        "dues",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("contract_id", BIG, nullable=True),
        sa.Column("operation_id", BIG, nullable=True),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("start_at", Utc(length=40), nullable=False),
        sa.Column("due_at", Utc(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("line_id", BIG, nullable=True),
        sa.Column("block", BIG, nullable=True),
        sa.Column("tx_id", sa.String(length=66), server_default="", nullable=False),
        sa.Column("processed_at", Utc(length=40), nullable=True),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'paid', 'confirmed', 'aborted', 'premature', 'delinquent')",
            name=op.f("ck_dues_state"),
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_dues_contract_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_dues_line_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_dues_operation_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["dues.id"], name=op.f("fk_dues_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dues")),
        sa.UniqueConstraint("line_id", name=op.f("uq_dues_line_id")),
    )
    op.create_index(op.f("ix_dues_account"), "dues", ["account"], unique=False)
    op.create_index(op.f("ix_dues_contract_id"), "dues", ["contract_id"], unique=False)
    op.create_index(op.f("ix_dues_operation_id"), "dues", ["operation_id"], unique=False)
    op.create_index("ix_dues_state_due", "dues", ["state", "due_at"], unique=False)
    op.create_index(
        "one_due_of_a_contract",
        "dues",
        ["contract_id", "type", "number"],
        unique=True,
        sqlite_where=sa.text("contract_id IS NOT NULL"),
        postgresql_where=sa.text("contract_id IS NOT NULL"),
    )
    op.create_index(
        "one_due_of_a_request",
        "dues",
        ["operation_id", "type"],
        unique=True,
        sqlite_where=sa.text("contract_id IS NULL AND operation_id IS NOT NULL"),
        postgresql_where=sa.text("contract_id IS NULL AND operation_id IS NOT NULL"),
    )
    op.create_index(
        "one_note_about_a_due",
        "dues",
        ["parent_id"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.add_column("identity", sa.Column("asset", sa.String(length=10), server_default="TAO", nullable=False))
    op.add_column("lines", sa.Column("memo", sa.Text(), server_default="", nullable=False))
