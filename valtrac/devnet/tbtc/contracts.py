"""The real contracts of tBTC v1, keep-ecdsa and keep-core, as `vendor` packed them."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PACKED = Path(__file__).with_name("contracts.json.xz")
_LIBRARY = re.compile(r"__([A-Za-z0-9]+)_+")
# answers 32 zero bytes to every call: the random beacon, which on mainnet is a network of its own
BEACON_STUB = "0x600a600c600039600a6000f3" + "600060005260206000f3"


@cache
def _all() -> dict[str, dict[str, Any]]:
    contracts: dict[str, dict[str, Any]] = json.loads(lzma.decompress(PACKED.read_bytes()))
    return contracts


@cache
def version() -> str:
    """sha256 of the packed file, 64 hex digits."""
    return hashlib.sha256(PACKED.read_bytes()).hexdigest()


def names() -> list[str]:
    """Every contract there is, in order of the alphabet."""
    return sorted(_all())


def abi(name: str) -> list[dict[str, Any]]:
    """The interface of a contract. Raises KeyError for a name that is not one of `names`."""
    interface: list[dict[str, Any]] = _all()[name]["abi"]
    return interface


def libraries_of(name: str) -> frozenset[str]:
    """The libraries that the bytecode of a contract calls by address."""
    return frozenset(_LIBRARY.findall(_all()[name]["bytecode"]))


def bytecode(name: str, addresses: Mapping[str, str] | None = None) -> str:
    """The creation code of a contract as 0x and hex, its libraries linked.

    addresses: contract name -> address; KeyError where a library that the code needs is not among them.
    """
    known = addresses or {}
    code: str = _all()[name]["bytecode"]
    return _LIBRARY.sub(lambda found: known[found[1]].removeprefix("0x").lower(), code)
