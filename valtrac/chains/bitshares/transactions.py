"""Transfers as BitShares transactions: built, signed, written as bytes and read back; memos.

Ids are computed twice, by the library's encoder and by one written here apart from it, so that each checks the other.
The library's own `transfer()` and its shared buffer are not used: an operation whose fee could not be asked for stays
there, and is paid with the next one. This file is imported when it is needed: it loads the library.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import graphenebase.ecdsa
from bitsharesbase import memo as library_memo
from bitsharesbase.account import PrivateKey, PublicKey
from bitsharesbase.signedtransactions import Signed_Transaction
from graphenebase.base58 import base58decode, ripemd160

from valtrac.chains.bitshares import answers
from valtrac.chains.bitshares.answers import CORE, TRANSFER
from valtrac.chains.bitshares.link import OWN_PREFIX
from valtrac.chains.bitshares.operations import varint
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import SealedMemo
from valtrac.ports import Unreadable

if graphenebase.ecdsa.SECP256K1_MODULE == "cryptography":  # it can neither sign nor verify with an ecdsa above 0.14
    graphenebase.ecdsa.SECP256K1_MODULE = "ecdsa"

PREFIX = OWN_PREFIX
_FIELDS = {"ref_block_num", "ref_block_prefix", "expiration", "operations", "extensions", "signatures"}
_HEX = re.compile(r"([0-9a-f]{2})+")
_SIGNATURE = re.compile(r"[0-9a-f]{130}")


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer to be signed. memo: sealed words as they stand in the transaction, or None."""

    sender: str
    receiver: str
    units: int
    memo: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A signed transaction read back. expires: seconds since 1970; moves and fee_units in the order of its payments."""

    tx_id: str
    signer: str
    expires: int
    moves: tuple[Move, ...]
    fee_units: tuple[int, ...]
    body: Mapping[str, Any]


# Building


def operations_of(moves: Sequence[Move], fees: Sequence[int]) -> list[list[Any]]:
    """The operations as JSON. fees: satoshi, one for each."""
    return [[TRANSFER, _operation(move, fee)] for move, fee in zip(moves, fees, strict=True)]


def signed(
    moves: Sequence[Move],
    fees: Sequence[int],
    *,
    ref_id: str,
    expires: int,
    wifs: Mapping[str, str],
    chain_id: str,
) -> bytes:
    """The wire form of one signed transaction: canonical JSON.

    ref_id: the id of an irreversible block; expires: seconds since 1970; wifs: public key -> private key. ValueError
    where the library and this file do not agree about its id, or where the signatures are not by these keys.
    """
    head = {
        "ref_block_num": int(ref_id[:8], 16) & 0xFFFF,
        "ref_block_prefix": struct.unpack_from("<I", bytes.fromhex(ref_id), 4)[0],
        "expiration": stamp(expires),
    }
    operations = operations_of(moves, fees)
    made = Signed_Transaction(**head, operations=copy.deepcopy(operations))
    made.sign(list(wifs.values()), {"chain_id": chain_id, "prefix": PREFIX})
    signatures = [bytes(signature).hex() for signature in made.data["signatures"].data]
    body = {**head, "operations": operations, "extensions": [], "signatures": signatures}
    raw = canonical(body)
    if read(raw).tx_id != made.id:
        raise ValueError("two encoders do not agree about the transaction's id")
    if signers(body, chain_id) != set(wifs):
        raise ValueError("the signatures are not by the keys")
    return raw


def canonical(body: Mapping[str, Any]) -> bytes:
    """JSON in the one form that is kept and sent."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def stamp(at: int) -> str:
    """Seconds since 1970 as nodes write a time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# Reading


def read(raw: bytes) -> Read:
    """Signed bytes read back, by way of their binary form. ValueError: they are not in canonical form, hold anything
    but transfers of the core asset by one account with a fee in it, or two encoders do not agree about their id."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError("no transaction") from error
    if not isinstance(body, dict) or set(body) != _FIELDS or canonical(body) != raw:
        raise ValueError("no transaction in the form that is kept")
    signatures = body["signatures"]
    if not isinstance(signatures, list) or not signatures or not all(map(_is_signature, signatures)):
        raise ValueError("a transaction without proper signatures")
    tx_id = hashlib.sha256(packed(body)).hexdigest()[:40]
    if _library_id(body) != tx_id:
        raise ValueError("two encoders do not agree about the transaction's id")
    found_ops = [op for _, op in body["operations"]]
    moves = [Move(op["from"], op["to"], op["amount"]["amount"], op.get("memo")) for op in found_ops]
    fees = [op["fee"]["amount"] for op in found_ops]
    if any(type(units) is not int for units in (*fees, *(move.units for move in moves))):
        raise ValueError("an amount that is no number")
    if canonical({"": operations_of(moves, fees)}) != canonical({"": body["operations"]}):
        raise ValueError("a transfer or a fee of another asset, or with more in it than is known")
    if not all(move.units > 0 for move in moves):
        raise ValueError("a transfer of nothing")
    senders = {move.sender for move in moves}
    if len(senders) != 1:
        raise ValueError("transfers by several accounts")
    expires = int(answers.moment(body["expiration"]).timestamp())
    return Read(tx_id, senders.pop(), expires, tuple(moves), tuple(fees), body)


def signer_of(raw: bytes) -> str | None:
    """The account that pays in these bytes; None where that cannot be said."""
    try:
        senders = {op["from"] for kind, op in json.loads(raw)["operations"] if kind == TRANSFER}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    sender = senders.pop() if len(senders) == 1 else None
    return sender if answers.is_account(sender) else None


def tx_id_of(trx: Mapping[str, Any]) -> str:
    """The id of a transaction in a block: 40 hex digits; "" where it holds anything but plain transfers."""
    try:
        return hashlib.sha256(packed(trx)).hexdigest()[:40]
    except ValueError:
        return ""


def packed(trx: Mapping[str, Any]) -> bytes:
    """The binary form of a transaction of transfers, without its signatures. ValueError where it is something else."""
    try:
        if trx.get("extensions") or not trx["operations"]:
            raise ValueError("extensions, or no operation")
        head = struct.pack(
            "<HII",
            _whole(trx["ref_block_num"]),
            _whole(trx["ref_block_prefix"]),
            int(answers.moment(trx["expiration"]).timestamp()),
        )
        body = b"".join(_packed_transfer(kind, op) for kind, op in trx["operations"])
        return head + varint(len(trx["operations"])) + body + b"\0"
    except (KeyError, TypeError, AttributeError, OverflowError, struct.error, Untrusted) as error:
        raise ValueError("no transaction of transfers") from error


def signers(trx: Mapping[str, Any], chain_id: str) -> set[str]:
    """The public keys that signed a transaction. ValueError where a signature is none."""
    message = bytes.fromhex(chain_id) + packed(trx)
    try:
        signatures = [bytes.fromhex(signature) for signature in trx["signatures"]]
        public_keys = [graphenebase.ecdsa.verify_message(message, signature) for signature in signatures]
        return {str(PublicKey(bytes(key).hex(), prefix=PREFIX)) for key in public_keys}
    except Exception as error:
        raise ValueError("a signature that is none") from error


# Keys and memos


def public_key(wif: str) -> str:
    """The public key of a private one. ValueError where it is none; the message does not tell it."""
    try:
        return str(PrivateKey(wif, prefix=PREFIX).pubkey)
    except Exception:
        raise ValueError("not a private key") from None


def size_of(memo: Mapping[str, Any]) -> int:
    """How many bytes of a transfer its memo is."""
    return len(_packed_memo(memo))


def seal(words: str, *, wif: str, sender_key: str, receiver_key: str, nonce: int = 0) -> dict[str, str]:
    """Words that only the two keys can read, as they stand in a transfer. Raises ValueError for a key that is none.

    nonce: 0 < nonce < 2^64; 0: any.
    """
    nonce = nonce or secrets.randbits(64) or 1
    try:
        other = PublicKey(receiver_key, prefix=PREFIX)
        message = library_memo.encode_memo(PrivateKey(wif), other, nonce, words)
    except Exception as error:
        raise ValueError("the memo cannot be sealed: the receiver's memo key is none") from error
    return {"from": sender_key, "to": receiver_key, "nonce": str(nonce), "message": message}


def placeholder(words: str, *, sender_key: str, receiver_key: str) -> dict[str, str]:
    """As many bytes as `seal` makes of these words; nothing is in them."""
    size = (4 + len(words.encode())) // 16 * 16 + 16
    return {"from": sender_key, "to": receiver_key, "nonce": "1", "message": "00" * size}


def unseal(memo: SealedMemo, *, wif: str, other_key: str) -> str:
    """The words of a memo, with one of its keys and the public half of the other. Raises Unreadable, nothing else."""
    try:
        nonce = int(memo.nonce) if memo.nonce.isascii() and memo.nonce.isdigit() else None
        if nonce is None or not 0 <= nonce < 2**64:
            raise Unreadable("its nonce is no number")
        other = PublicKey(other_key, prefix=PREFIX)
        return str(library_memo.decode_memo(PrivateKey(wif), other, nonce, memo.message))
    except Unreadable:
        raise
    except Exception as error:  # ValueError, binascii.Error, IndexError, AssertionError, UnicodeDecodeError, ...
        raise Unreadable(f"not sealed for its keys ({type(error).__name__})") from error


# Inside


def _operation(move: Move, fee: int) -> dict[str, Any]:
    op: dict[str, Any] = {
        "fee": {"amount": fee, "asset_id": CORE},
        "from": move.sender,
        "to": move.receiver,
        "amount": {"amount": move.units, "asset_id": CORE},
        "extensions": [],
    }
    return {**op, "memo": dict(move.memo)} if move.memo else op


def _library_id(body: Mapping[str, Any]) -> str:
    """The id by the library's encoder, which writes into what it is given."""
    own = copy.deepcopy({key: body[key] for key in _FIELDS - {"extensions"}})
    try:
        return str(Signed_Transaction(**own).id)
    except Exception as error:
        raise ValueError("the library does not know such a transaction") from error


def _is_signature(value: Any) -> bool:
    return isinstance(value, str) and _SIGNATURE.fullmatch(value) is not None


def _packed_transfer(kind: Any, op: Mapping[str, Any]) -> bytes:
    if type(kind) is not int or kind != TRANSFER or op.get("extensions"):
        raise ValueError("no plain transfer")
    memo = op.get("memo")
    return b"".join(
        (
            b"\0",
            _packed_amount(op["fee"]),
            _packed_object(op["from"], "1.2."),
            _packed_object(op["to"], "1.2."),
            _packed_amount(op["amount"]),
            b"\0" if memo is None else b"\1" + _packed_memo(memo),
            b"\0",
        )
    )


def _packed_amount(value: Mapping[str, Any]) -> bytes:
    return struct.pack("<q", _whole(value["amount"])) + _packed_object(value["asset_id"], "1.3.")


def _packed_object(value: Any, kind: str) -> bytes:
    number = value.removeprefix(kind)
    if number == value or not number.isascii() or not number.isdigit() or str(int(number)) != number:
        raise ValueError(f"no object {kind}x")
    return varint(int(number))


def _packed_memo(memo: Mapping[str, Any]) -> bytes:
    words = memo["message"]
    if not isinstance(words, str) or (words and not _HEX.fullmatch(words)):
        raise ValueError("a memo that is not hexadecimal")
    data = bytes.fromhex(words)
    ends = _packed_key(memo["from"]) + _packed_key(memo["to"])
    return ends + struct.pack("<Q", _whole(memo["nonce"], 2**64)) + varint(len(data)) + data


@lru_cache(4096)
def _packed_key(text: str) -> bytes:
    """33 bytes of a public key."""
    if not text.startswith(PREFIX):
        raise ValueError("a key of another chain")
    try:
        raw = bytes.fromhex(base58decode(text[len(PREFIX) :]))
    except Exception as error:
        raise ValueError("no public key") from error
    if len(raw) != 37 or ripemd160(raw[:33].hex())[:4] != raw[33:]:
        raise ValueError("no public key")
    return raw[:33]


def _whole(value: Any, below: int = 2**63) -> int:
    try:
        return answers.whole(value, "a number", below)
    except Untrusted as error:
        raise ValueError(str(error)) from error
