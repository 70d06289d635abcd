"""The transaction of a redemption of tBTC v1, and transactions read from their bytes. Pure; amounts in satoshi.

The signers of a deposit sign the digest of one certain transaction: version 1, one input with sequence 0, one output,
locktime 0. Whoever has their signature can put it together, and nothing else can be made of it.
Source: tBTC v1.1.0 DepositRedemption, CheckBitcoinSigs.wpkhSpendSighash; BIP 141, 143, 144.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from valtrac.chains.bitcoin import signatures
from valtrac.chains.qtum.encoding import Reader, TxOutput, count_bytes, hash256, shown

VERSION = (1).to_bytes(4, "little")
NO_SEQUENCE = bytes(4)
NO_LOCKTIME = bytes(4)
MOST_SATOSHI = 21_000_000 * 100_000_000
MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """A transaction without its witness, in the pieces that tBTC's proofs take: 4 bytes, the inputs with their count,
    the outputs with their count, 4 bytes."""

    version: bytes
    vin: bytes
    vout: bytes
    locktime: bytes

    @property
    def raw(self) -> bytes:
        """All of them: what a transaction's id is the hash of."""
        return self.version + self.vin + self.vout + self.locktime

    @property
    def tx_id(self) -> str:
        """64 hex digits, as nodes write it."""
        return shown(hash256(self.raw))


@dataclass(frozen=True, slots=True)
class TxInput:
    """outpoint: 36 bytes, the id as it is hashed and the place, 4 bytes with the lowest first."""

    outpoint: bytes
    script: bytes
    sequence: int
    witness: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction read from its bytes."""

    parts: Parts
    inputs: tuple[TxInput, ...]
    outputs: tuple[TxOutput, ...]
    raw: bytes = field(repr=False)

    @property
    def tx_id(self) -> str:
        """64 hex digits, as nodes write it; the witness has no part in it."""
        return self.parts.tx_id


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a redemption does on Bitcoin.

    outpoint: the 36 bytes of the deposit's coin, as `fundingInfo` has them; coin: satoshi in it; key_hash: hash160 of
    the signers' key; paid: satoshi that arrive; script: the output script that they go to, without its length.
    ValueError where no such transaction can be.
    """

    outpoint: bytes
    coin: int
    key_hash: bytes
    paid: int
    script: bytes

    def __post_init__(self) -> None:
        if len(self.outpoint) != 36 or len(self.key_hash) != 20 or not self.script:
            raise ValueError("an outpoint has 36 bytes, the hash of a key 20, and a script at least one")
        if not 0 < self.paid <= self.coin <= MOST_SATOSHI:
            raise ValueError(f"a coin of {self.coin} satoshi cannot pay {self.paid}")

    @property
    def parts(self) -> Parts:
        """The transaction without its witness."""
        vin = b"\x01" + self.outpoint + b"\x00" + NO_SEQUENCE
        return Parts(VERSION, vin, b"\x01" + self._output, NO_LOCKTIME)

    @property
    def tx_id(self) -> str:
        """64 hex digits; known before anybody has signed."""
        return self.parts.tx_id

    @property
    def digest(self) -> bytes:
        """The 32 bytes that the signers sign, as they are hashed: what `approvedDigests` and the events of tBTC name.

        Source: BIP 143, SIGHASH_ALL."""
        return hash256(
            VERSION
            + hash256(self.outpoint)
            + hash256(NO_SEQUENCE)
            + self.outpoint
            + b"\x19\x76\xa9\x14"
            + self.key_hash
            + b"\x88\xac"
            + self.coin.to_bytes(8, "little")
            + NO_SEQUENCE
            + hash256(self._output)
            + NO_LOCKTIME
            + signatures.SIGHASH_ALL.to_bytes(4, "little")
        )

    @property
    def _output(self) -> bytes:
        return self.paid.to_bytes(8, "little") + count_bytes(len(self.script)) + self.script


def signed(redemption: Redemption, *, r: int, s: int, public_key: bytes) -> bytes:
    """The bytes to be sent. r, s: the signature of the digest; public_key: 64 bytes of the signers' key.

    ValueError where the key is not the one that the coin belongs to, or did not sign this."""
    if signatures.key_hash(public_key) != redemption.key_hash:
        raise ValueError("the coin belongs to another key")
    if not signatures.is_by(public_key, redemption.digest, r, s):
        raise ValueError("the signature is not of this transaction, or not by the signers' key")
    signature = signatures.der(r, s) + bytes([signatures.SIGHASH_ALL])
    witness = b"\x02" + _with_size(signature) + _with_size(signatures.compressed(public_key))
    parts = redemption.parts
    return parts.version + b"\x00\x01" + parts.vin + parts.vout + witness + parts.locktime


def is_redemption(transaction: Transaction, redemption: Redemption) -> bool:
    """Whether a transaction that was found is this redemption, to the last byte but for its witness."""
    return transaction.parts == redemption.parts


def is_signed(transaction: Transaction, redemption: Redemption) -> bool:
    """Whether a transaction is this redemption and carries a signature of the coin's key, as every node checks it."""
    witness = transaction.inputs[0].witness
    if not is_redemption(transaction, redemption) or len(witness) != 2 or len(witness[1]) != 33:
        return False
    from eth_keys.datatypes import PublicKey

    try:
        public_key = bytes(PublicKey.from_compressed_bytes(witness[1]).to_bytes())
        r, s = signatures.read_der(witness[0][:-1])
        owned = signatures.key_hash(public_key) == redemption.key_hash
    except Exception:  # the libraries below have errors of their own for each kind of nonsense
        return False
    return owned and witness[0][-1] == signatures.SIGHASH_ALL and signatures.is_by(public_key, redemption.digest, r, s)


def read(raw: bytes) -> Transaction:
    """One transaction with or without witness, and nothing after it.

    ValueError where it is none, has amounts that cannot be, or could pass for a part of a merkle tree (64 bytes)."""
    if len(raw) > MOST_BYTES:
        raise ValueError("more bytes than a transaction may have")
    reader = Reader(raw)
    version = reader.take(4)
    witnessed = reader.data[reader.place : reader.place + 2] == b"\x00\x01"
    if witnessed:
        reader.take(2)
    start = reader.place
    bare = [(reader.take(36), reader.take(reader.count()), reader.number(4)) for _ in range(reader.count())]
    middle = reader.place
    outputs = tuple(TxOutput(reader.number(8), reader.take(reader.count())) for _ in range(reader.count()))
    end = reader.place
    witnesses = [_next_witness(reader) if witnessed else () for _ in bare]
    parts = Parts(version, raw[start:middle], raw[middle:end], reader.take(4))
    reader.end()
    if not bare or not outputs or sum(output.satoshi for output in outputs) > MOST_SATOSHI:
        raise ValueError("a transaction without inputs or outputs, or with more coins than there are")
    if witnessed and not any(witnesses):
        raise ValueError("a transaction that announces witnesses and has none")
    if len(parts.raw) == 64:
        raise ValueError("a transaction of 64 bytes")
    inputs = tuple(TxInput(*one, witness) for one, witness in zip(bare, witnesses, strict=True))
    return Transaction(parts, inputs, outputs, raw)


def _next_witness(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.take(reader.count()) for _ in range(reader.count()))


def _with_size(data: bytes) -> bytes:
    return count_bytes(len(data)) + data
