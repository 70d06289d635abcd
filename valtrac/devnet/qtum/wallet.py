"""The node's wallets: what is theirs, locked and unlocked, which coins they may spend, and what they sign."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from valtrac.devnet.qtum import codec, keys, ledger, mempool, state, transactions
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import DUST_PKH, MAX_FEE, MAX_WEIGHT, RELAY_FEE, NodeError, fee_for
from valtrac.devnet.qtum.transactions import Input, Paid, Tx

SEQUENCE = 0xFFFFFFFD
"""What the wallet writes by default: a transaction that may be replaced."""
_MAX_UNLOCK_S = 100_000_000
_UNSIGNED_INPUT = 149


class Held(NamedTuple):
    """A coin of a wallet. depth: blocks on it, itself included, 0 while it waits; ripe: it may be spent; trusted:
    in a block, or from the wallet itself."""

    coin: Coin
    depth: int
    ripe: bool
    trusted: bool


@dataclass(frozen=True, slots=True)
class Funded:
    """A transaction with inputs. fee: satoshi; change: which output goes back, -1 for none."""

    tx: Tx
    fee: int
    change: int


def unlock(db: sqlite3.Connection, wallet: str, passphrase: str, seconds: int, *, staking_only: bool) -> None:
    """Unlock for so many seconds: a new call takes the place of the one before, its flag too."""
    kept = db.execute("SELECT passphrase FROM wallets WHERE name = ?", (wallet,)).fetchone()[0]
    if kept is None:
        raise NodeError(-15, "Error: running with an unencrypted wallet, but walletpassphrase was called.")
    if seconds < 0:
        raise NodeError(-8, "Timeout cannot be negative.")
    if not passphrase:
        raise NodeError(-8, "passphrase cannot be empty")
    if passphrase != kept:
        raise NodeError(-14, "Error: The wallet passphrase entered was incorrect.")
    until = state.now(db) + min(seconds, _MAX_UNLOCK_S)
    db.execute("UPDATE wallets SET until = ?, staking_only = ? WHERE name = ?", (until, staking_only, wallet))


def lock(db: sqlite3.Connection, wallet: str) -> None:
    """Lock it now."""
    if db.execute("SELECT passphrase FROM wallets WHERE name = ?", (wallet,)).fetchone()[0] is None:
        raise NodeError(-15, "Error: running with an unencrypted wallet, but walletlock was called.")
    db.execute("UPDATE wallets SET until = 0 WHERE name = ?", (wallet,))


def unlocked_until(db: sqlite3.Connection, wallet: str) -> int | None:
    """Until when it is unlocked (seconds since 1970), 0 while locked, None where it has no passphrase."""
    passphrase, until = db.execute("SELECT passphrase, until FROM wallets WHERE name = ?", (wallet,)).fetchone()
    if passphrase is None:
        return None
    return int(until) if until > state.now(db) else 0


def must_be_unlocked(db: sqlite3.Connection, wallet: str) -> None:
    """NodeError -13 where it is locked, or unlocked for staking only."""
    until = unlocked_until(db, wallet)
    if until == 0:
        raise NodeError(-13, "Error: Please enter the wallet passphrase with walletpassphrase first.")
    only = db.execute("SELECT staking_only FROM wallets WHERE name = ?", (wallet,)).fetchone()[0]
    if until is not None and only:
        raise NodeError(-13, "Error: Wallet is unlocked for staking only.")


def started(db: sqlite3.Connection, *, forget_pool: bool) -> None:
    """What a start of the node does: the wallets are locked, and locks of coins that do not last are gone.

    After a kill only what the wallets know waits again; after a clean stop all does. forget_pool: nothing does.
    """
    state.put(db, "started", state.now(db))
    db.execute("UPDATE wallets SET until = 0, staking_only = 0")
    db.execute("DELETE FROM locks WHERE NOT lasting")
    if forget_pool or not state.setting(db, "stopped", True):
        waited = [] if forget_pool else mempool.empty(db)
        mempool.empty(db)
        asked = "SELECT 1 FROM wallet_transactions WHERE id = ? AND NOT abandoned"
        own = [raw for raw in waited if db.execute(asked, (transactions.txid(raw),)).fetchone()]
        mempool.refill(db, own, now=state.now(db))
    state.put(db, "stopped", False)


def stopped(db: sqlite3.Connection) -> None:
    """A clean stop."""
    state.put(db, "stopped", True)


def owns(db: sqlite3.Connection, wallet: str, owner: bytes | None) -> bool:
    """Whether a key is the wallet's."""
    query = "SELECT 1 FROM keys WHERE hash = ? AND wallet = ?"
    return owner is not None and db.execute(query, (owner, wallet)).fetchone() is not None


def held(db: sqlite3.Connection, wallet: str) -> list[Held]:
    """Every coin of the wallet that no waiting transaction spends, those of waiting ones included."""
    height = state.tip(db).height
    rest = state.maturity(db, height + 1)
    rows = db.execute(
        f"SELECT {_qualified('c')} FROM keys k CROSS JOIN coins c ON c.owner = k.hash WHERE k.wallet = ?"  # noqa: S608
        " ORDER BY c.height, c.position, c.id, c.n",
        (wallet,),
    )
    barred = {(txid, n) for txid, n in db.execute("SELECT id, n FROM pool_spends")} | _bound(db, wallet)
    held_coins = []
    for row in rows:
        coin, depth = Coin(*row), height - row[5] + 1
        if coin.place not in barred:
            held_coins.append(Held(coin, depth, coin.kind == state.PLAIN or depth > rest, True))
    for (raw,) in db.execute("SELECT raw FROM pool ORDER BY arrival"):
        held_coins += _waiting(db, wallet, raw, barred)
    return held_coins


def _bound(db: sqlite3.Connection, wallet: str) -> set[tuple[bytes, int]]:
    """Coins that a transaction of the wallet spends which is in no block and not given up, taken by the pool or not."""
    rows = db.execute(
        "SELECT w.id, w.raw FROM wallet_transactions w WHERE w.wallet = ? AND NOT w.abandoned AND NOT EXISTS"
        " (SELECT 1 FROM transactions t JOIN blocks b ON b.id = t.block AND b.active WHERE t.id = w.id)",
        (wallet,),
    ).fetchall()
    open_ones = [(txid, transactions.unpacked(raw)) for txid, raw in rows]
    return {tx_input.place for txid, tx in open_ones if depth_of(db, txid, tx) == 0 for tx_input in tx.ins}


def known(db: sqlite3.Connection, wallet: str, txid: bytes) -> bytes | None:
    """A transaction that concerns the wallet; None for another one."""
    for table in ("wallet_transactions", "pool", "transactions"):
        row = db.execute(f"SELECT raw FROM {table} WHERE id = ? LIMIT 1", (txid,)).fetchone()  # noqa: S608
        if row is not None:
            tx = transactions.unpacked(row[0])
            touched = [codec.output(out.script).key_hash for out in tx.outs]
            touched += [coin.owner for coin in spent_by(db, tx) if coin is not None]
            return bytes(row[0]) if any(owns(db, wallet, owner) for owner in touched) else None
    return None


def spent_by(db: sqlite3.Connection, tx: Tx) -> list[Coin | None]:
    """The coins of a transaction's inputs, as far as the node ever saw them."""
    return [None if tx.is_coinbase else mempool.output_of(db, tx_input.place) for tx_input in tx.ins]


def _qualified(table: str) -> str:
    return ", ".join(f"{table}.{name.strip()}" for name in ledger.COIN_COLUMNS.split(","))


def _waiting(db: sqlite3.Connection, wallet: str, raw: bytes, barred: set[tuple[bytes, int]]) -> list[Held]:
    tx, txid = transactions.unpacked(raw), transactions.txid(raw)
    made = [
        coin for coin in ledger.outputs(tx, txid, 0, -1) if owns(db, wallet, coin.owner) and coin.place not in barred
    ]
    trusted = bool(made) and all(
        (spent := mempool.output_of(db, tx_input.place)) is not None and owns(db, wallet, spent.owner)
        for tx_input in tx.ins
    )
    return [Held(coin, 0, trusted, trusted) for coin in made]


def locked_places(db: sqlite3.Connection, wallet: str) -> set[tuple[bytes, int]]:
    """The coins that the owner locked."""
    rows = db.execute("SELECT id, n FROM locks WHERE wallet = ?", (wallet,))
    return {(txid, n) for txid, n in rows}


def new_address(db: sqlite3.Connection, wallet: str, *, change: bool) -> bytes:
    """A fresh key of the wallet; its hash."""
    count = state.setting(db, "fresh", 0) + 1
    state.put(db, "fresh", count)
    key = keys.dev_key(f"{wallet}/{'change' if change else 'receive'}/{count}")
    name = f"{wallet or 'wallet'} {'change' if change else 'address'} {count}"
    db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", (key.hash, key.secret, name, wallet, int(change)))
    return key.hash


def funded(
    db: sqlite3.Connection,
    wallet: str,
    tx: Tx,
    *,
    rate: int,
    change_script: bytes | None,
    change_at: int | None,
    subtract: Sequence[int] = (),
) -> Funded:
    """A transaction with inputs of the wallet that pay for its outputs and the fee, and with change where there is
    enough. NodeError -4 says why not, in the wallet's words.

    rate: satoshi for each 1000 bytes; subtract: outputs that pay the fee themselves.
    """
    if not tx.outs:
        raise NodeError(-8, "TX must have at least one output")
    if any(out.value < DUST_PKH and codec.output(out.script).kind != "nulldata" for out in tx.outs):
        raise NodeError(-4, "Transaction amount too small")
    taken = [_preselected(db, tx_input.place) for tx_input in tx.ins]
    length = len(transactions.packed(replace(tx, ins=()))) + 8
    spare = _spendable(db, wallet, {tx_input.place for tx_input in tx.ins})

    def fee_of(count: int, change: bool) -> int:
        return fee_for(length + count * _UNSIGNED_INPUT + 34 * change, max(rate, RELAY_FEE))

    while ledger.total(taken) < tx.total + (0 if subtract else fee_of(len(taken), False)) or not taken:
        if not spare:
            raise NodeError(-4, "Insufficient funds")
        taken.append(spare.pop(0))
    over = ledger.total(taken) - tx.total - (0 if subtract else fee_of(len(taken), True))
    place = -1 if over < DUST_PKH else len(tx.outs) if change_at is None else change_at
    outs = _less(list(tx.outs), subtract, fee_of(len(taken), place >= 0))
    if place >= 0:
        outs.insert(place, Paid(over, change_script or codec.p2pkh(new_address(db, wallet, change=True))))
    return _checked(tx, taken, outs, place)


def _checked(tx: Tx, taken: list[Coin], outs: list[Paid], place: int) -> Funded:
    """The transaction over these coins. NodeError -4 where it is too large or pays too much."""
    paid = ledger.total(taken) - sum(out.value for out in outs)
    if paid > MAX_FEE:
        raise NodeError(-4, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")
    known = {tx_input.place: tx_input for tx_input in tx.ins}
    ins = tuple(known.get(coin.place, Input(*coin.place, sequence=SEQUENCE)) for coin in taken)
    made = replace(tx, ins=ins, outs=tuple(outs))
    if 4 * (len(transactions.packed(made)) + len(ins) * 108) > MAX_WEIGHT:
        raise NodeError(-4, "Transaction too large")
    return Funded(made, paid, place)


def _less(outs: list[Paid], subtract: Sequence[int], fee: int) -> list[Paid]:
    """The outputs, with the fee taken off those that pay it; the first of them pays what does not divide."""
    made = list(outs)
    for index, place in enumerate(subtract):
        share = fee // len(subtract) + (fee % len(subtract) if index == 0 else 0)
        if made[place].value - share < DUST_PKH:
            raise NodeError(-4, "The transaction amount is too small to send after the fee has been deducted")
        made[place] = replace(made[place], value=made[place].value - share)
    return made


def _preselected(db: sqlite3.Connection, place: tuple[bytes, int]) -> Coin:
    coin = mempool.unspent(db, place)
    if coin is None:
        raise NodeError(-4, f"Not found pre-selected input COutPoint({codec.shown(place[0])[:10]}, {place[1]})")
    return coin


def _spendable(db: sqlite3.Connection, wallet: str, taken: set[tuple[bytes, int]]) -> list[Coin]:
    """Coins to choose from, the largest first, those in blocks before those that wait."""
    locked = locked_places(db, wallet) | taken
    fit = [
        candidate
        for candidate in held(db, wallet)
        if candidate.ripe and candidate.trusted and candidate.coin.place not in locked
    ]
    fit.sort(key=lambda candidate: (candidate.depth == 0, -candidate.coin.value, candidate.coin.place))
    return [candidate.coin for candidate in fit]


def signed(db: sqlite3.Connection, wallet: str, tx: Tx) -> tuple[Tx, list[int]]:
    """The transaction with the wallet's signatures, and the inputs that nobody has opened."""
    owners: list[tuple[bytes, keys.Key] | None] = []
    scripts: list[bytes | None] = []
    for tx_input in tx.ins:
        coin = mempool.unspent(db, tx_input.place)
        query = "SELECT secret FROM keys WHERE hash = ? AND wallet = ?"
        row = None if coin is None else db.execute(query, (coin.owner, wallet)).fetchone()
        owners.append(None if coin is None or row is None else (coin.script, keys.key_of(row[0])))
        scripts.append(None if coin is None else coin.script)
    made = transactions.signed(tx, owners)
    shut = [
        index for index, script in enumerate(scripts) if script is None or not transactions.opens(made, index, script)
    ]
    return made, shut


def depth_of(db: sqlite3.Connection, txid: bytes, tx: Tx) -> int:
    """Confirmations of a wallet's transaction: 0 while it is in no block, below 0 where a rival is in one."""
    place = ledger.where(db, txid)
    top = state.tip(db).height
    if place is not None:
        return top - place[2] + 1
    depths = [0]
    for tx_input in tx.ins:
        by = ledger.spender(db, tx_input.place)
        if by is not None and by[0] != txid:
            depths.append(by[2] - top - 1)
        row = db.execute("SELECT raw FROM wallet_transactions WHERE id = ? LIMIT 1", (tx_input.txid,)).fetchone()
        if row is not None and row[0] is not None and ledger.where(db, tx_input.txid) is None:
            depths.append(depth_of(db, tx_input.txid, transactions.unpacked(row[0])))
    return min(depths)
