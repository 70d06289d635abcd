"""Snapshots, and the payouts that claim them.

A snapshot that was entered before the first contact with a chain and one read after it are the same: that is why the
indexes leave `genesis` out.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Address, Big, Hash, Rules, genesis, live, one_of, own_id, table
from valtrac.database.types import Units, Utc
from valtrac.snapshots.model.states import CheckpointState, ClaimState, RangeState

keys = table(
    "keys",
    own_id(),
    sa.Column("address", Address, nullable=False, unique=True),
    rules=Rules(append_only=True),
)

rosters = table(
    "rosters",
    own_id(),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("ids", sa.LargeBinary, nullable=False),
    rules=Rules(append_only=True),
)

snapshots = table(
    "snapshots",
    own_id(),
    genesis(),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.Integer, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("block_hash", Hash, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("owner", Address, nullable=False),
    sa.Column("owner_stake", Units, nullable=False),
    sa.Column("others_stake", Units, nullable=False),
    sa.Column("price_rao", Units),
    sa.Column("take_raw", sa.Integer),
    sa.Column("dust", Units),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("heads", sa.Integer, nullable=False),
    sa.Column("roster_id", Big, sa.ForeignKey("rosters.id"), nullable=False),
    sa.Column("base_id", Big, sa.ForeignKey("snapshots.id")),
    sa.Column("depth", sa.Integer, nullable=False),
    sa.Column("stakes", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.UniqueConstraint("hotkey", "netuid", "block", name="one_snapshot"),
    rules=Rules(append_only=True),
)

# sums of weights over all snapshots before a block that count, by hotkey and subnet (or all, valued in TAO); where a
# snapshot before it comes in late or is ruled out, a sum is void, and another takes its place
checkpoints = table(
    "checkpoints",
    own_id(),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.String(10), nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("last_block", Big, nullable=False),
    sa.Column("levels", sa.String, nullable=False),
    sa.Column("moments", Big, nullable=False),
    sa.Column("empty", Big, nullable=False),
    sa.Column("falls", Big, nullable=False),
    sa.Column("unpriced", Big, nullable=False),
    sa.Column("grown", Units, nullable=False),
    sa.Column("ids", sa.LargeBinary, nullable=False),
    sa.Column("mean_share", sa.LargeBinary, nullable=False),
    sa.Column("stake_time", sa.LargeBinary, nullable=False),
    sa.Column("accrual", sa.LargeBinary, nullable=False),
    sa.Column("seal", sa.LargeBinary, nullable=False),
    *one_of("state", *CheckpointState),
    rules=Rules(
        frozen=(
            *("hotkey", "netuid", "block", "last_block", "levels", "moments", "empty", "falls", "unpriced", "grown"),
            *("ids", "mean_share", "stake_time", "accrual", "seal"),
        ),
        arcs=CheckpointState.arcs(),
    ),
)
live("one_checkpoint", checkpoints.c.hotkey, checkpoints.c.netuid, checkpoints.c.block, where="state = 'valid'")

# the owner's word that a snapshot does not count: a slip in an imported file, say
snapshot_rulings = table(
    "snapshot_rulings",
    own_id(),
    sa.Column("snapshot_id", Big, sa.ForeignKey("snapshots.id"), nullable=False, unique=True),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

# the owner's word on up to which block a hotkey was paid for before this ledger began; the last one counts
paid_before = table(
    "paid_before",
    own_id(),
    genesis(),
    sa.Column("hotkey", Address, nullable=False, index=True),
    sa.Column("block", Big, nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

claims = table(
    "claims",
    own_id(),
    genesis(),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.Integer, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    *one_of("state", *ClaimState),
    rules=Rules(frozen=("genesis", "hotkey", "netuid", "block", "batch_id"), arcs=ClaimState.arcs()),
)
live("one_batch_per_snapshot", claims.c.hotkey, claims.c.netuid, claims.c.block, where="state = 'held'")

# the blocks of a hotkey and subnet that a batch pays for; two that are held may not meet without a reason in words
claimed_ranges = table(
    "claimed_ranges",
    own_id(),
    genesis(),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, unique=True),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.String(10), nullable=False),
    sa.Column("from_block", Big, nullable=False),
    sa.Column("to_block", Big, nullable=False),
    *one_of("state", *RangeState),
    rules=Rules(frozen=("genesis", "batch_id", "hotkey", "netuid", "from_block", "to_block"), arcs=RangeState.arcs()),
)
