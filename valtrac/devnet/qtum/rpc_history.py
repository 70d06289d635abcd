"""Methods that list the wallet's transactions."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import codec, headers, state, transactions
from valtrac.devnet.qtum import wallet as wallets
from valtrac.devnet.qtum.rpc import Call, hashed, method, whole
from valtrac.devnet.qtum.rpc_transactions import about, details
from valtrac.devnet.qtum.rules import NodeError
from valtrac.devnet.qtum.state import Block
from valtrac.devnet.qtum.transactions import Tx


@method(
    "listsinceblock",
    blockhash="string?",
    target_confirmations="number?",
    include_watchonly="bool?",
    include_removed="bool?",
    include_change="bool?",
    label="string?",
)
def since_block(call: Call) -> dict[str, Any]:
    """What concerns the wallet since a block: in later blocks, waiting, ruled out, or in blocks no longer there."""
    name, db = call.wallet(), call.db
    confirms = 1 if call.args[1] is None else whole(call.args[1])
    if confirms < 1:
        raise NodeError(-8, "Invalid parameter")
    tip, removed, fork = state.tip(db), [], None
    if call.args[0]:
        block = state.block_by_hash(db, hashed(call.args[0], "blockhash"))
        if block is None:
            raise NodeError(-5, "Block not found")
        while not block.active:
            removed += _lines(call, name, block)
            above = state.block_by_hash(db, headers.unpacked(block.header).previous)
            assert above is not None, "branches part above the first block"
            block = above
        fork = block.height
    first = state.setting(db, "first")
    listed = [] if fork is not None and fork >= tip.height else _above(call, name, first if fork is None else fork + 1)
    listed += _outside(call, name, None if fork is None else tip.height + 1 - fork)
    last = state.block_at(db, max(first, tip.height + 1 - confirms))
    shown: dict[str, Any] = {"transactions": listed}
    if call.args[3] is not False:
        shown["removed"] = removed
    return {**shown, "lastblock": codec.shown((last or tip).hash)}


def _above(call: Call, name: str, low: int) -> list[dict[str, Any]]:
    """What concerns the wallet in the branch's blocks from a height on."""
    rows = call.db.execute("SELECT height FROM blocks WHERE active AND height >= ? ORDER BY height", (low,)).fetchall()
    blocks = [state.block_at(call.db, height) for (height,) in rows]
    return [line for block in blocks if block is not None for line in _lines(call, name, block)]


def _lines(call: Call, name: str, block: Block) -> list[dict[str, Any]]:
    listed = []
    for raw in state.bodies(call.db, block.id):
        txid = transactions.txid(raw)
        if wallets.known(call.db, name, txid) is not None:
            listed += _told(call, name, txid, transactions.unpacked(raw))
    return listed


def _told(call: Call, name: str, txid: bytes, tx: Tx) -> list[dict[str, Any]]:
    known = about(call, name, txid, tx)
    return [{**line, **known} for line in details(call, name, txid, tx)]


def _outside(call: Call, name: str, depth: int | None) -> list[dict[str, Any]]:
    """What is in no block of the branch: waiting, given up or ruled out, by less than `depth` blocks."""
    rows = call.db.execute("SELECT id, raw FROM wallet_transactions WHERE wallet = ? ORDER BY at, id", (name,))
    listed = []
    for txid, raw in rows.fetchall():
        tx = transactions.unpacked(raw)
        confirmations = wallets.depth_of(call.db, txid, tx)
        if confirmations <= 0 and (depth is None or -confirmations < depth):
            listed += _told(call, name, txid, tx)
    return listed


@method("listtransactions", label="string?", count="number?", skip="number?", include_watchonly="bool?")
def list_transactions(call: Call) -> list[dict[str, Any]]:
    """The newest lines of the wallet, the oldest of them first."""
    count = 10 if call.args[1] is None else whole(call.args[1])
    skip = 0 if call.args[2] is None else whole(call.args[2])
    if count < 0 or skip < 0:
        raise NodeError(-8, "Negative count" if count < 0 else "Negative from")
    name = call.wallet()
    lines = _outside(call, name, None)[::-1]
    height = state.tip(call.db).height
    while len(lines) < count + skip and (block := state.block_at(call.db, height)) is not None:
        lines += _lines(call, name, block)[::-1]
        height -= 1
    return lines[skip : skip + count][::-1]
