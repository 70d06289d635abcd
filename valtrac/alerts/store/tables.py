"""The tables of alerts: who is told of what, what was told, and how far every source was read.

They lie in a database of their own: writing down what is told must never keep a payment waiting for its turn to write.
Addresses of targets hold secrets and are not among the columns; `shown` is an address without them.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.alerts.model.packing import Hold
from valtrac.alerts.model.rules import Form, Manner
from valtrac.alerts.model.states import DeliveryState, EpisodeState, MessageState, RuleState, TargetState
from valtrac.core.events import Severity
from valtrac.database.columns import Big, Rules, live, one_of, own_id, table
from valtrac.database.types import Utc

Key = sa.String(320)
Kind = sa.String(80)
Audience = sa.String(240)

targets = table(
    "alert_targets",
    own_id(),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("audience", Audience, nullable=False),
    *one_of("form", *Form),
    sa.Column("place", sa.String(20), nullable=False),
    sa.Column("shown", sa.String(200), nullable=False),
    *one_of("state", *TargetState),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("removed_at", Utc),
    rules=Rules(frozen=("name", "audience", "form", "place", "shown", "created_at"), arcs=TargetState.arcs()),
)
live("one_target_of_a_name", targets.c.name, where="state = 'active'")

rules = table(
    "alert_rules",
    own_id(),
    sa.Column("kind", Kind, nullable=False),
    sa.Column("target", sa.String(60), nullable=False),
    *one_of("least", *Severity),
    *one_of("manner", *Manner),
    *one_of("state", *RuleState),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    rules=Rules(frozen=("kind", "target", "least", "manner", "created_at"), arcs=RuleState.arcs()),
)

# began_at: what was before that is told to nobody; read_to: when the last reading began that came to its end
cursors = table(
    "alert_cursors",
    sa.Column("source", sa.String(60), primary_key=True),
    sa.Column("began_at", Utc, nullable=False),
    sa.Column("read_to", Utc, nullable=False),
    rules=Rules(frozen=("source", "began_at")),
)

episodes = table(
    "alert_episodes",
    own_id(),
    sa.Column("key", Key, nullable=False),
    sa.Column("kind", Kind, nullable=False),
    sa.Column("source", sa.String(60), nullable=False),
    sa.Column("audience", Audience, nullable=False),
    *one_of("state", *EpisodeState),
    sa.Column("began_at", Utc, nullable=False),
    sa.Column("told_at", Utc, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("gone_at", Utc),
    sa.Column("over_at", Utc),
    sa.Column("words", sa.Text, nullable=False),
    rules=Rules(frozen=("key", "kind", "source", "audience", "began_at", "words"), arcs=EpisodeState.arcs()),
)
live("one_lasting_episode", episodes.c.key, where="state = 'lasts'")

alerts = table(
    "alerts",
    own_id(),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("kind", Kind, nullable=False),
    sa.Column("source", sa.String(60), nullable=False),
    *one_of("severity", *Severity),
    sa.Column("audience", Audience, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(append_only=True),
)

messages = table(
    "alert_messages",
    own_id(),
    sa.Column("target_id", Big, sa.ForeignKey("alert_targets.id"), nullable=False, index=True),
    sa.Column("code", sa.String(20), nullable=False),
    sa.Column("title", sa.String(250), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    *one_of("severity", *Severity),
    sa.Column("alerts", sa.Integer, nullable=False),
    *one_of("state", *MessageState),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    rules=Rules(
        frozen=("target_id", "code", "title", "body", "severity", "alerts", "created_at"),
        arcs=MessageState.arcs(),
        refused={"alert_messages_sent": "OLD.state = 'sent'"},
    ),
)
sa.Index("ix_alert_messages_state", messages.c.state)

deliveries = table(
    "alert_deliveries",
    own_id(),
    sa.Column("alert_id", Big, sa.ForeignKey("alerts.id"), nullable=False),
    sa.Column("target_id", Big, sa.ForeignKey("alert_targets.id"), nullable=False),
    *one_of("state", *DeliveryState),
    *one_of("hold", *Hold),
    sa.Column("message_id", Big, sa.ForeignKey("alert_messages.id"), index=True),
    sa.Column("words", sa.String(200), nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    sa.UniqueConstraint("alert_id", "target_id", name="one_delivery"),
    rules=Rules(frozen=("alert_id", "target_id", "hold", "created_at"), arcs=DeliveryState.arcs()),
)
sa.Index("ix_alert_deliveries_state", deliveries.c.state)
