"""Bytes of a chain of Bitcoin's kind: hashes, addresses, scripts, transactions, merkle roots. Asks no node."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from valtrac.chains.ripemd import ripemd160

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {digit: value for value, digit in enumerate(ALPHABET)}
MOST_BYTES = 8_000_000
_CHECKSUM = 4


def hash256(data: bytes) -> bytes:
    """sha256 twice, 32 bytes as they are hashed on; shown the other way round."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def shown(digest: bytes) -> str:
    """A hash as nodes write it: 64 hex digits, the last byte first."""
    return digest[::-1].hex()


def unshown(text: str) -> bytes:
    """The 32 bytes of a hash as nodes write it. ValueError where it is none."""
    raw = bytes.fromhex(text)
    if len(raw) != 32:
        raise ValueError("no hash")
    return raw[::-1]


def hash160(data: bytes) -> bytes:
    """ripemd160 of sha256: 20 bytes, by which a key or a script is known."""
    return ripemd160(hashlib.sha256(data).digest())


def base58check(payload: bytes) -> str:
    """Bytes with their checksum, in the letters of addresses."""
    raw = payload + hash256(payload)[:_CHECKSUM]
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def unbase58check(text: str) -> bytes:
    """The bytes without their checksum. ValueError where a letter is none or the checksum is another."""
    if not 0 < len(text) <= 100 or any(digit not in _DIGITS for digit in text):
        raise ValueError("not written in the letters of addresses")
    number = 0
    for digit in text:
        number = number * 58 + _DIGITS[digit]
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    raw = b"\0" * (len(text) - len(text.lstrip(ALPHABET[0]))) + raw
    if len(raw) <= _CHECKSUM or hash256(raw[:-_CHECKSUM])[:_CHECKSUM] != raw[-_CHECKSUM:]:
        raise ValueError("its checksum is wrong: a letter was mistyped")
    return raw[:-_CHECKSUM]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The first byte of addresses on a network: of a key's, and of a script's."""

    key: int
    script: int


def address_of_hash(digest: bytes, prefixes: Prefixes) -> str:
    """The address of a key by its hash160."""
    return base58check(bytes([prefixes.key]) + digest)


def key_hash(address: str, prefixes: Prefixes) -> bytes:
    """The hash160 of the key behind an address. ValueError where it is no address of a key on this network."""
    raw = unbase58check(address)
    if len(raw) != 21 or raw[0] != prefixes.key:
        raise ValueError("no address of a key on this network")
    return raw[1:]


def script_of(address: str, prefixes: Prefixes) -> bytes:
    """The output script that pays to an address. ValueError for an address of another network or kind."""
    raw = unbase58check(address)
    if len(raw) != 21 or raw[0] not in (prefixes.key, prefixes.script):
        raise ValueError("no address of this network")
    if raw[0] == prefixes.key:
        return b"\x76\xa9\x14" + raw[1:] + b"\x88\xac"
    return b"\xa9\x14" + raw[1:] + b"\x87"


def address_of(script: bytes, prefixes: Prefixes) -> str:
    """Who can spend an output; "" where nobody can be named. A bare key has the address of its hash."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return address_of_hash(script[3:23], prefixes)
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return base58check(bytes([prefixes.script]) + script[2:22])
    if len(script) in (35, 67) and script[0] == len(script) - 2 and script[-1:] == b"\xac":
        return address_of_hash(hash160(script[1:-1]), prefixes)
    return ""


class Reader:
    """Bytes read from the left. Every method raises ValueError at the end of them."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise ValueError("more bytes than a block may have")
        self.data, self.place = data, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or self.place + count > len(self.data):
            raise ValueError("it ends too early")
        piece = self.data[self.place : self.place + count]
        self.place += count
        return piece

    def number(self, size: int) -> int:
        """A number of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        """A count as the chain writes it, in its shortest form."""
        first = self.number(1)
        if first < 0xFD:
            return first
        size = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
        value = self.number(size)
        if value < {2: 0xFD, 4: 0x1_0000, 8: 0x1_0000_0000}[size]:
            raise ValueError("a count that is written too long")
        return value

    def end(self) -> None:
        """ValueError where something is left."""
        if self.place != len(self.data):
            raise ValueError("there is more than there should be")


def count_bytes(value: int) -> bytes:
    """A count as the chain writes it."""
    if value < 0xFD:
        return bytes([value])
    for mark, size in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        if value < 1 << (8 * size):
            return bytes([mark]) + value.to_bytes(size, "little")
    raise ValueError("no count")


@dataclass(frozen=True, slots=True)
class TxOutput:
    """satoshi, and the script that may spend them."""

    satoshi: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction read from its bytes. inputs: the outputs that it spends, `txid:n`; size: bytes without witness."""

    tx_id: str
    inputs: tuple[str, ...]
    outputs: tuple[TxOutput, ...]
    size: int
    raw: bytes = field(repr=False)


def read_transaction(raw: bytes) -> Transaction:
    """One transaction and nothing after it. ValueError where it is none."""
    reader = Reader(raw)
    transaction = next_transaction(reader)
    reader.end()
    return transaction


def next_transaction(reader: Reader) -> Transaction:
    """The next transaction of a block, with or without witnesses. ValueError where there is none."""
    start = reader.place
    version = reader.take(4)
    witnessed = reader.data[reader.place : reader.place + 2] == b"\x00\x01"
    if witnessed:
        reader.take(2)
    body = reader.place
    inputs = [_next_input(reader) for _ in range(reader.count())]
    outputs = [TxOutput(reader.number(8), reader.take(reader.count())) for _ in range(reader.count())]
    middle = reader.data[body : reader.place]
    if witnessed:
        for _ in inputs:
            for _ in range(reader.count()):
                reader.take(reader.count())
    plain = version + middle + reader.take(4)
    if not inputs or not outputs or any(output.satoshi >= 2**63 for output in outputs):
        raise ValueError("a transaction without inputs or outputs, or with more coins than there are")
    if len(plain) == 64:  # as long as a pair of hashes: it could pass for a part of the tree
        raise ValueError("a transaction of 64 bytes")
    raw = reader.data[start : reader.place]
    return Transaction(shown(hash256(plain)), tuple(inputs), tuple(outputs), len(plain), raw)


def _next_input(reader: Reader) -> str:
    tx_id, place = shown(reader.take(32)), reader.number(4)
    reader.take(reader.count())
    reader.take(4)
    return f"{tx_id}:{place}"


def merkle_root(tx_ids: Sequence[str]) -> str:
    """What a header holds of the transactions of its block.

    ValueError for none, and for two equal neighbours, which would let two lists have one root.
    """
    level = [unshown(tx_id) for tx_id in tx_ids]
    if not level:
        raise ValueError("a block without transactions")
    while len(level) > 1:
        pairs = [(level[place], level[min(place + 1, len(level) - 1)]) for place in range(0, len(level), 2)]
        if any(first == other for first, other in pairs[: len(level) // 2]):
            raise ValueError("the same transaction twice")
        level = [hash256(first + other) for first, other in pairs]
    return shown(level[0])
