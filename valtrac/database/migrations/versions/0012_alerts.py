"""Alerts: who is told of what, what was told, how far every source was read."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_cursors",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("began_at", Utc(length=40), nullable=False),
        sa.Column("read_to", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_alert_cursors")),
    )
    op.create_table(
        "alert_episodes",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("audience", sa.String(length=240), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("began_at", Utc(length=40), nullable=False),
        sa.Column("told_at", Utc(length=40), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("gone_at", Utc(length=40), nullable=True),
        sa.Column("over_at", Utc(length=40), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('lasts', 'over')", name=op.f("ck_alert_episodes_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_episodes")),
    )
    op.create_index(
        "one_lasting_episode",
        "alert_episodes",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'lasts'"),
        postgresql_where=sa.text("state = 'lasts'"),
    )
    op.create_table(
        "alert_rules",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(length=60), nullable=False),
        sa.Column("least", sa.String(length=10), nullable=False),
        sa.Column("manner", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("ended_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("least IN ('info', 'warning', 'critical')", name=op.f("ck_alert_rules_least")),
        sa.CheckConstraint("manner IN ('at once', 'daily', 'never')", name=op.f("ck_alert_rules_manner")),
        sa.CheckConstraint("state IN ('in force', 'ended')", name=op.f("ck_alert_rules_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alert_targets",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("audience", sa.String(length=240), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("shown", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("removed_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("form IN ('long', 'sms')", name=op.f("ck_alert_targets_form")),
        sa.CheckConstraint("state IN ('active', 'removed')", name=op.f("ck_alert_targets_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_targets")),
    )
    op.create_index(
        "one_target_of_a_name",
        "alert_targets",
        ["name"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("audience", sa.String(length=240), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alerts_severity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("key", name=op.f("uq_alerts_key")),
    )
    op.create_table(
        "alert_messages",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(length=40), nullable=False),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.Column("ended_at", Utc(length=40), nullable=True),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alert_messages_severity")),
        sa.CheckConstraint("state IN ('ready', 'sent', 'failed', 'dropped')", name=op.f("ck_alert_messages_state")),
        sa.ForeignKeyConstraint(["target_id"], ["alert_targets.id"], name=op.f("fk_alert_messages_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_messages")),
    )
    op.create_index("ix_alert_messages_state", "alert_messages", ["state"], unique=False)
    op.create_index(op.f("ix_alert_messages_target_id"), "alert_messages", ["target_id"], unique=False)
    op.create_table(
        "alert_deliveries",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", BIG, nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hold", sa.String(length=10), nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("words", sa.String(length=200), server_default="", nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint("hold IN ('no', 'quiet', 'daily')", name=op.f("ck_alert_deliveries_hold")),
        sa.CheckConstraint("state IN ('waiting', 'packed', 'dropped')", name=op.f("ck_alert_deliveries_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_deliveries_alert_id")),
        sa.ForeignKeyConstraint(["message_id"], ["alert_messages.id"], name=op.f("fk_alert_deliveries_message_id")),
        sa.ForeignKeyConstraint(["target_id"], ["alert_targets.id"], name=op.f("fk_alert_deliveries_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint("alert_id", "target_id", name="one_delivery"),
    )
    op.create_index(op.f("ix_alert_deliveries_message_id"), "alert_deliveries", ["message_id"], unique=False)
    op.create_index("ix_alert_deliveries_state", "alert_deliveries", ["state"], unique=False)
