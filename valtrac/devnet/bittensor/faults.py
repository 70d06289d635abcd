"""Misbehaviour on demand. It lives in the chain's file, so that any process can ask for it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.devnet.bittensor import authorities, memory, produce, state

_COUNTED = ("lose_request", "lose_reply", "down", "pruned")
_FLAGS = ("no_proofs", "wrong_genesis", "hold_pool", "hold_finality")
_JUSTIFICATIONS = ("none", "forged", "few", "elsewhere")
_CHANGES = {"change_authorities": False, "force_authorities": True}  # whether it is forced
LASTING = (*_COUNTED, "slow", "no_events", "justifications", *_FLAGS)
AT_ONCE = ("fork", "drop", "evict", "clear", *_CHANGES)


def misbehave(path: Path | str, **faults: Any) -> None:
    """Make the chain misbehave from now on, seen by every process.

    lose_request=n: the next n submissions never arrive, the caller sees a lost connection.
    lose_reply=n: the next n submissions are taken, the caller sees a lost connection.
    down=n or True: the next n accesses (or all) fail. slow=s: every access takes s seconds.
    no_events=True, n or [numbers]: the events of all (or those) blocks are missing.
    no_proofs=True: the node gives no proofs of storage, as gateways do.
    pruned=n or True: state older than n (256) finalized blocks is gone.
    wrong_genesis=True: the node serves another chain. hold_pool=True: nothing submitted is
    included. hold_finality=True: no further block becomes final.
    justifications="none", "forged" (a signature is another's), "few" (votes lack) or "elsewhere" (of a block
    that is not on this chain): what the node keeps of the votes for its final blocks.
    A fault set to False, 0 or [] ends; clear=True ends them all.
    At once: fork=k throws away the newest k blocks above finality and grows as many empty ones
    (their transactions wait in the pool again; with drop=True they vanish); evict=True empties the pool;
    change_authorities=n has the next block announce a new set that decides all after the n-th block after it,
    force_authorities=n the same, forced.
    Raises BadInput for an unknown fault or a value that makes no sense for it; nothing is changed then.
    """
    unknown = [name for name in faults if name not in LASTING + AT_ONCE]
    if unknown:
        raise BadInput(
            f"the rehearsal chain cannot misbehave like that: {', '.join(unknown)}",
            fix=f"choose from {', '.join(LASTING + AT_ONCE)}",
        )
    for name, value in faults.items():
        if not _makes_sense(name, value):
            raise BadInput(
                f"{name}: {plain(repr(value), 40)} makes no sense", fix="see valtrac/devnet/bittensor/README.md"
            )
    db = state.connect(Path(path))
    try:
        with state.writing(db):
            if faults.get("clear"):
                db.execute("DELETE FROM faults")
            for name in LASTING:
                if name in faults:
                    _set(db, name, faults[name])
            _at_once(db, faults)
    finally:
        db.close()


def _at_once(db: sqlite3.Connection, faults: dict[str, Any]) -> None:
    """What happens now and does not last."""
    if faults.get("evict"):
        db.execute("DELETE FROM pool")
    if faults.get("fork"):
        produce.fork(db, int(faults["fork"]), drop=bool(faults.get("drop")))
    for name, forced in _CHANGES.items():
        if type(faults.get(name)) is int:
            authorities.plan(db, state.head(db).number + 1, faults[name], forced=forced)


def _makes_sense(name: str, value: Any) -> bool:
    if name == "justifications":
        return value is False or value in _JUSTIFICATIONS
    if isinstance(value, bool):
        return name not in ("slow", "fork", *_CHANGES) or not value
    if name == "slow":
        return isinstance(value, (int, float)) and 0 <= value < 3600
    if name == "no_events" and isinstance(value, list):
        return all(type(number) is int for number in value)
    return name in (*_COUNTED, "no_events", "fork", *_CHANGES) and type(value) is int and value >= 0


def active(db: sqlite3.Connection) -> dict[str, Any]:
    """The faults in force."""
    return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM faults ORDER BY name")}


def fault(db: sqlite3.Connection, name: str) -> Any:
    """The value of a fault, or None where it is not in force, as of the last look."""
    return memory.remembered(db, "faults", lambda: active(db)).get(name)


def spend(db: sqlite3.Connection, name: str) -> bool:
    """Whether a counted fault strikes now; counts it down (True never ends)."""
    if fault(db, name) is None:
        return False
    with state.writing(db):
        left = fault(db, name)
        if left is None:
            return False
        if left is not True:
            _set(db, name, left - 1)
    return True


def events_missing(db: sqlite3.Connection, number: int) -> bool:
    """Whether the events of that block are missing."""
    missing = fault(db, "no_events")
    return missing is True or missing == number or (isinstance(missing, list) and number in missing)


def state_discarded(db: sqlite3.Connection, number: int) -> bool:
    """Whether the state of that block has been pruned."""
    kept = fault(db, "pruned")
    if kept is None:
        return False
    return number < state.settings(db).finalized - (256 if kept is True else int(kept))


def _set(db: sqlite3.Connection, name: str, value: Any) -> None:
    if value:
        db.execute(
            "INSERT INTO faults VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )
    else:
        db.execute("DELETE FROM faults WHERE name = ?", (name,))
