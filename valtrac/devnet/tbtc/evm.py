"""Contracts by name: calls encoded, answers and events read, transactions sent one by one or many to a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from valtrac.devnet.tbtc import contracts
from valtrac.devnet.tbtc.node import Node, NodeSaid

ETH = 10**18
GAS = 2_500_000  # more than any call of these contracts takes; a block has room for twelve such at least
# an account of the node is never short, and must not wait when many full blocks drive the base fee up
_FEE_CAP = hex(2_000 * 10**9)

_NONCE_TAKEN = ("nonce too low", "underpriced")


class Reverted(Exception):
    """A transaction was mined and failed. reason: the words of the contract."""

    def __init__(self, reason: str, receipt: dict[str, Any]) -> None:
        super().__init__(reason)
        self.reason, self.receipt = reason, receipt


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of an account whose key the node has. to: None for one that makes a contract."""

    sender: str
    to: str | None
    data: str = "0x"
    value: int = 0
    gas: int = GAS

    def as_request(self, nonce: int | None = None) -> dict[str, Any]:
        """The same as eth_sendTransaction takes it."""
        said = {"from": self.sender, "data": self.data, "value": hex(self.value), "gas": hex(self.gas)}
        said |= {"maxFeePerGas": _FEE_CAP, "maxPriorityFeePerGas": hex(10**9)}
        said |= {} if self.to is None else {"to": self.to}
        return said if nonce is None else {**said, "nonce": hex(nonce)}


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of that name at an address."""

    name: str
    address: str

    def data(self, function: str, *args: Any) -> str:
        """A call, encoded: the selector and the arguments."""
        entry = _function(self.name, function, len(args))
        return "0x" + (_selector(entry) + encode(_types(entry["inputs"]), args)).hex()

    def tx(self, function: str, *args: Any, sender: str, value: int = 0, gas: int = GAS) -> Tx:
        """A call as a transaction."""
        return Tx(sender, self.address, self.data(function, *args), value, gas)

    def read(self, node: Node, function: str, *args: Any, sender: str | None = None, block: str = "latest") -> Any:
        """What a call answers: the value, or a tuple of several. Raises NodeSaid with the words of a revert."""
        asked = {"to": self.address, "data": self.data(function, *args)} | ({"from": sender} if sender else {})
        return self.decoded(function, node.call("eth_call", asked, block), len(args))

    def decoded(self, function: str, answer: str, arguments: int = 0) -> Any:
        """The answer to a call of so many arguments, as Python has it; addresses in checksum form."""
        types = _types(_function(self.name, function, arguments)["outputs"])
        values = tuple(map(_plain, types, decode(types, bytes.fromhex(answer[2:]))))
        return values[0] if len(values) == 1 else values

    def events(self, event: str, logs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The arguments of each such event among the logs that this contract wrote."""
        entry = _event(self.name, event)
        mine = [log for log in logs if log["address"].lower() == self.address.lower()]
        return [_arguments(entry, log) for log in mine if log["topics"][:1] == [topic(self.name, event)]]

    def logs(self, node: Node, event: str, *, first: int = 0, last: int | str = "latest") -> list[dict[str, Any]]:
        """The logs of one event from one block to another, both included."""
        wanted = {"address": self.address, "topics": [topic(self.name, event)], "fromBlock": hex(first)}
        found: list[dict[str, Any]] = node.call(
            "eth_getLogs", {**wanted, "toBlock": last if isinstance(last, str) else hex(last)}
        )
        return found


def topic(name: str, event: str) -> str:
    """What an event of a contract is found by."""
    return "0x" + keccak(text=_signature(_event(name, event))).hex()


def send(node: Node, tx: Tx) -> dict[str, Any]:
    """The receipt of a transaction. Raises Reverted when it failed."""
    return send_all(node, [tx])[0]


def send_all(node: Node, txs: Sequence[Tx]) -> list[dict[str, Any]]:
    """Send many at once and mine them in as few blocks as they fit; their receipts, in the same order.

    Those of one sender are carried out in their order; between senders nothing is promised, and nothing either where
    another process sends for the same sender meanwhile. Raises Reverted for the first that failed, once all are mined.
    """
    receipts: dict[int, dict[str, Any]] = {}
    with node.held():
        while len(receipts) < len(txs):
            left = [at for at in range(len(txs)) if at not in receipts]
            hashes = _sent(node, [txs[at] for at in left])
            went = [(at, sent) for at, sent in zip(left, hashes, strict=True) if sent]
            mined = _mined(node, [sent for _, sent in went])
            receipts |= {at: receipt for (at, _), receipt in zip(went, mined, strict=True)}
    for at, tx in enumerate(txs):
        if receipts[at]["status"] != "0x1":
            raise Reverted(_reason(node, tx, receipts[at]), receipts[at])
    return [receipts[at] for at in range(len(txs))]


def _sent(node: Node, txs: Sequence[Tx]) -> list[str]:
    """The hashes of transactions that wait now; "" for one whose nonce another process was faster to take."""
    senders = sorted({tx.sender for tx in txs})
    counts = node.batch([("eth_getTransactionCount", sender, "pending") for sender in senders])
    nonces = {sender: int(count, 16) for sender, count in zip(senders, counts, strict=True)}
    requests = []
    for tx in txs:
        requests.append(("eth_sendTransaction", tx.as_request(nonces[tx.sender])))
        nonces[tx.sender] += 1
    hashes = []
    for sent in node.batch(requests):
        if isinstance(sent, NodeSaid) and not any(words in sent.message for words in _NONCE_TAKEN):
            raise sent
        hashes.append("" if isinstance(sent, NodeSaid) else str(sent))
    return hashes


def _mined(node: Node, hashes: Sequence[str]) -> list[dict[str, Any]]:
    for _ in range(len(hashes) + 2):
        node.call("evm_mine")
        receipts = node.batch([("eth_getTransactionReceipt", sent) for sent in hashes])
        if all(receipts):
            return receipts
    raise NodeSaid(0, "transactions that were sent are not mined")


def _reason(node: Node, tx: Tx, receipt: dict[str, Any]) -> str:
    """The words of the contract, from asking the same again at the block before."""
    before = hex(int(receipt["blockNumber"], 16) - 1)
    try:
        node.call("eth_call", tx.as_request(), before)
    except NodeSaid as said:
        return said.message
    return "it failed among the others of its block"


@cache
def _entries(name: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in contracts.abi(name):
        found.setdefault((entry["type"], entry.get("name", "")), []).append(entry)
    return found


@cache
def _function(name: str, function: str, arguments: int) -> dict[str, Any]:
    same = _entries(name).get(("constructor" if not function else "function", function), [])
    fitting = [entry for entry in same if len(entry["inputs"]) == arguments]
    if not fitting:
        raise KeyError(f"{name} has no function {function} of {arguments} arguments")
    return fitting[0]


@cache
def _event(name: str, event: str) -> dict[str, Any]:
    return _entries(name)[("event", event)][0]


def _types(inputs: Sequence[dict[str, Any]]) -> list[str]:
    return [str(entry["type"]) for entry in inputs]


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _selector(entry: dict[str, Any]) -> bytes:
    return keccak(text=_signature(entry))[:4]


def _arguments(entry: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """The arguments of one log by name: the indexed ones are topics, the others are in its data."""
    told = [one for one in entry["inputs"] if not one["indexed"]]
    values = dict(zip([one["name"] for one in told], decode(_types(told), bytes.fromhex(log["data"][2:])), strict=True))
    indexed = [one for one in entry["inputs"] if one["indexed"]]
    for one, word in zip(indexed, log["topics"][1:], strict=True):
        values[one["name"]] = decode([one["type"]], bytes.fromhex(word[2:]))[0]
    return {one["name"]: _plain(one["type"], values[one["name"]]) for one in entry["inputs"]}


def _plain(kind: str, value: Any) -> Any:
    if kind == "address":
        return str(to_checksum_address(cast(str, value)))
    if kind == "address[]":
        return tuple(str(to_checksum_address(one)) for one in value)
    return value


def creation(name: str, addresses: dict[str, str], *args: Any) -> str:
    """The code that makes a contract, with what its constructor is given.

    addresses: of the libraries that it needs, by name.
    """
    code = contracts.bytecode(name, addresses)
    if not args:
        return code
    return code + encode(_types(_function(name, "", len(args))["inputs"]), args).hex()
