"""The first tables: people and terms, snapshots, batches, attempts, ledger."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("netuid", sa.String(length=10), nullable=False),
        sa.Column("wallet", sa.String(length=64), nullable=False),
        sa.Column("pool", Units(), nullable=False),
        sa.Column("fee", Units(), nullable=False),
        sa.Column("fee_policy", sa.String(length=10), nullable=False),
        sa.Column("unassigned", Units(), nullable=False),
        sa.Column("total", Units(), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("approved_at", Utc(length=40), nullable=True),
        sa.Column("settled_at", Utc(length=40), nullable=True),
        sa.Column("overlap_reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'sending', 'settled', 'void')", name=op.f("ck_batches_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("network", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_identity_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
    )
    op.create_table(
        "keys",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("address", name=op.f("uq_keys_address")),
    )
    op.create_table(
        "rosters",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        sa.UniqueConstraint("digest", name=op.f("uq_rosters_digest")),
    )
    op.create_table(
        "rulings",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("wallet", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tx_id", sa.String(length=66), nullable=False),
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ruling", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint("ruling IN ('foreign', 'adopted')", name=op.f("ck_rulings_ruling")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rulings")),
        sa.UniqueConstraint("genesis", "wallet", "nonce", name="one_ruling"),
    )
    op.create_table(
        "users",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "wallets",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("baseline_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("baseline_hash", sa.String(length=66), nullable=False),
        sa.Column("baseline_nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallets")),
        sa.UniqueConstraint("genesis", "address", name="one_wallet"),
    )
    op.create_table(
        "address_terms",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_address_terms_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_terms")),
    )
    op.create_index(
        "one_owner_of_an_address",
        "address_terms",
        ["address"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL"),
        postgresql_where=sa.text("until_block IS NULL"),
    )
    op.create_table(
        "chunks",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint("state IN ('new', 'attempted', 'landed', 'failed', 'dead')", name=op.f("ck_chunks_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_chunks_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
    )
    op.create_index(op.f("ix_chunks_batch_id"), "chunks", ["batch_id"], unique=False)
    op.create_table(
        "claims",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("netuid", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state IN ('held', 'void', 'overlap')", name=op.f("ck_claims_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_claims_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_batch_id"), "claims", ["batch_id"], unique=False)
    op.create_index(
        "one_batch_per_snapshot",
        "claims",
        ["hotkey", "netuid", "block"],
        unique=True,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "lines",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("from_pool", Units(), nullable=False),
        sa.Column("released", Units(), nullable=False),
        sa.Column("fee_share", Units(), nullable=False),
        sa.Column("amount", Units(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'owed', 'chunked', 'paid', 'void')", name=op.f("ck_lines_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_lines_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("batch_id", "position", name="line_place"),
    )
    op.create_index(op.f("ix_lines_batch_id"), "lines", ["batch_id"], unique=False)
    op.create_table(
        "payout_terms",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payout_terms_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_terms")),
    )
    op.create_index(
        "one_payout_address",
        "payout_terms",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL"),
        postgresql_where=sa.text("until_block IS NULL"),
    )
    op.create_table(
        "rate_terms",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("referrer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("referee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rate_bps", sa.Integer(), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["referee_id"], ["users.id"], name=op.f("fk_rate_terms_referee_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["users.id"], name=op.f("fk_rate_terms_referrer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_terms")),
    )
    op.create_index(
        "one_override",
        "rate_terms",
        ["referrer_id", "referee_id"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL AND referee_id IS NOT NULL"),
        postgresql_where=sa.text("until_block IS NULL AND referee_id IS NOT NULL"),
    )
    op.create_index(
        "one_rate",
        "rate_terms",
        ["referrer_id"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL AND referee_id IS NULL"),
        postgresql_where=sa.text("until_block IS NULL AND referee_id IS NULL"),
    )
    op.create_table(
        "referral_terms",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("referee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("referrer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["referee_id"], ["users.id"], name=op.f("fk_referral_terms_referee_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["users.id"], name=op.f("fk_referral_terms_referrer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_terms")),
    )
    op.create_index(
        "one_referrer",
        "referral_terms",
        ["referee_id"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL"),
        postgresql_where=sa.text("until_block IS NULL"),
    )
    op.create_table(
        "renames",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("old_name", sa.String(length=200), nullable=False),
        sa.Column("new_name", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_renames_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renames")),
    )
    op.create_table(
        "snapshots",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("netuid", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("owner_stake", Units(), nullable=False),
        sa.Column("others_stake", Units(), nullable=False),
        sa.Column("price_rao", Units(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("roster_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("base_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("stakes", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["roster_id"], ["rosters.id"], name=op.f("fk_snapshots_roster_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.ForeignKeyConstraint(["base_id"], ["snapshots.id"], name=op.f("fk_snapshots_base_id")),
        sa.UniqueConstraint("hotkey", "netuid", "block", name="one_snapshot"),
    )
    op.create_table(
        "user_terms",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_terms_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_terms")),
    )
    op.create_index(
        "one_open_user",
        "user_terms",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("until_block IS NULL"),
        postgresql_where=sa.text("until_block IS NULL"),
    )
    op.create_table(
        "attempts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("chunk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wallet", sa.String(length=64), nullable=False),
        sa.Column("tx_id", sa.String(length=66), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("birth_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("birth_hash", sa.String(length=66), nullable=False),
        sa.Column("valid_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("spec_version", sa.Integer(), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("chain_at", Utc(length=40), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sent_at", Utc(length=40), nullable=True),
        sa.Column("scanned_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("scanned_hash", sa.String(length=66), nullable=True),
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.Column("fee", Units(), nullable=True),
        sa.Column("error", sa.String(length=500), server_default="", nullable=False),
        sa.Column("resolved_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("state IN ('signed', 'sent', 'landed', 'failed', 'dead')", name=op.f("ck_attempts_state")),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunks.id"], name=op.f("fk_attempts_chunk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("tx_id", name=op.f("uq_attempts_tx_id")),
    )
    op.create_index(op.f("ix_attempts_chunk_id"), "attempts", ["chunk_id"], unique=False)
    op.create_index(
        "one_live_attempt",
        "attempts",
        ["chunk_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('signed', 'sent', 'landed')"),
        postgresql_where=sa.text("state IN ('signed', 'sent', 'landed')"),
    )
    op.create_index(
        "one_unresolved_attempt",
        "attempts",
        ["genesis", "wallet"],
        unique=True,
        sqlite_where=sa.text("state IN ('signed', 'sent')"),
        postgresql_where=sa.text("state IN ('signed', 'sent')"),
    )
    op.create_table(
        "chunk_lines",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("chunk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunks.id"], name=op.f("fk_chunk_lines_chunk_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_chunk_lines_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunk_lines")),
        sa.UniqueConstraint("chunk_id", "line_id", name="line_once_in_chunk"),
    )
    op.create_index(op.f("ix_chunk_lines_chunk_id"), "chunk_lines", ["chunk_id"], unique=False)
    op.create_index(
        "one_live_chunk_per_line",
        "chunk_lines",
        ["line_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_table(
        "entries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("asset", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cause", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint(
            "kind IN ('accrued', 'held', 'reserved', 'released', 'paid', 'netted', 'forfeited')",
            name=op.f("ck_entries_kind"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_entries_batch_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_entries_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_person"), "entries", ["person"], unique=False)
    op.create_table(
        "receipts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_receipts_attempt_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_receipts_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("genesis", "previous_hash", name="one_successor"),
        sa.UniqueConstraint("hash", name=op.f("uq_receipts_hash")),
        sa.UniqueConstraint("line_id", name=op.f("uq_receipts_line_id")),
    )
