"""Batches and what becomes of them, as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from valtrac.payments.model.states import AttemptState, BatchState, LineState


@dataclass(frozen=True, slots=True)
class Batch:
    """Payments that were decided on together. Amounts in the asset's unit.

    producer: the name of the business that made it; spec: what was asked of it, and plan: what it computed, both in
    the business' own shape, which the door stores and does not read. fee: what the network was expected to take.
    """

    id: int
    genesis: str
    producer: str
    state: BatchState
    wallet: str
    total: int
    fee: int
    spec: Mapping[str, Any]
    plan: Mapping[str, Any]
    inputs_hash: str
    created_at: datetime
    approved_at: datetime | None
    settled_at: datetime | None
    overlap_reason: str
    note: str
    despite: str


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One payment of a batch: frozen but for its state.

    amount = from_pool + released - fee_share: what accrued with this batch, what of an older balance is paid with it,
    and the part of the network fee that the payee bears.
    """

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
    state: LineState
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction in the journal. units: what it pays at most; scanned_*: how far it was looked for; lane: as
    in the transaction."""

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
    block_hash: str | None = None
    lane: int = 0


def sealed(previous_hash: str, body: str) -> str:
    """The hash of a receipt: sha256 over the hash before it and its own body, 64 hex digits."""
    return hashlib.sha256(f"{previous_hash}\n{body}".encode()).hexdigest()
