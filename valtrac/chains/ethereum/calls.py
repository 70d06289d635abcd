"""Calls of contracts as people read them, `approve(0x52..., 1000500000000000000)`, and as the chain takes them.

The text of a call is what is journaled, compared with the signed bytes, and shown.
"""

from __future__ import annotations

import re
from typing import Any

from valtrac.chains.ethereum import abi

_CALL = re.compile(r"([A-Za-z][A-Za-z0-9]{0,60})\(([0-9A-Za-z, ]{0,60000})\)(?: with ([1-9][0-9]{0,30}) wei)?")
PAYABLE = frozenset({"createDeposit"})
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_BYTES = re.compile(r"0x([0-9a-fA-F]{2})*")


def encoded(text: str) -> bytes:
    """The data of a call. Raises ValueError for what is none of ours."""
    name, values = _read(text)
    return abi.encoded(name, *values)


def ether(text: str) -> int:
    """The ether in wei that goes with a call. Raises ValueError where it takes none."""
    match = _CALL.fullmatch(text)
    wei = int(match[3]) if match is not None and match[3] else 0
    if match is not None and wei and match[1] not in PAYABLE:
        raise ValueError(f"{match[1]} takes no ether")
    return wei


def described(data: bytes, wei: int = 0) -> str:
    """The text of a call, and of the ether that goes with it. Raises ValueError for what is none of ours."""
    name, values = abi.arguments(data)
    if wei and name not in PAYABLE:
        raise ValueError(f"{name} takes no ether")
    kinds = abi.FUNCTIONS[name][0]
    written = ", ".join(_written(kind, value) for kind, value in zip(kinds, values, strict=True))
    return f"{name}({written})" + (f" with {wei} wei" if wei else "")


def _read(text: str) -> tuple[str, list[Any]]:
    match = _CALL.fullmatch(text)
    if match is None or match[1] not in abi.CALLS:
        raise ValueError(f"{text[:60]!r} is no call that is made here")
    written = match[2].split(", ") if match[2] else []
    kinds = abi.FUNCTIONS[match[1]][0]
    if len(written) != len(kinds):
        raise ValueError(f"{match[1]} takes {len(kinds)} values, not {len(written)}")
    return match[1], [_value(kind, word) for kind, word in zip(kinds, written, strict=True)]


def _value(kind: str, word: str) -> Any:
    if kind.startswith("uint"):
        if not (word.isascii() and word.isdigit()) or int(word) >= 2 ** int(kind[4:]):
            raise ValueError(f"{word[:40]!r} is no {kind}")
        return int(word)
    if kind == "address":
        if not _ADDRESS.fullmatch(word):
            raise ValueError(f"{word[:60]!r} is no address")
        return word.lower()
    if not _BYTES.fullmatch(word):
        raise ValueError(f"{word[:40]!r} is no {kind}")
    value = bytes.fromhex(word[2:])
    if kind != "bytes" and len(value) != int(kind[5:]):
        raise ValueError(f"{word[:40]!r} is no {kind}")
    return value


def _written(kind: str, value: Any) -> str:
    if kind.startswith("uint"):
        return str(value)
    return str(value).lower() if kind == "address" else "0x" + bytes(value).hex()
