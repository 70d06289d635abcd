"""Methods about the wallet's transactions: what one moved, how deep it is, and giving one up."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import codec, ledger, shapes, state, transactions
from valtrac.devnet.qtum import wallet as wallets
from valtrac.devnet.qtum.rpc import Call, hashed, method
from valtrac.devnet.qtum.rpc_wallet import last_block
from valtrac.devnet.qtum.rules import NodeError
from valtrac.devnet.qtum.shapes import Money
from valtrac.devnet.qtum.transactions import Tx


@method("gettransaction", txid="string", include_watchonly="bool?", verbose="bool?", waitconf="number?")
def transaction(call: Call) -> dict[str, Any]:
    """A transaction of the wallet: what it moved, and how deep it is; below 0 where a rival is in a block."""
    name, txid = call.wallet(), hashed(call.args[0], "txid")
    raw = wallets.known(call.db, name, txid)
    if raw is None:
        raise NodeError(-5, "Invalid or non-wallet transaction id")
    tx = transactions.unpacked(raw)
    spent = wallets.spent_by(call.db, tx)
    debit = sum(one.value for one in spent if one is not None and wallets.owns(call.db, name, one.owner))
    credit = sum(out.value for out in tx.outs if wallets.owns(call.db, name, codec.output(out.script).key_hash))
    fee = tx.total - debit if debit and not tx.is_coinstake else 0
    shown: dict[str, Any] = {"amount": Money(credit - debit - fee)}
    if debit and not tx.is_coinstake:
        shown["fee"] = Money(fee)
    shown |= _place(call, txid, tx)
    shown |= {
        "txid": codec.shown(txid),
        "wtxid": codec.shown(txid),
        "walletconflicts": _conflicts(call, name, txid, tx),
        **_times(call, name, txid),
        "bip125-replaceable": "no" if shown["confirmations"] > 0 else _replaceable(tx),
        "details": _details(call, name, txid, tx, fee if debit and not tx.is_coinstake else None),
        "hex": raw.hex(),
    }
    if call.args[2]:
        shown["decoded"] = shapes.transaction(call.network, raw, with_hex=False)
    return {**shown, **last_block(call)}


def _replaceable(tx: Tx) -> str:
    return "yes" if any(one.sequence <= wallets.SEQUENCE for one in tx.ins) else "no"


def _place(call: Call, txid: bytes, tx: Tx) -> dict[str, Any]:
    depth = wallets.depth_of(call.db, txid, tx)
    shown: dict[str, Any] = {"confirmations": depth}
    if tx.is_coinbase or tx.is_coinstake:
        shown["generated"] = True
    place = ledger.where(call.db, txid)
    if place is None:
        return {**shown, "trusted": depth == 0 and _in_pool(call, txid)}
    block = state.block_by_id(call.db, place[0])
    return {
        **shown,
        "blockhash": codec.shown(block.hash),
        "blockheight": block.height,
        "blockindex": place[1],
        "blocktime": block.at,
    }


def _in_pool(call: Call, txid: bytes) -> bool:
    return call.db.execute("SELECT 1 FROM pool WHERE id = ?", (txid,)).fetchone() is not None


def _times(call: Call, name: str, txid: bytes) -> dict[str, int]:
    row = call.db.execute("SELECT at FROM wallet_transactions WHERE wallet = ? AND id = ?", (name, txid)).fetchone()
    place = ledger.where(call.db, txid)
    at = row[0] if row is not None else state.block_by_id(call.db, place[0]).at if place is not None else call.now
    return {"time": at, "timereceived": at}


def _conflicts(call: Call, name: str, txid: bytes, tx: Tx) -> list[str]:
    """Other transactions that the wallet knows and that spend one of the same coins."""
    rivals: set[bytes] = set()
    places = {one.place for one in tx.ins}
    for place in places:
        by = ledger.spender(call.db, place)
        rivals |= set() if by is None else {by[0]}
        row = call.db.execute("SELECT by FROM pool_spends WHERE id = ? AND n = ?", place).fetchone()
        rivals |= set() if row is None else {row[0]}
    for other, raw in call.db.execute("SELECT id, raw FROM wallet_transactions WHERE wallet = ?", (name,)):
        if other != txid and places & {one.place for one in transactions.unpacked(raw).ins}:
            rivals.add(other)
    return sorted(codec.shown(one) for one in rivals - {txid})


def _details(call: Call, name: str, txid: bytes, tx: Tx, fee: int | None) -> list[dict[str, Any]]:
    sent, received = [], []
    gone = call.db.execute("SELECT abandoned FROM wallet_transactions WHERE wallet = ? AND id = ?", (name, txid))
    abandoned = bool((gone.fetchone() or (0,))[0])
    for n, out in enumerate(tx.outs):
        said = codec.output(out.script)
        mine = wallets.owns(call.db, name, said.key_hash)
        change = mine and call.db.execute("SELECT change FROM keys WHERE hash = ?", (said.key_hash,)).fetchone()[0]
        address = call.network.address_of(out.script)
        shown: dict[str, Any] = {} if address is None else {"address": address}
        if fee is not None and not change:
            line = {"category": "send", "amount": Money(-out.value), "vout": n, "fee": Money(fee)}
            sent.append({**shown, **line, "abandoned": abandoned})
        if mine and not (fee is not None and change):
            kind = "receive" if not (tx.is_coinbase or tx.is_coinstake) else "generate"
            received.append(
                {**shown, "category": kind, "amount": Money(out.value), "label": "", "vout": n, "abandoned": abandoned}
            )
    return sent + received


@method("abandontransaction", writes=True, txid="string")
def abandon(call: Call) -> None:
    """Give a transaction up that neither waits nor is in a block, so that its coins may be spent again."""
    name, txid = call.wallet(), hashed(call.args[0], "txid")
    raw = wallets.known(call.db, name, txid)
    if raw is None:
        raise NodeError(-5, "Invalid or non-wallet transaction id")
    if _in_pool(call, txid) or ledger.where(call.db, txid) is not None:
        raise NodeError(-5, "Transaction not eligible for abandonment")
    call.db.execute("UPDATE wallet_transactions SET abandoned = 1 WHERE wallet = ? AND id = ?", (name, txid))
