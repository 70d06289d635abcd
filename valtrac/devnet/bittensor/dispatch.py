"""Executing calls the way the runtime does: fees, transfers, batches, proxies.

Calls are plain trees {"module", "function", "args"}: the codec has decoded them when they
entered the pool, so that producing a block needs no SDK.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from valtrac.devnet.bittensor import state
from valtrac.devnet.bittensor.events import Event, dispatched, module_error, token_error

Call = dict[str, Any]
BATCH_LIMIT = 10_922
_BATCHES = ("batch", "batch_all", "force_batch")
_TRANSFERS = ("transfer_keep_alive", "transfer_allow_death")
CALL_FILTERED = module_error(0, 5)
TOO_MANY_CALLS = module_error(11, 0)
NOT_PROXY = module_error(16, 2)
NO_SUCH_ACCOUNT = "CannotLookup"


class DispatchFailed(Exception):
    """A call failed; `error` is the dispatch error as the SDK decodes it."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Ledger:
    """Accounts while a block is built: address -> (free rao, nonce), read from the chain when first needed."""

    db: sqlite3.Connection
    block: int
    rows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def get(self, address: str) -> tuple[int, int]:
        """(free rao, nonce) as of now."""
        return self.rows[address] if address in self.rows else state.account(self.db, address, self.block)

    def free(self, address: str) -> int:
        """Free rao as of now."""
        return self.get(address)[0]

    def add(self, address: str, units: int) -> None:
        """Change a balance by units, which may be negative."""
        free, nonce = self.get(address)
        self.rows[address] = (free + units, nonce)


def fee_units(call: Call, length: int) -> int:
    """What an extrinsic of `length` bytes (its length prefix included) with this call costs, in rao.

    One rao per byte plus the weight. The weights are set so that a transfer of 1 TAO costs
    137,051 rao and a batch of 300 transfers 25.7 million, as measured on the real runtime.
    """
    return _weight_hundredths(call) // 100 + length - 2


def ref_time(call: Call) -> int:
    """The weight that belongs to the fee: 2,000 picoseconds for each rao."""
    return _weight_hundredths(call) * 20


def _weight_hundredths(call: Call, inside: bool = False) -> int:
    if call["function"] in _BATCHES:
        return 8_555_418 + sum(_weight_hundredths(item, True) for item in call["args"]["calls"])
    if call["function"] == "proxy":
        return 6_000_000 + _weight_hundredths(call["args"]["call"], True)
    return 8_540_891 if inside else 13_690_800


def apply(ledger: Ledger, signer: str, call: Call, fee: int) -> list[Event]:
    """One extrinsic, paid for and executed; the fee is taken also when the call fails.

    The caller has checked nonce and fee. The ledger holds the result; returned: the events.
    """
    free, nonce = ledger.get(signer)
    ledger.rows[signer] = (free - fee, nonce + 1)
    events: list[Event] = [("Balances", "Withdraw", {"who": signer, "amount": fee})]
    before, info = dict(ledger.rows), dispatched(ref_time(call))
    try:
        events += dispatch(ledger, signer, call)
        ending: Event = ("System", "ExtrinsicSuccess", {"dispatch_info": info})
    except DispatchFailed as failed:
        ledger.rows = before
        ending = ("System", "ExtrinsicFailed", {"dispatch_error": failed.error, "dispatch_info": info})
    return [
        *events,
        ("Balances", "Deposit", {"who": signer, "amount": 0}),
        ("TransactionPayment", "TransactionFeePaid", {"who": signer, "actual_fee": fee, "tip": 0}),
        ending,
    ]


def dispatch(ledger: Ledger, signer: str, call: Call, *, in_batch: bool = False) -> list[Event]:
    """Execute a call; its events. DispatchFailed may leave changes behind: the caller rolls back."""
    kind, args = (call["module"], call["function"]), call["args"]
    if not all(isinstance(args[name], str) for name in ("dest", "real") if name in args):
        raise DispatchFailed(NO_SUCH_ACCOUNT)  # an index or raw bytes in the place of a public key
    if kind[0] == "Balances" and kind[1] in _TRANSFERS:
        return _transfer(ledger, signer, args["dest"], args["value"], keep_alive=kind[1] == "transfer_keep_alive")
    if kind[0] == "Utility" and kind[1] in _BATCHES and not in_batch:
        if len(args["calls"]) > BATCH_LIMIT:
            raise DispatchFailed(TOO_MANY_CALLS)
        return {"batch_all": _batch_all, "batch": _batch, "force_batch": _force_batch}[kind[1]](
            ledger, signer, args["calls"]
        )
    if kind == ("Proxy", "proxy"):
        return _proxy(ledger, signer, args["real"], args["call"])
    if kind[0] == "System" and kind[1] == "remark":
        return []
    raise DispatchFailed(CALL_FILTERED)


def _transfer(ledger: Ledger, source: str, dest: str, units: int, *, keep_alive: bool) -> list[Event]:
    """Balances.transfer_*: refused below the existential deposit of either side as the runtime refuses it."""
    left = ledger.free(source) - units
    if left < 0:
        raise DispatchFailed(token_error("FundsUnavailable"))
    if units and left < state.EXISTENTIAL and keep_alive:
        raise DispatchFailed(token_error("NotExpendable"))
    if units and ledger.free(dest) + units < state.EXISTENTIAL:
        raise DispatchFailed(token_error("BelowMinimum"))
    if source == dest:
        return []
    events: list[Event] = []
    if units and not ledger.free(dest):
        events += [
            ("System", "NewAccount", {"account": dest}),
            ("Balances", "Endowed", {"account": dest, "free_balance": units}),
        ]
    ledger.add(source, -units)
    ledger.add(dest, units)
    if 0 < left < state.EXISTENTIAL:
        ledger.add(source, -left)
        events.append(("Balances", "DustLost", {"account": source, "amount": left}))
    if units and left < state.EXISTENTIAL:
        events.append(("System", "KilledAccount", {"account": source}))
    return [*events, ("Balances", "Transfer", {"from": source, "to": dest, "amount": units})]


def _batch_all(ledger: Ledger, signer: str, calls: list[Call]) -> list[Event]:
    events: list[Event] = []
    for item in calls:
        events += [*dispatch(ledger, signer, item, in_batch=True), ("Utility", "ItemCompleted", None)]
    return [*events, ("Utility", "BatchCompleted", None)]


def _batch(ledger: Ledger, signer: str, calls: list[Call]) -> list[Event]:
    """Stops at the first failure; what went before stays done."""
    events: list[Event] = []
    for index, item in enumerate(calls):
        done, error = _attempt(ledger, signer, item)
        if error is not None:
            return [*events, ("Utility", "BatchInterrupted", {"index": index, "error": error})]
        events += [*done, ("Utility", "ItemCompleted", None)]
    return [*events, ("Utility", "BatchCompleted", None)]


def _force_batch(ledger: Ledger, signer: str, calls: list[Call]) -> list[Event]:
    """Does all that can be done, and says which items could not."""
    events: list[Event] = []
    failed = False
    for item in calls:
        done, error = _attempt(ledger, signer, item)
        failed = failed or error is not None
        events += (
            [("Utility", "ItemFailed", {"error": error})]
            if error is not None
            else [*done, ("Utility", "ItemCompleted", None)]
        )
    return [*events, ("Utility", "BatchCompletedWithErrors" if failed else "BatchCompleted", None)]


def _proxy(ledger: Ledger, signer: str, real: str, call: Call) -> list[Event]:
    """Execute as another account. The outer call succeeds whatever becomes of the inner one."""
    row = ledger.db.execute("SELECT kind FROM proxies WHERE delegate = ? AND real = ?", (signer, real)).fetchone()
    if row is None:
        raise DispatchFailed(NOT_PROXY)
    allowed = row[0] == "Any" or (call["module"] == "Balances" and call["function"] in _TRANSFERS)
    done, error = _attempt(ledger, real, call, in_batch=False) if allowed else ([], CALL_FILTERED)
    result = {"Ok": []} if error is None else {"Err": error}
    return [*done, ("Proxy", "ProxyExecuted", {"result": result})]


def _attempt(ledger: Ledger, signer: str, call: Call, *, in_batch: bool = True) -> tuple[list[Event], Any]:
    """(events, None), or ([], the error) with nothing changed."""
    before = dict(ledger.rows)
    try:
        return dispatch(ledger, signer, call, in_batch=in_batch), None
    except DispatchFailed as failed:
        ledger.rows = before
        return [], failed.error
