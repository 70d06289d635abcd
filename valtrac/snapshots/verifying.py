"""Whether the record of stakes is what was recorded: all of it is read back from its bytes, and summed up again."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.addresses import shortened
from valtrac.core.errors import ValtracError
from valtrac.database.engine import reading
from valtrac.snapshots.store import read_back, sums

MOST_PROBLEMS = 100
UNREADABLE = (zlib.error, struct.error, AssertionError, ValueError, KeyError, IndexError)  # bytes that are not ours


@dataclass(frozen=True, slots=True)
class Verified:
    """How many snapshots and readings were read back, and gave what was written down with them."""

    snapshots: int
    readings: int


def verify(engine: sa.Engine, told: Callable[[int, int, str], None] = lambda done, total, words: None) -> Verified:
    """Read every snapshot back. told: called with (done, total, words) on the way.

    Raises ValtracError naming each snapshot that does not give the digest, the heads or the sum that it was recorded
    with, and each hotkey and subnet of which the rest cannot be read.
    """
    problems: list[str] = []
    done = readings = 0
    with reading(engine) as conn:
        places = read_back.places_recorded(conn)
        total = sum(snapshots for _, _, snapshots in places)
        for hotkey, netuid, _ in places:
            where, block = f"{shortened(hotkey)}, netuid {netuid}", None
            try:
                for block, heads, wrong in read_back.read_back(conn, hotkey, netuid):
                    done, readings = done + 1, readings + heads
                    told(done, total, where)
                    if wrong:
                        problems.append(f"{where}, block {block}: {wrong}")
            except UNREADABLE:
                begin = "from the first block on" if block is None else f"after block {block}"
                problems.append(f"{where}, {begin}: the bytes of a snapshot cannot be read")
        for scope in sums.scopes(conn):
            where = f"{shortened(scope.hotkey)}, netuid {scope.text}"
            wrong_sums = ((block, words) for block, words in sums.compared(conn, scope) if words)
            problems += [f"{where}, block {block}: {words}" for block, words in wrong_sums]
    if problems:
        raise ValtracError(
            "the record of stakes is not what was recorded",
            why="the file was changed or damaged by something other than this program",
            fix="take the database back from a copy, and compare again: run.py snapshot verify",
            problems=[*problems[:MOST_PROBLEMS], *(["and more"] if len(problems) > MOST_PROBLEMS else [])],
        )
    return Verified(done, readings)
