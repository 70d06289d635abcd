"""Where deposits to an exchange go: pinned at the first use, and changed by the owner's word alone.

Whoever can make an exchange's answer could name an account of his own, and a manager's wish would send money there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.store import audit_events
from valtrac.core.chain import Named
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import writing

KIND = "deposit account"


def pin(engine: sa.Engine, exchange: str, named: Named, memo: str) -> None:
    """Note where deposits to an exchange account go, the first time; Refused where it names another place later, and
    where a node says that the account has another number now: whose a name is never changes."""
    account = named.name
    with writing(engine) as conn:
        pinned = _newest(conn, exchange)
        known, number = _place(pinned), pinned.get("id", "")
        if known is None or (known == (account, memo) and not number):
            audit_events.add(conn, KIND, {"account": account, "memo": memo, "id": named.id}, name=exchange)
            return
    if known != (account, memo):
        raise Refused(
            f"exchange account {exchange} names {plain(account, 80)} for deposits now, with memo {plain(memo, 80)}",
            why=f"so far it was {plain(known[0], 80)} with memo {plain(known[1], 80)}; nothing is sent there",
            fix=f'if its own page says so too: run.py contracts new-deposit-account {exchange} --words "..."',
        )
    if number != named.id:
        raise Refused(
            f"the node says that {plain(account, 80)} is the account {named.id}; it was {number}",
            why="the number of an account never changes: this node lies, or another chain is asked",
            fix="nothing is sent there; ask another node",
        )


def let_go(engine: sa.Engine, exchange: str, words: str) -> tuple[str, str]:
    """Take the owner's word that an exchange has another place for deposits: the next one it names is pinned.

    Returns where they went so far. Raises BadInput without words, or where none was pinned.
    """
    if len(words.strip()) < 5:
        raise BadInput("say in a few words how you know", fix='--words "their page of deposits says so"')
    with writing(engine) as conn:
        known = _place(_newest(conn, exchange))
        if known is None:
            raise BadInput(
                f"no place for deposits to {plain(exchange, 40)} is pinned",
                fix="the next that it names counts",
            )
        audit_events.add(conn, KIND, {"account": "", "memo": "", "words": words.strip()[:300]}, name=exchange)
    return known


def _place(pinned: Mapping[str, Any]) -> tuple[str, str] | None:
    """(account, memo) of what was pinned; None where nothing is, or where the owner let it go."""
    return (str(pinned["account"]), str(pinned["memo"])) if pinned.get("account") else None


def _newest(conn: sa.Connection, exchange: str) -> Mapping[str, Any]:
    """What was pinned last; {} where nothing ever was. What was pinned before numbers were written down has no id."""
    events = [event for event in audit_events.search(conn, kind=KIND, limit=10_000) if event.name == exchange]
    return events[0].msg if events else {}
