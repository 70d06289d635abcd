"""Bytes as Qtum writes them: hashes, sizes, base58 addresses, output scripts and what they say in words."""

from __future__ import annotations

import hashlib
import importlib
from functools import lru_cache
from typing import NamedTuple

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
OP_CALL = 0xC2
_WORDS = {
    0: "0",
    0x4F: "-1",
    0x6A: "OP_RETURN",
    0x75: "OP_DROP",
    0x76: "OP_DUP",
    0x87: "OP_EQUAL",
    0x88: "OP_EQUALVERIFY",
    0xA9: "OP_HASH160",
    0xAC: "OP_CHECKSIG",
    0xC1: "OP_CREATE",
    OP_CALL: "OP_CALL",
    **{0x50 + number: str(number) for number in range(1, 17)},
}


class Output(NamedTuple):
    """What an output script is. kind: as the node names it; key_hash: the 20 bytes of the key that spends it, which
    P2PK and P2PKH share; script_hash: of a P2SH."""

    kind: str
    key_hash: bytes | None = None
    script_hash: bytes | None = None


def sha256d(data: bytes) -> bytes:
    """Double sha256, in the order in which it is stored."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """ripemd160 of sha256."""
    inner = hashlib.sha256(data).digest()
    try:
        return hashlib.new("ripemd160", inner).digest()
    except ValueError:  # an OpenSSL without the old hashes
        return bytes(importlib.import_module("Crypto.Hash.RIPEMD160").new(inner).digest())


def shown(hashed: bytes) -> str:
    """A hash as people and JSON write it: backwards."""
    return hashed[::-1].hex()


def unshown(text: str) -> bytes:
    """The stored bytes of a hash written backwards."""
    return bytes.fromhex(text)[::-1]


def size(number: int) -> bytes:
    """A count or length in front of what it counts."""
    if number < 0xFD:
        return bytes((number,))
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    if number <= 0xFFFFFFFF:
        return b"\xfe" + number.to_bytes(4, "little")
    return b"\xff" + number.to_bytes(8, "little")


def sized(data: bytes) -> bytes:
    """Bytes with their length in front."""
    return size(len(data)) + data


class Reader:
    """Reads bytes from the front; ValueError where there are too few."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("the bytes end too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def size(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << first - 0xFC)

    def sized(self) -> bytes:
        return self.take(self.size())

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def base58check(payload: bytes) -> str:
    """Bytes with four of a checksum, in base58."""
    data = payload + sha256d(payload)[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _DIGITS[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def unbase58check(text: str) -> bytes:
    """What `base58check` was given; ValueError for a typing mistake."""
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError("Invalid or unsupported Segwit (Bech32) or Base58 encoding.")
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) < 5 or sha256d(data[:-4])[:4] != data[-4:]:
        raise ValueError("Invalid checksum or length of Base58 address (P2PKH or P2SH)")
    return data[:-4]


def push(data: bytes) -> bytes:
    """The instruction that puts bytes on the stack."""
    if len(data) < 0x4C:
        return bytes((len(data),)) + data
    if len(data) <= 0xFF:
        return b"\x4c" + bytes((len(data),)) + data
    return b"\x4d" + len(data).to_bytes(2, "little") + data


def push_number(number: int) -> bytes:
    """The instruction that puts a number >= 0 on the stack, as scripts write numbers."""
    if number == 0:
        return b"\0"
    if number <= 16:
        return bytes((0x50 + number,))
    return push(number.to_bytes(number.bit_length() // 8 + 1, "little"))


def p2pkh(key_hash: bytes) -> bytes:
    """Pays whoever shows the key with this hash."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2pk(public: bytes) -> bytes:
    """Pays a public key of 33 bytes."""
    return push(public) + b"\xac"


def p2sh(script_hash: bytes) -> bytes:
    """Pays whoever shows the script with this hash."""
    return b"\xa9\x14" + script_hash + b"\x87"


@lru_cache(65536)
def output(script: bytes) -> Output:
    """What a script is."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return Output("pubkeyhash", script[3:23])
    if len(script) in (35, 67) and script[0] == len(script) - 2 and script[-1] == 0xAC:
        return Output("pubkey", hash160(script[1:-1]))
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return Output("scripthash", None, script[2:22])
    if script[:1] == b"\x6a":
        return Output("nulldata")
    if script[-1:] == bytes((OP_CALL,)) and len(steps(script)) == 6:
        return Output("call")
    return Output("nonstandard")


def steps(script: bytes) -> list[tuple[int, bytes | None]]:
    """The instructions of a script, with the bytes that each puts on the stack; [] for a broken one."""
    instructions: list[tuple[int, bytes | None]] = []
    reader = Reader(script)
    try:
        while reader.left:
            op = reader.number(1)
            if 0 < op < 0x4C:
                instructions.append((op, reader.take(op)))
            elif 0x4C <= op <= 0x4E:
                instructions.append((op, reader.take(reader.number(1 << op - 0x4C))))
            else:
                instructions.append((op, None))
    except ValueError:
        return []
    return instructions


def in_words(script: bytes, *, signature: bool = False) -> str:
    """A script as the node spells it; in a scriptSig the kind of a signature is named."""
    said = []
    for op, data in steps(script):
        if data is None:
            said.append(_WORDS.get(op, "OP_UNKNOWN"))
        elif len(data) <= 4:
            said.append(str(_number(data)))
        elif signature and 9 <= len(data) <= 73 and data[0] == 0x30 and data[-1] == 1:
            said.append(data[:-1].hex() + "[ALL]")
        else:
            said.append(data.hex())
    return " ".join(said)


def _number(data: bytes) -> int:
    if not data:
        return 0
    sign = -1 if data[-1] & 0x80 else 1
    return sign * int.from_bytes(data[:-1] + bytes((data[-1] & 0x7F,)), "little")


_CHARS = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_SUMS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


@lru_cache(8192)
def described(text: str) -> str:
    """A descriptor with its checksum."""
    total, group, count = 1, 0, 0
    for char in text:
        place = _CHARS.index(char)
        total = _fold(total, place & 31)
        group, count = group * 3 + (place >> 5), count + 1
        if count == 3:
            total, group, count = _fold(total, group), 0, 0
    if count:
        total = _fold(total, group)
    for _ in range(8):
        total = _fold(total, 0)
    total ^= 1
    return text + "#" + "".join(_SUMS[total >> 5 * (7 - place) & 31] for place in range(8))


def _fold(total: int, value: int) -> int:
    top = total >> 35
    total = (total & 0x7FFFFFFFF) << 5 ^ value
    for bit, term in enumerate(_GENERATOR):
        if top >> bit & 1:
            total ^= term
    return total
