"""Telling the node's no from a lost connection."""

from __future__ import annotations

_VERDICTS = range(1000, 2000)


def is_verdict(error: Exception) -> bool:
    """Whether the node itself said no.

    Only an error answer of the pool is one (codes 1000 to 1999). The SDK reports a lost
    connection by the same class, without an answer; a gateway's error may hide a success.
    """
    payload = getattr(error, "payload", None)
    answer = payload.get("error") if isinstance(payload, dict) else None
    return isinstance(answer, dict) and answer.get("code") in _VERDICTS
