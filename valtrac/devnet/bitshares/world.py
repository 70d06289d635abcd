"""Making a chain: accounts, their keys, their money, and what can be told of it from outside."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from valtrac.core.errors import BadInput
from valtrac.devnet.bitshares import blocks, faults, keys, state
from valtrac.devnet.bitshares.keys import dev_public

_NAME = re.compile(r"[a-z][a-z0-9.-]{1,62}")
_PROTOCOL = ("committee-account", "witness-account", "relaxed-committee-account", "null-account", "temp-account")


@dataclass(frozen=True, slots=True)
class Account:
    """Someone on the chain. active, memo: public keys ("BTS..."); lifetime: a lifetime member; satoshi: at the seed."""

    name: str
    active: str
    memo: str
    lifetime: bool = False
    satoshi: int = 0


def dev_account(name: str, *, lifetime: bool = False, satoshi: int = 0) -> Account:
    """An account with the worthless keys that follow from its name."""
    return Account(name, dev_public(name, "active"), dev_public(name, "memo"), lifetime, satoshi)


def seed(
    path: Path | str,
    *,
    name: str = "rehearsal",
    accounts: Sequence[Account],
    at: datetime | None = None,
    lib_lag: int = 2,
    first_block: int = 1,
    pace: Literal["look", "manual"] = "look",
) -> str:
    """Make a chain in a new file and let it grow until its first block is irreversible; the chain id (64 hex).

    at: the time before the first block, UTC, cut to 3 s; without it ten minutes ago, so that a client which counts
    expirations from its own clock is understood. lib_lag: blocks from the newest to the irreversible one (1 or more).
    pace: "look" makes a block whenever someone asks for the chain's state, "manual" only by `produce`.
    The same name, accounts and time give the same chain id. Raises BadInput where the file exists already, a name or
    key is no good, or a name comes twice.
    """
    if lib_lag < 1 or first_block < 1 or pace not in ("look", "manual"):
        raise BadInput("this is no chain", why=f"lib_lag {lib_lag}, first_block {first_block}, pace {pace!r}")
    if at is not None and at.tzinfo is None:
        raise BadInput(f"the time {at} has no zone", fix="give it in UTC")
    _check_all(accounts)
    started = int(time.time() - 600 if at is None else at.timestamp()) // state.INTERVAL_S * state.INTERVAL_S
    known = json.dumps([name, [asdict(account) for account in accounts], started], sort_keys=True)
    chain_id = hashlib.sha256(known.encode()).hexdigest()
    db = state.create(Path(path))
    try:
        with state.writing(db):
            before = first_block - 1
            unborn = before.to_bytes(4, "big").hex() + "00" * 16
            row = (state.LAYOUT, chain_id, name, pace, lib_lag, first_block, before, unborn, started, before)
            db.execute("INSERT INTO chain VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)", row)
            for number, special in enumerate((*_PROTOCOL, "proxy-to-self")):
                _insert(db, number, Account(special, keys.NULL_KEY, keys.NULL_KEY, lifetime=True))
            for account in accounts:
                _add(db, account)
            blocks.grow(db, lib_lag + 1)
    finally:
        db.close()
    return chain_id


def _check_all(accounts: Sequence[Account]) -> None:
    names = [account.name for account in accounts]
    if len({*names, *_PROTOCOL, "proxy-to-self"}) != len(names) + state.FIRST_ACCOUNT:
        raise BadInput("an account name comes twice")
    for account in accounts:
        _check(account)


def add_account(path: Path | str, account: Account) -> str:
    """Register one more account, with its money if any; its id ("1.2.9"). BadInput where the name is taken."""
    _check(account)
    db = state.connect(path)
    with state.writing(db):
        if state.holder(db, account.name) is not None:
            raise BadInput(f"there is already an account {account.name}")
        return f"1.2.{_add(db, account)}"


def reauthorize(
    path: Path | str,
    name: str,
    *,
    threshold: int = 1,
    key_weights: Mapping[str, int],
    account_weights: Mapping[str, int] | None = None,
) -> None:
    """Give an account another active (and owner) authority.

    key_weights: public key -> weight; account_weights: account name -> weight.
    """
    db = state.connect(path)
    with state.writing(db):
        others = [[_number(db, other), weight] for other, weight in (account_weights or {}).items()]
        for key in key_weights:
            keys.key_bytes(key)
        authority = _authority(key_weights, threshold)
        authority["account_auths"] = [[f"1.2.{number}", weight] for number, weight in others]
        told = json.dumps(authority)
        db.execute("UPDATE accounts SET active = ?, owner = ? WHERE id = ?", (told, told, _number(db, name)))


def fund(path: Path | str, name: str, satoshi: int) -> None:
    """Give an account money out of nowhere, at once and for good: no fork takes it back."""
    db = state.connect(path)
    with state.writing(db):
        _fund(db, _number(db, name), satoshi)


def balances(path: Path | str, *, pending: bool = False) -> dict[str, int]:
    """Account name -> satoshi at the newest block; pending: with what waits in the pool counted."""
    db = state.connect(path)
    with state.reading(db):
        rows = db.execute("SELECT id, name FROM accounts WHERE id >= ? ORDER BY id", (state.FIRST_ACCOUNT,)).fetchall()
        return {name: state.balance(db, number, pending=pending) for number, name in rows}


def funded(path: Path | str) -> int:
    """All satoshi that ever came out of nowhere: equal to the balances and the fees burned together."""
    return int(state.connect(path).execute("SELECT COALESCE(SUM(satoshi), 0) FROM funded").fetchone()[0])


def fees_burned(path: Path | str) -> int:
    """Satoshi of fees in all blocks of the present branch."""
    return int(state.connect(path).execute("SELECT COALESCE(SUM(fee), 0) FROM transactions").fetchone()[0])


def status(path: Path | str) -> dict[str, Any]:
    """Where the chain stands: chain_id, name, pace, head, lib, time (UTC text), pool, faults, accounts,
    true_from (the first block that witnesses signed; 0 is all)."""
    db = state.connect(path)
    with state.reading(db):
        chain = state.chain(db)
        count = db.execute("SELECT COUNT(*) FROM accounts WHERE id >= ?", (state.FIRST_ACCOUNT,)).fetchone()[0]
        return {
            "chain_id": chain.chain_id,
            "name": chain.name,
            "pace": chain.pace,
            "head": chain.head,
            "lib": chain.lib,
            "time": datetime.fromtimestamp(chain.head_at, UTC).isoformat(),
            "pool": db.execute("SELECT COUNT(*) FROM pool").fetchone()[0],
            "faults": faults.active(db),
            "accounts": count,
            "true_from": chain.true_from,
        }


def _check(account: Account) -> None:
    if not _NAME.fullmatch(account.name):
        raise BadInput(f"{account.name!r} is no account name", fix="small letters, digits, dots and dashes")
    if account.satoshi < 0:
        raise BadInput(f"{account.name} cannot start with {account.satoshi} satoshi")
    for key in (account.active, account.memo):
        try:
            keys.key_bytes(key)
        except ValueError as error:
            raise BadInput(f"{key!r} is no public key of {account.name}", why=str(error)) from error


def _add(db: sqlite3.Connection, account: Account) -> int:
    number = int(db.execute("SELECT MAX(id) + 1 FROM accounts").fetchone()[0])
    _insert(db, number, account)
    if account.satoshi:
        _fund(db, number, account.satoshi)
    return number


def _insert(db: sqlite3.Connection, number: int, account: Account) -> None:
    told = json.dumps(_authority({account.active: 1}, 1))
    db.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
        (number, account.name, told, told, account.memo, account.lifetime),
    )


def _authority(key_weights: Mapping[str, int], threshold: int) -> dict[str, Any]:
    listed = [[key, weight] for key, weight in key_weights.items()]
    return {"weight_threshold": threshold, "account_auths": [], "key_auths": listed, "address_auths": []}


def _fund(db: sqlite3.Connection, number: int, satoshi: int) -> None:
    given = int(db.execute("SELECT COALESCE(SUM(satoshi), 0) FROM funded").fetchone()[0])
    if not 0 < satoshi < 1 << 62 or given + satoshi >= 1 << 62:
        raise BadInput(f"{satoshi} satoshi cannot be given", why="all amounts together are kept below 2^62")
    db.execute(
        "INSERT INTO funded (account, satoshi, block) SELECT ?, ?, head FROM chain",
        (number, satoshi),
    )
    db.execute(
        "INSERT INTO balances VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET satoshi = satoshi + excluded.satoshi",
        (number, satoshi),
    )
    db.execute("UPDATE pending SET satoshi = satoshi + ? WHERE account = ?", (satoshi, number))


def _number(db: sqlite3.Connection, name: str) -> int:
    holder = state.holder(db, name)
    if holder is None:
        raise BadInput(f"there is no account {name} on the rehearsal chain")
    return holder.number
