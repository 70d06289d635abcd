"""The tables of a pool: blocks that were looked at, their rewards, what each delegate is owed by them, paydays.

Nothing is taken back by removing it: a block that the chain has dropped is marked, and what it brought is booked out.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Address, Big, Hash, Rules, genesis, live, one_of, own_id, table
from valtrac.database.types import Units, Utc
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.states import BlockState, Booking

Outpoint = sa.String(80)

# -- one row for each block that was looked at, with how the node did at that moment ------------

blocks = table(
    "pool_blocks",
    own_id(),
    genesis(),
    sa.Column("height", Big, nullable=False),
    sa.Column("hash", Hash, nullable=False),
    sa.Column("parent_hash", Hash, nullable=False),
    sa.Column("at", Utc, nullable=False),
    *one_of("won", *Won),
    sa.Column("staker", Address, nullable=False),
    sa.Column("delegate", Address, nullable=False),
    sa.Column("kernel", Outpoint, nullable=False),
    sa.Column("staker_reward", Units, nullable=False),
    sa.Column("delegate_reward", Units, nullable=False),
    sa.Column("percent", sa.Integer),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("late_s", sa.Integer, nullable=False),
    *one_of("state", *BlockState),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("undone_at", Utc),
    rules=Rules(
        frozen=(
            "genesis",
            "height",
            "hash",
            "parent_hash",
            "at",
            "won",
            "staker",
            "delegate",
            "kernel",
            "staker_reward",
            "delegate_reward",
            "percent",
            "words",
            "node",
            "late_s",
            "seen_at",
        ),
        arcs=BlockState.arcs(),
    ),
)
live("one_block_a_height", blocks.c.height, where="state = 'held'")
sa.Index("ix_pool_blocks_won", blocks.c.won, blocks.c.height)
sa.Index("ix_pool_blocks_seen_at", blocks.c.seen_at)

# -- what a block of ours brought, and by which coins it was shared ------------------------------

rewards = table(
    "pool_rewards",
    own_id(),
    genesis(),
    sa.Column("block_id", Big, sa.ForeignKey("pool_blocks.id"), nullable=False, unique=True),
    sa.Column("reward", Units, nullable=False),
    sa.Column("remainder", Units, nullable=False),
    sa.Column("weight", Units, nullable=False),
    sa.Column("least_coin", Units, nullable=False),
    sa.Column("maturity", sa.Integer, nullable=False),
    sa.Column("rule", sa.String(10), nullable=False),
    sa.Column("required_fee", sa.Integer, nullable=False),
    sa.Column("nodes", sa.Integer, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

coin_sets = table(
    "pool_coin_sets",
    sa.Column("hash", Hash, primary_key=True),
    sa.Column("coins", sa.LargeBinary, nullable=False),
    rules=Rules(append_only=True),
)

shares = table(
    "pool_shares",
    own_id(),
    sa.Column("reward_id", Big, sa.ForeignKey("pool_rewards.id"), nullable=False, index=True),
    sa.Column("delegate", Address, nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("fee", sa.Integer, nullable=False),
    sa.Column("weight", Units, nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("coin_set", Hash, sa.ForeignKey("pool_coin_sets.hash"), nullable=False),
    sa.UniqueConstraint("reward_id", "delegate", name="one_share"),
    rules=Rules(append_only=True),
)

# -- days of payment ------------------------------------------------------------------------------

paydays = table(
    "pool_paydays",
    own_id(),
    genesis(),
    sa.Column("due_at", Utc, nullable=False, unique=True),
    sa.Column("height", Big, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), unique=True),
    sa.Column("fee_bps", sa.Integer, nullable=False),
    sa.Column("minimum", Units, nullable=False),
    sa.Column("revenue", Units, nullable=False),
    sa.Column("paid", Units, nullable=False),
    sa.Column("carried", Units, nullable=False),
    sa.Column("delegates_paid", sa.Integer, nullable=False),
    sa.Column("delegates_carried", sa.Integer, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

# -- the book: whose is what ---------------------------------------------------------------------
# an account is a delegate's address, "pool", or "opening" for what an old program left over

book = table(
    "pool_book",
    own_id(),
    genesis(),
    sa.Column("delegate", Address, nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("block_id", Big, sa.ForeignKey("pool_blocks.id"), index=True),
    sa.Column("payday_id", Big, sa.ForeignKey("pool_paydays.id"), index=True),
    sa.Column("words", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.CheckConstraint(f"kind IN ({', '.join(repr(kind.value) for kind in Booking)})", name="kind"),
    rules=Rules(append_only=True),
)

# what each account of the book comes to: moved in the transaction that books. place: the order of first credit
balances = table(
    "pool_balances",
    sa.Column("delegate", Address, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("units", Units, nullable=False),
    rules=Rules(frozen=("delegate", "place")),
)

# -- states that last: the node is down, nothing is staked ... ------------------------------------

episodes = table(
    "pool_episodes",
    own_id(),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("began_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    rules=Rules(frozen=("kind", "words", "began_at"), refused={"pool_episodes_ended": "OLD.ended_at IS NOT NULL"}),
)
live("one_episode_a_kind", episodes.c.kind, where="ended_at IS NULL")

# -- where the pool began: the block after which rewards are counted ------------------------------

beginnings = table(
    "pool_beginnings",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="one"),
    genesis(),
    sa.Column("staker", Address, nullable=False),
    sa.Column("after", Big, nullable=False),
    sa.Column("words", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)
