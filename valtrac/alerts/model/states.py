"""What targets, episodes, deliveries and messages may become."""

from __future__ import annotations

from collections.abc import Mapping

from valtrac.core.states import State


class TargetState(State):
    """active: told; removed: not told any more, kept because of what it was told."""

    ACTIVE = "active"
    REMOVED = "removed"

    @classmethod
    def _moves(cls) -> Mapping[TargetState, tuple[TargetState, ...]]:
        return {cls.ACTIVE: (cls.REMOVED,)}


class RuleState(State):
    """in force, or ended by the owner."""

    IN_FORCE = "in force"
    ENDED = "ended"

    @classmethod
    def _moves(cls) -> Mapping[RuleState, tuple[RuleState, ...]]:
        return {cls.IN_FORCE: (cls.ENDED,)}


class EpisodeState(State):
    """Of a state that is watched: it lasts, or is over. When it comes again, that is another episode."""

    LASTS = "lasts"
    OVER = "over"

    @classmethod
    def _moves(cls) -> Mapping[EpisodeState, tuple[EpisodeState, ...]]:
        return {cls.LASTS: (cls.OVER,)}


class DeliveryState(State):
    """Of one alert to one target. waiting: not in a message yet; packed: in one; dropped: it will be in none."""

    WAITING = "waiting"
    PACKED = "packed"
    DROPPED = "dropped"

    @classmethod
    def _moves(cls) -> Mapping[DeliveryState, tuple[DeliveryState, ...]]:
        return {cls.WAITING: (cls.PACKED, cls.DROPPED)}


class MessageState(State):
    """ready: to be sent, perhaps not for the first time; sent: taken over by the target's service; failed: given up;
    dropped: its target was removed."""

    READY = "ready"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"

    @classmethod
    def _moves(cls) -> Mapping[MessageState, tuple[MessageState, ...]]:
        return {cls.READY: (cls.SENT, cls.FAILED, cls.DROPPED), cls.FAILED: (cls.READY,)}
