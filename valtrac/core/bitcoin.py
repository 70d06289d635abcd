"""What is known of a transaction on Bitcoin: that an address has it, and the proof that it is in a block. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BitcoinEntry:
    """A transaction in the history of a script. tx_id: 64 hex digits; height: of its block, 0 while no block has it."""

    tx_id: str
    height: int


@dataclass(frozen=True, slots=True)
class BitcoinProof:
    """That a block holds a transaction, as tBTC's `provideRedemptionProof` and `provideBTCFundingProof` take it.

    height: of that block. merkle: the hashes between the transaction and the root, 32 bytes each as they are hashed,
    the lowest first, without the transaction and without the root. index: the transaction's place in the block.
    headers: of that block and those that follow it, 80 bytes each.
    Source: bitcoin-spv, ValidateSPV.prove and validateHeaderChain.
    """

    tx_id: str
    height: int
    index: int
    merkle: bytes = field(repr=False)
    headers: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedRedemption:
    """The Bitcoin transaction of a redemption, signed by the keep. raw: as it is sent; version, inputs, outputs,
    locktime: its parts as a proof to the contract takes them, without the witness."""

    tx_id: str
    raw: bytes = field(repr=False)
    version: bytes
    inputs: bytes = field(repr=False)
    outputs: bytes = field(repr=False)
    locktime: bytes
