"""The tables of stake contracts: what was read from the chain, what follows from it, and what became of that.

Every transfer that touches the custodian is one row of `operations`, keyed by block, transaction and operation, so
that whoever reads a block again does nothing. What is owed because of one is a row of `dues`, at most one of a kind.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.contracts.model.states import DueState, TransferState, WithdrawalState
from valtrac.database.columns import Address, Big, Hash, Rules, genesis, live, one_of, own_id, table
from valtrac.database.types import Units, Utc

Name = sa.String(80)

# how far a listener has read: moved in the transaction that writes what it read
cursors = table(
    "cursors",
    sa.Column("name", sa.String(60), primary_key=True),
    genesis(),
    sa.Column("block", Big, nullable=False),
    sa.Column("block_id", Hash, nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(frozen=("name", "genesis")),
)

# -- transfers to and from the custodian ------------------------------------------------------
# waiting: its memo could not be read yet; parked: the owner has to read it; unruled: it left and is not ours

operations = table(
    "operations",
    own_id(),
    genesis(),
    sa.Column("block", Big, nullable=False),
    sa.Column("trx", sa.Integer, nullable=False),
    sa.Column("op", sa.Integer, nullable=False),
    sa.Column("tx_id", Hash, nullable=False),
    sa.Column("at", Utc, nullable=False),
    *one_of("direction", "in", "out"),
    sa.Column("account", Address, nullable=False, index=True),
    sa.Column("name", Name, nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("asset_id", sa.String(20), nullable=False),
    sa.Column("fee", Units, nullable=False),
    sa.Column("sealed", sa.Text),
    *one_of("state", *TransferState),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("memo", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("handled_at", Utc),
    sa.UniqueConstraint("block", "trx", "op", name="one_operation"),
    rules=Rules(
        frozen=(
            "genesis",
            "block",
            "trx",
            "op",
            "tx_id",
            "at",
            "direction",
            "account",
            "name",
            "units",
            "asset_id",
            "fee",
            "sealed",
            "created_at",
        ),
        arcs=TransferState.arcs(),
        refused={"operations_skipped": "OLD.state = 'handled' AND NEW.state = 'waiting' AND OLD.kind <> 'skipped'"},
    ),
)
sa.Index("ix_operations_state", operations.c.state)

# -- contracts with the terms that were in force when they began ---------------------------------

contracts = table(
    "contracts",
    own_id(),
    genesis(),
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("operation_id", Big, sa.ForeignKey("operations.id"), unique=True),
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("account", Address, nullable=False, index=True),
    sa.Column("name", Name, nullable=False),
    sa.Column("amount", Units, nullable=False),
    sa.Column("months", sa.Integer, nullable=False),
    sa.Column("reward_bps", sa.Integer, nullable=False),
    sa.Column("penalty_bps", sa.Integer, nullable=False),
    sa.Column("month_ms", Big, nullable=False),
    sa.Column("start_at", Utc, nullable=False),
    sa.Column("block", Big, nullable=False),
    sa.Column("trx", sa.Integer, nullable=False),
    sa.Column("op", sa.Integer, nullable=False),
    sa.Column("known_at", Utc),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(
        frozen=(
            "genesis",
            "key",
            "source",
            "account",
            "name",
            "amount",
            "months",
            "reward_bps",
            "penalty_bps",
            "month_ms",
            "start_at",
            "block",
            "trx",
            "op",
            "known_at",
            "created_at",
        )
    ),
)

# -- what is due: the rows of contracts, and payments that follow from a request ------------------

dues = table(
    "dues",
    own_id(),
    genesis(),
    sa.Column("contract_id", Big, sa.ForeignKey("contracts.id"), index=True),
    sa.Column("operation_id", Big, sa.ForeignKey("operations.id"), index=True),
    sa.Column("parent_id", Big, sa.ForeignKey("dues.id")),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("account", Address, nullable=False, index=True),
    sa.Column("name", Name, nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("memo", sa.Text, nullable=False),
    sa.Column("start_at", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    *one_of("state", *DueState),
    sa.Column("line_id", Big, sa.ForeignKey("lines.id"), unique=True),
    sa.Column("block", Big),
    sa.Column("tx_id", Hash, nullable=False, server_default=""),
    sa.Column("processed_at", Utc),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(
        frozen=(
            "genesis",
            "contract_id",
            "operation_id",
            "parent_id",
            "type",
            "number",
            "account",
            "name",
            "units",
            "memo",
            "start_at",
            "due_at",
            "created_at",
        ),
        arcs=DueState.arcs(),
        refused={"dues_owed": "OLD.state = 'processing' AND NEW.state = 'aborted' AND OLD.type <> 'exchange'"},
    ),
)
live("one_due_of_a_contract", dues.c.contract_id, dues.c.type, dues.c.number, where="contract_id IS NOT NULL")
live(
    "one_due_of_a_request",
    dues.c.operation_id,
    dues.c.type,
    where="contract_id IS NULL AND operation_id IS NOT NULL",
)
live("one_note_about_a_due", dues.c.parent_id, where="parent_id IS NOT NULL")
sa.Index("ix_dues_state_due", dues.c.state, dues.c.due_at)

# -- money asked back from an exchange: written down before it is asked for --------------------------
# planned: not asked, or asked and the answer lost; asked: the exchange gave it a number; arrived: seen in a block

moves = table(
    "moves",
    own_id(),
    genesis(),
    sa.Column("exchange", sa.String(40), nullable=False),
    sa.Column("operation_id", Big, sa.ForeignKey("operations.id"), unique=True),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("units", Units, nullable=False),
    sa.Column("memo", sa.String(80), nullable=False, unique=True),
    *one_of("state", *WithdrawalState),
    sa.Column("external_id", sa.String(100), nullable=False, server_default=""),
    sa.Column("asked_at", Utc),
    sa.Column("arrived_id", Big, sa.ForeignKey("operations.id"), unique=True),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(
        frozen=("genesis", "exchange", "operation_id", "cause", "units", "memo", "created_at"),
        arcs=WithdrawalState.arcs(),
    ),
)
live("one_cover_per_exchange", moves.c.exchange, where="cause = 'cover' AND state IN ('planned', 'asked')")

# -- the trail: every event as JSON, with the fields that StakeBTS's receipts had -------------------

events = table(
    "events",
    own_id(),
    genesis(),
    sa.Column("nonce", Big, nullable=False, index=True),
    sa.Column("now", Big, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("name", Name, nullable=False),
    sa.Column("msg", sa.Text, nullable=False),
    rules=Rules(append_only=True),
)
sa.Index("ix_events_now", events.c.now)

# what the owner gave to somebody who is no manager, so that what he lends is known as that
loan_references = table(
    "loan_references",
    own_id(),
    genesis(),
    sa.Column("reference", sa.String(60), nullable=False, unique=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("at", Utc, nullable=False),
    rules=Rules(append_only=True),
)
