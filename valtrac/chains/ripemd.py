"""A hash that some builds of OpenSSL do not have any more, and chains still use."""

from __future__ import annotations

import hashlib


def ripemd160(data: bytes) -> bytes:
    """20 bytes."""
    try:
        return hashlib.new("ripemd160", data).digest()
    except ValueError:  # an OpenSSL without the old hashes
        from graphenebase.ripemd160 import ripemd160 as by_hand

        return bytes(by_hand(data))
