"""Misbehaviour on demand. It lives in the chain's file, so that any process can ask for it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.bitshares import blocks, state

COUNTED = ("down", "lose_request", "error", "lose_reply", "hang", "garbage", "wrong_id")
FLAGS = ("hold_pool", "hold_lib", "wrong_chain_id")
LASTING = (*COUNTED, *FLAGS, "slow", "behind")
AT_ONCE = ("drop_pool",)
BROADCASTS = ("broadcast_transaction", "broadcast_transaction_synchronous")


def misbehave(path: Path | str, **faults: Any) -> None:
    """Make the node misbehave from now on, seen by every process. In-process clients are spared.

    lose_request, lose_reply: connection closed before, after a broadcast is carried out. down: connection closed at
    any request. error: an error reply, nothing carried out. hang: carried out, never answered. garbage: carried out,
    the answer is no JSON or has the wrong shape, in turn. wrong_id: a reply with another request's id comes first.
    Each of these takes n for the next n requests, True for all, or {"method": n} for the next n of that method.
    slow=seconds before each answer. hold_pool=True: nothing that waits is included. hold_lib=True: nothing more
    becomes irreversible. wrong_chain_id=True: the node says that it serves another chain. behind=k: it answers
    as if its newest k blocks were not there. drop_pool=True, at once: what waits is forgotten.
    A fault set to 0, False or {} ends. BadInput for an unknown fault or a senseless value; nothing changes then.
    """
    unknown = [name for name in faults if name not in LASTING + AT_ONCE]
    if unknown:
        known = ", ".join(LASTING + AT_ONCE)
        raise BadInput(f"the rehearsal node cannot misbehave like that: {', '.join(unknown)}", fix=f"one of {known}")
    for name, value in faults.items():
        if not _makes_sense(name, value):
            raise BadInput(f"{name}: {value!r} makes no sense", fix="see valtrac/devnet/bitshares/README.md")
    db = state.connect(path)
    with state.writing(db):
        for name in LASTING:
            if name in faults:
                _put(db, name, faults[name])
        if faults.get("drop_pool"):
            blocks.drop_pool(db)


def clear(path: Path | str) -> None:
    """End every fault."""
    db = state.connect(path)
    with state.writing(db):
        db.execute("DELETE FROM faults")


def active(db: sqlite3.Connection) -> dict[str, Any]:
    """The faults in force."""
    return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM faults ORDER BY name")}


def struck(db: sqlite3.Connection, method: str) -> dict[str, Any]:
    """The faults that strike this request, counted down. "slow", "behind" and the flags come as they are set."""
    if db.execute("SELECT 1 FROM faults LIMIT 1").fetchone() is None:
        return {}
    with state.writing(db):
        now = active(db)
        hits = {name: value for name, value in now.items() if name not in COUNTED}
        for name in COUNTED:
            if name not in now or not _hits(name, now[name], method):
                continue
            hits[name] = now[name]
            _put(db, name, _one_less(now[name], method))
            if name in ("down", "lose_request"):
                break  # this request goes no further: the other counts are not used up
    return hits


def _hits(name: str, value: Any, method: str) -> bool:
    if isinstance(value, dict):
        return bool(value.get(method))
    return not name.startswith("lose_") or method in BROADCASTS


def _one_less(value: Any, method: str) -> Any:
    if value is True:
        return True
    if isinstance(value, dict):
        left = {**value, method: _one_less(value[method], method)}
        return {name: count for name, count in left.items() if count}
    return value - 1


def _makes_sense(name: str, value: Any) -> bool:
    if name in FLAGS + AT_ONCE:
        return isinstance(value, bool)
    if name == "slow":
        return value is not True and isinstance(value, (int, float)) and 0 <= value < 3600
    if name == "behind" or not isinstance(value, dict):
        return (type(value) is int and value >= 0) or value is False or (value is True and name != "behind")
    return all(isinstance(method, str) and _makes_sense(name, count) for method, count in value.items())


def _put(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("DELETE FROM faults WHERE name = ?", (name,))
    if value:
        db.execute("INSERT INTO faults VALUES (?, ?)", (name, json.dumps(value)))
