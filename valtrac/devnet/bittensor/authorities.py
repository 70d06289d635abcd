"""Who makes the rehearsal chain's blocks final: keys of its own, set after set, and the changes between them.

The keys follow from what the chain was seeded with, so that nothing of them is stored and signing waits until it is
asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from valtrac.core import grandpa
from valtrac.core.grandpa import AuthoritySet, Change
from valtrac.devnet.bittensor.state import Settings

MANY = 4
PALLET = "5f9cc45b7a00c5899361e1c6099678dc"  # twox128 of "Grandpa"; below it those of "Authorities" and "CurrentSetId"
AUTHORITIES_KEY = bytes.fromhex(PALLET + "5e0621c4869aa60c02be9adcc98a0d1d")
SET_KEY = bytes.fromhex(PALLET + "8a2d09463effcc78a22d75b9cb87dffc")
PENDING_KEY = bytes.fromhex(PALLET + "2ff65991b1c915dd6cc8d4825eacfcb4")


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of the authorities: the block that announces it, and after how many more it is in force."""

    announced: int
    delay: int
    forced: bool

    @property
    def in_force(self) -> int:
        """The block after which the new set decides; where it is forced, from which on."""
        return self.announced + self.delay


def planned(db: sqlite3.Connection) -> list[Planned]:
    """All changes, the first first."""
    rows = db.execute("SELECT announced, delay, forced FROM authority_changes ORDER BY announced")
    return [Planned(announced, delay, bool(forced)) for announced, delay, forced in rows]


def plan(db: sqlite3.Connection, announced: int, delay: int, *, forced: bool) -> None:
    """Have a block announce another set."""
    db.execute("INSERT OR REPLACE INTO authority_changes VALUES (?, ?, ?)", (announced, delay, forced))


def keys(seed: str, number: int) -> tuple[Ed25519PrivateKey, ...]:
    """The private keys of a set: anyone can make them, as everything of a rehearsal."""
    return _keys(seed, number)


def authority_set(chain: Settings, number: int) -> AuthoritySet:
    """A set of this chain; each of its authorities weighs as much as the others."""
    return _set(chain.authorities_seed, number)


def set_after(changes: Sequence[Planned], number: int) -> int:
    """The number of the set that stands in the state after a block."""
    return sum(change.in_force <= number for change in changes)


def set_deciding(changes: Sequence[Planned], number: int) -> int:
    """The number of the set that makes a block final: the last of an old set's is the one that ends it."""
    return sum(change.in_force + (0 if change.forced else 1) <= number for change in changes)


def pairs(chain: Settings, changes: Sequence[Planned], number: int) -> list[tuple[bytes, bytes]]:
    """(key, value) of what the state after a block says of them; nothing in the blocks of a chain of before."""
    if number < chain.authorities_from:
        return []
    now = set_after(changes, number)
    kept = [
        (AUTHORITIES_KEY, grandpa.weights_bytes(authority_set(chain, now).weights)),
        (SET_KEY, now.to_bytes(8, "little")),
    ]
    waiting = next((change for change in changes if change.announced <= number < change.in_force), None)
    if waiting is not None:
        new = grandpa.weights_bytes(_announced(chain, changes, waiting).weights)
        scheduled = waiting.announced.to_bytes(4, "little") + waiting.delay.to_bytes(4, "little")
        forced = b"\x01" + waiting.announced.to_bytes(4, "little") if waiting.forced else b"\x00"
        kept.append((PENDING_KEY, scheduled + new + forced))
    return kept


def digest(chain: Settings, changes: Sequence[Planned], number: int) -> bytes:
    """What the header of a block announces; b"": nothing."""
    change = next((change for change in changes if change.announced == number), None)
    return b"" if change is None else grandpa.announcement(_announced(chain, changes, change), chain.finalized)


def touches(changes: Sequence[Planned], number: int) -> bool:
    """Whether the state after a block says something else of the authorities than the one before."""
    return any(number in (change.announced, change.in_force) for change in changes)


def _announced(chain: Settings, changes: Sequence[Planned], change: Planned) -> Change:
    weights = authority_set(chain, changes.index(change) + 1).weights
    return Change(weights, change.delay, change.forced)


@lru_cache(maxsize=64)
def _keys(seed: str, number: int) -> tuple[Ed25519PrivateKey, ...]:
    return tuple(
        Ed25519PrivateKey.from_private_bytes(blake2b(f"{seed} {number} {place}".encode(), digest_size=32).digest())
        for place in range(MANY)
    )


@lru_cache(maxsize=64)
def _set(seed: str, number: int) -> AuthoritySet:
    return AuthoritySet(number, tuple((key.public_key().public_bytes_raw(), 1) for key in _keys(seed, number)))
