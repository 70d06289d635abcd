"""People and their terms, each over blocks [from_block, until_block)."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Address, Big, Rules, genesis, live, own_id, table
from valtrac.database.types import Utc

users = table(
    "users",
    own_id(),
    genesis(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(frozen=("id", "genesis", "created_at")),
)

renames = table(
    "renames",
    own_id(),
    sa.Column("user_id", Big, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("old_name", sa.String(200), nullable=False),
    sa.Column("new_name", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)


def _term(name: str, *columns: sa.Column[object], frozen: tuple[str, ...]) -> sa.Table:
    """A table of what holds in blocks [from_block, until_block); until_block NULL: still."""
    return table(
        name,
        own_id(),
        genesis(),
        *columns,
        sa.Column("from_block", Big, nullable=False),
        sa.Column("until_block", Big),
        sa.Column("created_at", Utc, nullable=False),
        rules=Rules(frozen=frozen),
    )


def _user(name: str = "user_id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Big, sa.ForeignKey("users.id"), nullable=nullable)


user_terms = _term(
    "user_terms",
    _user(),
    frozen=("user_id", "from_block"),
)
address_terms = _term(
    "address_terms",
    _user(),
    sa.Column("address", Address, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    frozen=("user_id", "address", "from_block"),
)
payout_terms = _term(
    "payout_terms",
    _user(),
    sa.Column("address", Address, nullable=False),
    frozen=("user_id", "address", "from_block"),
)
referral_terms = _term(
    "referral_terms",
    _user("referee_id"),
    _user("referrer_id"),
    frozen=("referee_id", "referrer_id", "from_block"),
)
rate_terms = _term(
    "rate_terms",
    _user("referrer_id"),
    _user("referee_id", nullable=True),
    sa.Column("rate_bps", sa.Integer, nullable=False),
    frozen=("referrer_id", "referee_id", "rate_bps", "from_block"),
)
policy_terms = _term(
    "policy_terms",
    sa.Column("person", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("value", sa.String(100), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    frozen=("person", "kind", "value", "words", "from_block"),
)

# an address that the owner vouched for, so that payments to it need not wait
confirmations = table(
    "confirmations",
    own_id(),
    genesis(),
    sa.Column("person", sa.String(80), nullable=False, index=True),
    sa.Column("address", Address, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

# an announced coldkey swap leaves the chain's storage when it is carried out, but not this table
swap_sightings = table(
    "swap_sightings",
    own_id(),
    genesis(),
    sa.Column("address", Address, nullable=False, index=True),
    sa.Column("block", Big, nullable=False),
    sa.Column("announced", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

OPEN = "until_block IS NULL"
live("one_open_user", user_terms.c.user_id, where=OPEN)
live("one_owner_of_an_address", address_terms.c.address, where=OPEN)
live("one_payout_address", payout_terms.c.user_id, where=OPEN)
live("one_referrer", referral_terms.c.referee_id, where=OPEN)
live("one_rate", rate_terms.c.referrer_id, where=OPEN + " AND referee_id IS NULL")
live("one_override", rate_terms.c.referrer_id, rate_terms.c.referee_id, where=OPEN + " AND referee_id IS NOT NULL")
live("one_policy", policy_terms.c.person, policy_terms.c.kind, where=OPEN)

# what is known of one person is asked for at every step of a payment
for _column in (user_terms.c.user_id, payout_terms.c.user_id, address_terms.c.address, policy_terms.c.person):
    sa.Index(None, _column)
