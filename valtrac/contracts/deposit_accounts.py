"""Where deposits to an exchange go: pinned at the first use, and changed by the owner's word alone.

Whoever can make an exchange's answer could name an account of his own, and a manager's wish would send money there.
"""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.contracts.store import audit_events
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import writing

KIND = "deposit account"


def pin(engine: sa.Engine, exchange: str, account: str, memo: str) -> None:
    """Note where deposits to an exchange account go, the first time; Refused where it names another place later."""
    with writing(engine) as conn:
        known = _pinned(conn, exchange)
        if known is None:
            audit_events.add(conn, KIND, {"account": account, "memo": memo}, name=exchange)
            return
    if known != (account, memo):
        raise Refused(
            f"exchange account {exchange} names {plain(account, 80)} for deposits now, with memo {plain(memo, 80)}",
            why=f"so far it was {plain(known[0], 80)} with memo {plain(known[1], 80)}; nothing is sent there",
            fix=f'if its own page says so too: run.py contracts new-deposit-account {exchange} --words "..."',
        )


def let_go(engine: sa.Engine, exchange: str, words: str) -> tuple[str, str]:
    """Take the owner's word that an exchange has another place for deposits: the next one it names is pinned.

    Returns where they went so far. Raises BadInput without words, or where none was pinned.
    """
    if len(words.strip()) < 5:
        raise BadInput("say in a few words how you know", fix='--words "their page of deposits says so"')
    with writing(engine) as conn:
        known = _pinned(conn, exchange)
        if known is None:
            raise BadInput(
                f"no place for deposits to {plain(exchange, 40)} is pinned",
                fix="the next that it names counts",
            )
        audit_events.add(conn, KIND, {"account": "", "memo": "", "words": words.strip()[:300]}, name=exchange)
    return known


def _pinned(conn: sa.Connection, exchange: str) -> tuple[str, str] | None:
    events = [event for event in audit_events.search(conn, kind=KIND, limit=10_000) if event.name == exchange]
    if not events or not events[0].msg["account"]:
        return None
    return str(events[0].msg["account"]), str(events[0].msg["memo"])
