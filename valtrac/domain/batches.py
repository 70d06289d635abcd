"""Batches and what becomes of them, as plain values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

BatchState = Literal["draft", "approved", "sending", "settled", "void"]
AttemptState = Literal["signed", "sent", "landed", "failed", "dead"]


@dataclass(frozen=True, slots=True)
class Batch:
    """A stored plan and its state. Amounts in the asset's unit; spec: what was asked for; plan: as made."""

    id: int
    genesis: str
    state: BatchState
    hotkey: str
    netuid: str
    wallet: str
    pool: int
    fee: int
    fee_policy: str
    unassigned: int
    total: int
    from_block: int
    to_block: int
    spec: dict[str, Any]
    plan: dict[str, Any]
    inputs_hash: str
    created_at: datetime
    approved_at: datetime | None
    settled_at: datetime | None
    overlap_reason: str
    note: str
    despite: str

    @property
    def standing(self) -> bool:
        """Whether it was made under a standing policy, without a total typed by the owner."""
        return bool(self.spec["by"] == "contracts")


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One payment of a batch: frozen but for its state."""

    id: int
    batch_id: int
    position: int
    name: str
    person: str
    address: str
    from_pool: int
    released: int
    fee_share: int
    amount: int
    state: str
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be paid without another word from the owner, in units of the chain's asset."""

    payment: int
    batch: int
    day: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction in the journal. units: rao it pays; scanned_*: how far it was looked for."""

    id: int
    genesis: str
    chunk_id: int
    batch_id: int
    wallet: str
    tx_id: str
    raw: bytes = field(repr=False)
    nonce: int
    birth_block: int
    birth_hash: str
    valid_until: int
    units: int
    state: AttemptState
    sent_at: datetime | None
    scanned_to: int | None
    scanned_hash: str | None
    block: int | None
    fee: int | None
    error: str


def canonical(value: object) -> str:
    """JSON that is the same on every machine: sorted keys, no spaces, no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sealed(previous_hash: str, body: str) -> str:
    """The hash of a receipt: sha256 over the hash before it and its own body, 64 hex digits."""
    return hashlib.sha256(f"{previous_hash}\n{body}".encode()).hexdigest()


def hash_of(value: object) -> str:
    """sha256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
