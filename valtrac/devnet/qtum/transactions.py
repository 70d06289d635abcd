"""Transactions: their bytes, their ids, what of them is signed, and whether a signature opens an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from valtrac.devnet.qtum import codec, keys
from valtrac.devnet.qtum.codec import Reader, push, sha256d, size, sized

FINAL = 0xFFFFFFFF
NOWHERE = (b"\0" * 32, FINAL)
SIGHASH_ALL = 1


class BadTransaction(ValueError):
    """Bytes that are no transaction."""


@dataclass(frozen=True, slots=True)
class Input:
    """What is spent. txid: as stored; n: which output of it; script: what opens it, b"" unsigned."""

    txid: bytes
    n: int
    script: bytes = b""
    sequence: int = FINAL

    @property
    def place(self) -> tuple[bytes, int]:
        """The output that is spent."""
        return self.txid, self.n


@dataclass(frozen=True, slots=True)
class Paid:
    """An output. value: satoshi."""

    value: int
    script: bytes


@dataclass(frozen=True)
class Tx:
    """A transaction."""

    ins: tuple[Input, ...]
    outs: tuple[Paid, ...]
    locktime: int = 0
    version: int = 2

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new coins."""
        return len(self.ins) == 1 and self.ins[0].place == NOWHERE

    @property
    def is_coinstake(self) -> bool:
        """Whether it is the second transaction of a staked block: by its empty first output."""
        first = self.outs[0] if len(self.outs) >= 2 else None
        return bool(self.ins) and not self.is_coinbase and first is not None and first == Paid(0, b"")

    @property
    def total(self) -> int:
        """All that it pays out, in satoshi."""
        return sum(out.value for out in self.outs)


def packed(tx: Tx) -> bytes:
    """The bytes of a transaction."""
    parts = [tx.version.to_bytes(4, "little"), size(len(tx.ins))]
    for tx_input in tx.ins:
        parts += [
            tx_input.txid,
            tx_input.n.to_bytes(4, "little"),
            sized(tx_input.script),
            tx_input.sequence.to_bytes(4, "little"),
        ]
    parts.append(size(len(tx.outs)))
    for out in tx.outs:
        parts += [out.value.to_bytes(8, "little", signed=True), sized(out.script)]
    parts.append(tx.locktime.to_bytes(4, "little"))
    return b"".join(parts)


def txid(raw: bytes) -> bytes:
    """The id of a transaction's bytes, as stored."""
    return sha256d(raw)


@lru_cache(4096)
def unpacked(raw: bytes) -> Tx:
    """The transaction that these bytes are. Raises BadTransaction, also where something follows.

    Witnesses are not known here: a transaction that has some reads as one without inputs that goes on too long.
    """
    reader = Reader(raw)
    try:
        version = reader.number(4)
        ins = tuple(_input(reader) for _ in range(reader.size()))
        outs = tuple(_output(reader) for _ in range(reader.size()))
        locktime = reader.number(4)
    except ValueError as error:
        raise BadTransaction(str(error)) from error
    if reader.left:
        raise BadTransaction("bytes follow the transaction")
    return Tx(ins, outs, locktime, version)


def _input(reader: Reader) -> Input:
    return Input(reader.take(32), reader.number(4), reader.sized(), reader.number(4))


def _output(reader: Reader) -> Paid:
    return Paid(int.from_bytes(reader.take(8), "little", signed=True), reader.sized())


def digest(tx: Tx, index: int, script: bytes) -> bytes:
    """What a signature of input `index` signs: everything, with the spent output's script in that input's place."""
    ins = tuple(replace(tx_input, script=script if place == index else b"") for place, tx_input in enumerate(tx.ins))
    return sha256d(packed(replace(tx, ins=ins)) + SIGHASH_ALL.to_bytes(4, "little"))


def signed(tx: Tx, owners: Sequence[tuple[bytes, keys.Key] | None]) -> Tx:
    """The transaction with signatures. owners: per input the spent script and its key, None leaves it as it is."""
    opened = list(tx.ins)
    for index, owner in enumerate(owners):
        if owner is not None:
            script, key = owner
            made = keys.sign(digest(tx, index, script), key.secret) + bytes((SIGHASH_ALL,))
            tail = b"" if codec.output(script).kind == "pubkey" else push(key.public)
            opened[index] = replace(tx.ins[index], script=push(made) + tail)
    return replace(tx, ins=tuple(opened))


def opens(tx: Tx, index: int, script: bytes) -> bool:
    """Whether input `index` holds a signature that spends an output with this script."""
    kind = codec.output(script)
    stack = [data for _, data in codec.steps(tx.ins[index].script)]
    if kind.kind == "pubkey" and len(stack) == 1:
        public: bytes | None = codec.steps(script)[0][1]
    elif kind.kind == "pubkeyhash" and len(stack) == 2:
        public = stack[1]
        if public is None or codec.hash160(public) != kind.key_hash:
            return False
    else:
        return False
    made = stack[0]
    if not made or public is None or made[-1] != SIGHASH_ALL:
        return False
    return keys.fits(digest(tx, index, script), made[:-1], public)
