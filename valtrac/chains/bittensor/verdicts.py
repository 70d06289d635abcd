"""Telling the node's no from a lost connection."""

from __future__ import annotations

_VERDICTS = range(1000, 2000)
_NO_SUCH_METHOD = -32601


def is_verdict(error: Exception) -> bool:
    """Whether the node itself said no.

    Only an error answer of the pool is one (codes 1000 to 1999). The SDK reports a lost
    connection by the same class, without an answer; a gateway's error may hide a success.
    """
    return _code(error) in _VERDICTS


def knows_no_such_method(error: Exception) -> bool:
    """Whether the node answered that it offers no such question."""
    return _code(error) == _NO_SUCH_METHOD


def _code(error: Exception) -> object:
    payload = getattr(error, "payload", None)
    answer = payload.get("error") if isinstance(payload, dict) else None
    return answer.get("code") if isinstance(answer, dict) else None
