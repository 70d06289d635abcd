"""A block's header in Substrate's bytes, whose hash is the block's name."""

from __future__ import annotations

from collections.abc import Sequence

from valtrac.core.trie import compact, hash_of


def header_hash(parent: bytes, number: int, state_root: bytes, extrinsics_root: bytes, logs: Sequence[bytes]) -> bytes:
    """The hash (32 bytes) of a header. logs: the items of its digest, each as it stands there.

    Source: sp-runtime, `generic::Header`; blake2b-256 over its SCALE bytes.
    """
    head = parent + compact(number) + state_root + extrinsics_root
    return hash_of(head + compact(len(logs)) + b"".join(logs))
