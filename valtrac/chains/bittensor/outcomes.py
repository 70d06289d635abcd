"""What the events of one extrinsic say became of each of its payments. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valtrac.chains.bittensor.answers import address, item_kinds
from valtrac.chains.untrusted import Untrusted, whole
from valtrac.core.chain import Movement, Outcome
from valtrac.core.text import plain

NameModuleError = Callable[[int, int], str]
"""(pallet, error) -> its name and meaning."""


def outcome(call: Any, events: list[dict[str, Any]], name_error: NameModuleError) -> Outcome:
    """The outcome of an extrinsic with that call (None: undecodable) from its own events.

    The outer success is not enough: a proxied call, and an item of batch or force_batch, can
    fail inside an extrinsic that succeeded. Untrusted where the events do not tell.
    """
    named = [(event["module_id"], event["event_id"], event["attributes"]) for event in events]
    endings = [event for event in named if event[:2] in (("System", "ExtrinsicSuccess"), ("System", "ExtrinsicFailed"))]
    if len(endings) != 1:
        raise Untrusted("the events do not say how the transaction ended")
    function, kinds = ("", ("call",)) if call is None else item_kinds(call)
    fees = [event[2]["actual_fee"] for event in named if event[:2] == ("TransactionPayment", "TransactionFeePaid")]
    fee_units = whole(fees[0], "a fee") if len(fees) == 1 else None
    moved = tuple(_movement(event[2]) for event in named if event[:2] == ("Balances", "Transfer"))
    if endings[0][1] == "ExtrinsicFailed":
        error = error_text(endings[0][2]["dispatch_error"], name_error)
        return Outcome((False,) * len(kinds), fee_units, error, moved)
    items, errors = _inside(function, kinds, [event for event in named if event[0] in ("Utility", "Proxy")])
    return Outcome(items, fee_units, error_text(errors[0], name_error) if errors else "", moved)


def _movement(attributes: Any) -> Movement:
    """A transfer as its event tells it."""
    units = whole(attributes["amount"], "an amount")
    return Movement(address(attributes["from"], "a sender"), address(attributes["to"], "a receiver"), units)


def error_text(error: Any, name_error: NameModuleError) -> str:
    """A dispatch error in words: its name, and what the runtime says about it."""
    if isinstance(error, dict) and isinstance(error.get("Module"), dict):
        module, code = error["Module"].get("index"), error["Module"].get("error")
        number = int(code.removeprefix("0x")[:2], 16) if isinstance(code, str) else code
        return plain(name_error(whole(module, "a pallet"), whole(number, "an error")))
    if isinstance(error, dict) and len(error) == 1:
        ((kind, detail),) = error.items()
        return plain(f"{kind}: {detail}")
    return plain(error)


def _inside(
    function: str, kinds: tuple[str, ...], events: list[tuple[str, str, Any]]
) -> tuple[tuple[bool, ...], list[Any]]:
    """Per item whether it was done, and the errors, in an extrinsic whose outer call succeeded."""
    errors = [error for event in events if (error := _failure(event)) is not None]
    if len(kinds) == 1 and function not in ("batch", "force_batch", "batch_all"):
        return (not errors,), errors
    items: list[bool] = []
    proxied: bool | None = None
    for event in events:
        if event[:2] == ("Proxy", "ProxyExecuted"):
            proxied = _failure(event) is None
        elif event[1] == "ItemCompleted":
            items.append(proxied is not False)
            proxied = None
        elif event[1] == "ItemFailed":
            items.append(False)
            proxied = None
        elif event[1] == "BatchInterrupted":
            items += [False] * (len(kinds) - len(items))
    if len(items) != len(kinds):
        raise Untrusted(f"the events tell of {len(items)} of {len(kinds)} payments")
    return tuple(items), errors


def _failure(event: tuple[str, str, Any]) -> Any:
    """The error that an event inside a successful extrinsic reports, or None."""
    if event[:2] == ("Proxy", "ProxyExecuted"):
        result = event[2]["result"]
        return result["Err"] if isinstance(result, dict) and "Err" in result else None
    return event[2]["error"] if event[1] in ("BatchInterrupted", "ItemFailed") else None
