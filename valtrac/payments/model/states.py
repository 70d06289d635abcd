"""What batches, their lines, chunks and attempts may become."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from valtrac.core.states import State


class Restore(StrEnum):
    """restored: the database came out of a backup; compared: it was compared with the chain since, and pays again."""

    RESTORED = "restored"
    COMPARED = "compared"


class BatchState(State):
    """draft: computed, owed to nobody; approved: owed; sending: something of it was signed; settled: all is paid."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    SETTLED = "settled"
    VOID = "void"

    @classmethod
    def _moves(cls) -> Mapping[BatchState, tuple[BatchState, ...]]:
        return {
            cls.DRAFT: (cls.APPROVED, cls.VOID),
            cls.APPROVED: (cls.SENDING, cls.VOID),
            cls.SENDING: (cls.SETTLED,),
        }


# the batches that claim what they pay for: approved and not taken back
IN_FORCE = (BatchState.APPROVED, BatchState.SENDING, BatchState.SETTLED)
UNFINISHED = (BatchState.APPROVED, BatchState.SENDING)


class LineState(State):
    """planned: of a draft; owed: to be paid; chunked: in a transaction; void: taken out before it was signed."""

    PLANNED = "planned"
    OWED = "owed"
    CHUNKED = "chunked"
    PAID = "paid"
    VOID = "void"

    @classmethod
    def _moves(cls) -> Mapping[LineState, tuple[LineState, ...]]:
        return {
            cls.PLANNED: (cls.OWED, cls.VOID),
            cls.OWED: (cls.CHUNKED, cls.VOID),
            cls.CHUNKED: (cls.OWED, cls.PAID),
        }


class ChunkState(State):
    """The lines of one transaction; a chunk goes where its attempt goes."""

    NEW = "new"
    ATTEMPTED = "attempted"
    LANDED = "landed"
    FAILED = "failed"
    DEAD = "dead"

    @classmethod
    def _moves(cls) -> Mapping[ChunkState, tuple[ChunkState, ...]]:
        return {
            cls.NEW: (cls.ATTEMPTED, cls.FAILED, cls.DEAD),
            cls.ATTEMPTED: (cls.LANDED, cls.FAILED, cls.DEAD),
            cls.DEAD: (cls.ATTEMPTED,),  # it was seen alive
        }


class AttemptState(State):
    """signed: in the journal, perhaps not sent; sent: handed to a node; landed, failed, dead: read from the chain."""

    SIGNED = "signed"
    SENT = "sent"
    LANDED = "landed"
    FAILED = "failed"
    DEAD = "dead"

    @classmethod
    def _moves(cls) -> Mapping[AttemptState, tuple[AttemptState, ...]]:
        ends = (cls.LANDED, cls.FAILED, cls.DEAD)
        return {cls.SIGNED: (cls.SENT, *ends), cls.SENT: ends, cls.DEAD: (cls.SENT,)}  # the last: it was seen alive


UNRESOLVED = (AttemptState.SIGNED, AttemptState.SENT)
# what counts against caps: it was paid, or may still be
SPENDING = (*UNRESOLVED, AttemptState.LANDED)
# what used a nonce of the wallet
INCLUDED = (AttemptState.LANDED, AttemptState.FAILED)
