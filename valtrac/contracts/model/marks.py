"""What a payment is owed for, as the chain tells it: the same in every copy of the ledger, and of it alone. Pure."""

from __future__ import annotations

import hashlib


def of_contract(key: str, type_: str, number: int) -> str:
    """A row of a contract. key: block:transaction:operation of its request, or that of its import."""
    return f"contract {key} {type_} {number}"


def of_request(key: str, type_: str) -> str:
    """What follows from a request alone. key: its block:transaction:operation."""
    return f"request {key} {type_}"


def about(identity: str, type_: str) -> str:
    """A note about another payment, of which there is one of a type."""
    return f"{type_} about {identity}"


def number(genesis: str, identity: str) -> int:
    """0 < number < 2^64: the first eight bytes of a hash over the chain and what is owed for."""
    digest = hashlib.sha256(f"valtrac payment|{genesis}|{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1
