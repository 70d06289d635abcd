"""Transactions that people of the rehearsal make: payments, delegations, double spends."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import codec, contract, keys, ledger, mempool, state, transactions
from valtrac.devnet.qtum.keys import Key
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import DUST_PKH, GAS_CREATE, GAS_PRICE, fee_for
from valtrac.devnet.qtum.transactions import FINAL, Input, Paid, Tx

_INPUT_BYTES, _OUTPUT_BYTES, _FRAME_BYTES = 149, 34, 12


def key_named(db: sqlite3.Connection, who: str) -> Key:
    """The key of a person, by name or address. BadInput for an unknown one."""
    row = db.execute("SELECT secret FROM keys WHERE name = ? ORDER BY change LIMIT 1", (who,)).fetchone()
    if row is None:
        try:
            hashed = state.network(db).key_hash(who)
        except ValueError:
            hashed = None
        row = db.execute("SELECT secret FROM keys WHERE hash = ?", (hashed,)).fetchone()
    if row is None:
        raise BadInput(f"there is nobody called {who} in the rehearsal")
    return keys.key_of(row[0])


def spendable(db: sqlite3.Connection, owner: bytes) -> list[Coin]:
    """The coins of a key that a transaction may spend now: those with rest behind them, and not spent by one that
    waits or locked."""
    height = state.tip(db).height + 1
    rest = state.maturity(db, height)
    barred = {(txid, n) for txid, n in db.execute("SELECT id, n FROM pool_spends UNION SELECT id, n FROM locks")}
    ripe = [coin for coin in ledger.coins_of(db, owner) if coin.kind == state.PLAIN or height - coin.height >= rest]
    return [coin for coin in ripe if coin.place not in barred]


def chosen(coins: Sequence[Coin], needed: int, outputs: int) -> list[Coin]:
    """The largest coins until they cover an amount and its fee. BadInput where all together do not."""
    taken: list[Coin] = []
    for largest in sorted(coins, key=lambda coin: (-coin.value, coin.place)):
        taken.append(largest)
        if ledger.total(taken) >= needed + fee(len(taken), outputs + 1):
            return taken
    raise BadInput("that person does not have as many coins to spend")


def fee(inputs: int, outputs: int) -> int:
    """The least fee of a transaction with so many inputs and outputs."""
    return fee_for(inputs * _INPUT_BYTES + outputs * _OUTPUT_BYTES + _FRAME_BYTES)


def built(owner: Key, coins: Sequence[Coin], outs: Sequence[Paid], *, paid: int, sequence: int = FINAL) -> bytes:
    """A signed transaction of one key; what is over goes back to it. paid: the fee."""
    over = ledger.total(coins) - sum(out.value for out in outs) - paid
    change = [Paid(over, codec.p2pkh(owner.hash))] if over >= DUST_PKH else []
    tx = Tx(tuple(Input(*coin.place, sequence=sequence) for coin in coins), (*outs, *change))
    return transactions.packed(transactions.signed(tx, [(coin.script, owner) for coin in coins]))


def pay(db: sqlite3.Connection, sender: str, payments: Sequence[tuple[bytes, int]]) -> bytes:
    """Send coins from a person to keys, by hash; the transaction's id. It waits for the next block."""
    owner = key_named(db, sender)
    outs = [Paid(satoshi, codec.p2pkh(to)) for to, satoshi in payments]
    coins = chosen(spendable(db, owner.hash), sum(out.value for out in outs), len(outs))
    raw = built(owner, coins, outs, paid=fee(len(coins), len(outs) + 1))
    return mempool.admit(db, raw, max_fee=0, now=state.now(db))


def calling(owner: Key, coins: Sequence[Coin], data: bytes, *, gas_limit: int = GAS_CREATE) -> bytes:
    """A signed call of the delegation contract, paid from these coins."""
    out = Paid(0, contract.call_script(data, gas_limit, GAS_PRICE))
    gas = gas_limit * GAS_PRICE
    return built(owner, coins, [out], paid=gas + fee(len(coins), 2) + fee_for(len(out.script)))


def call(db: sqlite3.Connection, who: str, data: bytes) -> bytes:
    """Call the delegation contract from a person's smallest coin that pays for it; the transaction's id."""
    owner = key_named(db, who)
    needed = GAS_CREATE * GAS_PRICE + fee(1, 2) + fee_for(320) + DUST_PKH
    fit = [candidate for candidate in spendable(db, owner.hash) if candidate.value >= needed]
    if not fit:
        raise BadInput(f"{who} has no coin that pays for a call", fix="fund them first")
    coin = min(fit, key=lambda candidate: (candidate.value, candidate.place))
    return mempool.admit(db, calling(owner, [coin], data), now=state.now(db))


def rival(db: sqlite3.Connection, raw: bytes, *, to: bytes | None = None) -> bytes:
    """A signed transaction that spends the first coin of another one, to `to` or back to its owner, and so rules the
    other out. BadInput where the key of that coin is not known here."""
    tx = transactions.unpacked(raw)
    coin = mempool.output_of(db, tx.ins[0].place)
    row = None if coin is None else db.execute("SELECT secret FROM keys WHERE hash = ?", (coin.owner,)).fetchone()
    if coin is None or row is None:
        raise BadInput("the rehearsal does not know the key of that transaction's first coin")
    owner = keys.key_of(row[0])
    paid = fee(1, 1) * 2
    out = Paid(coin.value - paid, codec.p2pkh(owner.hash if to is None else to))
    other = Tx((replace(tx.ins[0], script=b""),), (out,))
    return transactions.packed(transactions.signed(other, [(coin.script, owner)]))
