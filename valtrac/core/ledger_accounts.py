"""The accounts of a ledger that belong to no person."""

from __future__ import annotations

OWNER, POOL = "owner", "pool"
