"""The Qtum pool: blocks that were looked at, rewards and their shares, the book, paydays, states that last."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = "0013"
down_revision = "0012"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pool_blocks",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.Column("won", sa.String(length=10), nullable=False),
        sa.Column("staker", sa.String(length=64), nullable=False),
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("kernel", sa.String(length=80), nullable=False),
        sa.Column("staker_reward", Units(), nullable=False),
        sa.Column("delegate_reward", Units(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("late_s", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("seen_at", Utc(length=40), nullable=False),
        sa.Column("undone_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("state IN ('held', 'undone')", name=op.f("ck_pool_blocks_state")),
        sa.CheckConstraint("won IN ('delegated', 'own', 'others')", name=op.f("ck_pool_blocks_won")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_blocks")),
    )
    op.create_index("ix_pool_blocks_seen_at", "pool_blocks", ["seen_at"], unique=False)
    op.create_index("ix_pool_blocks_won", "pool_blocks", ["won", "height"], unique=False)
    op.create_index(
        "one_block_a_height",
        "pool_blocks",
        ["height"],
        unique=True,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "pool_coin_sets",
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("coins", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_pool_coin_sets")),
    )
    op.create_table(
        "pool_rewards",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("block_id", BIG, nullable=False),
        sa.Column("reward", Units(), nullable=False),
        sa.Column("remainder", Units(), nullable=False),
        sa.Column("weight", Units(), nullable=False),
        sa.Column("least_coin", Units(), nullable=False),
        sa.Column("maturity", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("required_fee", sa.Integer(), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["block_id"], ["pool_blocks.id"], name=op.f("fk_pool_rewards_block_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_rewards")),
        sa.UniqueConstraint("block_id", name=op.f("uq_pool_rewards_block_id")),
    )
    op.create_table(
        "pool_shares",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("reward_id", BIG, nullable=False),
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("weight", Units(), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("coin_set", sa.String(length=66), nullable=False),
        sa.ForeignKeyConstraint(["coin_set"], ["pool_coin_sets.hash"], name=op.f("fk_pool_shares_coin_set")),
        sa.ForeignKeyConstraint(["reward_id"], ["pool_rewards.id"], name=op.f("fk_pool_shares_reward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_shares")),
        sa.UniqueConstraint("reward_id", "delegate", name="one_share"),
    )
    op.create_index(op.f("ix_pool_shares_delegate"), "pool_shares", ["delegate"], unique=False)
    op.create_index(op.f("ix_pool_shares_reward_id"), "pool_shares", ["reward_id"], unique=False)
    # ### end Alembic commands ###
    op.create_table(
        "pool_paydays",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("due_at", Utc(length=40), nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("fee_bps", sa.Integer(), nullable=False),
        sa.Column("minimum", Units(), nullable=False),
        sa.Column("revenue", Units(), nullable=False),
        sa.Column("paid", Units(), nullable=False),
        sa.Column("carried", Units(), nullable=False),
        sa.Column("delegates_paid", sa.Integer(), nullable=False),
        sa.Column("delegates_carried", sa.Integer(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_pool_paydays_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_paydays")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_pool_paydays_batch_id")),
        sa.UniqueConstraint("due_at", name=op.f("uq_pool_paydays_due_at")),
    )
    op.create_table(
        "pool_book",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.Column("block_id", BIG, nullable=True),
        sa.Column("payday_id", BIG, nullable=True),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint(
            "kind IN ('share', 'undone', 'remainder', 'own', 'unshared', 'opening', 'payday', 'fee')",
            name=op.f("ck_pool_book_kind"),
        ),
        sa.ForeignKeyConstraint(["block_id"], ["pool_blocks.id"], name=op.f("fk_pool_book_block_id")),
        sa.ForeignKeyConstraint(["payday_id"], ["pool_paydays.id"], name=op.f("fk_pool_book_payday_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_book")),
    )
    op.create_index(op.f("ix_pool_book_block_id"), "pool_book", ["block_id"], unique=False)
    op.create_index(op.f("ix_pool_book_delegate"), "pool_book", ["delegate"], unique=False)
    op.create_index(op.f("ix_pool_book_payday_id"), "pool_book", ["payday_id"], unique=False)
    op.create_table(
        "pool_balances",
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("units", Units(), nullable=False),
        sa.PrimaryKeyConstraint("delegate", name=op.f("pk_pool_balances")),
    )
    op.create_table(
        "pool_episodes",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("began_at", Utc(length=40), nullable=False),
        sa.Column("ended_at", Utc(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_episodes")),
    )
    op.create_index(
        "one_episode_a_kind",
        "pool_episodes",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "pool_beginnings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("staker", sa.String(length=64), nullable=False),
        sa.Column("after", BIG, nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_pool_beginnings_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_beginnings")),
    )
