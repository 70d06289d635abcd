"""A batch is any business' own: what only payouts know of one goes to a table of claimed ranges."""

import json

import sqlalchemy as sa
from alembic import op

from valtrac.database import triggers

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = {"draft": "planned", "approved": "held", "sending": "held", "settled": "held", "void": "void"}


def upgrade() -> None:
    conn = op.get_bind()
    triggers.remove(conn)
    op.create_table(
        "claimed_ranges",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("genesis", sa.String(66), nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("hotkey", sa.String(64), nullable=False),
        sa.Column("netuid", sa.String(10), nullable=False),
        sa.Column("from_block", BIG, nullable=False),
        sa.Column("to_block", BIG, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'held', 'void')", name=op.f("ck_claimed_ranges_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_claimed_ranges_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claimed_ranges")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_claimed_ranges_batch_id")),
    )
    op.add_column("batches", sa.Column("producer", sa.String(20), nullable=False, server_default="payouts"))
    columns = "id, genesis, state, hotkey, netuid, from_block, to_block, spec"
    for row in conn.exec_driver_sql(f"SELECT {columns} FROM batches ORDER BY id").all():
        spec = json.loads(row.spec)
        if spec["by"] == "contracts":
            spec["block"] = row.from_block
            conn.execute(
                sa.text("UPDATE batches SET producer = 'contracts', spec = :spec WHERE id = :id"),
                {"id": row.id, "spec": json.dumps(spec, sort_keys=True, separators=(",", ":"))},
            )
            continue
        if spec["by"] == "balances":
            continue  # it pays what older batches held, and claims no blocks
        conn.execute(
            sa.text(
                "INSERT INTO claimed_ranges (genesis, batch_id, hotkey, netuid, from_block, to_block, state) "
                "VALUES (:genesis, :id, :hotkey, :netuid, :from_block, :to_block, :state)"
            ),
            {**{name: getattr(row, name) for name in ("genesis", "id", "hotkey", "netuid", "from_block", "to_block")},
             "state": STATES[row.state]},
        )
    for column in ("hotkey", "netuid", "pool", "fee_policy", "unassigned", "from_block", "to_block"):
        op.execute(f"ALTER TABLE batches DROP COLUMN {column}")
    if conn.dialect.name == "postgresql":
        op.alter_column("batches", "producer", server_default=None)
