"""Batches, the journal and the ledger. Money safety is what this file and the indexes in it say.

A database belongs to one chain, which the row of `identity` says and its triggers keep: what is paid on it carries
`genesis`, "" while no node was asked yet.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.finality import Origin
from valtrac.database.columns import Address, Big, Hash, Rules, genesis, live, one_of, own_id, table
from valtrac.database.types import Units, Utc
from valtrac.payments.model.states import AttemptState, BatchState, ChunkState, LineState, Restore

batches = table(
    "batches",
    own_id(),
    genesis(),
    sa.Column("producer", sa.String(20), nullable=False),
    *one_of("state", *BatchState),
    sa.Column("wallet", Address, nullable=False),
    sa.Column("fee", Units, nullable=False),
    sa.Column("total", Units, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("inputs_hash", sa.String(64), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("approved_at", Utc),
    sa.Column("settled_at", Utc),
    sa.Column("overlap_reason", sa.String(500), nullable=False, server_default=""),
    sa.Column("note", sa.String(500), nullable=False, server_default=""),
    sa.Column("despite", sa.String(500), nullable=False, server_default=""),
    rules=Rules(
        frozen=("genesis", "producer", "wallet", "fee", "total", "spec", "plan", "inputs_hash", "created_at"),
        arcs=BatchState.arcs(),
    ),
)

lines = table(
    "lines",
    own_id(),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("person", sa.String(80), nullable=False),
    sa.Column("address", Address, nullable=False),
    sa.Column("from_pool", Units, nullable=False),
    sa.Column("released", Units, nullable=False),
    sa.Column("fee_share", Units, nullable=False),
    sa.Column("amount", Units, nullable=False),
    *one_of("state", *LineState),
    sa.Column("memo", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("batch_id", "position", name="line_place"),
    rules=Rules(
        frozen=(
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
        arcs=LineState.arcs(),
    ),
)

chunks = table(
    "chunks",
    own_id(),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    *one_of("state", *ChunkState),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(frozen=("batch_id", "created_at"), arcs=ChunkState.arcs()),
)

chunk_lines = table(
    "chunk_lines",
    own_id(),
    sa.Column("chunk_id", Big, sa.ForeignKey("chunks.id"), nullable=False, index=True),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.UniqueConstraint("chunk_id", "line_id", name="line_once_in_chunk"),
    rules=Rules(frozen=("chunk_id", "line_id", "position")),
)
live("one_live_chunk_per_line", chunk_lines.c.line_id, where="live")

attempts = table(
    "attempts",
    own_id(),
    genesis(),
    sa.Column("chunk_id", Big, sa.ForeignKey("chunks.id"), nullable=False, index=True),
    sa.Column("wallet", Address, nullable=False),
    # 0, or the nonce where several transactions of a wallet may be on their way at once, one a nonce
    sa.Column("lane", Big, nullable=False, server_default="0"),
    sa.Column("tx_id", Hash, nullable=False, unique=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("nonce", Big, nullable=False),
    sa.Column("birth_block", Big, nullable=False),
    sa.Column("birth_hash", Hash, nullable=False),
    sa.Column("valid_until", Big, nullable=False),
    sa.Column("spec_version", sa.Integer, nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("chain_at", Utc, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    *one_of("state", *AttemptState),
    sa.Column("sent_at", Utc),
    sa.Column("scanned_to", Big),
    sa.Column("scanned_hash", Hash),
    sa.Column("block", Big),
    sa.Column("block_hash", Hash),
    sa.Column("fee", Units),
    sa.Column("error", sa.String(500), nullable=False, server_default=""),
    sa.Column("resolved_at", Utc),
    rules=Rules(
        frozen=(
            "genesis",
            "chunk_id",
            "wallet",
            "lane",
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
        arcs=AttemptState.arcs(),
        # what has ended stays as it is; but one that was ruled dead and is seen alive is open again
        refused={
            "attempts_final": "OLD.state NOT IN ('signed', 'sent') AND OLD.state || '>' || NEW.state <> 'dead>sent'"
        },
    ),
)
live("one_live_attempt", attempts.c.chunk_id, where="state IN ('signed', 'sent', 'landed')")
live(
    "one_unresolved_attempt",
    attempts.c.genesis,
    attempts.c.wallet,
    attempts.c.lane,
    where="state IN ('signed', 'sent')",
)

# the same transaction signed once more at another price, in place of one that waits; one of them lands
replacements = table(
    "replacements",
    own_id(),
    genesis(),
    sa.Column("attempt_id", Big, sa.ForeignKey("attempts.id"), nullable=False, index=True),
    sa.Column("tx_id", Hash, nullable=False, unique=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

wallets = table(
    "wallets",
    own_id(),
    genesis(),
    sa.Column("address", Address, nullable=False),
    sa.Column("baseline_block", Big, nullable=False),
    sa.Column("baseline_hash", Hash, nullable=False),
    sa.Column("baseline_nonce", Big, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "address", name="one_wallet"),
    rules=Rules(append_only=True),
)

rulings = table(
    "rulings",
    own_id(),
    genesis(),
    sa.Column("wallet", Address, nullable=False),
    sa.Column("nonce", Big, nullable=False),
    sa.Column("tx_id", Hash, nullable=False),
    sa.Column("block", Big, nullable=False),
    *one_of("ruling", "foreign", "adopted"),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "wallet", "nonce", name="one_ruling"),
    rules=Rules(append_only=True),
)

entries = table(
    "entries",
    own_id(),
    genesis(),
    sa.Column("person", sa.String(80), nullable=False, index=True),
    sa.Column("asset", sa.String(40), nullable=False),
    *one_of("kind", "accrued", "held", "reserved", "released", "paid", "netted", "forfeited"),
    sa.Column("units", Units, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id")),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id")),
    sa.Column("cause", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

receipts = table(
    "receipts",
    own_id(),
    genesis(),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False, unique=True),
    sa.Column("attempt_id", Big, sa.ForeignKey("attempts.id"), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "previous_hash", name="one_successor"),
    rules=Rules(append_only=True),
)

# this database was restored from a backup, or was compared with the chain since; the newest row counts
restores = table(
    "restores",
    own_id(),
    sa.Column("made_at", Utc, nullable=False),
    *one_of("kind", *Restore),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

# who decides what is final on the chain, each row after the one that it follows; proven_*: the newest block that is
# known to be final under it
authority_sets = table(
    "authority_sets",
    own_id(),
    genesis(),
    sa.Column("follows", Big, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("block_hash", Hash, nullable=False),
    sa.Column("number", Big, nullable=False),
    sa.Column("weights", sa.Text, nullable=False),
    *one_of("origin", *Origin),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("proven_block", Big, nullable=False),
    sa.Column("proven_hash", Hash, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "follows", name="authority_set_place"),
    rules=Rules(
        frozen=("genesis", "follows", "block", "block_hash", "number", "weights", "origin", "words", "at"),
        refused={"authority_sets_back": "NEW.proven_block < OLD.proven_block"},
    ),
)

# how far a file of the log of payments was read row by row and found right: as long as it is what it was then, only the
# receipts that came later are looked at. listed: the newest receipt that stands in it ("": unknown); checked: whether
# every transaction in it is known here
log_marks = table(
    "log_marks",
    own_id(),
    sa.Column("path", sa.String(1000), nullable=False, unique=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("listed", sa.String(64), nullable=False),
    sa.Column("checked", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(frozen=("path",)),
)
