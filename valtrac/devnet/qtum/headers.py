"""Block headers: the bytes that are hashed, what the staker signs of them, the kernel, and the merkle root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from valtrac.devnet.qtum import keys
from valtrac.devnet.qtum.codec import Reader, sha256d, sized
from valtrac.devnet.qtum.transactions import NOWHERE

VERSION = 0x20000000
BITS = 0x207FFFFF
"""The easiest target there is: every coin is a kernel, so that who wins can be chosen."""
STATE_ROOT = bytes.fromhex("e965ffd002cd6ad0e2dc402b8044de833e06b23127ea8c3d80aec91410771495")
UTXO_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
SIGNATURE = 65


@dataclass(frozen=True, slots=True)
class Header:
    """A header. Hashes as stored; stake: the kernel, NOWHERE in a block that was mined; signature: 65 bytes of the
    staker's, followed by 65 of a proof of delegation where another's coin won, b"" in a mined block."""

    previous: bytes
    merkle: bytes
    at: int
    state_root: bytes
    utxo_root: bytes
    stake: tuple[bytes, int] = NOWHERE
    signature: bytes = b""
    nonce: int = 0
    version: int = VERSION
    bits: int = BITS

    @property
    def is_staked(self) -> bool:
        """Whether a coin won it."""
        return self.stake != NOWHERE

    @property
    def proof(self) -> bytes:
        """The proof of delegation, b"" without one."""
        return self.signature[-SIGNATURE:] if len(self.signature) >= 2 * SIGNATURE else b""

    @property
    def staker_signature(self) -> bytes:
        """The signature without the proof."""
        return self.signature[:-SIGNATURE] if self.proof else self.signature


def _unsigned(header: Header) -> bytes:
    return b"".join(
        (
            header.version.to_bytes(4, "little"),
            header.previous,
            header.merkle,
            header.at.to_bytes(4, "little"),
            header.bits.to_bytes(4, "little"),
            header.nonce.to_bytes(4, "little"),
            header.state_root,
            header.utxo_root,
            header.stake[0],
            header.stake[1].to_bytes(4, "little"),
        )
    )


def packed(header: Header) -> bytes:
    """The bytes of a header; all of them are hashed."""
    return _unsigned(header) + sized(header.signature)


def unpacked(data: bytes) -> Header:
    """A header from the front of these bytes."""
    reader = Reader(data)
    version, previous, merkle = reader.number(4), reader.take(32), reader.take(32)
    made_at, bits, nonce = reader.number(4), reader.number(4), reader.number(4)
    state_root, utxo_root, stake = reader.take(32), reader.take(32), (reader.take(32), reader.number(4))
    return Header(
        previous, merkle, made_at, state_root, utxo_root, stake, reader.sized(), nonce=nonce, version=version, bits=bits
    )


def block_hash(raw: bytes) -> bytes:
    """The hash of a header's bytes."""
    return sha256d(raw)


def digest(header: Header, proof: bytes = b"") -> bytes:
    """What the staker signs: all but the signature, with the proof of delegation where there is one."""
    return sha256d(_unsigned(header) + (sized(proof) if proof else b""))


def signed(header: Header, staker: keys.Key, proof: bytes = b"") -> Header:
    """The header with the staker's signature, and the proof behind it."""
    return replace(header, signature=keys.sign_compact(digest(header, proof), staker.secret) + proof)


def modifier(kernel: bytes, previous: bytes) -> bytes:
    """The stake modifier of a block: of its kernel's transaction, or the block's hash where it was mined."""
    return sha256d(kernel + previous)


def kernel_proof(previous_modifier: bytes, from_at: int, stake: tuple[bytes, int], at: int) -> bytes:
    """The hash that a coin has to win by; from_at: time of the block that holds the coin."""
    place = stake[0] + stake[1].to_bytes(4, "little")
    return sha256d(previous_modifier + from_at.to_bytes(4, "little") + place + at.to_bytes(4, "little"))


def merkle_root(ids: Sequence[bytes]) -> bytes:
    """The root over transaction ids: pairs hashed together, the last one doubled where the count is odd."""
    row = list(ids)
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        row = [sha256d(row[place] + row[place + 1]) for place in range(0, len(row), 2)]
    return row[0] if row else b"\0" * 32
