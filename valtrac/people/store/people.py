"""Users and their terms: the only SQL for them.

A term holds over blocks [from_block, until_block) and is never deleted. To end one at block B is to
clip it: until_block becomes the larger of from_block and B, so a term that would only have begun
later becomes an empty interval, which was never in force. Ending clips every term of its subject
that reaches beyond B, so that two terms of one subject never hold at the same block.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.people.model.terms import (
    AddressTerm,
    PayoutTerm,
    PolicyTerm,
    RateTerm,
    ReferralTerm,
    Span,
    Terms,
    UserTerm,
)
from valtrac.people.store import tables as t

_AT_ONCE = 500
_NAMES = sa.select(t.users.c.id, t.users.c.name)


def lock(conn: sa.Connection) -> None:
    """Let one writer of terms at a time go on; to be called before anything is read.

    SQLite has done so with BEGIN IMMEDIATE. On PostgreSQL two writers could otherwise each add half
    of a referral cycle, or begin a term in a range that is being approved at that moment.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


# -- reading -------------------------------------------------------------------------------


def terms(conn: sa.Connection) -> Terms:
    """All terms that ever were, under the present names; addresses of a user in the user's order."""
    names = {row.id: row.name for row in conn.execute(_NAMES)}
    return Terms(
        users=tuple(
            UserTerm(names[row.user_id], person_key(row.user_id), _span(row)) for row in _rows(conn, t.user_terms)
        ),
        addresses=tuple(
            AddressTerm(names[row.user_id], row.address, _span(row))
            for row in _rows(conn, t.address_terms, t.address_terms.c.user_id, t.address_terms.c.position)
        ),
        payouts=tuple(PayoutTerm(names[row.user_id], row.address, _span(row)) for row in _rows(conn, t.payout_terms)),
        referrals=tuple(
            ReferralTerm(names[row.referee_id], names[row.referrer_id], _span(row))
            for row in _rows(conn, t.referral_terms)
        ),
        rates=tuple(
            RateTerm(
                names[row.referrer_id],
                None if row.referee_id is None else names[row.referee_id],
                row.rate_bps,
                _span(row),
            )
            for row in _rows(conn, t.rate_terms)
        ),
        policies=tuple(PolicyTerm(row.person, row.kind, row.value, _span(row)) for row in _rows(conn, t.policy_terms)),
    )


def terms_about(conn: sa.Connection, persons: Iterable[str], addresses: Iterable[str]) -> Terms:
    """What is known of some people alone: the users with these keys, and those who ever had one of these addresses.

    Of both: whether they take part, where they are paid, what was decided about them (or about everyone, or about the
    addresses); and whose the addresses are. Referrals and rates are left out.
    """
    wanted = {name.partition(":")[2] for name in persons if name.startswith("user:")}
    theirs = sorted(set(addresses))
    of_addresses = _rows_of(conn, t.address_terms, t.address_terms.c.address, theirs)
    ids = sorted({int(number) for number in wanted} | {row.user_id for row in of_addresses})
    names = {row.id: row.name for row in _rows_of(conn, t.users, t.users.c.id, ids)}
    accounts = sorted({*persons, "*", *map(person_key, ids), *(f"addr:{address}" for address in theirs)})
    return Terms(
        users=tuple(
            UserTerm(names[row.user_id], person_key(row.user_id), _span(row))
            for row in _rows_of(conn, t.user_terms, t.user_terms.c.user_id, ids)
        ),
        addresses=tuple(AddressTerm(names[row.user_id], row.address, _span(row)) for row in of_addresses),
        payouts=tuple(
            PayoutTerm(names[row.user_id], row.address, _span(row))
            for row in _rows_of(conn, t.payout_terms, t.payout_terms.c.user_id, ids)
        ),
        policies=tuple(
            PolicyTerm(row.person, row.kind, row.value, _span(row))
            for row in _rows_of(conn, t.policy_terms, t.policy_terms.c.person, accounts)
        ),
    )


def person_key(user_id: int) -> str:
    """The key of a user's balance: the same for ever, whatever the name becomes."""
    return f"user:{user_id}"


def renames(conn: sa.Connection) -> list[tuple[str, str]]:
    """(old name, new name) of every renaming, oldest first."""
    query = sa.select(t.renames.c.old_name, t.renames.c.new_name).order_by(t.renames.c.id)
    return [(row.old_name, row.new_name) for row in conn.execute(query)]


def _rows(conn: sa.Connection, table: sa.Table, *order: sa.ColumnElement[Any]) -> Iterable[sa.Row[Any]]:
    return conn.execute(_all_rows(table, *order))


@functools.cache
def _all_rows(table: sa.Table, *order: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(table).order_by(*order, table.c.id)


def _rows_of(
    conn: sa.Connection, table: sa.Table, column: sa.ColumnElement[Any], values: Sequence[Any]
) -> list[sa.Row[Any]]:
    """The rows of a table in which a column has one of the values, by number."""
    rows: list[sa.Row[Any]] = []
    for start in range(0, len(values), _AT_ONCE):
        rows += conn.execute(sa.select(table).where(column.in_(values[start : start + _AT_ONCE])))
    return sorted(rows, key=lambda row: row.id)


def _span(row: sa.Row[Any]) -> Span:
    return Span(row.from_block, row.until_block)


def _ids(conn: sa.Connection) -> dict[str, int]:
    return {row.name: row.id for row in conn.execute(_NAMES)}


# -- beginning terms -------------------------------------------------------------------------


def begin_users(conn: sa.Connection, starts: Mapping[str, int]) -> None:
    """name -> block from which the user takes part; a name not known yet becomes a new person."""
    known, stamp = _ids(conn), _stamp(conn)
    _insert(conn, t.users, [{**stamp, "name": name} for name in starts if name not in known])
    ids = _ids(conn)
    _insert(
        conn, t.user_terms, [{**stamp, "user_id": ids[name], "from_block": block} for name, block in starts.items()]
    )


def begin_addresses(conn: sa.Connection, starts: Mapping[tuple[str, str], int]) -> None:
    """(user, address) -> block; each comes after the addresses that the user ever had."""
    ids, stamp, rows = _ids(conn), _stamp(conn), []
    position = sa.func.max(t.address_terms.c.position)
    last = {
        row[0]: row[1]
        for row in conn.execute(sa.select(t.address_terms.c.user_id, position).group_by(t.address_terms.c.user_id))
    }
    for (user, address), block in starts.items():
        last[ids[user]] = last.get(ids[user], -1) + 1
        rows.append(
            {**stamp, "user_id": ids[user], "address": address, "position": last[ids[user]], "from_block": block}
        )
    _insert(conn, t.address_terms, rows)


def begin_payouts(conn: sa.Connection, starts: Mapping[tuple[str, str], int]) -> None:
    """(user, address) -> block from which the user is paid there; the one before must have been ended."""
    ids, stamp = _ids(conn), _stamp(conn)
    _insert(
        conn,
        t.payout_terms,
        [
            {**stamp, "user_id": ids[user], "address": address, "from_block": block}
            for (user, address), block in starts.items()
        ],
    )


def begin_referral(conn: sa.Connection, referee: str, referrer: str, block: int) -> None:
    """From a block on, `referrer` takes its rate of what `referee` is due."""
    ids = _ids(conn)
    _insert(
        conn,
        t.referral_terms,
        [{**_stamp(conn), "referee_id": ids[referee], "referrer_id": ids[referrer], "from_block": block}],
    )


def begin_referrals(conn: sa.Connection, referrals: Iterable[ReferralTerm]) -> None:
    """Referrals over their spans; those before of the same referees must have been ended."""
    ids, stamp = _ids(conn), _stamp(conn)
    _insert(
        conn,
        t.referral_terms,
        [
            {
                **stamp,
                "referee_id": ids[term.referee],
                "referrer_id": ids[term.referrer],
                "from_block": term.span.from_block,
                "until_block": term.span.until_block,
            }
            for term in referrals
        ],
    )


def begin_rates(conn: sa.Connection, rates: Iterable[RateTerm]) -> None:
    """Rates over their spans; those before in the same place must have been ended."""
    ids, stamp = _ids(conn), _stamp(conn)
    _insert(
        conn,
        t.rate_terms,
        [
            {
                **stamp,
                "referrer_id": ids[rate.referrer],
                "referee_id": None if rate.referee is None else ids[rate.referee],
                "rate_bps": rate.rate_bps,
                "from_block": rate.span.from_block,
                "until_block": rate.span.until_block,
            }
            for rate in rates
        ],
    )


def _stamp(conn: sa.Connection) -> dict[str, Any]:
    return {"genesis": genesis_of(conn), "created_at": datetime.now(UTC)}


def _insert(conn: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        conn.execute(table.insert(), rows)


# -- ending terms ----------------------------------------------------------------------------


def end_users(conn: sa.Connection, ends: Mapping[str, int]) -> None:
    """name -> first block at which the user takes no part any more."""
    wanted = _by_id(conn, ends)
    _clip(conn, t.user_terms, lambda row: wanted.get(row.user_id))


def end_addresses(conn: sa.Connection, ends: Mapping[tuple[str, str], int]) -> None:
    """(user, address) -> first block at which the address is not the user's any more."""
    ids = _ids(conn)
    wanted = {(ids[user], address): block for (user, address), block in ends.items()}
    _clip(conn, t.address_terms, lambda row: wanted.get((row.user_id, row.address)))


def end_all_addresses(conn: sa.Connection, ends: Mapping[str, int]) -> None:
    """name -> first block at which none of the user's addresses is the user's any more."""
    wanted = _by_id(conn, ends)
    _clip(conn, t.address_terms, lambda row: wanted.get(row.user_id))


def end_payouts(conn: sa.Connection, ends: Mapping[str, int]) -> None:
    """name -> first block at which the present payout address does not hold any more."""
    wanted = _by_id(conn, ends)
    _clip(conn, t.payout_terms, lambda row: wanted.get(row.user_id))


def end_referrals(conn: sa.Connection, ends: Mapping[str, int], *, as_referrer: bool = False) -> None:
    """referee -> first block without a referrer; with `as_referrer` also those that the name refers."""
    wanted = _by_id(conn, ends)

    def block_of(row: sa.Row[Any]) -> int | None:
        sides = (row.referee_id, row.referrer_id) if as_referrer else (row.referee_id,)
        return min((wanted[side] for side in sides if side in wanted), default=None)

    _clip(conn, t.referral_terms, block_of)


def end_rates(conn: sa.Connection, ends: Mapping[tuple[str, str | None], int]) -> None:
    """(referrer, referee or None) -> first block at which that rate does not hold any more."""
    ids = _ids(conn)
    wanted = {
        (ids[referrer], None if referee is None else ids[referee]): block for (referrer, referee), block in ends.items()
    }
    _clip(conn, t.rate_terms, lambda row: wanted.get((row.referrer_id, row.referee_id)))


def end_all_rates(conn: sa.Connection, ends: Mapping[str, int]) -> None:
    """name -> first block at which no rate of or for that user holds any more."""
    wanted = _by_id(conn, ends)
    _clip(
        conn,
        t.rate_terms,
        lambda row: min((wanted[side] for side in (row.referrer_id, row.referee_id) if side in wanted), default=None),
    )


def _by_id(conn: sa.Connection, ends: Mapping[str, int]) -> dict[int, int]:
    ids = _ids(conn)
    return {ids[name]: block for name, block in ends.items()}


def _clip(conn: sa.Connection, table: sa.Table, block_of: Callable[[sa.Row[Any]], int | None]) -> None:
    """One pass over the table, then updates by primary key: linear for an import of everybody too."""
    changes = []
    for row in _rows(conn, table):
        block = block_of(row)
        if block is not None and (row.until_block is None or row.until_block > max(row.from_block, block)):
            changes.append({"row": row.id, "until": max(row.from_block, block)})
    if changes:
        conn.execute(
            table.update().where(table.c.id == sa.bindparam("row")).values(until_block=sa.bindparam("until")), changes
        )


# -- what has no block ---------------------------------------------------------------------


def rename(conn: sa.Connection, old: str, new: str) -> None:
    """Give a user another name, and write the old one down; all terms follow."""
    user_id = _ids(conn)[old]
    conn.execute(t.users.update().where(t.users.c.id == user_id).values(name=new))
    conn.execute(t.renames.insert().values(user_id=user_id, old_name=old, new_name=new, at=datetime.now(UTC)))


def place(conn: sa.Connection, orders: Mapping[str, tuple[str, ...]]) -> None:
    """user -> its addresses in their new order; only open terms are moved."""
    ids = _ids(conn)
    wanted = {
        (ids[user], address): position for user, order in orders.items() for position, address in enumerate(order)
    }
    changes = [
        {"row": row.id, "place": wanted[row.user_id, row.address]}
        for row in _rows(conn, t.address_terms)
        if row.until_block is None and (row.user_id, row.address) in wanted
    ]
    if changes:
        conn.execute(
            t.address_terms.update()
            .where(t.address_terms.c.id == sa.bindparam("row"))
            .values(position=sa.bindparam("place")),
            changes,
        )
