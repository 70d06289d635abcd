"""What an Electrum server answers about the Bitcoin chain (protocol 1.4), and how it may lie about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.faults import Faults
from valtrac.devnet.tbtc.mempool import Refusal
from valtrac.devnet.tbtc.transactions import Outpoint, Transaction, shown

SOFTWARE, PROTOCOL = "ElectrumX 1.16.0", "1.4"
MOST_HEADERS = 2016
BROADCAST, GET = "blockchain.transaction.broadcast", "blockchain.transaction.get"
MERKLE, HEADER = "blockchain.transaction.get_merkle", "blockchain.block.header"
HEADERS, TIP = "blockchain.block.headers", "blockchain.headers.subscribe"
HISTORY, UNSPENT = "blockchain.scripthash.get_history", "blockchain.scripthash.listunspent"
_BAD_REQUEST, _DAEMON_ERROR, _NO_METHOD, _BAD_ARGUMENTS = 1, 2, -32601, -32602

FAULTS = {
    # the line
    "lose_reply": "carried out, then the connection is closed without an answer",
    "lose_request": "the connection is closed before anything is done",
    "hang": "carried out, never answered, the connection stays open",
    "close": "the connection is closed at every request",
    "error": "an internal error in the place of a result, nothing done",
    "busy": "the error of too many requests, nothing done",
    "garbage": "the answer is no JSON",
    "wrong_id": "the answer bears the id of another request",
    # lies
    "claim_sent": "broadcast answers with the txid and forgets the transaction",
    "wrong_txid": "broadcast takes the transaction and answers with the id of another",
    "already_known": "broadcast takes the transaction and answers txn-already-known",
    "wrong_merkle": "a merkle branch that does not lead to the root",
    "wrong_header": "headers whose merkle root is another's, so that neither hash nor proof of work fit",
    "hide_transactions": "these txids are unknown (a set, until it is empty)",
    "behind": "the newest blocks are not there yet (how many, until it is 0)",
    "wrong_chain": "server.features tells the first block of Bitcoin's main network",
}
"""Every fault, and what it does."""
_MAINNET = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def faults() -> Faults:
    """The faults of a server that behaves yet."""
    return Faults(
        FAULTS,
        first=("lose_request", "close", "error", "busy"),
        lasting=("hide_transactions", "behind"),
        shown={
            "lose_reply": (BROADCAST,),
            "lose_request": (BROADCAST,),
            "claim_sent": (BROADCAST,),
            "wrong_txid": (BROADCAST,),
            "already_known": (BROADCAST,),
            "wrong_merkle": (MERKLE,),
            "wrong_header": (HEADER, HEADERS, TIP),
            "wrong_chain": ("server.features",),
        },
    )


class ElectrumError(Exception):
    """An error that the server answers."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def script_hash(script: bytes) -> str:
    """What Electrum calls an address: sha256 of its script, reversed, in hex."""
    return shown(hashlib.sha256(script).digest())


class Electrum:
    """One server's view of the chain. Threads may share it."""

    def __init__(self, bitcoin: Bitcoin, misbehaviour: Faults) -> None:
        self._bitcoin, self._faults = bitcoin, misbehaviour
        self._methods: dict[str, Callable[..., Any]] = {
            "server.version": lambda *_: [SOFTWARE, PROTOCOL],
            "server.ping": lambda: None,
            "server.banner": lambda: "The rehearsal of tBTC. Nothing here is worth anything.",
            "server.features": self._features,
            "blockchain.estimatefee": lambda _blocks: 0.00001,
            "blockchain.relayfee": lambda: 0.00001,
            BROADCAST: self._broadcast,
            GET: self._get,
            MERKLE: self._merkle,
            HEADER: self._header,
            HEADERS: self._headers,
            TIP: self.tip,
            HISTORY: self._history,
            UNSPENT: self._unspent,
        }

    def answer(self, method: str, params: list[Any], struck: frozenset[str]) -> Any:
        """The result, as the faults that strike leave it. Raises ElectrumError."""
        if method not in self._methods:
            raise ElectrumError(_NO_METHOD, f'unknown method "{method}"')
        try:
            if method == BROADCAST:
                return self._broadcast(*params, struck=struck)
            told = self._methods[method](*params)
        except TypeError:
            raise ElectrumError(_BAD_ARGUMENTS, f"invalid arguments to {method}") from None
        if "wrong_merkle" in struck:
            told = {**told, "merkle": [_turned(one) for one in told["merkle"]] or ["11" * 32]}
        if "wrong_header" in struck:
            told = _with_other_header(told)
        return {**told, "genesis_hash": _MAINNET} if "wrong_chain" in struck else told

    # what it sees

    @property
    def height(self) -> int:
        """The newest block that it knows."""
        return max(0, self._bitcoin.height - int(self._faults.lasting("behind") or 0))

    def tip(self) -> dict[str, Any]:
        """The newest header, as it is told to who subscribed."""
        height = self.height
        return {"height": height, "hex": self._bitcoin.block(height).header.hex()}

    def _height_of(self, txid: str) -> int:
        """0 for what is in no block that it knows."""
        at = self._bitcoin.height_of(txid)
        return at if at is not None and at <= self.height else 0

    def _known(self, txid: Any) -> Transaction | None:
        if not isinstance(txid, str) or len(txid) != 64:
            raise ElectrumError(_BAD_REQUEST, f"{txid} should be a transaction hash")
        if txid in (self._faults.lasting("hide_transactions") or ()):
            return None
        return self._bitcoin.transaction(txid)

    # what it answers

    def _features(self) -> dict[str, Any]:
        return {
            "genesis_hash": self._bitcoin.block(0).name,
            "hosts": {},
            "protocol_min": PROTOCOL,
            "protocol_max": PROTOCOL,
            "pruning": None,
            "server_version": SOFTWARE,
            "hash_function": "sha256",
        }

    def _broadcast(self, raw: str, *, struck: frozenset[str] = frozenset()) -> str:
        try:
            data = bytes.fromhex(raw)
        except ValueError:
            raise ElectrumError(_BAD_REQUEST, f"not hex: {raw[:20]}") from None
        try:
            txid = self._bitcoin.accept(data)
        except Refusal as said:
            raise _refused(said.message, raw) from None
        if "claim_sent" in struck:
            self._bitcoin.forget(txid)
        if "already_known" in struck:
            raise _refused("txn-already-known", raw)
        return _turned(txid) if "wrong_txid" in struck else txid

    def _get(self, txid: str, verbose: bool = False) -> Any:
        tx = self._known(txid)
        if tx is None:
            said = "No such mempool or blockchain transaction. Use gettransaction for wallet transactions."
            raise ElectrumError(_DAEMON_ERROR, f"daemon error: DaemonError({{'code': -5, 'message': '{said}'}})")
        return self._shown(tx) if verbose else tx.raw().hex()

    def _shown(self, tx: Transaction) -> dict[str, Any]:
        raw, at = tx.raw(), self._height_of(tx.txid)
        told = {
            "txid": tx.txid,
            "version": tx.version,
            "size": len(raw),
            "vsize": tx.vsize,
            "locktime": tx.locktime,
            "vin": [_shown_input(tx, index) for index in range(len(tx.inputs))],
            "vout": [
                {"value": one.value_sat / 10**8, "n": index, "scriptPubKey": {"hex": one.script.hex()}}
                for index, one in enumerate(tx.outputs)
            ],
            "hex": raw.hex(),
        }
        if not at:  # as bitcoind tells it: nothing about blocks while there is none
            return told
        block = self._bitcoin.block(at)
        confirmed = {"blockhash": block.name, "confirmations": self.height - at + 1}
        return {**told, **confirmed, "time": block.time, "blocktime": block.time}

    def _merkle(self, txid: str, height: int) -> dict[str, Any]:
        if self._known(txid) is None or not height or self._height_of(txid) != height:
            raise ElectrumError(_BAD_REQUEST, f"tx {txid} not in block at height {height:,d}")
        branch, place = self._bitcoin.branch(txid)
        return {"merkle": [shown(one) for one in branch], "block_height": height, "pos": place}

    def _header(self, height: int) -> str:
        if not isinstance(height, int) or not 0 <= height <= self.height:
            raise ElectrumError(_BAD_REQUEST, f"height {height:,d} out of range")
        return self._bitcoin.block(height).header.hex()

    def _headers(self, start: int, count: int) -> dict[str, Any]:
        last = min(self.height, start + min(count, MOST_HEADERS) - 1)
        found = [self._bitcoin.block(at).header.hex() for at in range(start, last + 1)]
        return {"count": len(found), "hex": "".join(found), "max": MOST_HEADERS}

    def _script(self, hashed: str) -> bytes:
        return next((one for one in self._bitcoin.scripts() if script_hash(one) == hashed), b"")

    def _history(self, hashed: str) -> list[dict[str, Any]]:
        hidden = self._faults.lasting("hide_transactions") or ()
        found = [tx for _, tx in self._bitcoin.history(self._script(hashed)) if tx.txid not in hidden]
        return [{"tx_hash": tx.txid, "height": self._height_of(tx.txid)} for tx in found]

    def _unspent(self, hashed: str) -> list[dict[str, Any]]:
        hidden = self._faults.lasting("hide_transactions") or ()
        coins = self._bitcoin.unspent(self._script(hashed))
        return [
            {"tx_hash": at.txid, "tx_pos": at.index, "height": self._height_of(at.txid), "value": coin.value_sat}
            for at, coin in coins.items()
            if at.txid not in hidden
        ]


def _refused(message: str, raw: str) -> ElectrumError:
    said = f"the transaction was rejected by network rules.\n\n{message}\n[{raw}]"
    return ElectrumError(_BAD_REQUEST, said)


def _shown_input(tx: Transaction, index: int) -> dict[str, Any]:
    spent = tx.inputs[index]
    told: dict[str, Any] = {"sequence": spent.sequence}
    if spent.witness:
        told["txinwitness"] = [one.hex() for one in spent.witness]
    if tx.coinbase:
        return {"coinbase": spent.script.hex(), **told}
    outpoint: Outpoint = spent.outpoint
    return {"txid": outpoint.txid, "vout": outpoint.index, "scriptSig": {"hex": spent.script.hex()}, **told}


def _turned(written: str) -> str:
    """A hash that is another in its last byte."""
    return written[:-2] + f"{int(written[-2:], 16) ^ 0xFF:02x}"


def _with_other_header(told: Any) -> Any:
    """The same with the merkle root of each header turned over."""
    if isinstance(told, dict):
        return {**told, "hex": _with_other_header(told["hex"])}
    headers = [told[at : at + 160] for at in range(0, len(told), 160)]
    return "".join(one[:72] + _turned(one[72:136]) + one[136:] for one in headers)
