"""One number for a set of snapshots, that grows by each one and can be taken apart: of any range by two look-ups.

Source: the homomorphic hash LtHash (Lewi, Kim, Maykov, Weis: Securing Update Propagation with Homomorphic Hashing,
2019), with 1,024 lanes of 16 bits. Each member is drawn out to as many bits, and the lanes are added up. To find
another set with the same sum is as hard as a lattice problem far beyond reach; which order they came in makes no
difference, so that a snapshot outside a range changes nothing of its seal.
"""

from __future__ import annotations

from hashlib import sha256, shake_256
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Seal: TypeAlias = npt.NDArray[np.uint16]
LANES = 1024


def nothing() -> Seal:
    """The seal of no snapshot."""
    return np.zeros(LANES, dtype="<u2")


def of_one(netuid: int, block: int, digest: bytes) -> Seal:
    """The seal of one snapshot. Those of several add up."""
    said = f"{netuid}|{block}|".encode() + digest
    return np.frombuffer(shake_256(said).digest(2 * LANES), dtype="<u2")


def text(seal: Seal) -> str:
    """A seal as 64 hex digits."""
    return sha256(seal.astype("<u2").tobytes()).hexdigest()
