"""What may be said of money when something went wrong: never that nothing was sent while a transaction is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Exit, ValtracError
from valtrac.database.engine import reading
from valtrac.payments.store import attempts


@dataclass(frozen=True, slots=True)
class Open:
    """A transaction that was signed and of which nobody knows yet what becomes of it."""

    tx_id: str
    batch_id: int


def of_journal(engine: sa.Engine) -> list[Open] | None:
    """The transactions that are open; None where the journal cannot be read, so that nobody can say."""
    try:
        with reading(engine) as conn:
            return [Open(attempt.tx_id, attempt.batch_id) for attempt in attempts.unresolved(conn)]
    except Exception:  # whatever it was: this is asked while another error is on its way to the owner
        return None


def with_what_is_open(error: ValtracError, found: Sequence[Open] | None, reconcile: str) -> ValtracError:
    """The same error, which says that the outcome is unknown where a transaction is open, or may be.

    reconcile: the command that finds out what became of it. The class of the error stays, its exit code is the one of
    an unknown outcome; only a word that was mistyped stays bad input, because nothing was begun by it.
    """
    if error.moved == "unknown" or found == []:
        return error
    known = "whether a transaction is open cannot be read from the database" if found is None else _named(found)
    error.moved = "unknown"
    error.why = f"{error.why}; {known}" if error.why else known
    after = f"find out what became of it: {reconcile}"
    error.fix = f"{error.fix}; then {after}" if error.fix and reconcile not in error.fix else error.fix or after
    if not isinstance(error, BadInput):
        error.exit_code = Exit.UNKNOWN
    return error


def with_what_moved(error: ValtracError, engine: sa.Engine, landed: Callable[[], int], reconcile: str) -> ValtracError:
    """The error of a round of payments as its owner has to hear it: what landed before, and whether anything is open.

    landed: counts the payments of this round that are final by now. reconcile: as for `with_what_is_open`.
    """
    count = 0
    with suppress(Exception):  # as in `of_journal`
        count = landed()
    if count:
        error.moved = "yes" if error.moved == "no" else error.moved
        words = f"{count} payment{'' if count == 1 else 's'} of this round landed before"
        error.why = f"{error.why}; {words}" if error.why else words
    return with_what_is_open(error, of_journal(engine), reconcile)


def _named(found: Sequence[Open]) -> str:
    first = f"transaction {found[0].tx_id} of batch #{found[0].batch_id} was sent before and is still open"
    return first if len(found) == 1 else f"{first}, and {len(found) - 1} more"
