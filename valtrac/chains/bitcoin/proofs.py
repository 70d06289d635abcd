"""Headers that follow one upon the other, each with its work, and a transaction's place under one of them. Pure.

Hashes are bytes here as they are hashed; servers write them the other way round.
Source: Bitcoin's block header; bitcoin-spv 3.1.0 ValidateSPV, which tBTC v1 checks the same with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from valtrac.chains.bitcoin.networks import TARGET_ONE, Network
from valtrac.chains.qtum.encoding import hash256, shown, unshown
from valtrac.chains.untrusted import Untrusted
from valtrac.core.bitcoin import BitcoinProof

HEADER = 80
DEEPEST = 32  # a block of that many levels would have more transactions than there are


@dataclass(frozen=True, slots=True)
class Header:
    """One header. hash, previous, root: 32 bytes as they are hashed; target: what its hash may not exceed."""

    hash: bytes
    previous: bytes
    root: bytes
    target: int
    raw: bytes = field(repr=False)

    @property
    def difficulty(self) -> int:
        """As bitcoin-spv counts it: whole, 0 on a rehearsal chain."""
        return TARGET_ONE // self.target


def header(raw: bytes, network: Network) -> Header:
    """One header whose hash has the work that it claims. Raises Untrusted where it has not, or claims less than any
    block of the network had to have."""
    if len(raw) != HEADER:
        raise Untrusted(f"a header of {len(raw)} bytes")
    target = target_of(raw[72:76])
    found = hash256(raw)
    if target > network.easiest:
        raise Untrusted(f"a header with less work than a block of the network {network.name} has")
    if int.from_bytes(found, "little") > target:
        raise Untrusted(f"the header {shown(found)} without the work that it claims")
    return Header(found, raw[4:36], raw[36:68], target, raw)


def target_of(bits: bytes) -> int:
    """The target that the four bytes of a header stand for. Raises Untrusted where they stand for none."""
    mantissa, exponent = int.from_bytes(bits[:3], "little"), bits[3]
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    if mantissa & 0x80_00_00 or not 0 < target < 1 << 256:
        raise Untrusted(f"bits that are no target: {bits.hex()}")
    return target


def chain(raw: bytes, network: Network) -> tuple[Header, ...]:
    """Headers, 80 bytes each, of which each follows upon the one before. Raises Untrusted where one does not."""
    if not raw or len(raw) % HEADER:
        raise Untrusted(f"headers of {len(raw)} bytes")
    headers = tuple(header(raw[place : place + HEADER], network) for place in range(0, len(raw), HEADER))
    for before, after in pairwise(headers):
        if after.previous != before.hash:
            raise Untrusted(f"the header {shown(after.hash)} does not follow upon {shown(before.hash)}")
    return headers


def branch(tx_id: str, siblings: Sequence[str], index: int, root: bytes) -> bytes:
    """The merkle proof of a transaction: `siblings` as Electrum writes them, as bytes, if they lead to the root.

    Raises Untrusted where they do not, or the index is none that a tree of this height has."""
    if len(siblings) > DEEPEST or not 0 <= index < 1 << len(siblings):
        raise Untrusted(f"the place {index} in a tree of {len(siblings)} levels")
    here, place, found = unshown(tx_id), index, list[bytes]()
    for text in siblings:
        try:
            sibling = unshown(text)
        except (ValueError, TypeError) as error:
            raise Untrusted("a merkle branch with something that is no hash") from error
        if place & 1 and sibling == here:  # only the last of a level is paired with itself, and it stands on the left
            raise Untrusted("a merkle branch that repeats a transaction")
        here = hash256(sibling + here if place & 1 else here + sibling)
        place >>= 1
        found.append(sibling)
    if here != root:
        raise Untrusted("a merkle branch that does not lead to the root of the block")
    return b"".join(found)


def enough(headers: Sequence[Header], least: int) -> tuple[Header, ...] | None:
    """The first headers that hold the work of `least` blocks as difficult as the first; None where they do not yet.

    Where the difficulty falls in between, that takes more than `least` headers.
    Source: tBTC v1.1.0 DepositUtils.evaluateProofDifficulty."""
    if least < 1 or not headers:
        return None
    work = 0
    for count, one in enumerate(headers, 1):
        work += one.difficulty
        if count >= least and work >= least * headers[0].difficulty:
            return tuple(headers[:count])
    return None


def proven(tx_id: str, height: int, index: int, siblings: Sequence[str], headers: Sequence[Header]) -> BitcoinProof:
    """The proof that the first of these checked headers holds a transaction. Raises Untrusted where it does not."""
    merkle = branch(tx_id, siblings, index, headers[0].root)
    return BitcoinProof(tx_id, height, index, merkle, b"".join(one.raw for one in headers))
