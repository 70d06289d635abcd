"""A block read from its bytes and bound to its header: its hash, its merkle root, the key that signed it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from valtrac.chains.qtum.encoding import (
    Prefixes,
    Reader,
    Transaction,
    address_of_hash,
    count_bytes,
    hash160,
    hash256,
    merkle_root,
    next_transaction,
    shown,
)
from valtrac.chains.untrusted import Untrusted

COMPACT = 65  # bytes of a signature from which its key can be reckoned
_COMPRESSED = 31
SIGNED_WORDS = b"Qtum Signed Message:\n"  # in front of every text that is signed
NO_COIN = "0" * 64 + ":4294967295"


@dataclass(frozen=True, slots=True)
class Header:
    """What a block is known by. kernel: the coin that won, `txid:n`, NO_COIN for a mined block. signed: the bytes that
    its maker signed. signature, proof: his, and the delegate's that he may stake for him, empty where there is none."""

    hash: str
    parent: str
    merkle: str
    at: datetime
    kernel: str
    signed: bytes
    signature: bytes
    proof: bytes

    def signer(self, prefixes: Prefixes) -> str:
        """The address of the key that signed it; "" where no key has."""
        signed_by = _signer(hash256(self.signed), self.signature)
        return "" if signed_by is None else address_of_hash(signed_by, prefixes)


@lru_cache(65_536)
def proves(proof: bytes, delegate: bytes, staker: bytes) -> bool:
    """Whether a delegate, by its hash, has signed that a staker may stake for it: over the staker's hash, in hex."""
    text = staker.hex().encode()
    signed = b"".join(count_bytes(len(each)) + each for each in (SIGNED_WORDS, text))
    return _signer(hash256(signed), proof) == delegate


def _signer(digest: bytes, signature: bytes) -> bytes | None:
    """The hash of the key that made a compact signature; None where there is none."""
    if len(signature) != COMPACT or not 27 <= signature[0] < 35:
        return None
    try:
        return hash160(_recovered(digest, signature[1:], (signature[0] - 27) & 3, signature[0] >= _COMPRESSED))
    except Exception:  # the library raises plain ones of several kinds
        return None


def _recovered(digest: bytes, compact: bytes, recovery: int, compressed: bool) -> bytes:
    """The public key by which a hash was signed. Raises whatever the library does where there is none."""
    library: Any = importlib.import_module("secp256k1")
    blank = library.PublicKey()
    signature = blank.ecdsa_recoverable_deserialize(compact, recovery)
    made = blank.ecdsa_recover(digest, signature, raw=True)
    return bytes(library.PublicKey(made).serialize(compressed=compressed))


def next_header(reader: Reader, *, staked: bool = True) -> Header:
    """The next header. staked: as Qtum writes it; without: the 80 bytes of a chain that is mined.

    ValueError where it is none. Source: qtum's primitives/block.h, CBlockHeader and CBlockHeaderSign.
    """
    start = reader.place
    reader.take(4)
    parent, merkle = shown(reader.take(32)), shown(reader.take(32))
    made_at = datetime.fromtimestamp(reader.number(4), UTC)
    reader.take(8)
    kernel, signature = NO_COIN, b""
    if staked:
        reader.take(64)
        kernel = f"{shown(reader.take(32))}:{reader.number(4)}"
    signed = reader.data[start : reader.place]
    if staked:
        signature = reader.take(reader.count())
    proof = b""
    if len(signature) >= 2 * COMPACT:
        signature, proof = signature[:-COMPACT], signature[-COMPACT:]
        signed += count_bytes(len(proof)) + proof
    whole = reader.data[start : reader.place]
    return Header(shown(hash256(whole)), parent, merkle, made_at, kernel, signed, signature, proof)


@dataclass(frozen=True, slots=True)
class Block:
    """A block whose transactions are those of its header."""

    header: Header
    transactions: tuple[Transaction, ...]


def read_block(raw: bytes, expected: str, *, staked: bool = True) -> Block:
    """A block of that hash. Raises Untrusted where the bytes are another's or do not fit together."""
    try:
        reader = Reader(raw)
        header = next_header(reader, staked=staked)
        transactions = tuple(next_transaction(reader) for _ in range(reader.count()))
        reader.end()
        root = merkle_root([transaction.tx_id for transaction in transactions])
    except ValueError as error:
        raise Untrusted(f"block {expected[:16]}... cannot be read: {error}") from error
    if header.hash != expected:
        raise Untrusted(f"the block called {expected[:16]}... has the hash {header.hash[:16]}...")
    if root != header.merkle:
        raise Untrusted(f"block {expected[:16]}... does not hold the transactions that its header was made for")
    return Block(header, transactions)
