"""Growing the chain: who wins, the coinstake, the block around it; and taking blocks back.

Everything here runs inside a transaction of the caller's.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from dataclasses import dataclass, field, replace

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import codec, coinstake, contract, faults, headers, ledger, mempool, state, transactions
from valtrac.devnet.qtum.coinstake import Body, Winner
from valtrac.devnet.qtum.headers import Header
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import SPACING_S, subsidy
from valtrac.devnet.qtum.stakes import Group, Party, Place, Stakes
from valtrac.devnet.qtum.state import Block
from valtrac.devnet.qtum.transactions import Tx

ANY = "*"
"""In the place of a delegate: whoever wins by weight."""
MINED = "mined"
_MOST_BYTES = 1_900_000
guard = threading.RLock()
_stakes: dict[str, Stakes] = {}


@dataclass(frozen=True, slots=True)
class Order:
    """Who shall make the next blocks. by: a key's hash, MINED, or None for the draw among all; delegate: a key's hash,
    ANY, or None for coins of its own; gap_s: seconds more before the first; rivals: transactions to put in first,
    whatever waits; without: leave the pool waiting."""

    by: bytes | str | None = None
    delegate: bytes | str | None = None
    gap_s: int = 0
    rivals: tuple[bytes, ...] = ()
    without: bool = False


@dataclass(slots=True)
class _Next:
    """A block in the making."""

    above: Block
    height: int
    at: int
    txs: list[tuple[Tx, bytes]] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    events: list[tuple[int, int, contract.Event, int]] = field(default_factory=list)
    refunds: list[transactions.Paid] = field(default_factory=list)
    fees: int = 0


def grow(db: sqlite3.Connection, count: int, order: Order) -> None:
    """Put blocks on top. BadInput where the one who is asked for cannot win; nothing is changed then."""
    for _ in range(count):
        with guard:
            _one(db, order)
        order = replace(order, gap_s=0, rivals=())


def take_back(db: sqlite3.Connection, depth: int) -> list[bytes]:
    """Take the newest blocks off; the transactions they held, in order, but for those that made coins."""
    taken: list[list[bytes]] = []
    for _ in range(depth):
        top = state.tip(db)
        taken.append([raw for raw in state.bodies(db, top.id) if not _makes_coins(raw)])
        ledger.give_back(db, top.id, top.height)
        db.execute("UPDATE blocks SET active = 0 WHERE id = ?", (top.id,))
    return [raw for block in reversed(taken) for raw in block]


def _makes_coins(raw: bytes) -> bool:
    tx = transactions.unpacked(raw)
    return tx.is_coinbase or tx.is_coinstake


def stakes_of(db: sqlite3.Connection) -> Stakes:
    """The coins that may win the next block. To be held with `guard`: the threads of a process share it."""
    name = db.execute("PRAGMA database_list").fetchone()[2]
    known = _stakes.pop(name, None)
    if known is None or not known.catch_up(db):
        known = Stakes(db)
    _stakes[name] = known
    return known


def _one(db: sqlite3.Connection, order: Order) -> None:
    above = state.tip(db)
    step = SPACING_S + order.gap_s // 4 * 4
    new = _Next(above, above.height + 1, above.at + step)
    stakes = stakes_of(db)
    barred = {(txid, n) for txid, n in db.execute("SELECT id, n FROM locks")}
    _include(db, new, order)
    barred |= {tx_input.place for tx, _ in new.txs for tx_input in tx.ins}
    barred |= {(txid, n) for txid, n in db.execute("SELECT id, n FROM pool_spends")}
    winner = None if order.by == MINED else _winner(db, stakes, order, barred, new)  # None: mined
    _finish(db, new, winner, stakes, barred)


def _include(db: sqlite3.Connection, new: _Next, order: Order) -> None:
    """Take what waits, in order of arrival, and carry out the contract calls in it."""
    waiting: list[bytes] = list(order.rivals)
    if not order.without and not faults.active_flag(db, "hold_pool"):
        waiting += [raw for (raw,) in db.execute("SELECT raw FROM pool ORDER BY arrival")]
    if not waiting:
        return
    spent: set[Place] = set()
    fresh: dict[Place, Coin] = {}
    room = _MOST_BYTES
    for raw in waiting:
        tx = transactions.unpacked(raw)
        coins = [
            None if tx_input.place in spent else fresh.get(tx_input.place) or ledger.coin(db, tx_input.place)
            for tx_input in tx.ins
        ]
        room -= len(raw)
        if room < 0 or any(coin is None for coin in coins):
            continue
        given = [coin for coin in coins if coin is not None]
        txid = transactions.txid(raw)
        position = len(new.txs) + 2
        _carry_out(db, new, tx, given, position)
        new.txs.append((tx, txid))
        new.raws.append(raw)
        new.fees += ledger.total(given) - tx.total
        spent |= {tx_input.place for tx_input in tx.ins}
        fresh.update({coin.place: coin for coin in ledger.outputs(tx, txid, new.height, position)})


def _carry_out(db: sqlite3.Connection, new: _Next, tx: Tx, coins: list[Coin], position: int) -> None:
    """The contract calls of a transaction: what they write, and the gas that goes back to the sender."""
    sender = coins[0].owner
    for n, call in contract.calls(tx):
        if sender is None:
            continue
        before = next((event for _, _, event, _ in reversed(new.events) if event.delegate == sender), None)
        if before is None:
            before = contract.delegation(db, sender)
        wrote, gas = contract.executed(
            None if before is None or before.kind != "add" else before, sender, call, new.height
        )
        new.events += [(position, n, event, gas) for event in wrote]
        back = (call.gas_limit - gas) * call.gas_price
        if back > 0:
            new.refunds.append(transactions.Paid(back, codec.p2pkh(sender)))


def _winner(db: sqlite3.Connection, stakes: Stakes, order: Order, barred: set[Place], new: _Next) -> Winner | None:
    groups = _asked(db, stakes, order)
    salt = state.setting(db, "branch", 0).to_bytes(8, "big")
    ticket = int.from_bytes(hashlib.sha512(new.above.hash + salt).digest(), "big")
    poor: set[Party] = set()
    drawn = stakes.draw(groups, ticket, barred, poor)
    while drawn is not None and not coinstake.spares(db, stakes, *drawn):
        poor.add(drawn[0])
        drawn = stakes.draw(groups, ticket, barred, poor)
    if drawn is None and order.by is None:
        return None
    if drawn is None:
        raise BadInput(
            "nobody who was asked for can win the next block",
            why="that takes a coin that has rested long enough, and for a delegate's block one of the staker's own "
            "of 100 QTUM or more",
            fix="make more blocks first, or name another staker",
        )
    party, kernel = drawn
    return coinstake.winner(db, stakes, party, kernel, barred)


def _asked(db: sqlite3.Connection, stakes: Stakes, order: Order) -> list[Group]:
    if order.by is None:
        resting = coinstake.resting(db)
        return [group for group in stakes.groups.values() if group.staker not in resting]
    assert isinstance(order.by, bytes)
    if order.delegate is None:
        own = [Party(order.by, order.by, None, 0)] if order.by in stakes.urns else []
        return [stakes.group(order.by, own)]
    if order.delegate == ANY:
        delegated_group = stakes.groups.get((order.by, True))
        return [] if delegated_group is None else [delegated_group]
    event = stakes.delegations.get(order.delegate) if isinstance(order.delegate, bytes) else None
    if event is None or event.staker != order.by or not contract.verified(event):
        raise BadInput("that delegate has no delegation to that staker which its proof bears out")
    return [stakes.group(order.by, [Party(order.by, event.delegate, event, 0)])]


def _finish(db: sqlite3.Connection, new: _Next, winner: Winner | None, stakes: Stakes, barred: set[Place]) -> None:
    """The coinstake or coinbase, the header, and all of it stored."""
    network = state.network(db)
    gas = sum(out.value for out in new.refunds)
    made = state.setting(db, "subsidy")
    made = subsidy(network.name, new.height) if made is None else made
    body = Body(new.height, new.fees - gas + made, tuple(new.refunds), state.setting(db, "branch", 0))
    tail = [txid for _, txid in new.txs]
    if winner is None:
        first = [coinstake.mined(body, bytes.fromhex(state.setting(db, "miner")), tail)]
    else:
        stake = coinstake.coinstake(db, body, winner, stakes, barred)
        first = [coinstake.coinbase(body, [transactions.txid(transactions.packed(stake)), *tail]), stake]
    shift = 2 - len(first)  # a mined block has no coinstake, so what was counted behind one moves up
    raws = [transactions.packed(tx) for tx in first] + new.raws
    txs = [(tx, transactions.txid(raw)) for tx, raw in zip(first, raws, strict=False)] + new.txs
    moved = [(position - shift, n, event, used) for position, n, event, used in new.events]
    _store(db, _sealed(db, new, winner, txs, made), txs, raws, moved, stakes)


def _sealed(db: sqlite3.Connection, new: _Next, winner: Winner | None, txs: list[tuple[Tx, bytes]], made: int) -> Block:
    """The header over these transactions, signed by the staker."""
    root = contract.state_root(new.above.state_root, [event for _, _, event, _ in new.events])
    header = Header(new.above.hash, headers.merkle_root([txid for _, txid in txs]), new.at, root, headers.UTXO_ROOT)
    proof = b"\0" * 32
    staked: tuple[bytes | None, bytes | None, bytes | None, int | None] = (None, None, None, None)
    if winner is not None:
        from_block = state.block_at(db, winner.kernel_height)
        from_at = 0 if from_block is None else from_block.at
        proof = headers.kernel_proof(new.above.modifier, from_at, winner.kernel, new.at)
        header = headers.signed(replace(header, stake=winner.kernel), winner.key, winner.proof)
        staked = (winner.key.hash, winner.delegate, *winner.kernel)
    raw = headers.packed(header)
    hashed = headers.block_hash(raw)
    proof = hashed if winner is None else proof
    modifier = headers.modifier(hashed if winner is None else winner.kernel[0], new.above.modifier)
    return Block(0, hashed, new.height, 1, new.at, raw, modifier, proof, len(txs), *staked, made, root)


def _store(
    db: sqlite3.Connection,
    block: Block,
    txs: list[tuple[Tx, bytes]],
    raws: list[bytes],
    events: list[tuple[int, int, contract.Event, int]],
    stakes: Stakes,
) -> None:
    number = insert_block(db, block, txs, raws)
    for place, (position, n, event, gas) in enumerate(events):
        row = (number, position, n, place, *event, gas)
        db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    gone, _ = ledger.take(db, number, block.height, txs)
    mempool.settle(db, txs[1:])
    if events:
        changed(db)
    else:
        stakes.follow(db, block, gone)


def insert_block(db: sqlite3.Connection, block: Block, txs: list[tuple[Tx, bytes]], raws: list[bytes]) -> int:
    """Store a block and its transactions; the number under which it is kept."""
    made = db.execute(
        "INSERT INTO blocks (hash, height, active, at, header, modifier, proof, txs, staker, delegate, kernel,"
        " kernel_n, made, state_root) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        block[1:],
    )
    number = made.lastrowid or 0
    db.executemany(
        "INSERT INTO transactions VALUES (?, ?, ?, ?)",
        [(number, position, txid, raw) for position, ((_, txid), raw) in enumerate(zip(txs, raws, strict=True))],
    )
    return number


def changed(db: sqlite3.Connection) -> None:
    """Say that who may stake has changed, so that every process looks again."""
    state.put(db, "stakers_version", secrets.token_hex(8))
