"""Which keeps there are: the factory's events, block by block without a gap, in pieces that can be gone on with."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.keeps.model.old_cache import NotACache, read
from valtrac.keeps.store import keeps as store
from valtrac.keeps.watching import Watching

OVERLAP = 64  # blocks that are read once more: where an older one was exchanged after all
REWRITTEN = 1_000  # blocks that are read again where the newest one that was read has been exchanged


@dataclass(frozen=True, slots=True)
class Discovered:
    """What one reading found. new: keeps; to_block: up to where every block was read; behind: final blocks that are
    left to be read."""

    new: int
    to_block: int
    behind: int


def discover(watching: Watching, *, pieces: int | None = None) -> Discovered:
    """Read on from where it ended, up to the final block; no more than so many pieces where that is said.

    What was read is kept piece by piece. Raises ChainUnreachable, Refused where the chain has another history than the
    one that was read.
    """
    start = _start(watching)
    final = watching.final_head()
    with reading(watching.engine) as conn:
        known = store.read_to(conn)
    first = start if known is None else known[0]
    position = start - 1 if known is None else known[1]
    if known is not None and position > final.number:
        return Discovered(0, position, 0)
    if known is not None and watching.first.chain.head(position).hash != known[2]:
        _refuse_a_chain_begun_anew(watching, position)
        position = max(first - 1, position - REWRITTEN)
    new, read_from = 0, max(first, position + 1 - OVERLAP)
    while position < final.number and (pieces is None or pieces > 0):
        last = min(position + watching.settings.keeps_chunk_blocks, final.number)
        created = watching.created(read_from, last)
        head = final if last == final.number else watching.first.chain.head(last)
        with writing(watching.engine) as conn:
            new += store.add(conn, created)
            store.note_read(conn, first, head)
        position, read_from = last, last + 1
        pieces = None if pieces is None else pieces - 1
    return Discovered(new, position, final.number - position)


def _refuse_a_chain_begun_anew(watching: Watching, position: int) -> None:
    """Raise Refused where the chain does not hold the oldest keep that it told of: only the newest part of a history
    is ever exchanged."""
    with reading(watching.engine) as conn:
        oldest = next((keep for keep in store.listed(conn, over=True) if keep.confirmed), None)
    if oldest is None or oldest.keep in {each.keep for each in watching.created(oldest.block, oldest.block)}:
        return
    raise Refused(
        f"block {position}, up to which keeps were read, is another one on this chain now",
        why="it has the same first block and another history: it was begun anew, or a provider lies",
        fix="ask other providers; a rehearsal chain that was begun anew needs a database of its own: VALTRAC_HOME",
    )


def _start(watching: Watching) -> int:
    known = watching.settings.deployment
    return known.start_block if known is not None else watching.settings.keeps_start_block


@dataclass(frozen=True, slots=True)
class Imported:
    """What a cache of the old bot held. new: keeps that were not known; watched: those that an operator of ours would
    be watched for; with_state: those that it had asked the state of; first, last: blocks."""

    keeps: int
    new: int
    watched: int
    with_state: int
    first: int
    last: int


def import_cache(watching_engine: Watching, text: str, *, dry_run: bool = False) -> Imported:
    """Take over `keeps.json` of the old bot as a hint: discovery still reads every block from the start. Raises
    BadInput with each row that is wrong, and takes nothing over then."""
    try:
        cached = read(text)
    except NotACache as wrong:
        raise BadInput(
            "this is no keeps.json of keep-collateral",
            why=plain(wrong.problems[0], 200) if wrong.problems else "",
            fix="nothing was taken over; mend it, or leave it out: discovery finds the keeps without it",
            problems=[plain(each, 200) for each in wrong.problems],
        ) from wrong
    new, operators = 0, watching_engine.settings.keeps_operators
    with writing(watching_engine.engine) as conn:
        known = store.of_deposits(conn, (each.deposit for each in cached))
        new = sum(each.deposit not in known for each in cached)
        if not dry_run:
            store.hint(conn, cached)
    return Imported(
        len(cached),
        new,
        sum(each.watched_for(operators) for each in cached),
        sum(each.state is not None for each in cached),
        cached[0].block if cached else 0,
        cached[-1].block if cached else 0,
    )
