"""Events in the shape in which the SDK decodes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valtrac.core.addresses import key_of
from valtrac.core.trie import compact

Event = tuple[str, str, Any]
"""(pallet, event, attributes), as the blocks store them."""

_PALLETS = {"System": 0, "Balances": 5, "TransactionPayment": 6, "Utility": 11, "Proxy": 16}
_EVENTS = {
    ("System", "ExtrinsicSuccess"): 0,
    ("System", "ExtrinsicFailed"): 1,
    ("System", "NewAccount"): 3,
    ("System", "KilledAccount"): 4,
    ("Balances", "Endowed"): 0,
    ("Balances", "DustLost"): 1,
    ("Balances", "Transfer"): 2,
    ("Balances", "Deposit"): 7,
    ("Balances", "Withdraw"): 8,
    ("TransactionPayment", "TransactionFeePaid"): 0,
    ("Utility", "BatchInterrupted"): 0,
    ("Utility", "BatchCompleted"): 1,
    ("Utility", "BatchCompletedWithErrors"): 2,
    ("Utility", "ItemCompleted"): 3,
    ("Utility", "ItemFailed"): 4,
    ("Proxy", "ProxyExecuted"): 0,
}


def record(event: Event, position: int) -> dict[str, Any]:
    """One event of the extrinsic at `position` as an entry of System.Events."""
    pallet, name, attributes = event
    inner = {
        "event_index": f"{_PALLETS[pallet]:02x}{_EVENTS[pallet, name]:02x}",
        "module_id": pallet,
        "event_id": name,
        "attributes": _as_decoded(attributes),
    }
    return {
        "phase": "ApplyExtrinsic",
        "extrinsic_idx": position,
        "event": inner,
        "event_index": _PALLETS[pallet],
        "module_id": pallet,
        "event_id": name,
        "attributes": inner["attributes"],
        "topics": [],
    }


def encoded(event: Event, position: int) -> bytes:
    """One event of the extrinsic at `position` in its bytes, as it stands in System.Events.

    Written out here so that producing a block needs no SDK; a test compares it with the SDK's codec.
    """
    pallet, name, attributes = event
    kind = bytes([_PALLETS[pallet], _EVENTS[pallet, name]])
    fields = b"".join(_FIELDS[field](value) for field, value in (attributes or {}).items())
    return b"\x00" + position.to_bytes(4, "little") + kind + fields + b"\x00"


def dispatched(ref_time: int, kind: str = "Normal") -> dict[str, Any]:
    """The dispatch info of an extrinsic of that weight."""
    return {"weight": {"ref_time": ref_time, "proof_size": 7791}, "class": kind, "pays_fee": "Yes"}


def inherent() -> Event:
    """What the time stamp at the top of every block leaves behind."""
    return ("System", "ExtrinsicSuccess", {"dispatch_info": dispatched(321_973_000, "Mandatory")})


def module_error(pallet: int, error: int) -> dict[str, Any]:
    """A pallet's own error, as a dispatch error."""
    return {"Module": {"index": pallet, "error": f"0x{error:02x}000000"}}


def token_error(name: str) -> dict[str, Any]:
    """An error of the balances, as a dispatch error."""
    return {"Token": name}


def _as_decoded(attributes: Any) -> Any:
    """JSON has no tuples: an Ok without a value is decoded as one."""
    if isinstance(attributes, dict) and attributes.get("result") == {"Ok": []}:
        return {**attributes, "result": {"Ok": ()}}
    return attributes


def _units(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _info_bytes(info: Any) -> bytes:
    weight = compact(info["weight"]["ref_time"]) + compact(info["weight"]["proof_size"])
    return weight + bytes([_CLASSES.index(info["class"]), _PAYS.index(info["pays_fee"])])


def _error_bytes(error: Any) -> bytes:
    if isinstance(error, str):
        return bytes([_ERRORS.index(error)])
    ((kind, detail),) = error.items()
    if kind == "Token":
        return bytes([_ERRORS.index(kind), _TOKEN_ERRORS.index(detail)])
    return bytes([_ERRORS.index(kind), detail["index"]]) + bytes.fromhex(detail["error"][2:])


def _result_bytes(result: Any) -> bytes:
    return b"\x01" + _error_bytes(result["Err"]) if "Err" in result else b"\x00"


_CLASSES, _PAYS = ("Normal", "Operational", "Mandatory"), ("Yes", "No")
_ERRORS = (
    "Other",
    "CannotLookup",
    "BadOrigin",
    "Module",
    "ConsumerRemaining",
    "NoProviders",
    "TooManyConsumers",
    "Token",
)
_TOKEN_ERRORS = (
    "FundsUnavailable",
    "OnlyProvider",
    "BelowMinimum",
    "CannotCreate",
    "UnknownAsset",
    "Frozen",
    "Unsupported",
    "CannotCreateHold",
    "NotExpendable",
    "Blocked",
)
_FIELDS: dict[str, Callable[[Any], bytes]] = {
    **dict.fromkeys(("who", "account", "from", "to"), key_of),
    **dict.fromkeys(("amount", "free_balance", "actual_fee", "tip"), _units),
    "index": lambda value: int(value).to_bytes(4, "little"),
    "dispatch_info": _info_bytes,
    "dispatch_error": _error_bytes,
    "error": _error_bytes,
    "result": _result_bytes,
}
