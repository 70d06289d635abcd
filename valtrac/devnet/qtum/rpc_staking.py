"""Methods about staking: weights, delegations, the logs of the delegation contract, what a super staker asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valtrac.devnet.qtum import blocks, codec, coinstake, contract, headers, keys, payer, stakes, state, transactions
from valtrac.devnet.qtum import wallet as wallets
from valtrac.devnet.qtum.contract import Event
from valtrac.devnet.qtum.rpc import Call, entry, method, money, whole
from valtrac.devnet.qtum.rules import CENT, DELEGATIONS, SPACING_S, NodeError, formatted
from valtrac.devnet.qtum.shapes import DIFFICULTY, Money


@method("getstakinginfo")
def staking_info(call: Call) -> dict[str, Any]:
    """Whether the wallet stakes, and how much weighs for it and for the whole network, in satoshi."""
    name, db = call.wallet(), call.db
    of_wallet = [owner for (owner,) in db.execute("SELECT hash FROM keys WHERE wallet = ?", (name,))]
    with blocks.guard:
        own, theirs, others = _weights(blocks.stakes_of(db), set(of_wallet))
    searching = "no_staking" not in call.hits and not (set(of_wallet) & coinstake.resting(db))
    staking = searching and bool(own + theirs)
    return {
        "enabled": bool(call.flags["staking"]),
        "staking": staking,
        "errors": "",
        "currentblocktx": 0,
        "pooledtx": db.execute("SELECT COUNT(*) FROM pool").fetchone()[0],
        "difficulty": DIFFICULTY,
        "search-interval": 16 if searching else 0,
        "weight": own,
        "delegateweight": theirs,
        "netstakeweight": own + theirs + others,
        "expectedtime": SPACING_S * (own + theirs + others) // (own + theirs) if staking else 0,
    }


def _weights(found: stakes.Stakes, of_wallet: set[bytes]) -> tuple[int, int, int]:
    """Satoshi of the wallet's own coins, of its delegates' as far as it accepts them, and of everybody else's."""
    own = sum(found.urns[owner].total for owner in of_wallet if owner in found.urns)
    theirs = others = 0
    for (staker, delegated), group in found.groups.items():
        if staker not in of_wallet:
            others += sum(urn.total for urn in group.urns)
        elif delegated and found.can(group, set()):
            for party, urn in zip(group.parties, group.urns, strict=True):
                theirs += sum(value for _, value in urn if value >= party.least)
    return own, theirs, others


def _key_hash(call: Call, text: str) -> bytes:
    try:
        hashed = call.network.key_hash(text)
    except ValueError:
        raise NodeError(-3, "Invalid address") from None
    if hashed is None:
        raise NodeError(-3, "Address does not refer to public key hash")
    return hashed


@method("getdelegationinfoforaddress", address="string")
def delegation_info(call: Call) -> dict[str, Any]:
    """Whom an address delegates to; an empty staker where it does not."""
    event = contract.delegation(call.db, _key_hash(call, call.args[0]))
    if event is None:
        return {"staker": "", "fee": 0, "blockHeight": 0, "PoD": "", "verified": False}
    shown = {"staker": call.network.address(event.staker), "fee": event.fee, "blockHeight": event.height}
    return {**shown, "PoD": event.proof.hex(), "verified": contract.verified(event)}


@method("getdelegationsforstaker", address="string")
def delegations(call: Call) -> list[dict[str, Any]]:
    """Who delegates to a staker, by hash; also those whose proof is forged, as the real node lists them."""
    if not call.flags["logevents"]:
        raise NodeError(-32603, "Events indexing disabled")
    staker = _key_hash(call, call.args[0])
    events = {who: event for who, event in contract.delegations(call.db).items() if event.staker == staker}
    weights = stakes.weights(call.db, list(events)) if call.flags["addrindex"] else None
    listed = []
    for delegate in sorted(events, key=lambda hashed: hashed[::-1]):
        event = events[delegate]
        shown = {
            "delegate": call.network.address(delegate),
            "staker": call.network.address(staker),
            "fee": event.fee,
            "blockHeight": event.height,
        }
        if weights is not None:
            shown["weight"] = weights[delegate]
        listed.append({**shown, "PoD": event.proof.hex()})
    return listed


@method(
    "searchlogs",
    fromblock="number|string",
    toblock="number|string",
    addressfilter="object?",
    topicfilter="object?",
    minconf="number?",
)
def search_logs(call: Call) -> list[dict[str, Any]]:
    """The receipts of transactions that wrote logs, in a range of blocks."""
    if not call.flags["logevents"]:
        raise NodeError(-32603, "Events indexing disabled")
    tip = state.tip(call.db).height
    low, high = (_height(given, tip) for given in call.args[:2])
    if high < low or (high == 0 and low == 0):
        raise NodeError(-8, "Incorrect params")
    wanted = _addresses((call.args[2] or {}).get("addresses"))
    topics = _topics((call.args[3] or {}).get("topics"))
    if wanted and DELEGATIONS.hex() not in wanted:
        return []
    rows = call.db.execute(
        "SELECT DISTINCT e.height, e.block, e.position, e.n, e.gas FROM events e JOIN blocks b ON b.id = e.block"
        " AND b.active WHERE e.height BETWEEN ? AND ? ORDER BY e.height, e.position, e.n",
        (low, min(high, tip - whole(call.args[4] or 0))),
    ).fetchall()
    receipts = [_receipt(call, *row[1:]) for row in rows]
    return [receipt for receipt in receipts if not topics or _matches(receipt["log"], topics)]


def _height(given: Any, tip: int) -> int:
    if isinstance(given, str):
        if given != "latest":
            raise NodeError(-32602, "invalid block number")
        return tip
    height = whole(given)
    return tip if height < 0 else height


def _addresses(given: Any) -> list[str]:
    listed = [given] if isinstance(given, str) else given or []
    if not isinstance(listed, list):
        raise NodeError(-32602, "Expect an array of hex 160 strings")
    for text in listed:
        if not isinstance(text, str) or len(text) != 40 or any(char not in "0123456789abcdefABCDEF" for char in text):
            raise NodeError(-32602, "Invalid hex 160 string")
    return [text.lower() for text in listed]


def _topics(given: Any) -> list[str | None]:
    if given is not None and not isinstance(given, list):
        raise NodeError(-32602, "Expect an array of hex 256 strings")
    for text in given or []:
        if text is not None and (not isinstance(text, str) or len(text) != 64):
            raise NodeError(-32602, "Invalid hex 256 string")
    return list(given or [])


def _matches(logs: Sequence[dict[str, Any]], topics: list[str | None]) -> bool:
    """Whether one topic is where it is asked for in one of the logs: any of them, as the real node has it."""
    return any(
        place < len(log["topics"]) and log["topics"][place] == topic.lower()
        for place, topic in enumerate(topics)
        if topic is not None
        for log in logs
    )


def _receipt(call: Call, number: int, position: int, n: int, gas: int) -> dict[str, Any]:
    block = state.block_by_id(call.db, number)
    rows = call.db.execute(
        "SELECT e.height, e.kind, e.staker, e.delegate, e.fee, e.proof FROM events e"
        " WHERE block = ? AND position = ? AND n = ? ORDER BY place",
        (number, position, n),
    )
    events = [Event(*row) for row in rows]
    raw = state.bodies(call.db, number)[position]
    made = headers.unpacked(block.header)
    return {
        "blockHash": codec.shown(block.hash),
        "blockNumber": block.height,
        "transactionHash": codec.shown(transactions.txid(raw)),
        "transactionIndex": position,
        "outputIndex": n,
        "from": events[0].delegate.hex(),
        "to": DELEGATIONS.hex(),
        "cumulativeGasUsed": gas,
        "gasUsed": gas,
        "contractAddress": DELEGATIONS.hex(),
        "excepted": "None",
        "exceptedMessage": "",
        "bloom": "0" * 512,
        "stateRoot": made.state_root.hex(),  # forwards here, backwards in a header's JSON, as in the real node
        "utxoRoot": made.utxo_root.hex(),
        "log": [contract.log_entry(event) for event in events],
    }


@method(
    "setdelegateforaddress",
    writes=True,
    staker="string",
    fee="number",
    address="string",
    gaslimit="number?",
    gasprice="any?",
)
def set_delegate(call: Call) -> dict[str, Any]:
    """Delegate an address of the wallet to a staker: a transaction that waits."""
    said = "Invalid contract address for staker. Only P2PK and P2PKH allowed"
    staker = _pkh(call, call.args[0], said)
    fee = whole(call.args[1])
    if not 0 <= fee <= 100:
        raise NodeError(-32700, "The staker fee need to be between 0 and 100")
    owner = _own(call, call.args[2])
    return _called(call, owner, contract.add_data(staker, fee, keys.delegation_proof(owner, staker)))


@method("removedelegationforaddress", writes=True, address="string", gaslimit="number?", gasprice="any?")
def remove_delegation(call: Call) -> dict[str, Any]:
    """End the delegation of an address of the wallet: a transaction that waits."""
    return _called(call, _own(call, call.args[0]), contract.remove_data())


def _pkh(call: Call, text: Any, said: str) -> bytes:
    try:
        hashed = call.network.key_hash(text) if isinstance(text, str) else None
    except ValueError:
        hashed = None
    if hashed is None:
        raise NodeError(-3, said)
    return hashed


def _own(call: Call, text: str) -> keys.Key:
    hashed = _pkh(call, text, "Invalid contract sender address. Only P2PK and P2PKH allowed")
    query = "SELECT secret FROM keys WHERE hash = ? AND wallet = ?"
    row = call.db.execute(query, (hashed, call.wallet())).fetchone()
    if row is None:
        raise NodeError(-4, "Private key not available for the sender address")
    return keys.key_of(row[0])


def _called(call: Call, owner: keys.Key, data: bytes) -> dict[str, Any]:
    wallets.must_be_unlocked(call.db, call.wallet())
    sender = call.network.address(owner.hash)
    if not payer.spendable(call.db, owner.hash):
        raise NodeError(-3, "Sender address does not have any unspent outputs")
    txid = payer.call(call.db, sender, data)
    return {"txid": codec.shown(txid), "sender": sender, "hash160": owner.hash.hex()}


@method("listsuperstakervaluesforaddress", address="string")
def staker_values(call: Call) -> dict[str, Any]:
    """What a super staker of the wallet asks of its delegates."""
    return _values(call, _super_staker(call, call.args[0]))


def _super_staker(call: Call, text: Any) -> bytes:
    hashed = _pkh(call, text, "Invalid address for staker. Only P2PK and P2PKH allowed")
    query = "SELECT 1 FROM keys WHERE hash = ? AND wallet = ? AND change = 0"
    if not call.flags["superstaking"] or not call.db.execute(query, (hashed, call.wallet())).fetchone():
        raise NodeError(-3, "Failed to find the super staker")
    return hashed


def _values(call: Call, staker: bytes) -> dict[str, Any]:
    own = state.setting_of_staker(call.db, staker)
    shown: dict[str, Any] = {"address": call.network.address(staker), "customconfig": own is not None}
    if own is not None:
        shown |= {"stakingminfee": own["fee"], "stakingminutxovalue": formatted(own["utxo"])}
        shown |= {name: own[name] for name in ("allow", "exclude") if own[name] is not None}
    return shown


@method("setsuperstakervaluesforaddress", writes=True, params="object")
def set_staker_values(call: Call) -> dict[str, Any]:
    """Have a super staker of the wallet ask something of its own of its delegates."""
    given = call.args[0]
    for name, said in (
        ("address", "The super staker address"),
        ("stakingminutxovalue", "The staking min utxo value"),
        ("stakingminfee", "The staking min fee"),
    ):
        if name not in given:
            raise NodeError(-3, f"{said} doesn't exist")
    staker = _pkh(call, given["address"], "Invalid address for staker. Only P2PK and P2PKH allowed")
    least, fee = money(given["stakingminutxovalue"]), whole(given["stakingminfee"])
    if not 0 <= fee <= 100:
        raise NodeError(-3, "Invalid value for staking min fee")
    if "allow" in given and "exclude" in given:
        said = "The delegation address lists can be empty, or have either allow list or exclude list"
        raise NodeError(-3, said)
    value: dict[str, Any] = {"fee": fee, "utxo": least, "allow": None, "exclude": None}
    for name in ("allow", "exclude"):
        if name in given:
            value[name] = entry(given, name, "array")
            for text in value[name]:
                _pkh(
                    call,
                    text,
                    "Invalid address for delegate in allow list or exclude list. Only P2PK and P2PKH allowed",
                )
    _super_staker(call, call.network.address(staker))
    state.put_staker(call.db, staker, value)
    blocks.changed(call.db)
    return _values(call, staker)


@method("reservebalance", writes=True, reserve="bool?", amount="any?")
def reserve_balance(call: Call) -> dict[str, Any]:
    """What of the wallet shall not stake: told, or set."""
    call.wallet()
    flags = state.flags(call.db)
    on, amount = call.args
    if on is not None:
        if on and amount is None:
            raise NodeError(-1, "must provide amount to reserve balance.\n")
        if not on and amount is not None:
            raise NodeError(-1, "cannot specify amount to turn off reserve.\n")
        flags["reservebalance"] = money(amount) // CENT * CENT if on else 0
        state.put(call.db, "flags", flags)
    return {"reserve": flags["reservebalance"] > 0, "amount": Money(flags["reservebalance"])}
