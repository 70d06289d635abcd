"""How the node writes what it knows: amounts, scripts, transactions, headers and blocks, as JSON."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from valtrac.devnet.qtum import codec, headers, ledger, state, transactions
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import COIN, Network
from valtrac.devnet.qtum.state import Block
from valtrac.devnet.qtum.transactions import Tx

DIFFICULTY = 4.656542373906925e-10
_MARK = secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Money:
    """Satoshi that JSON shows as a number of QTUM with eight decimals."""

    satoshi: int


def written(value: Any) -> str:
    """JSON as the node writes it: without spaces, amounts as numbers with exactly eight decimals."""
    text = json.dumps(value, default=_marked, separators=(",", ":"), ensure_ascii=False)
    return re.sub(rf'"{_MARK}(-?)(\d+)"', lambda match: match[1] + _eight(int(match[2])), text)


def _marked(value: Any) -> str:
    if not isinstance(value, Money):
        raise TypeError(f"{value!r} is nothing that JSON has")
    return f"{_MARK}{value.satoshi}"


def _eight(units: int) -> str:
    return f"{units // COIN}.{units % COIN:08d}"


_KINDS = {"call": "call", "nulldata": "nulldata"}


def script(network: Network, raw: bytes) -> dict[str, Any]:
    """An output script. A P2PK names no address, as in the real node."""
    said = codec.output(raw)
    address = network.address_of(raw)
    if said.kind == "pubkey":
        described = f"pk({raw[1:-1].hex()})"
    else:
        described = f"raw({raw.hex()})" if address is None else f"addr({address})"
    shown = {"asm": codec.in_words(raw), "desc": codec.described(described), "hex": raw.hex()}
    if address is not None and said.kind != "pubkey":
        shown["address"] = address
    return {**shown, "type": said.kind}


def transaction(
    network: Network, raw: bytes, *, spent: Sequence[Coin] | None = None, prevouts: bool = False, with_hex: bool = True
) -> dict[str, Any]:
    """A transaction. spent: the coins of its inputs, where the node knows them; prevouts: show them."""
    tx = transactions.unpacked(raw)
    txid = codec.shown(transactions.txid(raw))
    known = spent is not None and not tx.is_coinbase
    coins: Sequence[Coin | None] = list(spent) if spent is not None and known else [None] * len(tx.ins)
    shown: dict[str, Any] = {
        "txid": txid,
        "hash": txid,
        "version": tx.version,
        "size": len(raw),
        "vsize": len(raw),
        "weight": 4 * len(raw),
        "locktime": tx.locktime,
        "vin": [
            _input(network, tx, place, coin if prevouts else None)
            for place, coin in zip(range(len(tx.ins)), coins, strict=True)
        ],
        "vout": [
            {"value": Money(out.value), "n": n, "scriptPubKey": script(network, out.script)}
            for n, out in enumerate(tx.outs)
        ],
    }
    if known and not tx.is_coinstake and spent is not None:
        shown["fee"] = Money(ledger.total(spent) - tx.total)
    if with_hex:
        shown["hex"] = raw.hex()
    return shown


def _input(network: Network, tx: Tx, place: int, coin: Coin | None) -> dict[str, Any]:
    tx_input = tx.ins[place]
    if tx.is_coinbase:
        return {"coinbase": tx_input.script.hex(), "sequence": tx_input.sequence}
    shown: dict[str, Any] = {
        "txid": codec.shown(tx_input.txid),
        "vout": tx_input.n,
        "scriptSig": {"asm": codec.in_words(tx_input.script, signature=True), "hex": tx_input.script.hex()},
    }
    if coin is not None:
        shown["prevout"] = {
            "generated": coin.kind != state.PLAIN,
            "height": coin.height,
            "value": Money(coin.value),
            "scriptPubKey": script(network, coin.script),
        }
    return {**shown, "sequence": tx_input.sequence}


def median_time(db: sqlite3.Connection, block: Block) -> int:
    """The middle of the times of the last eleven blocks."""
    times, current_block = [], block
    for _ in range(11):
        times.append(current_block.at)
        above = state.block_by_hash(db, headers.unpacked(current_block.header).previous)
        if above is None:
            break
        current_block = above
    return sorted(times)[len(times) // 2]


def confirmations(db: sqlite3.Connection, block: Block) -> int:
    """How deep a block is; -1 in another branch."""
    return state.tip(db).height - block.height + 1 if block.active else -1


def header(db: sqlite3.Connection, block: Block) -> dict[str, Any]:
    """A header, with what the node knows of its block."""
    made = headers.unpacked(block.header)
    first = state.setting(db, "first")
    after = state.block_at(db, block.height + 1) if block.active else None
    shown: dict[str, Any] = {
        "hash": codec.shown(block.hash),
        "confirmations": confirmations(db, block),
        "height": block.height,
        "version": made.version,
        "versionHex": f"{made.version:08x}",
        "merkleroot": codec.shown(made.merkle),
        "time": made.at,
        "mediantime": median_time(db, block),
        "nonce": made.nonce,
        "bits": f"{made.bits:08x}",
        "difficulty": DIFFICULTY,
        "chainwork": f"{2 * (block.height - first + 1):064x}",
        "nTx": block.txs,
        "hashStateRoot": codec.shown(made.state_root),
        "hashUTXORoot": codec.shown(made.utxo_root),
    }
    if made.is_staked:
        shown |= {"prevoutStakeHash": codec.shown(made.stake[0]), "prevoutStakeVoutN": made.stake[1]}
    shown["previousblockhash"] = codec.shown(made.previous)
    if after is not None:
        shown["nextblockhash"] = codec.shown(after.hash)
    shown |= {
        "flags": "proof-of-stake" if made.is_staked else "proof-of-work",
        "proofhash": codec.shown(block.proof),
        "modifier": codec.shown(block.modifier),
    }
    if made.is_staked:
        shown["signature"] = made.staker_signature.hex()
        if made.proof:
            shown["proofOfDelegation"] = made.proof.hex()
    return shown


def block_bytes(db: sqlite3.Connection, block: Block) -> bytes:
    """A block as it goes over the wire."""
    bodies = state.bodies(db, block.id)
    return block.header + codec.size(len(bodies)) + b"".join(bodies)


def block(db: sqlite3.Connection, network: Network, one: Block, verbosity: int) -> dict[str, Any]:
    """A block: 1 with the ids of its transactions, 2 with these whole, 3 with the coins that they spent."""
    bodies = state.bodies(db, one.id)
    length = len(block_bytes(db, one))
    shown = {**header(db, one), "strippedsize": length, "size": length, "weight": 4 * length}
    if verbosity == 1:
        shown["tx"] = [codec.shown(transactions.txid(raw)) for raw in bodies]
        return shown
    shown["tx"] = [
        transaction(
            network, raw, spent=None if place == 0 else ledger.spent_by(db, one.id, place), prevouts=verbosity >= 3
        )
        for place, raw in enumerate(bodies)
    ]
    return shown
