"""Bitcoin blocks at the difficulty of regtest: really mined headers, merkle trees with real branches. Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.devnet.tbtc.transactions import (
    FINAL_SEQUENCE,
    Input,
    Outpoint,
    Output,
    Transaction,
    parse,
    prefixed,
    sha256d,
    shown,
)

BITS = 0x207FFFFF
TARGET = 0x7FFFFF << 8 * (0x20 - 3)
SUBSIDY_SAT = 50 * 10**8
SPACING_S = 600
_NOWHERE = Outpoint("00" * 32, 0xFFFFFFFF)
# the first block of every regtest: the header of its own, the transaction of Bitcoin's first block
GENESIS_HEADER = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
)
GENESIS_TRANSACTION = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d"
    "65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f72"
    "2062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6"
    "bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block. header: 80 bytes."""

    header: bytes
    transactions: tuple[Transaction, ...]

    @property
    def hash(self) -> bytes:
        return sha256d(self.header)

    @property
    def time(self) -> int:
        """Seconds since 1970."""
        return int.from_bytes(self.header[68:72], "little")

    @property
    def name(self) -> str:
        """The hash as it is written."""
        return shown(self.hash)


def genesis() -> Block:
    """The first block of every regtest."""
    return Block(GENESIS_HEADER, (parse(GENESIS_TRANSACTION),))


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of a block's transactions."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def merkle_branch(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What is hashed with one leaf on the way to the root, from below."""
    branch, level = [], list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        branch.append(level[sibling] if sibling < len(level) else level[index])
        level, index = _above(level), index // 2
    return branch


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [*level, level[-1]] if len(level) % 2 else level
    return [sha256d(pairs[at] + pairs[at + 1]) for at in range(0, len(pairs), 2)]


def coinbase(height: int, value_sat: int, script: bytes, others: Sequence[Transaction]) -> Transaction:
    """The first transaction of a block: it names the height (BIP34) and commits to the witnesses (BIP141)."""
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")
    named = bytes([0x50 + height]) if height <= 16 else prefixed(number)
    # the coinbase's own witness hash counts as zero
    root = merkle_root([bytes(32), *(sha256d(one.raw()) for one in others)])
    commitment = b"\x6a\x24\xaa\x21\xa9\xed" + sha256d(root + bytes(32))
    return Transaction(
        (Input(_NOWHERE, named + b"\x00", FINAL_SEQUENCE, (bytes(32),)),),
        (Output(value_sat, script), Output(0, commitment)),
        version=2,
    )


def mined(previous: Block, transactions: Sequence[Transaction], time: int) -> Block:
    """The block after another one, with a header that meets the target. time: seconds since 1970."""
    root = merkle_root([tx.hash for tx in transactions])
    head = struct.pack("<I", 0x20000000) + previous.hash + root + struct.pack("<II", time, BITS)
    nonce = 0
    while int.from_bytes(sha256d(head + struct.pack("<I", nonce)), "little") > TARGET:
        nonce += 1
    return Block(head + struct.pack("<I", nonce), tuple(transactions))
