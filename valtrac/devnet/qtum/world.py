"""Making a node's world: people, their keys and coins, the wallet of the pool, and who delegates to whom."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import blocks, codec, contract, headers, keys, ledger, mempool, payer, state, transactions
from valtrac.devnet.qtum.blocks import MINED, Order
from valtrac.devnet.qtum.keys import Key, dev_key
from valtrac.devnet.qtum.rules import COIN, NETWORKS, SPACING_S
from valtrac.devnet.qtum.transactions import Paid, Tx

PASSPHRASE = "rehearsal"  # noqa: S105 - it protects nothing, everybody knows it
NETWORK, TREASURY, MINER = "network", "treasury", "miner"
"""Who stakes for the rest of the network, who pays for `fund`, who mines where nobody can stake."""
FLAGS: dict[str, Any] = {
    "superstaking": True,
    "staking": True,
    "addrindex": True,
    "txindex": True,
    "logevents": True,
    "stakingminutxovalue": 100 * COIN,
    "stakingminfee": 10,
    "reservebalance": 0,
    "rpcuser": "",
    "rpcpassword": "",
}
"""What a node is started with; amounts in satoshi. rpcuser "": the cookie alone."""
_GAS_COIN = 5 * COIN


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a key. satoshi: at the seed, in so many equal coins; wallet: whose node holds the key ("" is the
    pool's default wallet, None another's); stakes: takes part with coins of its own; to, fee: whom it delegates to."""

    name: str
    satoshi: int = 0
    coins: int = 1
    wallet: str | None = None
    stakes: bool = False
    to: str | None = None
    fee: int = 100


_OTHERS = (Person(TREASURY, 10_000_000 * COIN, 20), Person(MINER))


def seed(
    directory: Path | str,
    *,
    people: Sequence[Person],
    network: str = "regtest",
    first_height: int = 6_300_000,
    maturity: int | None = None,
    subsidy: int | None = None,
    at: datetime | None = None,
    passphrase: str | None = PASSPHRASE,
    network_satoshi: int = 1_000 * COIN,
    flags: dict[str, Any] | None = None,
) -> str:
    """Make a node in a directory and let it grow until every coin of the seed may win; the newest block's hash.

    first_height: of the first block, which makes all coins of the seed; those below are not there. maturity: blocks
    that coins rest, by default as the network prescribes; subsidy: satoshi a block, likewise. at: time of the newest
    block, UTC, by default now; network_satoshi: of each coin of the rest of the network, of which there are as many
    as keep it staking. passphrase: of the pool's wallet, None leaves it open. flags: as in FLAGS.
    Raises BadInput where there is a node already, or a name comes twice.
    """
    if network not in NETWORKS or not 1 <= first_height < 1 << 30:
        raise BadInput(f"there is no chain {network} that starts at {first_height}")
    _check(people, flags or {})
    rest = maturity or NETWORKS[network].maturity(first_height)
    many = rest + rest // 20 + 50
    everybody = [*people, Person(NETWORK, network_satoshi * many, many, stakes=True), *_OTHERS]
    length = rest + 1 + any(person.to for person in people)
    started = int(time.time() if at is None else at.timestamp()) // 4 * 4 - length * SPACING_S
    db = state.create(directory)
    wallets = {person.wallet for person in people if person.wallet is not None} | {""}
    with state.writing(db):
        _settings(db, network, first_height, maturity, subsidy, {**FLAGS, **(flags or {})})
        db.executemany("INSERT INTO wallets VALUES (?, 1, ?, 0, 0)", [(wallet, passphrase) for wallet in wallets])
        _insert_people(db, everybody)
        _first_block(db, everybody, first_height, started)
        blocks.grow(db, rest, Order(by=MINED))
        _delegate_all(db, people)
        newest = state.tip(db)
    db.close()
    return codec.shown(newest.hash)


def second(directory: Path | str, of: Path | str) -> None:
    """Make a second node of the chain in another directory: without a wallet, and with faults of its own.

    It sees what the first one sees at once. It is served, started and made to misbehave by its own directory; blocks
    are made by the first one's. Raises BadInput where there is a node already.
    """
    state.connect(of)
    db = state.create(directory)
    with state.writing(db):
        state.put(db, "layout", state.LAYOUT)
        state.put(db, "mirror_of", str(Path(of).resolve()))
    db.close()


def _check(people: Sequence[Person], flags: dict[str, Any]) -> None:
    names = [person.name for person in people]
    if len({*names, NETWORK, TREASURY, MINER}) != len(names) + 3:
        raise BadInput("a name comes twice")
    for person in people:
        if person.satoshi < 0 or person.coins < 1 or not 0 <= person.fee <= 100:
            raise BadInput(f"{person.name} makes no sense: {person}")
    unknown = [name for name in flags if name not in FLAGS]
    if unknown:
        raise BadInput(f"the node has no option {', '.join(unknown)}", fix=f"one of {', '.join(FLAGS)}")


def _settings(
    db: sqlite3.Connection, network: str, first: int, maturity: int | None, subsidy: int | None, flags: dict[str, Any]
) -> None:
    for name, value in {
        "layout": state.LAYOUT,
        "network": network,
        "first": first,
        "maturity": maturity,
        "subsidy": subsidy,
        "flags": flags,
        "miner": dev_key(MINER).hash.hex(),
        "connections": 12,
    }.items():
        state.put(db, name, value)


def _insert_people(db: sqlite3.Connection, people: Iterable[Person]) -> None:
    for person in people:
        key = dev_key(person.name)
        db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, 0)", (key.hash, key.secret, person.name, person.wallet))
    stakers = state.setting(db, "stakers", [])
    state.put(db, "stakers", stakers + [dev_key(person.name).hash.hex() for person in people if person.stakes])
    blocks.changed(db)


def _first_block(db: sqlite3.Connection, people: list[Person], height: int, at: int) -> None:
    """A mined block that makes every coin of the seed."""
    outs: list[Paid] = []
    for person in people:
        script, left = codec.p2pkh(dev_key(person.name).hash), person.satoshi
        for coin in range(person.coins if person.satoshi else 0):
            share = left // (person.coins - coin)
            outs.append(Paid(share, script))
            left -= share
        if person.to is not None:
            outs.append(Paid(_GAS_COIN, script))
    script_sig = codec.push_number(height) + b"\0"
    tx = Tx((transactions.Input(*transactions.NOWHERE, script=script_sig),), tuple(outs))
    raw = transactions.packed(tx)
    txid = transactions.txid(raw)
    header = headers.Header(codec.sha256d(b"before"), txid, at, headers.STATE_ROOT, headers.UTXO_ROOT)
    packed = headers.packed(header)
    hashed = headers.block_hash(packed)
    modifier = headers.modifier(hashed, b"\0" * 32)
    block = state.Block(
        0, hashed, height, 1, at, packed, modifier, hashed, 1, None, None, None, None, tx.total, header.state_root
    )
    number = blocks.insert_block(db, block, [(tx, txid)], [raw])
    ledger.take(db, number, height, [(tx, txid)])


def _delegate_all(db: sqlite3.Connection, people: Sequence[Person]) -> None:
    """Send what makes the delegations of the seed, and mine it."""
    asked = [person for person in people if person.to is not None]
    for person in asked:
        owner = dev_key(person.name)
        gas = max(ledger.coins_of(db, owner.hash), key=lambda coin: (coin.value == _GAS_COIN, coin.n))
        staker = payer.key_named(db, str(person.to))
        call = contract.add_data(staker.hash, person.fee, keys.delegation_proof(owner, staker.hash))
        raw = payer.calling(owner, [gas], call)
        mempool.admit(db, raw, now=state.now(db))
    if asked:
        blocks.grow(db, 1, Order(by=MINED))


def add_person(directory: Path | str, person: Person) -> str:
    """One more person, with coins that the treasury pays in the next block; the address."""
    db = state.connect(directory)
    with state.writing(db):
        if db.execute("SELECT 1 FROM keys WHERE name = ?", (person.name,)).fetchone():
            raise BadInput(f"there is already somebody called {person.name}")
        _insert_people(db, [person])
        if person.satoshi:
            payer.pay(db, TREASURY, [(dev_key(person.name).hash, person.satoshi // person.coins)] * person.coins)
        return state.network(db).address(dev_key(person.name).hash)


def dev_address(name: str, network: str = "regtest") -> str:
    """The address of somebody's key, without a node."""
    return NETWORKS[network].address(dev_key(name).hash)


def known_key(db: sqlite3.Connection, hashed: bytes) -> Key | None:
    """A key that the rehearsal knows, by its hash."""
    row = db.execute("SELECT secret FROM keys WHERE hash = ?", (hashed,)).fetchone()
    return None if row is None else keys.key_of(row[0])
