"""What one can do to the world from outside: make blocks, reorganise, pay, delegate, set the clock. Each is complete
in itself; over the wire it is `devnet_` and the name."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import blocks, codec, contract, faults, keys, ledger, mempool, payer, state
from valtrac.devnet.qtum.blocks import ANY, MINED, Order
from valtrac.devnet.qtum.rules import NodeError
from valtrac.devnet.qtum.world import FLAGS, TREASURY

__all__ = ["ANY", "MINED"]
_STEP = 1000


def produce(
    directory: Path | str,
    n: int = 1,
    *,
    by: str | None = None,
    delegate: str | None = None,
    gap_s: int = 0,
    without_pool: bool = False,
) -> int:
    """Make n blocks, 32 s apart; what waits goes into the first. The new height.

    by: whoever wins by weight (None), a person (name or address), or "mined". delegate: a person whose coin wins for
    the super staker `by`, "*" for whoever of its delegates wins by weight; without it a coin of the staker's own.
    gap_s: so many seconds more before the first. BadInput where that cannot be: up to 1000 blocks are made or none;
    more are stored in steps of as many, so that others get their turn.
    """
    db = state.connect(directory)
    left = n
    while True:
        with state.writing(db):
            order = Order(_hash(db, by), _hash(db, delegate), gap_s, without=without_pool)
            blocks.grow(db, min(left, _STEP), order)
            left, gap_s = left - _STEP, 0
            if left <= 0:
                return state.tip(db).height


def _hash(db: sqlite3.Connection, who: str | None) -> bytes | str | None:
    return who if who in (None, MINED, ANY) else payer.key_named(db, str(who)).hash


def reorganise(
    directory: Path | str,
    depth: int,
    *,
    length: int | None = None,
    keep: bool = True,
    rivals: Sequence[str] = (),
    by: str | None = "network",
    delegate: str | None = None,
) -> int:
    """Replace the newest `depth` blocks by `length` others (one more, by default). The new height.

    keep: their transactions wait again, as far as the new branch still takes them; else they are forgotten.
    rivals: ids of transactions that the new branch rules out, by spending the first coin of each elsewhere.
    """
    db = state.connect(directory)
    with state.writing(db):
        if depth < 1 or state.tip(db).height - depth < state.setting(db, "first"):
            raise BadInput(f"cannot take {depth} blocks back")
        others = tuple(payer.rival(db, _raw(db, txid)) for txid in rivals)
        orphans = blocks.take_back(db, depth)
        waiting = mempool.empty(db)
        state.put(db, "branch", state.setting(db, "branch", 0) + 1)
        made = depth + 1 if length is None else length
        blocks.grow(db, made, Order(_hash(db, by), _hash(db, delegate), rivals=others, without=True))
        mempool.refill(db, (orphans if keep else []) + waiting, now=state.now(db))
        return state.tip(db).height


def double_spend(directory: Path | str, txid: str, *, to: str | None = None, by: str | None = "network") -> str:
    """Put a transaction into the next block that spends the first coin of another one that waits; its id.

    to: a person who gets the coin, without it its owner. What is ruled out leaves the pool.
    """
    db = state.connect(directory)
    with state.writing(db):
        other = payer.rival(db, _raw(db, txid), to=None if to is None else payer.key_named(db, to).hash)
        blocks.grow(db, 1, Order(_hash(db, by), rivals=(other,), without=True))
        return codec.shown(codec.sha256d(other))


def _raw(db: sqlite3.Connection, txid: str) -> bytes:
    wanted = codec.unshown(txid)
    for table in ("pool", "transactions", "wallet_transactions"):
        row = db.execute(f"SELECT raw FROM {table} WHERE id = ? LIMIT 1", (wanted,)).fetchone()  # noqa: S608
        if row is not None:
            return bytes(row[0])
    raise BadInput(f"there is no transaction {txid}")


def pay(directory: Path | str, sender: str, payments: Mapping[str, int]) -> str:
    """Send satoshi from a person to persons or addresses, in the next block; the transaction's id."""
    db = state.connect(directory)
    with state.writing(db):
        return codec.shown(_sent(db, sender, [(payer.key_named(db, to).hash, sat) for to, sat in payments.items()]))


def fund(directory: Path | str, name: str, satoshi: int, *, coins: int = 1) -> str:
    """Let the treasury pay a person so many coins of `satoshi` each, in the next block; the transaction's id."""
    db = state.connect(directory)
    with state.writing(db):
        return codec.shown(_sent(db, TREASURY, [(payer.key_named(db, name).hash, satoshi)] * coins))


def _sent(db: sqlite3.Connection, sender: str, payments: list[tuple[bytes, int]]) -> bytes:
    try:
        return payer.pay(db, sender, payments)
    except NodeError as error:
        raise BadInput(f"the node does not take that: {error.message}") from error


def delegate(directory: Path | str, who: str, staker: str, *, fee: int = 100, forged: bool = False) -> str:
    """Delegate a person's coins to a staker (name or address), from the next block on; the transaction's id.

    forged: with a proof that another key made, which the contract keeps and no block can use.
    """
    db = state.connect(directory)
    with state.writing(db):
        to = _staker(db, staker)
        signer = keys.dev_key(f"{who} forged") if forged else payer.key_named(db, who)
        return codec.shown(payer.call(db, who, contract.add_data(to, fee, keys.delegation_proof(signer, to))))


def _staker(db: sqlite3.Connection, staker: str) -> bytes:
    try:
        hashed = state.network(db).key_hash(staker)
    except ValueError:
        hashed = None
    return hashed or payer.key_named(db, staker).hash


def undelegate(directory: Path | str, who: str) -> str:
    """End a person's delegation, from the next block on; the transaction's id."""
    db = state.connect(directory)
    with state.writing(db):
        return codec.shown(payer.call(db, who, contract.remove_data()))


def set_clock(directory: Path | str, at: int | None) -> None:
    """Set the node's own clock (seconds since 1970) and stop it there; None goes with this machine's again.

    The times of blocks follow from the block before, not from this clock.
    """
    _put(directory, "clock", at)


def set_connections(directory: Path | str, count: int) -> None:
    """How many peers the node has."""
    _put(directory, "connections", count)


def set_staking(directory: Path | str, on: bool) -> None:
    """Whether the wallet's coins take part in the draw."""
    _put(directory, "staking", on)


def _put(directory: Path | str, name: str, value: Any) -> None:
    db = state.connect(directory)
    with state.writing(db):
        state.put(db, name, value)
        blocks.changed(db)


def configure(directory: Path | str, **flags: Any) -> None:
    """Start the node with other options from now on: see FLAGS. BadInput for an unknown one."""
    unknown = [name for name in flags if name not in FLAGS]
    if unknown:
        raise BadInput(f"the node has no option {', '.join(unknown)}", fix=f"one of {', '.join(FLAGS)}")
    db = state.connect(directory)
    with state.writing(db):
        state.put(db, "flags", {**state.flags(db), **flags})
        blocks.changed(db)


def balances(directory: Path | str) -> dict[str, int]:
    """Person -> satoshi in the newest block, rewards that still rest included."""
    db = state.connect(directory)
    rows = db.execute(
        "SELECT k.name, COALESCE(SUM(c.value), 0) FROM keys k LEFT JOIN coins c ON c.owner = k.hash GROUP BY k.name"
    )
    return dict(rows.fetchall())


def addresses(directory: Path | str) -> dict[str, str]:
    """Person -> address."""
    db = state.connect(directory)
    network = state.network(db)
    return {
        name: network.address(hashed) for name, hashed in db.execute("SELECT name, hash FROM keys WHERE NOT change")
    }


def audit(directory: Path | str) -> dict[str, int]:
    """supply: satoshi of all coins; made: satoshi that blocks of this branch made. They are equal."""
    db = state.connect(directory)
    with state.reading(db):
        return {"supply": ledger.supply(db), "made": ledger.made(db)}


def status(directory: Path | str) -> dict[str, Any]:
    """Where the node stands: network, first, height, hash, time (UTC text), pool, faults, delegations."""
    db = state.connect(directory)
    with state.reading(db):
        tip = state.tip(db)
        return {
            "network": state.setting(db, "network"),
            "first": state.setting(db, "first"),
            "height": tip.height,
            "hash": codec.shown(tip.hash),
            "time": datetime.fromtimestamp(tip.at, UTC).isoformat(),
            "pool": db.execute("SELECT COUNT(*) FROM pool").fetchone()[0],
            "faults": faults.active(db),
            "delegations": len(contract.delegations(db)),
        }
