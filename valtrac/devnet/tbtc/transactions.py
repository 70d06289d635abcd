"""Bitcoin transactions as bytes: read, written, named. Pure.

Hashes are bytes in the order they come out in; a `txid` is the same reversed and in hex, as nodes write it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

FINAL_SEQUENCE = 0xFFFFFFFF
MAX_MONEY_SAT = 21_000_000 * 10**8


class Malformed(ValueError):
    """Bytes that are no transaction."""


def sha256d(data: bytes) -> bytes:
    """The hash of Bitcoin: sha256 twice."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """ripemd160 of sha256: what an address is of a key."""
    inner = hashlib.sha256(data).digest()
    try:
        return hashlib.new("ripemd160", inner).digest()
    except ValueError:  # an OpenSSL without the old hashes
        from Crypto.Hash import RIPEMD160

        return bytes(RIPEMD160.new(inner).digest())


def shown(hashed: bytes) -> str:
    """A hash as it is written: reversed, in hex."""
    return hashed[::-1].hex()


def hashed(written: str) -> bytes:
    """The hash that is written so. Raises ValueError for anything else."""
    raw = bytes.fromhex(written)[::-1]
    if len(raw) != 32:
        raise ValueError("a hash has 64 hex digits")
    return raw


def compressed(public_key: bytes) -> bytes:
    """33 bytes for the 64 that a keep tells of its key."""
    return (b"\x03" if public_key[63] & 1 else b"\x02") + public_key[:32]


def p2wpkh(public_key: bytes) -> bytes:
    """The script that pays to a compressed key: 22 bytes."""
    return b"\x00\x14" + hash160(public_key)


def compact(number: int) -> bytes:
    """A count as Bitcoin writes it."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", number)
    return b"\xfe" + struct.pack("<I", number) if number <= 0xFFFFFFFF else b"\xff" + struct.pack("<Q", number)


def prefixed(data: bytes) -> bytes:
    """Bytes with their length before them."""
    return compact(len(data)) + data


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """Which output of which transaction."""

    txid: str
    index: int

    def packed(self) -> bytes:
        """36 bytes, as a transaction and the deposit's contract have them."""
        return hashed(self.txid) + struct.pack("<I", self.index)


@dataclass(frozen=True, slots=True)
class Input:
    """What is spent, and the right to do so."""

    outpoint: Outpoint
    script: bytes = b""
    sequence: int = FINAL_SEQUENCE
    witness: tuple[bytes, ...] = ()

    def packed(self) -> bytes:
        return self.outpoint.packed() + prefixed(self.script) + struct.pack("<I", self.sequence)


@dataclass(frozen=True, slots=True)
class Output:
    """What is paid, and to whom. value_sat: satoshi."""

    value_sat: int
    script: bytes

    def packed(self) -> bytes:
        return struct.pack("<Q", self.value_sat) + prefixed(self.script)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    version: int = 1
    locktime: int = 0

    def vin(self) -> bytes:
        """The inputs with their count, as the deposit's contract wants them."""
        return compact(len(self.inputs)) + b"".join(one.packed() for one in self.inputs)

    def vout(self) -> bytes:
        """The outputs with their count."""
        return compact(len(self.outputs)) + b"".join(one.packed() for one in self.outputs)

    def stripped(self) -> bytes:
        """Without witnesses: what the txid is the hash of."""
        return struct.pack("<i", self.version) + self.vin() + self.vout() + struct.pack("<I", self.locktime)

    def raw(self) -> bytes:
        """As it is sent."""
        if not self.has_witness:
            return self.stripped()
        witnesses = b"".join(compact(len(one.witness)) + b"".join(map(prefixed, one.witness)) for one in self.inputs)
        head = struct.pack("<i", self.version) + b"\x00\x01"
        return head + self.vin() + self.vout() + witnesses + struct.pack("<I", self.locktime)

    @property
    def has_witness(self) -> bool:
        return any(one.witness for one in self.inputs)

    @property
    def hash(self) -> bytes:
        """What the merkle tree is made of."""
        return sha256d(self.stripped())

    @property
    def txid(self) -> str:
        return shown(self.hash)

    @property
    def vsize(self) -> int:
        """Virtual bytes: those of a witness count a quarter."""
        return -(-(len(self.stripped()) * 3 + len(self.raw())) // 4)

    @property
    def coinbase(self) -> bool:
        """Whether it makes new coins."""
        return len(self.inputs) == 1 and self.inputs[0].outpoint.txid == "00" * 32

    def with_witness(self, index: int, witness: Sequence[bytes]) -> Transaction:
        """The same with the witness of one input."""
        inputs = list(self.inputs)
        inputs[index] = replace(inputs[index], witness=tuple(witness))
        return replace(self, inputs=tuple(inputs))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) != count:
            raise Malformed("it ends too early")
        self._at += count
        return piece

    def integer(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def compact(self) -> int:
        first = self.integer(1)
        return first if first < 0xFD else self.integer({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def prefixed(self) -> bytes:
        return self.take(self.compact())

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def parse(raw: bytes) -> Transaction:
    """The transaction that these bytes are, to the last one. Raises Malformed."""
    reader = _Reader(raw)
    version = int.from_bytes(reader.take(4), "little", signed=True)
    segwit = raw[4:6] == b"\x00\x01"
    if segwit:
        reader.take(2)
    inputs = [_input(reader) for _ in range(reader.compact())]
    outputs = tuple(Output(reader.integer(8), reader.prefixed()) for _ in range(reader.compact()))
    if segwit:
        inputs = [replace(one, witness=tuple(reader.prefixed() for _ in range(reader.compact()))) for one in inputs]
    made = Transaction(tuple(inputs), outputs, version, reader.integer(4))
    if reader.left or not inputs or not outputs or (segwit and not made.has_witness):
        raise Malformed("it has bytes too many, or neither input nor output")
    return made


def _input(reader: _Reader) -> Input:
    outpoint = Outpoint(shown(reader.take(32)), reader.integer(4))
    return Input(outpoint, reader.prefixed(), reader.integer(4))
