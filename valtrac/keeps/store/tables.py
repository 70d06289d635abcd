"""The tables of keeps: which there are, how they were seen, redemptions, and every action with its reason."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Address, Big, Hash, Rules, genesis, live, one_of, own_id, table
from valtrac.database.types import Units, Utc
from valtrac.keeps.model.minting import MintState
from valtrac.keeps.model.progress import OPEN, Action, RedemptionState

# one row for each keep; what it is like now, as it was read last. confirmed: the factory told of it, and not only the
# cache of the old bot
keeps = table(
    "keeps_keeps",
    own_id(),
    sa.Column("keep", Address, nullable=False, unique=True),
    sa.Column("deposit", Address, nullable=False, unique=True),
    sa.Column("block", Big, nullable=False),
    sa.Column("members", sa.Text, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("lot", Units, nullable=False),
    sa.Column("deposit_state", sa.Integer, index=True),
    sa.Column("percent", sa.Integer),
    sa.Column("bond", Units, nullable=False),
    sa.Column("courtesy", sa.Integer, nullable=False),
    sa.Column("severe", sa.Integer, nullable=False),
    sa.Column("holder", Address, nullable=False),
    sa.Column("left_s", Big, nullable=False),
    sa.Column("called_at", Big, nullable=False),
    sa.Column("seen_block", Big, nullable=False),
    sa.Column("found_at", Utc, nullable=False),
    rules=Rules(frozen=("keep", "deposit", "found_at")),
)

# how far the factory's events were read without a gap; a single row
cursor = table(
    "keeps_cursor",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="one"),
    genesis(),
    sa.Column("from_block", Big, nullable=False),
    sa.Column("to_block", Big, nullable=False),
    sa.Column("to_hash", Hash, nullable=False),
    rules=Rules(frozen=("genesis", "from_block")),
)

# each change of a state or a percentage, as it was seen
sightings = table(
    "keeps_sightings",
    own_id(),
    sa.Column("keep_id", Big, sa.ForeignKey("keeps_keeps.id"), nullable=False, index=True),
    sa.Column("block", Big, nullable=False),
    sa.Column("chain_at", Utc, nullable=False),
    sa.Column("deposit_state", sa.Integer, nullable=False),
    sa.Column("percent", sa.Integer),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

redemptions = table(
    "keeps_redemptions",
    own_id(),
    genesis(),
    sa.Column("keep_id", Big, sa.ForeignKey("keeps_keeps.id"), nullable=False, index=True),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False, unique=True),
    sa.Column("route", sa.String(20), nullable=False),
    sa.Column("cost", Units, nullable=False),
    sa.Column("value", Units, nullable=False),
    sa.Column("coin", Units, nullable=False),
    sa.Column("fee", Units, nullable=False),
    sa.Column("script", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    *one_of("state", *RedemptionState),
    sa.Column("tx_id", Hash, nullable=False, server_default=""),
    sa.Column("taken", Units),
    sa.Column("requested_block", Big),
    sa.Column("since", Big),
    sa.Column("increases", sa.Integer, nullable=False, server_default="0"),
    sa.Column("bitcoin_tx", sa.String(64), nullable=False, server_default=""),
    sa.Column("confirmations", sa.Integer, nullable=False, server_default="0"),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("changed_at", Utc, nullable=False),
    rules=Rules(
        frozen=(
            "genesis",
            "keep_id",
            "batch_id",
            "line_id",
            "route",
            "cost",
            "value",
            "coin",
            "fee",
            "script",
            "reason",
            "created_at",
        ),
        arcs=RedemptionState.arcs(),
    ),
)
live(
    "one_open_redemption",
    redemptions.c.keep_id,
    where=f"state IN ({', '.join(repr(state.value) for state in OPEN)})",
)

# everything that was done about a keep, or left, with its reason
actions = table(
    "keeps_actions",
    own_id(),
    genesis(),
    sa.Column("keep_id", Big, sa.ForeignKey("keeps_keeps.id"), index=True),
    *one_of("action", *Action),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id")),
    sa.Column("tx_id", sa.String(66), nullable=False, server_default=""),
    sa.Column("tbtc", Units, nullable=False),
    sa.Column("ether", Units, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

# deposits of one's own, from the wish to the TBTC
mints = table(
    "keeps_mints",
    own_id(),
    genesis(),
    sa.Column("lot", Units, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False, unique=True),
    sa.Column("deposit", Address, nullable=False, server_default=""),
    sa.Column("keep", Address, nullable=False, server_default=""),
    *one_of("state", *MintState),
    sa.Column("pay_to", sa.String(100), nullable=False, server_default=""),
    sa.Column("bitcoin_tx", sa.String(64), nullable=False, server_default=""),
    sa.Column("confirmations", sa.Integer, nullable=False, server_default="0"),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("changed_at", Utc, nullable=False),
    rules=Rules(frozen=("genesis", "lot", "batch_id", "line_id", "created_at"), arcs=MintState.arcs()),
)

# states that last: from when, until when, in words
episodes = table(
    "keeps_episodes",
    own_id(),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("began_at", Utc, nullable=False),
    sa.Column("over_at", Utc),
    rules=Rules(frozen=("kind", "subject", "began_at")),
)
live("one_lasting_keeps_episode", episodes.c.kind, episodes.c.subject, where="over_at IS NULL")
