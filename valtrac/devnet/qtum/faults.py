"""Misbehaviour on demand. It lives in the node's file, so that any process can ask for it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import state

FAULTS: dict[str, str] = {
    # the line: they cost an answer, or the truth of how it came
    "lose_reply": "carried out, then the connection is closed without an answer",
    "lose_request": "the connection is closed before anything is done",
    "hang": "carried out, never answered, the connection stays open",
    "slow": "seconds before each answer (a number, until it is set to 0)",
    "busy": "HTTP 503 with the text of a full work queue, nothing done",
    "down": "the connection is closed at every request, as of a node that is not there",
    "warming_up": "HTTP 500 with error -28, nothing done",
    "refuse_login": "HTTP 401 with an empty body, whatever the login",
    "garbage": "the answer is no JSON, or JSON of another shape, in turn",
    "wrong_id": "the answer bears the id of another request",
    "error": "error -1 in the place of a result, nothing done",
    # the chain
    "hold_pool": "nothing that waits gets into a block (until switched off)",
    "full_pool": "the pool takes nothing more (-26), and sendmany answers as if it had (until switched off)",
    "no_staking": "getstakinginfo says that nothing is staked, and the wallet wins no draw (until switched off)",
    # lies: the answer is well formed and false
    "hide_transaction": "a block's last transaction is missing from its body, so that the merkle root does not fit",
    "invent_transaction": "a block's body has a transaction more, so that the merkle root does not fit",
    "other_body": "a block's coinstake pays other amounts than the one that was hashed",
    "other_header": "a header claims another merkle root and parent, so that its hash does not fit",
    "unsigned_header": "a header's signature is another's",
    "hide_coin": "getaddressutxos leaves out the largest coin",
    "invent_coin": "getaddressutxos shows a coin that is not there",
    "hide_delta": "getaddressdeltas leaves out the newest change",
    "hide_delegation": "a delegation is missing from getdelegationsforstaker and its events from searchlogs",
    "invent_delegation": "getdelegationsforstaker and searchlogs show a delegation that nobody made",
    "claim_confirmed": "gettransaction claims 2001 confirmations in the newest block, whatever is true",
    "claim_unknown": "gettransaction and getrawtransaction claim not to know the transaction (-5)",
    "claim_conflicted": "gettransaction claims that a rival is five blocks deep",
    "claim_sent": "sendrawtransaction answers with the transaction's id and forgets it",
    "wrong_txid": "sendrawtransaction takes the transaction and answers with the id of another",
    "swap_payee": "fundrawtransaction and signrawtransactionwithwallet give the first output to somebody else",
    "high_fee": "fundrawtransaction takes 0.9 QTUM more from the change, and tells the fee as if it had not",
    "false_decode": "decoderawtransaction shows another id and half of the first amount",
    "syncing": "getblockchaininfo claims that the node is still catching up",
    "stale_tip": "answers as if the newest blocks were not there (how many)",
    "ahead_tip": "getblockcount and getblockchaininfo claim blocks that are not there (how many)",
    "wrong_chain": "getblockchaininfo and the first block's hash are those of another chain",
    "no_addrindex": "answers as a node without -addrindex",
    "no_txindex": "answers as a node without -txindex",
    "no_logevents": "answers as a node without -logevents",
    "forget_pool": "at the next start the pool is empty, the wallet's own transactions included",
}
"""Every fault that lasts, and what it does."""
_AMOUNTS = ("slow", "stale_tip", "ahead_tip")
_FLAGS = ("hold_pool", "full_pool", "no_staking", "forget_pool")
_FIRST = ("down", "lose_request", "busy", "warming_up", "refuse_login", "error")
"""These end a request before anything is done; the counts of the others are not used up then."""
ACTS = ("sendrawtransaction", "sendmany", "setdelegateforaddress", "removedelegationforaddress")
_SHOWN: dict[str, tuple[str, ...]] = {
    "lose_reply": ACTS,
    "lose_request": ACTS,
    "hide_transaction": ("getblock",),
    "invent_transaction": ("getblock",),
    "other_body": ("getblock",),
    "other_header": ("getblock", "getblockheader"),
    "unsigned_header": ("getblock", "getblockheader"),
    "hide_coin": ("getaddressutxos",),
    "invent_coin": ("getaddressutxos",),
    "hide_delta": ("getaddressdeltas",),
    "hide_delegation": ("getdelegationsforstaker", "searchlogs"),
    "invent_delegation": ("getdelegationsforstaker", "searchlogs"),
    "claim_confirmed": ("gettransaction",),
    "claim_unknown": ("gettransaction", "getrawtransaction"),
    "claim_conflicted": ("gettransaction",),
    "claim_sent": ("sendrawtransaction",),
    "wrong_txid": ("sendrawtransaction",),
    "swap_payee": ("fundrawtransaction", "signrawtransactionwithwallet"),
    "high_fee": ("fundrawtransaction",),
    "false_decode": ("decoderawtransaction",),
    "syncing": ("getblockchaininfo",),
    "wrong_chain": ("getblockchaininfo", "getblockhash"),
    "no_addrindex": ("getaddressutxos", "getaddressdeltas", "getaddressbalance", "getdelegationsforstaker"),
    "no_txindex": ("getrawtransaction",),
    "no_logevents": ("getdelegationsforstaker", "searchlogs"),
}
"""Faults that show in some methods only: they strike, and are counted, there."""


def misbehave(directory: Path | str, **named: Any) -> None:
    """Make the node misbehave from now on; FAULTS says how.

    A fault takes n for the next n requests that show it, True until it is switched off, or {"method": n} for the next
    n of one method; `slow` takes seconds, `stale_tip` and `ahead_tip` blocks, and these three last until they are 0.
    A fault set to 0, False or {} ends. BadInput for an unknown fault or a senseless value; nothing changes then.
    """
    db = state.connect(directory)
    with state.writing(db):
        set_all(db, named)


def set_all(db: sqlite3.Connection, named: dict[str, Any]) -> None:
    """The same, within a transaction of the caller's."""
    unknown = [name for name in named if name not in FAULTS]
    if unknown:
        raise BadInput(
            f"the rehearsal node cannot misbehave like that: {', '.join(unknown)}", fix=f"one of {', '.join(FAULTS)}"
        )
    for name, value in named.items():
        if not _makes_sense(name, value):
            raise BadInput(f"{name}: {value!r} makes no sense", why=FAULTS[name])
    for name, value in named.items():
        _put(db, name, value)


def clear(directory: Path | str) -> None:
    """End every fault."""
    db = state.connect(directory)
    with state.writing(db):
        db.execute("DELETE FROM faults")


def active(db: sqlite3.Connection) -> dict[str, Any]:
    """The faults in force."""
    return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM faults ORDER BY name")}


def active_flag(db: sqlite3.Connection, name: str) -> bool:
    """Whether a fault is in force."""
    return db.execute("SELECT 1 FROM faults WHERE name = ?", (name,)).fetchone() is not None


def struck(db: sqlite3.Connection, method: str) -> dict[str, Any]:
    """The faults that strike this request, counted down; those that last come as they are set."""
    if method.startswith("devnet_") or db.execute("SELECT 1 FROM faults LIMIT 1").fetchone() is None:
        return {}
    with state.writing(db):
        now = active(db)
        hits = {name: value for name, value in now.items() if name in (*_AMOUNTS, *_FLAGS)}
        for name in sorted(set(now) - set(hits), key=lambda name: name not in _FIRST):
            if _hits(name, now[name], method):
                hits[name] = now[name]
                _put(db, name, _one_less(now[name], method))
                if name in _FIRST:
                    break
    return hits


def _hits(name: str, value: Any, method: str) -> bool:
    if isinstance(value, dict):
        return bool(value.get(method))
    return name not in _SHOWN or method in _SHOWN[name]


def _one_less(value: Any, method: str) -> Any:
    if value is True:
        return True
    if isinstance(value, dict):
        left = {**value, method: _one_less(value[method], method)}
        return {name: count for name, count in left.items() if count}
    return value - 1


def _makes_sense(name: str, value: Any) -> bool:
    if name in _FLAGS:
        return isinstance(value, bool) or value == 0
    if name == "slow":
        return value is not True and isinstance(value, (int, float)) and 0 <= value < 3600
    if name in _AMOUNTS:
        return value is not True and isinstance(value, int) and 0 <= value < 100_000
    if isinstance(value, dict):
        return all(isinstance(method, str) and _makes_sense(name, count) for method, count in value.items())
    return isinstance(value, bool) or (isinstance(value, int) and value >= 0)


def _put(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("DELETE FROM faults WHERE name = ?", (name,))
    if value:
        db.execute("INSERT INTO faults VALUES (?, ?)", (name, json.dumps(value)))
