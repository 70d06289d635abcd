"""The questions that a node answers, as JSON values. One function is one method of the wire."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.devnet.bitshares import blocks, packing, rules, shapes, state, witnesses
from valtrac.devnet.bitshares.packing import NodeError
from valtrac.devnet.bitshares.state import Chain

APIS = {"database": 2, "network_broadcast": 3, "history": 4}
WAIT_S = 25.0
"""How long broadcast_transaction_synchronous waits for a block."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the connection, where the chain stands, and up to which block this node knows it."""

    db: sqlite3.Connection
    chain: Chain
    top: int
    lib: int
    wrong_chain: bool = False

    def block(self, number: Any) -> state.Block | None:
        """A block that this node admits to know."""
        return state.block(self.db, int(number)) if int(number) <= self.top else None


Answer = Callable[..., Any]
_METHODS: dict[str, Answer] = {}


def _method(function: Answer) -> Answer:
    _METHODS[function.__name__.removeprefix("_")] = function
    return function


def call(path: Path | str, api: Any, name: str, args: list[Any], *, behind: int = 0, wrong_chain: bool = False) -> Any:
    """Answer one call as JSON values with plain numbers. NodeError is what the node refuses with.

    api: a number or a name; it is not checked that the method belongs to it.
    """
    if name in APIS and not args:
        return APIS[name]
    db = state.connect(path)
    if name in ("broadcast_transaction", "broadcast_transaction_synchronous", "broadcast_transaction_with_callback"):
        trx = args[1] if name.endswith("callback") else args[0]
        with state.writing(db):
            tx_id = blocks.push(db, trx)
        return _landed(db, tx_id) if name.endswith("synchronous") else None
    if name not in _METHODS:
        raise NodeError("Method not found", -32601, "method_not_found")
    if name == "get_dynamic_global_properties" and state.chain(db).pace == "look":
        with state.writing(db):
            blocks.grow(db, 1)
    with state.reading(db):
        chain = state.chain(db)
        top = max(chain.first, chain.head - behind)
        lib = max(chain.first, chain.lib - behind)
        return _METHODS[name](Ask(db, chain, top, lib, wrong_chain), *args)


def _landed(db: sqlite3.Connection, tx_id: str) -> dict[str, Any]:
    """Wait for the block that holds a transaction; at the pace "look" it is made now."""
    if state.chain(db).pace == "look":
        with state.writing(db):
            blocks.grow(db, 1)
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        row = db.execute("SELECT block, position, body FROM transactions WHERE id = ?", (tx_id,)).fetchone()
        if row is not None:
            return {"id": tx_id, "block_num": row[0], "trx_num": row[1], "trx": shapes.processed(json.loads(row[2]))}
        if db.execute("SELECT 1 FROM pool WHERE id = ?", (tx_id,)).fetchone() is None:
            break
        time.sleep(0.05)
    raise NodeError("transaction was not included in a block in time")


@_method
def _login(_ask: Ask, _user: str, _password: str) -> bool:
    return True


@_method
def _get_chain_id(ask: Ask) -> str:
    return ask.chain.chain_id[::-1] if ask.wrong_chain else ask.chain.chain_id


@_method
def _get_chain_properties(ask: Ask) -> dict[str, Any]:
    return shapes.chain_properties(_get_chain_id(ask))


@_method
def _get_dynamic_global_properties(ask: Ask) -> dict[str, Any]:
    top = ask.block(ask.top)
    assert top is not None
    return shapes.dynamic_properties(top, ask.lib)


@_method
def _get_global_properties(ask: Ask) -> dict[str, Any]:
    return shapes.global_properties(ask.chain)


@_method
def _get_objects(ask: Ask, ids: list[str], _subscribe: Any = None) -> list[Any]:
    return [_object(ask, object_id) for object_id in ids]


def _object(ask: Ask, object_id: str) -> Any:
    if object_id == "2.0.0":
        return shapes.global_properties(ask.chain)
    if object_id == "2.1.0":
        return _get_dynamic_global_properties(ask)
    if object_id.startswith("1.2."):
        return _account(ask, object_id)
    if object_id.startswith("1.6."):
        return _witness(ask, object_id)
    return shapes.asset(object_id) if object_id.startswith("1.3.") else None


def _witness(ask: Ask, object_id: str) -> dict[str, Any] | None:
    number = int(object_id[4:])
    if not 1 <= number <= witnesses.count(ask.chain.lib_lag):
        return None
    return shapes.witness(number, witnesses.public(number, witnesses.generation(ask.db, number)))


@_method
def _lookup_account_names(ask: Ask, names: list[str]) -> list[Any]:
    return [_account(ask, name) for name in names]


@_method
def _get_accounts(ask: Ask, who: list[str], _subscribe: Any = None) -> list[Any]:
    return [_account(ask, account) for account in who]


@_method
def _get_account_by_name(ask: Ask, name: str) -> Any:
    return _account(ask, name)


def _account(ask: Ask, who: str) -> dict[str, Any] | None:
    holder = state.holder(ask.db, who)
    return None if holder is None else shapes.account(holder)


@_method
def _lookup_asset_symbols(_ask: Ask, which: list[str]) -> list[Any]:
    return [shapes.asset(asset_id) for asset_id in which]


@_method
def _get_assets(_ask: Ask, which: list[str], _subscribe: Any = None) -> list[Any]:
    return [shapes.asset(symbol) for symbol in which]


@_method
def _get_account_balances(ask: Ask, who: str, assets: list[str]) -> list[dict[str, Any]]:
    holder = state.holder(ask.db, who)
    if holder is None:
        raise NodeError(f"Unable to find account {who}")
    held = state.balance(ask.db, holder.number, pending=True)
    wanted = assets or ([packing.CORE] if held else [])
    return [{"amount": held if asset == packing.CORE else 0, "asset_id": asset} for asset in wanted]


@_method
def _get_named_account_balances(ask: Ask, who: str, assets: list[str]) -> list[dict[str, Any]]:
    return list(_get_account_balances(ask, who, assets))


@_method
def _get_block(ask: Ask, number: int) -> dict[str, Any] | None:
    block = ask.block(number)
    if block is None:
        return None
    rows = []
    if block.root != witnesses.EMPTY_ROOT:
        rows = ask.db.execute("SELECT body FROM transactions WHERE block = ? ORDER BY position", (number,)).fetchall()
    signature = block.signature or blocks.witness_signature(ask.chain.chain_id, block.salt).hex()
    return {
        **shapes.header(block),
        "witness_signature": signature,
        "transactions": [shapes.processed(json.loads(body)) for (body,) in rows],
    }


@_method
def _get_block_header(ask: Ask, number: int, _with_signature: Any = None) -> dict[str, Any] | None:
    block = ask.block(number)
    return None if block is None else shapes.header(block)


@_method
def _get_transaction(ask: Ask, number: int, position: int) -> dict[str, Any]:
    if ask.block(number) is None:
        raise NodeError("opt_block: ")
    row = ask.db.execute(
        "SELECT body FROM transactions WHERE block = ? AND position = ?", (int(number), int(position))
    ).fetchone()
    if row is None:
        raise NodeError("opt_block->transactions.size() > trx_num: ")
    return shapes.processed(json.loads(row[0]))


@_method
def _get_recent_transaction_by_id(ask: Ask, tx_id: str) -> dict[str, Any] | None:
    return rules.recent(ask.db, ask.chain, tx_id, top=ask.top)


@_method
def _get_account_history(
    ask: Ask, who: str, stop: str = "1.11.0", limit: int = 100, start: str = "1.11.0"
) -> list[dict[str, Any]]:
    """Newest first; `stop` is left out and `start` is kept, but for 0, which means no bound at either end."""
    if not 0 < limit <= 100:
        raise NodeError("limit <= 100: ")
    holder = state.holder(ask.db, who)
    if holder is None:
        raise NodeError(f"Unable to find account {who}")
    low, high = _sequence(stop) or -1, _sequence(start) or 1 << 62
    rows = ask.db.execute(
        "SELECT o.seq, o.block, o.position, o.op, b.at, t.body FROM history h JOIN operations o ON o.seq = h.seq"
        " JOIN blocks b ON b.number = o.block JOIN transactions t ON t.block = o.block AND t.position = o.position"
        " WHERE h.account = ? AND h.seq > ? AND h.seq <= ? AND o.block <= ? ORDER BY h.seq DESC LIMIT ?",
        (holder.number, low, high, ask.top, limit),
    )
    return [
        shapes.history(seq, block, position, op, block_time, json.loads(body))
        for seq, block, position, op, block_time, body in rows
    ]


def _sequence(object_id: str) -> int:
    if not str(object_id).startswith("1.11."):
        raise NodeError(f"Invalid object id {object_id}", 7, "bad_cast_exception")
    return int(object_id.split(".")[2])


@_method
def _get_required_fees(_ask: Ask, operations: list[Any], asset_id: str) -> list[dict[str, Any]]:
    if asset_id not in (packing.CORE, "BTS"):
        raise NodeError("a rehearsal node takes fees in BTS")
    fees = [packing.required_fee(int(kind), body) for kind, body in operations]
    return [{"amount": fee, "asset_id": packing.CORE} for fee in fees]


@_method
def _get_potential_signatures(ask: Ask, trx: dict[str, Any]) -> list[str]:
    return rules.potential_keys(ask.db, packing.tidy(trx))


@_method
def _get_required_signatures(ask: Ask, trx: dict[str, Any], available: list[str]) -> list[str]:
    """The fewest of the available keys that satisfy all, found by leaving out one after the other."""
    body = packing.tidy(trx)
    chosen = [key for key in rules.potential_keys(ask.db, body) if key in available]
    for key in list(chosen):
        fewer = [other for other in chosen if other != key]
        try:
            rules.verify_authority(ask.db, body, fewer)
        except NodeError as error:
            if error.name == "tx_missing_active_auth":
                continue
        chosen = fewer
    return chosen


@_method
def _verify_authority(ask: Ask, trx: dict[str, Any]) -> bool:
    signed = rules.read(trx, ask.chain.chain_id)
    rules.verify_authority(ask.db, signed.body, signed.keys)
    return True


@_method
def _validate_transaction(ask: Ask, trx: dict[str, Any]) -> dict[str, Any]:
    signed = rules.read(trx, ask.chain.chain_id)
    rules.apply(ask.db, ask.chain, signed, rules.Ledger(ask.db, pending=True))
    return shapes.processed(signed.body)


@_method
def _get_transaction_hex(_ask: Ask, trx: dict[str, Any]) -> str:
    return packing.with_signatures(packing.tidy(trx)).hex()
