"""Signed transactions: the journal's own form of ours, and anybody's written again from what a node tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from valtrac.chains.untrusted import Untrusted

_TYPED = {
    1: ("nonce", "gasPrice", "gas", "to", "value", "input", "accessList"),
    2: ("nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input", "accessList"),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the journal keeps of a transaction. signed: its bytes as nodes take them; units: what leaves by it at most,
    which the bytes do not say; born: the newest block when it was signed."""

    signed: bytes
    units: int = 0
    born: int = 0

    def packed(self) -> bytes:
        """As it is stored."""
        written = {"born": self.born, "signed": self.signed.hex(), "units": str(self.units)}
        return json.dumps(written, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def of(cls, raw: bytes) -> Envelope:
        """Read back. Raises ValueError for what is none."""
        try:
            written = json.loads(raw)
            return cls(bytes.fromhex(written["signed"]), int(written["units"]), int(written["born"]))
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("no transaction of this journal") from error


@dataclass(frozen=True, slots=True)
class Opened:
    """A signed transaction read back from its bytes alone. Addresses in lower case; to: "" where it makes a contract;
    chain_id: 0 where it says none; price: the most that it pays for gas, tip: of that to the maker of the block, in
    wei."""

    tx_id: str
    signer: str
    chain_id: int
    nonce: int
    to: str
    value: int
    data: bytes
    gas: int
    price: int
    tip: int


def opened(signed: bytes) -> Opened:
    """Read a signed transaction of a kind that wallets sign. Raises ValueError for anything else."""
    import rlp
    from eth_account import Account
    from eth_account.typed_transactions.typed_transaction import TypedTransaction
    from eth_utils.crypto import keccak
    from hexbytes import HexBytes

    try:
        signer = str(Account.recover_transaction(HexBytes(signed))).lower()
        if signed[:1] < b"\x7f":
            fields: dict[str, Any] = TypedTransaction.from_bytes(HexBytes(signed)).as_dict()
            data, to = bytes(fields["data"]), bytes(fields["to"])
            price = int(fields.get("maxFeePerGas", fields.get("gasPrice", 0)))
            tip = int(fields.get("maxPriorityFeePerGas", price))
            numbers = [int(fields[name]) for name in ("chainId", "nonce", "value", "gas")]
        else:
            nonce, price_b, gas, to, value, data, v, _, _ = rlp.decode(signed)
            price = tip = int.from_bytes(price_b, "big")
            signed_v = int.from_bytes(v, "big")
            chain_id = (signed_v - 35) // 2 if signed_v >= 35 else 0
            numbers = [chain_id, *(int.from_bytes(each, "big") for each in (nonce, value, gas))]
    except Exception as error:  # libraries answer foreign bytes with exceptions of every kind
        raise ValueError(f"no signed transaction: {type(error).__name__}") from error
    target = "0x" + to.hex() if to else ""
    chain, number, wei, gas_limit = numbers
    return Opened("0x" + keccak(signed).hex(), signer, chain, number, target, wei, data, gas_limit, price, tip)


def signed_bytes(told: dict[str, Any]) -> bytes:
    """The bytes of a transaction that a node tells field by field, checked against its id.

    Raises Untrusted where they do not make it, or it is of a kind that wallets do not sign.
    """
    import rlp
    from eth_utils.crypto import keccak

    kind = int(str(told.get("type", "0x0")), 16)
    if kind == 0:
        names = ("nonce", "gasPrice", "gas", "to", "value", "input")
        made: bytes = rlp.encode([_field(told, name) for name in (*names, "v", "r", "s")])
    elif kind in _TYPED:
        head = [_number(told["chainId"]), *(_field(told, name) for name in _TYPED[kind])]
        parity = told.get("yParity", told.get("v"))
        made = bytes([kind]) + rlp.encode([*head, _number(parity), _field(told, "r"), _field(told, "s")])
    else:
        raise Untrusted(f"a transaction of kind {kind}, which is not read here")
    if "0x" + keccak(made).hex() != told.get("hash"):
        raise Untrusted("a transaction that is not the one of its id")
    return made


def _number(text: Any) -> bytes:
    value = int(str(text), 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _field(told: dict[str, Any], name: str) -> Any:
    if name == "accessList":
        return [
            [bytes.fromhex(each["address"][2:]), [bytes.fromhex(key[2:]) for key in each["storageKeys"]]]
            for each in told.get("accessList") or []
        ]
    if name in ("to", "input"):
        return bytes.fromhex(str(told.get(name) or "0x")[2:])
    return _number(told[name])
