"""What nodes of Ethereum answer, read strictly: numbers, bytes, blocks, and the words of a contract that says no."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from valtrac.chains.ethereum import abi
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Head
from valtrac.core.text import plain


class Reverted(Exception):
    """A call that the contract says no to, in its words."""


class NodeSaid(Exception):
    """An error that a node answers with."""


def whole(text: Any) -> int:
    """A whole number as nodes write it, 0x and hex digits. Raises Untrusted."""
    if not isinstance(text, str) or not text.startswith("0x") or not 2 < len(text) <= 66:
        raise Untrusted(f"{plain(repr(text), 40)} is no number")
    return int(text, 16)


def bytes_of(text: Any) -> bytes:
    """Bytes as nodes write them. Raises Untrusted."""
    if not isinstance(text, str) or not text.startswith("0x") or len(text) % 2:
        raise Untrusted(f"{plain(repr(text), 40)} are no bytes")
    return bytes.fromhex(text[2:])


def answer_of(name: str, text: Any) -> Any:
    """What a contract answered to a function. Raises Untrusted where it is no such answer."""
    try:
        return abi.answered(name, bytes_of(text))
    except ValueError as error:
        raise Untrusted(f"an answer to {name} that is none: is this the contract?") from error


def hash_of(text: Any) -> str:
    """A hash, 0x and 64 hex digits. Raises Untrusted."""
    if len(bytes_of(text)) != 32:
        raise Untrusted(f"{plain(repr(text), 80)} is no hash")
    return str(text)


def head_of(told: Any) -> Head:
    """A block as it was told, by number, hash, parent and time. Raises Untrusted, KeyError."""
    at = datetime.fromtimestamp(whole(told["timestamp"]), UTC)
    return Head(whole(told["number"]), hash_of(told["hash"]), hash_of(told["parentHash"]), at)


def result_of(given: Any) -> Any:
    """The result of an answer. Raises Reverted where a contract said no, NodeSaid where the node did."""
    error = given.get("error") if isinstance(given, dict) else {"message": "an answer that is none"}
    if error is None:
        return given["result"]
    words = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    code = error.get("code") if isinstance(error, dict) else None
    if code == 3 or "revert" in words.lower() or "VM Exception" in words:
        raise Reverted(_reason(words, error.get("data") if isinstance(error, dict) else None))
    raise NodeSaid(plain(words, 200))


def _reason(words: str, data: Any) -> str:
    """A contract's own words: out of the data of its refusal, or of the node's message."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    if isinstance(data, str) and data.startswith("0x08c379a0"):
        try:
            return plain(decode(["string"], bytes.fromhex(data[10:]))[0], 200)
        except (DecodingError, ValueError):
            return plain(words, 200)
    return plain(words.partition("revert")[2].removeprefix("ed").lstrip(":' ") or words, 200)
