"""Coldkeys with an announced or disputed swap, read from the keys of the runtime's two maps alone.

The pages of keys are raw requests: the SDK reads a missing answer and a list cut short alike as "nobody", and a
payment would go out. A runtime without these maps has no such keys.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from valtrac.chains.untrusted import Untrusted
from valtrac.core.text import plain

Request = Callable[[str, list[Any]], Awaitable[Any]]
PAGE_KEYS = 500
MOST_KEYS = 50_000

# twox128("SubtensorModule") and twox128 of each map's name; a key goes on with twox64 of the coldkey and the coldkey.
_PALLET = "658faa385070e074c85bf6b568cf0555"
MAPS = {
    "ColdkeySwapAnnouncements": bytes.fromhex(_PALLET + "22728d437b9d3b8c63d994de955b15af"),
    "ColdkeySwapDisputes": bytes.fromhex(_PALLET + "76186cfb3064f06480e4a48060032c0c"),
}
_KEY = re.compile(rf"0x[0-9a-fA-F]{{{2 * (32 + 8 + 32)}}}")


async def announced(request: Request, block_hash: str) -> frozenset[bytes]:
    """The public keys (32 bytes each) of all coldkeys whose swap is announced or disputed at a block.

    Untrusted: pages that are no pages of such a map, or more than MOST_KEYS keys.
    """
    announced = set[bytes]()
    for prefix in MAPS.values():
        after, read = prefix, 0
        while True:  # until an empty page: a gateway may give fewer keys than were asked for
            asked = [_hex(prefix), PAGE_KEYS, _hex(after), block_hash]
            new = page(await request("state_getKeysPaged", asked), after)
            if not new:
                break
            announced.update(key[-32:] for key in new)
            after, read = new[-1], read + len(new)
            if read > MOST_KEYS:
                raise Untrusted(f"more than {MOST_KEYS} coldkeys with an announced swap")
    return frozenset(announced)


def page(value: Any, after: bytes) -> list[bytes]:
    """One page of a map's keys, in order. after: the map's prefix, or the last key of the page before."""
    if not isinstance(value, list):
        raise Untrusted(f"a page of keys is {plain(repr(value), 60)}")
    keys = [_key(text) for text in value]
    for before, key in zip([after, *keys], keys, strict=False):
        if key[:32] != after[:32] or key <= before:
            raise Untrusted(f"{_hex(key)} is not a key that comes after {_hex(before)}")
    return keys


def _key(text: Any) -> bytes:
    if isinstance(text, str) and _KEY.fullmatch(text):
        return bytes.fromhex(text[2:])
    raise Untrusted(f"a key of an announced swap is {plain(repr(text), 60)}")


def _hex(key: bytes) -> str:
    return "0x" + key.hex()
