"""Questions and answers: the list of methods, their arguments, and what a node says of wrong ones."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from valtrac.core.errors import ValtracError
from valtrac.devnet.qtum import blocks, lies, rules, state
from valtrac.devnet.qtum.call import Call as Call
from valtrac.devnet.qtum.rules import NodeError

_PARTS = (
    "rpc_chain",
    "rpc_addresses",
    "rpc_staking",
    "rpc_wallet",
    "rpc_transactions",
    "rpc_history",
    "rpc_spending",
    "rpc_node",
    "rpc_devnet",
)
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, Decimal),
    "bool": (bool,),
    "object": (dict,),
    "array": (list,),
    "any": (object,),
}


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A method. params: name -> kind as JSON names it, "?" behind it where it may be left out."""

    run: Handler
    params: dict[str, str]
    writes: bool


METHODS: dict[str, Method] = {}


def method(name: str, /, *, writes: bool = False, **params: str) -> Callable[[Handler], Handler]:
    """Put a function on the list of methods."""

    def listed(run: Handler) -> Handler:
        METHODS[name] = Method(run, params, writes)
        return run

    return listed


def load() -> None:
    """Read the files that hold the methods."""
    for part in _PARTS:
        importlib.import_module(f"valtrac.devnet.qtum.{part}")


def answer(
    directory: Path,
    name: str,
    params: Any,
    *,
    wallet: str | None = None,
    hits: Mapping[str, Any] | None = None,
    node: Path | None = None,
) -> Any:
    """The result of a method, in one transaction of its own. NodeError where the node tells an error.

    directory: of the chain; node: of the node that is asked, where that is a second one.
    """
    hits = hits or {}
    load()
    if name not in METHODS:
        raise NodeError(-32601, "Method not found")
    asked = METHODS[name]
    db = state.connect(directory)
    call = Call(db, directory, _arguments(name, asked, params), wallet, hits, node or directory)
    try:
        if name.startswith("devnet_"):
            return asked.run(call)
        if hits.get("stale_tip") and not asked.writes:
            return _stale(call, asked, int(hits["stale_tip"]))
        forgets = name == "sendrawtransaction" and "claim_sent" in hits
        with state.writing(db) if asked.writes else state.reading(db):
            return lies.told(call, name, None if forgets else asked.run(call))
    except ValtracError as error:
        raise NodeError(-1, str(error)) from error


def _stale(call: Call, asked: Method, depth: int) -> Any:
    """The answer of a node that has not seen the newest blocks: they are taken back, and put on again after it."""
    call.db.execute("BEGIN IMMEDIATE")
    try:
        first = state.setting(call.db, "first")
        blocks.take_back(call.db, min(depth, state.tip(call.db).height - first))
        return asked.run(call)
    finally:
        call.db.execute("ROLLBACK")


def _arguments(name: str, asked: Method, params: Any) -> list[Any]:
    """The arguments in order, None for those left out."""
    names = list(asked.params)
    if isinstance(params, Mapping):
        unknown = [key for key in params if key not in names]
        if unknown:
            raise NodeError(-8, f"Unknown named parameter {unknown[0]}")
        given = [params.get(key) for key in names]
    else:
        given = list(params or ())
    needed = [key for key, kind in asked.params.items() if not kind.endswith("?")]
    if len(given) > len(names) or any(value is None for value in (given + [None] * len(names))[: len(needed)]):
        raise NodeError(-1, " ".join([name, *(f'"{key}"' for key in needed)]))
    given += [None] * (len(names) - len(given))
    wrong = {}
    for place, (key, value) in enumerate(zip(names, given, strict=True), 1):
        kind = asked.params[key].rstrip("?")
        if value is not None and not of_kind(value, kind):
            wrong[f"Position {place} ({key})"] = mismatch(value, kind)
    if wrong:
        raise NodeError(-3, "Wrong type passed:\n" + json.dumps(wrong, indent=4))
    return given


def of_kind(value: Any, kind: str) -> bool:
    """Whether a value of JSON is of the kind that JSON calls so; "a|b" is either."""
    kinds = tuple(python_type for part in kind.split("|") for python_type in _KINDS[part])
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds or object in kinds)


def mismatch(value: Any, kind: str) -> str:
    """How the node says that a value is of the wrong kind."""
    return f"JSON value of type {named(value)} is not of expected type {kind.split('|')[0]}"


def named(value: Any) -> str:
    """The kind of a value, as the node names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return next(kind for kind, types in _KINDS.items() if isinstance(value, types))


def whole(value: Any) -> int:
    """A number of JSON without a fraction. NodeError -1 as the node says it."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise NodeError(-1, "JSON integer out of range")
    return int(value)


def hashed(value: Any, name: str) -> bytes:
    """A hash of JSON as stored. NodeError -8 for another text, -3 for none."""
    if not isinstance(value, str):
        raise NodeError(-3, mismatch(value, "string"))
    if len(value) != 64:
        raise NodeError(-8, f"{name} must be of length 64 (not {len(value)}, for '{value}')")
    try:
        return bytes.fromhex(value)[::-1]
    except ValueError:
        raise NodeError(-8, f"{name} must be hexadecimal string (not '{value}')") from None


def entry(given: Mapping[str, Any], name: str, kind: str, default: Any = None) -> Any:
    """One option of an object. NodeError -3 where it is of the wrong kind."""
    value = given.get(name)
    if value is None:
        return default
    if not of_kind(value, kind):
        raise NodeError(-3, mismatch(value, kind))
    return value


def only(given: Mapping[str, Any], known: Sequence[str]) -> None:
    """NodeError -3 where an object has an entry that the node does not know."""
    for name in given:
        if name not in known:
            raise NodeError(-3, f"Unexpected key {name}")


def money(value: Any) -> int:
    """An amount as satoshi."""
    return rules.satoshi(value)
