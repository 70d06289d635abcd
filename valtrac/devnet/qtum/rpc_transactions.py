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
    debit, credit = _moved(call, name, tx)
    fee = tx.total - debit if debit and not tx.is_coinstake else 0
    shown: dict[str, Any] = {"amount": Money(credit - debit - fee)}
    if debit and not tx.is_coinstake:
        shown["fee"] = Money(fee)
    shown |= {**about(call, name, txid, tx), "details": details(call, name, txid, tx), "hex": raw.hex()}
    if call.args[2]:
        shown["decoded"] = shapes.transaction(call.network, raw, with_hex=False)
    return {**shown, **last_block(call)}


def about(call: Call, name: str, txid: bytes, tx: Tx) -> dict[str, Any]:
    """Where a transaction of the wallet is, and what speaks against it."""
    place = _place(call, txid, tx)
    return {
        **place,
        "txid": codec.shown(txid),
        "wtxid": codec.shown(txid),
        "walletconflicts": _conflicts(call, name, txid, tx),
        **_times(call, name, txid),
        "bip125-replaceable": "no" if place["confirmations"] > 0 else _replaceable(tx),
    }


def _replaceable(tx: Tx) -> str:
    return "yes" if any(tx_input.sequence <= wallets.SEQUENCE for tx_input in tx.ins) else "no"


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
    seen_at = row[0] if row is not None else state.block_by_id(call.db, place[0]).at if place is not None else call.now
    return {"time": seen_at, "timereceived": seen_at}


def _conflicts(call: Call, name: str, txid: bytes, tx: Tx) -> list[str]:
    """Other transactions that the wallet knows and that spend one of the same coins."""
    rivals: set[bytes] = set()
    for tx_input in tx.ins:
        by = ledger.spender(call.db, tx_input.place)
        rivals |= set() if by is None else {by[0]}
        waits = call.db.execute("SELECT by FROM pool_spends WHERE id = ? AND n = ?", tx_input.place).fetchall()
        query = "SELECT by FROM wallet_spends WHERE wallet = ? AND id = ? AND n = ?"
        known = call.db.execute(query, (name, *tx_input.place)).fetchall()
        rivals |= {other for (other,) in waits + known}
    return sorted(codec.shown(rival) for rival in rivals - {txid})


def details(call: Call, name: str, txid: bytes, tx: Tx) -> list[dict[str, Any]]:
    """What a transaction did to the wallet, line by line; a coinstake's is one line with what it made."""
    debit, credit = _moved(call, name, tx)
    row = call.db.execute("SELECT abandoned FROM wallet_transactions WHERE wallet = ? AND id = ?", (name, txid))
    given_up = {"abandoned": bool((row.fetchone() or (0,))[0])}
    mines = [wallets.owns(call.db, name, codec.output(out.script).key_hash) for out in tx.outs]
    if tx.is_coinstake and debit:
        n = mines.index(True) if True in mines else 1
        return [{**_received(call, tx, n, _kind(call, txid, tx)), "amount": Money(credit - debit), **given_up}]
    lines: list[dict[str, Any]] = []
    fee = tx.total - debit
    for n, (out, mine) in enumerate(zip(tx.outs, mines, strict=True)):
        if debit and not (mine and _is_change(call, out.script)):
            to = _to(call, out.script)
            line = {"category": "send", "amount": Money(-out.value), "vout": n, "fee": Money(fee)}
            lines.append({**to, **line, **given_up})
    for n, (out, mine) in enumerate(zip(tx.outs, mines, strict=True)):
        if mine and not (debit and _is_change(call, out.script)):
            lines.append({**_received(call, tx, n, _kind(call, txid, tx)), **given_up})
    return lines


def _received(call: Call, tx: Tx, n: int, kind: str) -> dict[str, Any]:
    out = tx.outs[n]
    line = {"category": kind, "amount": Money(out.value), "label": "", "vout": n}
    return {**_to(call, out.script), "parent_descs": [], **line}


def _to(call: Call, script: bytes) -> dict[str, Any]:
    address = call.network.address_of(script)
    return {} if address is None else {"address": address}


def _is_change(call: Call, script: bytes) -> bool:
    hashed = codec.output(script).key_hash
    row = call.db.execute("SELECT change FROM keys WHERE hash = ?", (hashed,)).fetchone()
    return row is not None and bool(row[0])


def _kind(call: Call, txid: bytes, tx: Tx) -> str:
    if not (tx.is_coinbase or tx.is_coinstake):
        return "receive"
    depth = wallets.depth_of(call.db, txid, tx)
    if depth < 1:
        return "orphan"
    return "immature" if depth <= state.maturity(call.db, state.tip(call.db).height + 1) else "generate"


def _moved(call: Call, name: str, tx: Tx) -> tuple[int, int]:
    """Satoshi that a transaction took from the wallet and gave to it."""
    spent = wallets.spent_by(call.db, tx)
    debit = sum(coin.value for coin in spent if coin is not None and wallets.owns(call.db, name, coin.owner))
    credit = sum(out.value for out in tx.outs if wallets.owns(call.db, name, codec.output(out.script).key_hash))
    return debit, credit


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
