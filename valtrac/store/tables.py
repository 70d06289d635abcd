"""Every table, its states and its indexes. Money safety is what this file says.

A database belongs to one chain, which the row of `identity` says and its triggers keep: what was
read from that chain or is paid on it carries `genesis`, "" while no node was asked yet. That is why
the indexes on snapshots and claims leave it out: a snapshot entered before the first contact and
one read after it are the same snapshot.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.store.columns import Address, Big, Hash
from valtrac.store.columns import genesis as _genesis
from valtrac.store.columns import live as _live
from valtrac.store.columns import metadata as metadata
from valtrac.store.columns import one_of as _one_of
from valtrac.store.columns import own_id as _id
from valtrac.store.types import Units, Utc

# -- which chain this database belongs to ------------------------------------------------

identity = sa.Table(
    "identity",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="one"),
    _genesis(),
    sa.Column("network", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("asset", sa.String(10), nullable=False, server_default="TAO"),
)

# -- people and terms, each over block intervals [from_block, until_block) -----------------

users = sa.Table(
    "users",
    metadata,
    _id(),
    _genesis(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("created_at", Utc, nullable=False),
)

renames = sa.Table(
    "renames",
    metadata,
    _id(),
    sa.Column("user_id", Big, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("old_name", sa.String(200), nullable=False),
    sa.Column("new_name", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
)


def _term(name: str, *columns: sa.Column[object]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        _id(),
        _genesis(),
        *columns,
        sa.Column("from_block", Big, nullable=False),
        sa.Column("until_block", Big),
        sa.Column("created_at", Utc, nullable=False),
    )


def _user(name: str = "user_id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Big, sa.ForeignKey("users.id"), nullable=nullable)


user_terms = _term("user_terms", _user())
address_terms = _term(
    "address_terms",
    _user(),
    sa.Column("address", Address, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)
payout_terms = _term("payout_terms", _user(), sa.Column("address", Address, nullable=False))
referral_terms = _term("referral_terms", _user("referee_id"), _user("referrer_id"))
rate_terms = _term(
    "rate_terms",
    _user("referrer_id"),
    _user("referee_id", nullable=True),
    sa.Column("rate_bps", sa.Integer, nullable=False),
)
policy_terms = _term(
    "policy_terms",
    sa.Column("person", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("value", sa.String(100), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
)

# an address that the owner vouched for, so that payments to it need not wait
confirmations = sa.Table(
    "confirmations",
    metadata,
    _id(),
    _genesis(),
    sa.Column("person", sa.String(80), nullable=False, index=True),
    sa.Column("address", Address, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

# an announced coldkey swap leaves the chain's storage when it is carried out, but not this table
swap_sightings = sa.Table(
    "swap_sightings",
    metadata,
    _id(),
    _genesis(),
    sa.Column("address", Address, nullable=False, index=True),
    sa.Column("block", Big, nullable=False),
    sa.Column("announced", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

OPEN = "until_block IS NULL"
_live("one_open_user", user_terms.c.user_id, where=OPEN)
_live("one_owner_of_an_address", address_terms.c.address, where=OPEN)
_live("one_payout_address", payout_terms.c.user_id, where=OPEN)
_live("one_referrer", referral_terms.c.referee_id, where=OPEN)
_live("one_rate", rate_terms.c.referrer_id, where=OPEN + " AND referee_id IS NULL")
_live("one_override", rate_terms.c.referrer_id, rate_terms.c.referee_id, where=OPEN + " AND referee_id IS NOT NULL")
_live("one_policy", policy_terms.c.person, policy_terms.c.kind, where=OPEN)

# -- snapshots -----------------------------------------------------------------------------

keys = sa.Table("keys", metadata, _id(), sa.Column("address", Address, nullable=False, unique=True))

rosters = sa.Table(
    "rosters",
    metadata,
    _id(),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("ids", sa.LargeBinary, nullable=False),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    _id(),
    _genesis(),
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
)

# -- batches: draft -> approved -> sending -> settled; draft or approved -> void -------------

batches = sa.Table(
    "batches",
    metadata,
    _id(),
    _genesis(),
    *_one_of("state", "draft", "approved", "sending", "settled", "void"),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.String(10), nullable=False),
    sa.Column("wallet", Address, nullable=False),
    sa.Column("pool", Units, nullable=False),
    sa.Column("fee", Units, nullable=False),
    sa.Column("fee_policy", sa.String(10), nullable=False),
    sa.Column("unassigned", Units, nullable=False),
    sa.Column("total", Units, nullable=False),
    sa.Column("from_block", Big, nullable=False),
    sa.Column("to_block", Big, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("inputs_hash", sa.String(64), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("approved_at", Utc),
    sa.Column("settled_at", Utc),
    sa.Column("overlap_reason", sa.String(500), nullable=False, server_default=""),
    sa.Column("note", sa.String(500), nullable=False, server_default=""),
    sa.Column("despite", sa.String(500), nullable=False, server_default=""),
)

lines = sa.Table(
    "lines",
    metadata,
    _id(),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("person", sa.String(80), nullable=False),
    sa.Column("address", Address, nullable=False),
    sa.Column("from_pool", Units, nullable=False),
    sa.Column("released", Units, nullable=False),
    sa.Column("fee_share", Units, nullable=False),
    sa.Column("amount", Units, nullable=False),
    *_one_of("state", "planned", "owed", "chunked", "paid", "void"),
    sa.Column("memo", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("batch_id", "position", name="line_place"),
)

claims = sa.Table(
    "claims",
    metadata,
    _id(),
    _genesis(),
    sa.Column("hotkey", Address, nullable=False),
    sa.Column("netuid", sa.Integer, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    *_one_of("state", "held", "void", "overlap"),
)
_live("one_batch_per_snapshot", claims.c.hotkey, claims.c.netuid, claims.c.block, where="state = 'held'")

# -- chunks and attempts ---------------------------------------------------------------------

chunks = sa.Table(
    "chunks",
    metadata,
    _id(),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id"), nullable=False, index=True),
    *_one_of("state", "new", "attempted", "landed", "failed", "dead"),
    sa.Column("created_at", Utc, nullable=False),
)

chunk_lines = sa.Table(
    "chunk_lines",
    metadata,
    _id(),
    sa.Column("chunk_id", Big, sa.ForeignKey("chunks.id"), nullable=False, index=True),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.UniqueConstraint("chunk_id", "line_id", name="line_once_in_chunk"),
)
_live("one_live_chunk_per_line", chunk_lines.c.line_id, where="live")

attempts = sa.Table(
    "attempts",
    metadata,
    _id(),
    _genesis(),
    sa.Column("chunk_id", Big, sa.ForeignKey("chunks.id"), nullable=False, index=True),
    sa.Column("wallet", Address, nullable=False),
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
    *_one_of("state", "signed", "sent", "landed", "failed", "dead"),
    sa.Column("sent_at", Utc),
    sa.Column("scanned_to", Big),
    sa.Column("scanned_hash", Hash),
    sa.Column("block", Big),
    sa.Column("block_hash", Hash),
    sa.Column("fee", Units),
    sa.Column("error", sa.String(500), nullable=False, server_default=""),
    sa.Column("resolved_at", Utc),
)
_live("one_live_attempt", attempts.c.chunk_id, where="state IN ('signed', 'sent', 'landed')")
_live("one_unresolved_attempt", attempts.c.genesis, attempts.c.wallet, where="state IN ('signed', 'sent')")

wallets = sa.Table(
    "wallets",
    metadata,
    _id(),
    _genesis(),
    sa.Column("address", Address, nullable=False),
    sa.Column("baseline_block", Big, nullable=False),
    sa.Column("baseline_hash", Hash, nullable=False),
    sa.Column("baseline_nonce", Big, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "address", name="one_wallet"),
)

rulings = sa.Table(
    "rulings",
    metadata,
    _id(),
    _genesis(),
    sa.Column("wallet", Address, nullable=False),
    sa.Column("nonce", Big, nullable=False),
    sa.Column("tx_id", Hash, nullable=False),
    sa.Column("block", Big, nullable=False),
    *_one_of("ruling", "foreign", "adopted"),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "wallet", "nonce", name="one_ruling"),
)

# -- the ledger: append-only -------------------------------------------------------------------

entries = sa.Table(
    "entries",
    metadata,
    _id(),
    _genesis(),
    sa.Column("person", sa.String(80), nullable=False, index=True),
    sa.Column("asset", sa.String(40), nullable=False),
    *_one_of("kind", "accrued", "held", "reserved", "released", "paid", "netted", "forfeited"),
    sa.Column("units", Units, nullable=False),
    sa.Column("batch_id", Big, sa.ForeignKey("batches.id")),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id")),
    sa.Column("cause", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
)

receipts = sa.Table(
    "receipts",
    metadata,
    _id(),
    _genesis(),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), nullable=False, unique=True),
    sa.Column("attempt_id", Big, sa.ForeignKey("attempts.id"), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("genesis", "previous_hash", name="one_successor"),
)

# -- what one TAO cost in money, at which time: append-only; of two for one time, the later row counts ---------

prices = sa.Table(
    "prices",
    metadata,
    _id(),
    sa.Column("at", Utc, nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("price_nano", Big, nullable=False),
    sa.CheckConstraint("price_nano > 0", name="above_zero"),
    sa.Column("source", sa.String(500), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)
sa.Index("ix_prices_currency_at", prices.c.currency, prices.c.at)

# -- contracts on BitShares have a file of their own, over the same metadata; it is read here so that whoever
# -- opens a database knows every table
from valtrac.store import contract_tables  # noqa: E402

APPEND_ONLY = (
    "identity",
    "renames",
    "confirmations",
    "swap_sightings",
    "keys",
    "rosters",
    "snapshots",
    "wallets",
    "rulings",
    "entries",
    "receipts",
    "prices",
    *contract_tables.APPEND_ONLY,
)
NEVER_DELETED = (
    *APPEND_ONLY,
    "users",
    "user_terms",
    "address_terms",
    "payout_terms",
    "referral_terms",
    "rate_terms",
    "policy_terms",
    "batches",
    "lines",
    "claims",
    "chunks",
    "chunk_lines",
    "attempts",
    *contract_tables.NEVER_DELETED,
)
