"""Whether what a block holds is what its header commits to: its id, its witness' key, and the root over its body.

Source: bitshares-core:libraries/protocol/block.cpp. Pure but for asking for the bytes of what cannot be written here.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valtrac.chains.bitshares import answers, curve, operations
from valtrac.chains.bitshares.operations import Unknown, varint, vector
from valtrac.chains.ripemd import ripemd160
from valtrac.chains.untrusted import Untrusted
from valtrac.core.text import plain

EMPTY_ROOT = "00" * 20
HexOf = Callable[[Any], Any]
Write = Callable[[Any], bytes]


class Forged(Untrusted):
    """A block that does not fit: what its node says is no answer. node: its name, once it was left for the next."""

    node = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A header by itself. id, previous: 40 hex digits; witness: 1.6.x; key: 33 bytes, whose signature it is, b"" where
    that cannot be told; rekeyed: (witness, its new key) of those who change theirs in it, where its body was read."""

    number: int
    id: str
    previous: str
    at: datetime
    witness: str
    key: bytes
    rekeyed: tuple[tuple[str, bytes], ...] = ()


_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, struct.error, Unknown)


def sealed(block: Any, number: int) -> Sealed:
    """A block's header with the id and the signer that follow from it. Raises Forged where it is none.

    Nothing is said of the body; that is `fits`'s matter.
    """
    try:
        head = header_of(block)
        signature = bytes.fromhex(block["witness_signature"])
        previous, made_at = answers.block_id(block["previous"], number - 1), answers.moment(block["timestamp"])
    except (*_MALFORMED, Untrusted) as error:
        raise Forged(f"block {number} is none: {plain(error)}") from error
    own = struct.pack(">I", number).hex() + hashlib.sha224(head + signature).hexdigest()[8:40]
    try:
        key = curve.signer(head, signature)
    except ValueError:
        key = b""
    return Sealed(number, own, previous, made_at, block["witness"], key)


def fits(block: Any, number: int, hex_of: HexOf) -> tuple[tuple[str, bytes], ...]:
    """Raise Forged where a body is another than the root in its header commits to; else whose signing keys it changes.

    hex_of: the bytes of a transaction as a node tells them, in hex; asked for where they cannot be written here, and
    for everything but transfers where what was written does not fit: it may have been written wrongly.
    """
    try:
        _fits(block, number, hex_of, operations.operation)
        return tuple(_rekeyed(block["transactions"]))
    except Forged:
        if not _has_others(block):
            raise
    _fits(block, number, hex_of, operations.transfer_alone)
    return ()


def _fits(block: Any, number: int, hex_of: HexOf, write: Write) -> None:
    try:
        root = root_of([_leaf(trx, hex_of, write) for trx in block["transactions"]])
        if root != block["transaction_merkle_root"]:
            raise Forged(f"block {number} holds something else than its header says")
    except (*_MALFORMED, Untrusted) as error:
        raise error if isinstance(error, Forged) else Forged(f"block {number} is none: {plain(error)}") from error


def _has_others(block: Any) -> bool:
    """Whether a block tells of operations besides transfers."""
    try:
        return any(kind != 0 for trx in block["transactions"] for kind, _ in trx["operations"])
    except (ValueError, KeyError, TypeError):
        return False


def signers(trx: Any, chain_id: str, hex_of: HexOf) -> frozenset[str]:
    """The public keys ("BTS...") that signed a transaction of a block that fits; empty where that cannot be told."""
    try:
        signatures = [bytes.fromhex(signature) for signature in trx["signatures"]]
        signed = _signed(trx, hex_of, operations.operation)
        unsigned = signed[: len(signed) - len(vector(signatures, bytes))]
        return frozenset(curve.text_of(curve.signer(bytes.fromhex(chain_id) + unsigned, each)) for each in signatures)
    except (*_MALFORMED, Untrusted):
        return frozenset()


def header_of(block: Any) -> bytes:
    """The header without its signature. Raises ValueError, KeyError or TypeError; Unknown where it has extensions."""
    return b"".join(
        (
            bytes.fromhex(block["previous"]),
            operations.when(block["timestamp"]),
            operations.instance(block["witness"], "1.6."),
            bytes.fromhex(block["transaction_merkle_root"]),
            operations.nothing(block["extensions"]),
        )
    )


def root_of(leaves: Sequence[bytes]) -> str:
    """40 hex digits: pairs are hashed together, an odd one moves up as it is."""
    row = list(leaves)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        pairs = [hashlib.sha256(row[place] + row[place + 1]).digest() for place in range(0, len(row) - 1, 2)]
        row = pairs + row[len(row) - len(row) % 2 :]
    return ripemd160(row[0]).hex()


def _leaf(trx: Any, hex_of: HexOf, write: Write) -> bytes:
    """The hash of a transaction with its signatures and results."""
    whole = _signed(trx, hex_of, write) + vector(trx["operation_results"], operations.result)
    if len(whole) == 64:
        raise ValueError("a transaction of 64 bytes: it could be two hashes of the tree")
    return hashlib.sha256(whole).digest()


def _signed(trx: Any, hex_of: HexOf, write: Write) -> bytes:
    """A transaction with its signatures. write: an operation's bytes, Unknown where they have to be asked for."""
    signatures = vector(trx["signatures"], bytes.fromhex)
    head = struct.pack(
        "<HI",
        answers.whole(trx["ref_block_num"], "a number", 1 << 16),
        answers.whole(trx["ref_block_prefix"], "a number", 1 << 32),
    ) + operations.when(trx["expiration"])
    try:
        body = vector(trx["operations"], write) + operations.nothing(trx["extensions"])
        return head + body + signatures
    except Unknown:
        signed = bytes.fromhex(hex_of(trx))
        _agrees(signed, head, trx, signatures, write)
        return signed


def _agrees(signed: bytes, head: bytes, trx: Any, signatures: bytes, write: Write) -> None:
    """Raise ValueError unless bytes that were asked for say the same as the JSON as far as it can be written: what
    stands before the first part that cannot, of which kind that is, and what stands after the last such part.

    A transfer is always written here, so no transaction of transfers can be told to be anything else.
    """
    count = len(trx["operations"])
    known = [_or_none(value, write) for value in trx["operations"]]
    first = known.index(None) if None in known else count
    last = count - 1 - known[::-1].index(None) if None in known else count - 1
    before = head + varint(count) + b"".join(part for part in known[:first] if part is not None)
    kind = varint(trx["operations"][first][0]) if first < count else b""
    after = b"".join(part for part in known[last + 1 :] if part is not None)
    end = (after + b"\0" if not trx["extensions"] else b"") + signatures
    if not signed.startswith(before + kind) or not signed.endswith(end) or len(signed) < len(before + kind + end):
        raise ValueError("the bytes of a transaction say something else than it does")


def _or_none(value: Any, write: Write) -> bytes | None:
    try:
        return write(value)
    except Unknown:
        return None


def _rekeyed(transactions: Any) -> list[tuple[str, bytes]]:
    return [
        (op["witness"], curve.key(op["new_signing_key"]))
        for trx in transactions
        for kind, op in trx["operations"]
        if kind == operations.WITNESS_UPDATE and op.get("new_signing_key")
    ]
