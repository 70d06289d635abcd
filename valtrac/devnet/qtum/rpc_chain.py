"""Methods about blocks, transactions and the pool."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import codec, ledger, mempool, rules, shapes, state, transactions
from valtrac.devnet.qtum.rpc import Call, hashed, method, money, whole
from valtrac.devnet.qtum.rules import MAX_FEE, NodeError
from valtrac.devnet.qtum.shapes import Money


@method("getblockcount")
def block_count(call: Call) -> int:
    """The height of the newest block."""
    return state.tip(call.db).height


@method("getbestblockhash")
def best_hash(call: Call) -> str:
    """The hash of the newest block."""
    return codec.shown(state.tip(call.db).hash)


@method("getblockhash", height="number")
def block_hash(call: Call) -> str:
    """The hash of a block of the branch. -8 out of range, also below the first block of the rehearsal, but for block
    0, whose hash is the real chain's: by it a chain is known."""
    if whole(call.args[0]) == 0:
        return call.network.genesis
    block = state.block_at(call.db, whole(call.args[0]))
    if block is None:
        raise NodeError(-8, "Block height out of range")
    return codec.shown(block.hash)


def _block(call: Call, name: str = "blockhash") -> state.Block:
    block = state.block_by_hash(call.db, hashed(call.args[0], name))
    if block is None:
        raise NodeError(-5, "Block not found")
    return block


@method("getblockheader", blockhash="string", verbose="bool?")
def block_header(call: Call) -> Any:
    """A header, in words or as bytes."""
    block = _block(call, "hash")
    return block.header.hex() if call.args[1] is False else shapes.header(call.db, block)


@method("getblock", blockhash="string", verbosity="number|bool?")
def block(call: Call) -> Any:
    """A block: 0 as bytes, 1 with ids, 2 with transactions, 3 with what they spent."""
    given = 1 if call.args[1] is None else call.args[1]
    verbosity = int(given) if isinstance(given, bool) else whole(given)
    block = _block(call)
    if verbosity <= 0:
        return shapes.block_bytes(call.db, block).hex()
    return shapes.block(call.db, call.network, block, verbosity)


@method("getblockchaininfo")
def chain_info(call: Call) -> dict[str, Any]:
    """Where the chain stands."""
    tip = state.tip(call.db)
    return {
        "chain": call.network.name,
        "blocks": tip.height,
        "headers": tip.height,
        "bestblockhash": codec.shown(tip.hash),
        "difficulty": shapes.DIFFICULTY,
        "moneysupply": ledger.made(call.db) // rules.COIN,
        "time": tip.at,
        "mediantime": shapes.median_time(call.db, tip),
        "verificationprogress": 1,
        "initialblockdownload": False,
        "chainwork": shapes.header(call.db, tip)["chainwork"],
        "size_on_disk": 1_000 * (tip.height - state.setting(call.db, "first") + 1),
        "pruned": False,
        "warnings": "",
    }


@method("getdifficulty")
def difficulty(call: Call) -> dict[str, float]:
    """How hard it is to win: not at all."""
    return {"proof-of-work": shapes.DIFFICULTY, "proof-of-stake": shapes.DIFFICULTY}


@method("getrawtransaction", txid="string", verbosity="number|bool?", blockhash="string?")
def raw_transaction(call: Call) -> Any:
    """A transaction of the pool, of a block that is named, or, with the index, of any."""
    txid = hashed(call.args[0], "parameter 1")
    given = 0 if call.args[1] is None else int(call.args[1])
    named = None
    if call.args[2] is not None:
        named = state.block_by_hash(call.db, hashed(call.args[2], "parameter 3"))
        if named is None:
            raise NodeError(-5, "Block hash not found")
    block, raw = _found(call, txid, named)
    if given <= 0:
        return raw.hex()
    network, db = call.network, call.db
    spent = None
    place = None if block is None else _position(call, block, txid)
    if block is not None and place:
        spent = ledger.spent_by(db, block.id, place)
    shown: dict[str, Any] = {} if named is None else {"in_active_chain": bool(named.active)}
    shown |= shapes.transaction(network, raw, spent=spent if given > 1 else None, prevouts=given > 1)
    if block is not None:
        depth = max(0, shapes.confirmations(db, block))
        shown["blockhash"] = codec.shown(block.hash)
        shown |= {"confirmations": depth, "time": block.at, "blocktime": block.at} if depth else {"confirmations": 0}
    if call.flags["addrindex"]:
        _indexed(call, shown, txid, spent, block)
    return shown


def _found(call: Call, txid: bytes, named: state.Block | None) -> tuple[state.Block | None, bytes]:
    db, index = call.db, call.flags["txindex"]
    if named is None:
        row = db.execute("SELECT raw FROM pool WHERE id = ?", (txid,)).fetchone()
        if row is not None:
            return None, row[0]
        place = ledger.where(db, txid) if index else None
        named = None if place is None else state.block_by_id(db, place[0])
        said = "No such mempool or blockchain transaction"
        if not index:
            said = "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction"
            said += " queries"
    else:
        said = "No such transaction found in the provided block"
    if named is not None:
        query = "SELECT raw FROM transactions WHERE block = ? AND id = ?"
        row = db.execute(query, (named.id, txid)).fetchone()
        if row is not None:
            return named, row[0]
    raise NodeError(-5, f"{said}. Use gettransaction for wallet transactions.")


def _position(call: Call, block: state.Block, txid: bytes) -> int:
    query = "SELECT position FROM transactions WHERE block = ? AND id = ?"
    return int(call.db.execute(query, (block.id, txid)).fetchone()[0])


def _indexed(
    call: Call, shown: dict[str, Any], txid: bytes, spent: list[ledger.Coin] | None, block: state.Block | None
) -> None:
    """What the address index adds: the coins spent, and who spent the outputs."""
    for shown_input, coin in zip(shown["vin"], spent or [], strict=False):
        shown_input |= {"value": Money(coin.value), "valueSat": coin.value}
        if coin.owner is not None:
            shown_input["address"] = call.network.address(coin.owner)
    for out in shown["vout"]:
        out["valueSat"] = out["value"].satoshi
        by = ledger.spender(call.db, (txid, out["n"]))
        if by is not None:
            out |= {"spentTxId": codec.shown(by[0]), "spentIndex": by[1], "spentHeight": by[2]}
    if block is not None:
        shown["height"] = block.height if block.active else -1


@method("decoderawtransaction", hexstring="string", iswitness="bool?")
def decoded(call: Call) -> dict[str, Any]:
    """The transaction that these bytes are."""
    raw = transaction_bytes(call.args[0], "TX decode failed. Make sure the tx has at least one input.")
    return shapes.transaction(call.network, raw, with_hex=False)


def transaction_bytes(text: str, said: str) -> bytes:
    """A transaction in hex. NodeError -22 where it is none."""
    try:
        raw = bytes.fromhex(text)
        transactions.unpacked(raw)
    except ValueError:
        raise NodeError(-22, said) from None
    return raw


@method("sendrawtransaction", writes=True, hexstring="string", maxfeerate="any?", maxburnamount="any?")
def send(call: Call) -> str:
    """Take a transaction into the pool."""
    raw = transaction_bytes(call.args[0], "TX decode failed. Make sure the tx has at least one input.")
    return codec.shown(mempool.admit(call.db, raw, max_fee=_rate(call.args[1]), now=call.now))


def _rate(given: Any) -> int:
    rate = MAX_FEE if given is None else money(given)
    if rate >= 10 * rules.COIN:
        raise NodeError(-8, "Fee rates larger than or equal to 10QTUM/kvB are not accepted")
    return rate


@method("testmempoolaccept", rawtxs="array", maxfeerate="any?")
def test_accept(call: Call) -> list[dict[str, Any]]:
    """Whether the node would take a transaction."""
    if not 1 <= len(call.args[0]) <= 25:
        raise NodeError(-8, "Array must contain between 1 and 25 transactions.")
    rate = _rate(call.args[1])
    told = []
    for text in call.args[0]:
        raw = transaction_bytes(text, f"TX decode failed: {text} Make sure the tx has at least one input.")
        told.append(_tested(call, raw, rate))
    return told


def _tested(call: Call, raw: bytes, rate: int) -> dict[str, Any]:
    txid = codec.shown(transactions.txid(raw))
    shown: dict[str, Any] = {"txid": txid, "wtxid": txid}
    waits = call.db.execute("SELECT 1 FROM pool WHERE id = ?", (transactions.txid(raw),)).fetchone()
    try:
        if waits:
            raise NodeError(-26, "txn-already-in-mempool")
        if call.db.execute("SELECT 1 FROM coins WHERE id = ?", (transactions.txid(raw),)).fetchone():
            raise NodeError(-27, "txn-already-known")
        taken = mempool.checked(call.db, raw)
    except NodeError as error:
        reason = "missing-inputs" if error.code == -25 else error.message.split(", ")[0]
        return {**shown, "allowed": False, "reject-reason": reason}
    if rate and taken.fee > rules.fee_for(len(raw), rate):
        return {**shown, "allowed": False, "reject-reason": "max-fee-exceeded"}
    per_kb = Money(taken.fee * 1000 // len(raw))
    fees = {"base": Money(taken.fee), "effective-feerate": per_kb, "effective-includes": [txid]}
    return {**shown, "allowed": True, "vsize": len(raw), "fees": fees}


@method("getrawmempool", verbose="bool?", mempool_sequence="bool?")
def raw_pool(call: Call) -> Any:
    """What waits: the ids, or all about each."""
    rows = call.db.execute("SELECT id FROM pool ORDER BY arrival").fetchall()
    if not call.args[0]:
        return [codec.shown(txid) for (txid,) in rows]
    return {codec.shown(txid): _waiting(call, txid) for (txid,) in rows}


@method("getmempoolentry", txid="string")
def pool_entry(call: Call) -> dict[str, Any]:
    """All about one that waits."""
    return _waiting(call, hashed(call.args[0], "txid"))


def _waiting(call: Call, txid: bytes) -> dict[str, Any]:
    row = call.db.execute("SELECT raw, fee, at, height FROM pool WHERE id = ?", (txid,)).fetchone()
    if row is None:
        raise NodeError(-5, "Transaction not in mempool")
    raw, fee, arrived_at, height = row
    tx = transactions.unpacked(raw)
    parents = {tx_input.txid for tx_input in tx.ins}
    waits = {parent for parent in parents if call.db.execute("SELECT 1 FROM pool WHERE id = ?", (parent,)).fetchone()}
    children = call.db.execute("SELECT DISTINCT by FROM pool_spends WHERE id = ?", (txid,)).fetchall()
    paid = Money(fee)
    return {
        "vsize": len(raw),
        "weight": 4 * len(raw),
        "time": arrived_at,
        "height": height,
        "descendantcount": 1 + len(children),
        "descendantsize": len(raw),
        "ancestorcount": 1 + len(waits),
        "ancestorsize": len(raw),
        "wtxid": codec.shown(txid),
        "fees": {"base": paid, "modified": paid, "ancestor": paid, "descendant": paid},
        "depends": sorted(codec.shown(parent) for parent in waits),
        "spentby": [codec.shown(child) for (child,) in children],
        "bip125-replaceable": any(tx_input.sequence <= 0xFFFFFFFD for tx_input in tx.ins),
        "unbroadcast": False,
    }


@method("gettxout", txid="string", n="number", include_mempool="bool?")
def txout(call: Call) -> Any:
    """An unspent output; null where it is spent or never was."""
    place = (hashed(call.args[0], "txid"), whole(call.args[1]))
    pool = call.args[2] is not False
    coin = mempool.unspent(call.db, place) if pool else ledger.coin(call.db, place)
    if coin is None or (pool and call.db.execute("SELECT 1 FROM pool_spends WHERE id = ? AND n = ?", place).fetchone()):
        return None
    tip = state.tip(call.db)
    return {
        "bestblock": codec.shown(tip.hash),
        "confirmations": 0 if coin.position < 0 else tip.height - coin.height + 1,
        "value": Money(coin.value),
        "scriptPubKey": shapes.script(call.network, coin.script),
        "coinbase": coin.kind == state.MINED,
        "coinstake": coin.kind == state.STAKED,
    }
