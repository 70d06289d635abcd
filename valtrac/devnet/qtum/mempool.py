"""Transactions that wait: what a node takes, what it refuses and in which words, what leaves again."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from valtrac.devnet.qtum import codec, contract, faults, ledger, state, transactions
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import DUST_PKH, MAX_FEE, MAX_MONEY, MAX_WEIGHT, NodeError, fee_for, formatted
from valtrac.devnet.qtum.transactions import Tx

MISSING = "bad-txns-inputs-missingorspent"
_REPLACEABLE = 0xFFFFFFFD
_LONGEST_CHAIN = 25


class Accepted(NamedTuple):
    """A transaction that a node takes. fee: satoshi, gas included; replaces: waiting ones that it drives out."""

    id: bytes
    tx: Tx
    fee: int
    replaces: tuple[bytes, ...]


def unspent(db: sqlite3.Connection, place: tuple[bytes, int]) -> Coin | None:
    """A coin of the branch or of a waiting transaction; height 0 and position -1 where it waits."""
    coin = ledger.coin(db, place)
    if coin is not None:
        return coin
    row = db.execute("SELECT raw FROM pool WHERE id = ?", (place[0],)).fetchone()
    if row is None:
        return None
    made = ledger.outputs(transactions.unpacked(row[0]), place[0], 0, -1)
    return next((output for output in made if output.n == place[1]), None)


def checked(db: sqlite3.Connection, raw: bytes) -> Accepted:
    """Whether the node would take a transaction. Raises NodeError -25 or -26 with the reason."""
    try:
        tx = transactions.unpacked(raw)
    except transactions.BadTransaction:
        raise NodeError(-22, "TX decode failed. Make sure the tx has at least one input.") from None
    reason = _malformed(tx, raw)
    if reason:
        raise NodeError(-26, reason)
    txid = transactions.txid(raw)
    if faults.active_flag(db, "full_pool"):
        raise NodeError(-26, "mempool full")
    rivals = _rivals(db, tx)
    spent = [unspent(db, tx_input.place) for tx_input in tx.ins]
    if any(spent_coin is None for spent_coin in spent):
        raise NodeError(-25, MISSING)
    coins = [spent_coin for spent_coin in spent if spent_coin is not None]
    fee = _fee(db, tx, raw, coins)
    _may_replace(db, tx, fee, len(raw), rivals)
    if len(_parents(db, tx)) >= _LONGEST_CHAIN:
        said = f"too-long-mempool-chain, too many unconfirmed ancestors [limit: {_LONGEST_CHAIN}]"
        raise NodeError(-26, said)
    for index, coin in enumerate(coins):
        if not transactions.opens(tx, index, coin.script):
            said = "Script evaluated without error but finished with a false/empty top stack element"
            raise NodeError(-26, f"mandatory-script-verify-flag-failed ({said})")
    return Accepted(txid, tx, fee, tuple(rivals))


def _malformed(tx: Tx, raw: bytes) -> str:
    """What is wrong with a transaction by itself."""
    if not tx.ins:
        return "bad-txns-vin-empty"
    if not tx.outs:
        return "bad-txns-vout-empty"
    if any(out.value < 0 for out in tx.outs):
        return "bad-txns-vout-negative"
    if any(out.value > MAX_MONEY for out in tx.outs) or tx.total > MAX_MONEY:
        return "bad-txns-vout-toolarge"
    if len({tx_input.place for tx_input in tx.ins}) != len(tx.ins):
        return "bad-txns-inputs-duplicate"
    if tx.is_coinbase or tx.is_coinstake:
        return "coinbase" if tx.is_coinbase else "coinstake"
    if tx.version not in (1, 2):
        return "version"
    if len(raw) * 4 > MAX_WEIGHT:
        return "tx-size"
    for out in tx.outs:
        kind = codec.output(out.script).kind
        if kind == "nonstandard" or (kind in ("nulldata", "call") and out.value):
            return "scriptpubkey"
        if kind not in ("nulldata", "call") and out.value < DUST_PKH:
            return "dust"
    return ""


def _fee(db: sqlite3.Connection, tx: Tx, raw: bytes, coins: list[Coin]) -> int:
    height = state.tip(db).height + 1
    rest = state.maturity(db, height)
    early = next((coin for coin in coins if coin.kind != state.PLAIN and height - coin.height < rest), None)
    if early is not None:
        said = f"tried to spend coinbase at depth {height - early.height}"
        raise NodeError(-26, f"bad-txns-premature-spend-of-coinbase, {said}")
    fee = ledger.total(coins) - tx.total
    if fee < 0:
        said = f"value in ({formatted(ledger.total(coins))}) < value out ({formatted(tx.total)})"
        raise NodeError(-26, f"bad-txns-in-belowout, {said}")
    gas = sum(call.paid for _, call in contract.calls(tx))
    least = fee_for(len(raw))
    if gas and fee - gas < least:
        raise NodeError(-26, "bad-txns-fee-notenough")
    if fee < least:
        raise NodeError(-26, f"min relay fee not met, {fee} < {least}")
    return fee


def _rivals(db: sqlite3.Connection, tx: Tx) -> list[bytes]:
    """Waiting transactions that spend one of the same coins. NodeError where one of them cannot be replaced."""
    rivals: dict[bytes, None] = {}
    for tx_input in tx.ins:
        row = db.execute("SELECT by FROM pool_spends WHERE id = ? AND n = ?", tx_input.place).fetchone()
        if row is not None:
            rivals[row[0]] = None
    for rival in rivals:
        raw = db.execute("SELECT raw FROM pool WHERE id = ?", (rival,)).fetchone()[0]
        if all(rival_input.sequence > _REPLACEABLE for rival_input in transactions.unpacked(raw).ins):
            raise NodeError(-26, "txn-mempool-conflict")
    return list(rivals)


def _parents(db: sqlite3.Connection, tx: Tx) -> set[bytes]:
    """All waiting transactions that this one rests on, and these on."""
    parents: set[bytes] = set()
    left = [tx]
    while left:
        for tx_input in left.pop().ins:
            row = (
                None
                if tx_input.txid in parents
                else db.execute("SELECT raw FROM pool WHERE id = ?", (tx_input.txid,)).fetchone()
            )
            if row is not None:
                parents.add(tx_input.txid)
                left.append(transactions.unpacked(row[0]))
    return parents


def _may_replace(db: sqlite3.Connection, tx: Tx, fee: int, length: int, rivals: list[bytes]) -> None:
    if not rivals:
        return
    out: dict[bytes, tuple[int, int]] = {}
    for rival in rivals:
        for txid in _with_children(db, rival):
            row = db.execute("SELECT fee, LENGTH(raw) FROM pool WHERE id = ?", (txid,)).fetchone()
            out[txid] = (row[0], row[1])
    if any(tx_input.txid in out for tx_input in tx.ins):
        raise NodeError(-26, "bad-txns-spends-conflicting-tx")
    old = sum(paid for paid, _ in out.values())
    direct = [out[rival] for rival in rivals]
    if any(fee * size <= paid * length for paid, size in direct) or fee < old + fee_for(length):
        named = codec.shown(transactions.txid(transactions.packed(tx)))
        raise NodeError(-26, f"insufficient fee, rejecting replacement {named}; {fee} < {old + fee_for(length)}")


def admit(db: sqlite3.Connection, raw: bytes, *, max_fee: int = MAX_FEE, now: int) -> bytes:
    """Take a transaction into the pool, as `sendrawtransaction` does; its id as stored. NodeError says why not.

    max_fee: satoshi for each 1000 bytes, 0 is no limit. What waits already is taken again without a word.
    """
    txid = transactions.txid(raw)
    if db.execute("SELECT 1 FROM coins WHERE id = ? LIMIT 1", (txid,)).fetchone():
        raise NodeError(-27, "Transaction already in block chain")
    if db.execute("SELECT 1 FROM pool WHERE id = ?", (txid,)).fetchone():
        return txid
    taken = checked(db, raw)
    if max_fee and not contract.calls(taken.tx) and taken.fee > fee_for(len(raw), max_fee):
        raise NodeError(-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")
    insert(db, raw, taken, now=now)
    return txid


def insert(db: sqlite3.Connection, raw: bytes, taken: Accepted, *, now: int) -> None:
    """Put a checked transaction into the pool, and out what it replaces; wallets that it concerns remember it."""
    for rival in taken.replaces:
        drop(db, rival)
    height = state.tip(db).height
    db.execute(
        "INSERT INTO pool (id, raw, fee, at, height) VALUES (?, ?, ?, ?, ?)", (taken.id, raw, taken.fee, now, height)
    )
    db.executemany(
        "INSERT INTO pool_spends VALUES (?, ?, ?)", [(*tx_input.place, taken.id) for tx_input in taken.tx.ins]
    )
    remember(db, taken.id, raw, taken.tx, now=now)


def remember(db: sqlite3.Connection, txid: bytes, raw: bytes, tx: Tx, *, now: int) -> None:
    """Write a transaction into every wallet that it pays or is paid from."""
    owners = {codec.output(out.script).key_hash for out in tx.outs}
    owners |= {coin.owner for coin in (_ever(db, tx_input.place) for tx_input in tx.ins) if coin is not None}
    wallets = set()
    for owner in owners - {None}:
        row = db.execute("SELECT wallet FROM keys WHERE hash = ? AND wallet NOT NULL", (owner,)).fetchone()
        if row is not None:
            wallets.add(row[0])
    for wallet in wallets:
        db.execute("INSERT OR IGNORE INTO wallet_transactions VALUES (?, ?, ?, ?, 0)", (wallet, txid, raw, now))
        db.execute("UPDATE wallet_transactions SET abandoned = 0 WHERE wallet = ? AND id = ?", (wallet, txid))
        spends = [(wallet, *tx_input.place, txid) for tx_input in tx.ins]
        db.executemany("INSERT OR IGNORE INTO wallet_spends VALUES (?, ?, ?, ?)", spends)


def _ever(db: sqlite3.Connection, place: tuple[bytes, int]) -> Coin | None:
    coin = unspent(db, place)
    if coin is not None:
        return coin
    row = db.execute(
        "SELECT id, n, value, script, owner, height, first, kind FROM spent WHERE id = ? AND n = ? LIMIT 1", place
    ).fetchone()
    return None if row is None else Coin(*row)


def output_of(db: sqlite3.Connection, place: tuple[bytes, int]) -> Coin | None:
    """An output that is or was: unspent, waiting or spent, in whatever branch."""
    return _ever(db, place)


def _with_children(db: sqlite3.Connection, txid: bytes) -> list[bytes]:
    """A waiting transaction and all that spend from it, parents first."""
    txids, index = [txid], 0
    while index < len(txids):
        rows = db.execute("SELECT DISTINCT by FROM pool_spends WHERE id = ?", (txids[index],))
        txids += [child for (child,) in rows if child not in txids]
        index += 1
    return txids


def drop(db: sqlite3.Connection, txid: bytes, *, children: bool = True) -> None:
    """Take a transaction out of the pool, with what spends from it."""
    for dropped in _with_children(db, txid) if children else [txid]:
        db.execute("DELETE FROM pool WHERE id = ?", (dropped,))
        db.execute("DELETE FROM pool_spends WHERE by = ?", (dropped,))


def settle(db: sqlite3.Connection, included: list[tuple[Tx, bytes]]) -> None:
    """After a block: take out what it holds, and what spends a coin that it spent."""
    if not db.execute("SELECT 1 FROM pool LIMIT 1").fetchone():
        return
    for tx, txid in included:
        drop(db, txid, children=False)
        for tx_input in tx.ins:
            row = db.execute("SELECT by FROM pool_spends WHERE id = ? AND n = ?", tx_input.place).fetchone()
            if row is not None:
                drop(db, row[0])


def empty(db: sqlite3.Connection) -> list[bytes]:
    """Take everything out; what waited, in order of arrival."""
    waiting = [raw for (raw,) in db.execute("SELECT raw FROM pool ORDER BY arrival")]
    db.execute("DELETE FROM pool")
    db.execute("DELETE FROM pool_spends")
    return waiting


def refill(db: sqlite3.Connection, raws: list[bytes], *, now: int) -> None:
    """Let these wait again as far as the branch still takes them; the others are dropped without a word."""
    for raw in raws:
        try:
            insert(db, raw, checked(db, raw), now=now)
        except (NodeError, sqlite3.IntegrityError):
            continue
