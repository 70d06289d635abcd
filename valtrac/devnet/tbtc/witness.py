"""Signatures of coins that belong to a key (P2WPKH): made, and checked as a node checks them. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valtrac.devnet.tbtc.transactions import Output, Transaction, hash160, p2wpkh, prefixed, sha256d

if TYPE_CHECKING:
    from eth_keys.datatypes import PrivateKey

SIGHASH_ALL = 1
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What a private key is to Bitcoin. secret: 32 bytes."""

    secret: bytes

    @property
    def public_key(self) -> bytes:
        """64 bytes, as a keep tells them."""
        return bytes(_private(self.secret).public_key.to_bytes())

    @property
    def compressed(self) -> bytes:
        """33 bytes, as a witness has them."""
        return bytes(_private(self.secret).public_key.to_compressed_bytes())

    @property
    def script(self) -> bytes:
        """The script that pays to it."""
        return p2wpkh(self.compressed)

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        """r, s (the lower of the two) and the recovery id of a signature."""
        signature = _private(self.secret).sign_msg_hash(digest)
        return signature.r, signature.s, signature.v


def _private(secret: bytes) -> PrivateKey:
    from eth_keys.datatypes import PrivateKey

    return PrivateKey(secret)


def digest(tx: Transaction, index: int, coin: Output) -> bytes:
    """What the owner of a P2WPKH coin signs to spend it as that input, with SIGHASH_ALL.

    Source: BIP143.
    """
    spent = tx.inputs[index]
    code = b"\x76\xa9" + prefixed(coin.script[2:]) + b"\x88\xac"
    pieces = (
        struct.pack("<i", tx.version),
        sha256d(b"".join(one.outpoint.packed() for one in tx.inputs)),
        sha256d(b"".join(struct.pack("<I", one.sequence) for one in tx.inputs)),
        spent.outpoint.packed(),
        prefixed(code),
        struct.pack("<Q", coin.value_sat),
        struct.pack("<I", spent.sequence),
        sha256d(b"".join(one.packed() for one in tx.outputs)),
        struct.pack("<II", tx.locktime, SIGHASH_ALL),
    )
    return sha256d(b"".join(pieces))


def der(r: int, s: int) -> bytes:
    """A signature as Bitcoin writes it."""
    body = b"".join(b"\x02" + prefixed(_positive(number)) for number in (r, s))
    return b"\x30" + prefixed(body)


def _positive(number: int) -> bytes:
    # one byte more than needed where the first bit is set, or it would be read as negative
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def undone(encoded: bytes) -> tuple[int, int]:
    """r and s. Raises ValueError for anything that is not written in the one right way."""
    if len(encoded) < 8 or encoded[0] != 0x30 or encoded[2] != 2:
        raise ValueError("no signature")
    end = 4 + encoded[3]
    r = int.from_bytes(encoded[4:end], "big")
    s = int.from_bytes(encoded[end + 2 :], "big")
    if der(r, s) != encoded:
        raise ValueError("not written as DER wants it")
    return r, s


def spend(tx: Transaction, index: int, coin: Output, key: Unlocked) -> Transaction:
    """The transaction with the witness of one of its inputs."""
    r, s, _ = key.sign(digest(tx, index, coin))
    return tx.with_witness(index, (der(r, s) + bytes([SIGHASH_ALL]), key.compressed))


def fault(tx: Transaction, index: int, coin: Output) -> str:
    """Why an input may not spend a coin, in the words of bitcoind; "" where it may.

    Other kinds of coin, and other kinds of signature than SIGHASH_ALL, are refused: nobody here makes them.
    """
    spent = tx.inputs[index]
    if len(coin.script) != 22 or coin.script[:2] != b"\x00\x14":
        return "Script evaluated without error but finished with a false/empty top stack element"
    if spent.script:
        return "Witness requires empty scriptSig"
    if not spent.witness:
        return "Witness program was passed an empty witness"
    if len(spent.witness) != 2:
        return "Witness program hash mismatch"
    signature, key = spent.witness
    if hash160(key) != coin.script[2:]:
        return "Script failed an OP_EQUALVERIFY operation"
    return _signature_fault(signature, key, digest(tx, index, coin))


def _signature_fault(signature: bytes, key: bytes, signed: bytes) -> str:
    if signature[-1:] != bytes([SIGHASH_ALL]):
        return "Signature hash type missing or not understood"
    try:
        r, s = undone(signature[:-1])
    except (ValueError, IndexError):
        return "Non-canonical DER signature"
    if s > ORDER // 2:
        return "Non-canonical signature: S value is unnecessarily high"
    if len(key) != 33 or not _verified(r, s, key, signed):
        return "Script evaluated without error but finished with a false/empty top stack element"
    return ""


def _verified(r: int, s: int, key: bytes, signed: bytes) -> bool:
    from eth_keys.datatypes import NonRecoverableSignature, PublicKey
    from eth_utils.exceptions import ValidationError

    try:
        public = PublicKey.from_compressed_bytes(key)
        return bool(NonRecoverableSignature(rs=(r, s)).verify_msg_hash(signed, public))
    except (ValidationError, ValueError):
        return False
