"""Events in the shape in which the SDK decodes them."""

from __future__ import annotations

from typing import Any

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
