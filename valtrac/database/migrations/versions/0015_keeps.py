"""Keeps of tBTC: which there are, how they were seen, redemptions, every action, states that last."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = "0015"
down_revision = "0014"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('keeps_cursor',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('genesis', sa.String(length=66), nullable=False),
    sa.Column('from_block', BIG, nullable=False),
    sa.Column('to_block', BIG, nullable=False),
    sa.Column('to_hash', sa.String(length=66), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_keeps_cursor_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_cursor')),
    )
    op.create_table('keeps_episodes',
    sa.Column('id', BIG, sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('subject', sa.String(length=80), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('began_at', Utc(length=40), nullable=False),
    sa.Column('over_at', Utc(length=40), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_episodes')),
    )
    op.create_index('one_lasting_keeps_episode', 'keeps_episodes', ['kind', 'subject'], unique=True, sqlite_where=sa.text('over_at IS NULL'), postgresql_where=sa.text('over_at IS NULL'))
    op.create_table('keeps_keeps',
    sa.Column('id', BIG, sa.Identity(always=False), nullable=False),
    sa.Column('keep', sa.String(length=64), nullable=False),
    sa.Column('deposit', sa.String(length=64), nullable=False),
    sa.Column('block', BIG, nullable=False),
    sa.Column('members', sa.Text(), nullable=False),
    sa.Column('confirmed', sa.Boolean(), nullable=False),
    sa.Column('lot', Units(), nullable=False),
    sa.Column('deposit_state', sa.Integer(), nullable=True),
    sa.Column('percent', sa.Integer(), nullable=True),
    sa.Column('bond', Units(), nullable=False),
    sa.Column('courtesy', sa.Integer(), nullable=False),
    sa.Column('severe', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=False),
    sa.Column('left_s', BIG, nullable=False),
    sa.Column('called_at', BIG, nullable=False),
    sa.Column('seen_block', BIG, nullable=False),
    sa.Column('found_at', Utc(length=40), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_keeps')),
    sa.UniqueConstraint('deposit', name=op.f('uq_keeps_keeps_deposit')),
    sa.UniqueConstraint('keep', name=op.f('uq_keeps_keeps_keep')),
    )
    op.create_index(op.f('ix_keeps_keeps_deposit_state'), 'keeps_keeps', ['deposit_state'], unique=False)
    op.create_table('keeps_actions',
    sa.Column('id', BIG, sa.Identity(always=False), nullable=False),
    sa.Column('genesis', sa.String(length=66), nullable=False),
    sa.Column('keep_id', BIG, nullable=True),
    sa.Column('action', sa.String(length=10), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('batch_id', BIG, nullable=True),
    sa.Column('tx_id', sa.String(length=66), server_default='', nullable=False),
    sa.Column('tbtc', Units(), nullable=False),
    sa.Column('ether', Units(), nullable=False),
    sa.Column('block', BIG, nullable=False),
    sa.Column('at', Utc(length=40), nullable=False),
    sa.CheckConstraint("action IN ('approve', 'close', 'call', 'leave', 'redeem', 'sign', 'send', 'increase', 'prove', 'seen', 'left', 'mint')", name=op.f('ck_keeps_actions_action')),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.id'], name=op.f('fk_keeps_actions_batch_id')),
    sa.ForeignKeyConstraint(['keep_id'], ['keeps_keeps.id'], name=op.f('fk_keeps_actions_keep_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_actions')),
    )
    op.create_index(op.f('ix_keeps_actions_keep_id'), 'keeps_actions', ['keep_id'], unique=False)
    op.create_table('keeps_sightings',
    sa.Column('id', BIG, sa.Identity(always=False), nullable=False),
    sa.Column('keep_id', BIG, nullable=False),
    sa.Column('block', BIG, nullable=False),
    sa.Column('chain_at', Utc(length=40), nullable=False),
    sa.Column('deposit_state', sa.Integer(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=True),
    sa.Column('at', Utc(length=40), nullable=False),
    sa.ForeignKeyConstraint(['keep_id'], ['keeps_keeps.id'], name=op.f('fk_keeps_sightings_keep_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_sightings')),
    )
    op.create_index(op.f('ix_keeps_sightings_keep_id'), 'keeps_sightings', ['keep_id'], unique=False)
    op.create_table('keeps_redemptions',
    sa.Column('id', BIG, sa.Identity(always=False), nullable=False),
    sa.Column('genesis', sa.String(length=66), nullable=False),
    sa.Column('keep_id', BIG, nullable=False),
    sa.Column('batch_id', BIG, nullable=False),
    sa.Column('line_id', BIG, nullable=False),
    sa.Column('route', sa.String(length=20), nullable=False),
    sa.Column('cost', Units(), nullable=False),
    sa.Column('value', Units(), nullable=False),
    sa.Column('coin', Units(), nullable=False),
    sa.Column('fee', Units(), nullable=False),
    sa.Column('script', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('tx_id', sa.String(length=66), server_default='', nullable=False),
    sa.Column('taken', Units(), nullable=True),
    sa.Column('requested_block', BIG, nullable=True),
    sa.Column('since', BIG, nullable=True),
    sa.Column('increases', sa.Integer(), server_default='0', nullable=False),
    sa.Column('bitcoin_tx', sa.String(length=64), server_default='', nullable=False),
    sa.Column('confirmations', sa.Integer(), server_default='0', nullable=False),
    sa.Column('words', sa.String(length=500), server_default='', nullable=False),
    sa.Column('created_at', Utc(length=40), nullable=False),
    sa.Column('changed_at', Utc(length=40), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'requested', 'signed', 'redeemed', 'lost', 'failed')", name=op.f('ck_keeps_redemptions_state')),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.id'], name=op.f('fk_keeps_redemptions_batch_id')),
    sa.ForeignKeyConstraint(['keep_id'], ['keeps_keeps.id'], name=op.f('fk_keeps_redemptions_keep_id')),
    sa.ForeignKeyConstraint(['line_id'], ['lines.id'], name=op.f('fk_keeps_redemptions_line_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_keeps_redemptions')),
    sa.UniqueConstraint('line_id', name=op.f('uq_keeps_redemptions_line_id')),
    )
    op.create_index(op.f('ix_keeps_redemptions_keep_id'), 'keeps_redemptions', ['keep_id'], unique=False)
    op.create_index('one_open_redemption', 'keeps_redemptions', ['keep_id'], unique=True, sqlite_where=sa.text("state IN ('asked', 'requested', 'signed')"), postgresql_where=sa.text("state IN ('asked', 'requested', 'signed')"))
    op.create_table(
        "keeps_mints",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("lot", Units(), nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("line_id", BIG, nullable=False),
        sa.Column("deposit", sa.String(length=64), server_default="", nullable=False),
        sa.Column("keep", sa.String(length=64), server_default="", nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("pay_to", sa.String(length=100), server_default="", nullable=False),
        sa.Column("bitcoin_tx", sa.String(length=64), server_default="", nullable=False),
        sa.Column("confirmations", sa.Integer(), server_default="0", nullable=False),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("changed_at", Utc(length=40), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'setup', 'funding', 'active', 'minted', 'failed')", name=op.f("ck_keeps_mints_state")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_keeps_mints_batch_id")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_keeps_mints_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeps_mints")),
        sa.UniqueConstraint("line_id", name=op.f("uq_keeps_mints_line_id")),
    )
