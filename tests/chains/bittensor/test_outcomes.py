"""Outcomes: what the events say, and unknown wherever they do not."""

from __future__ import annotations

from typing import Any

import pytest

from valtrac.chains.bittensor.outcomes import error_text, outcome
from valtrac.chains.untrusted import Untrusted

Event = tuple[str, str, Any]

OK: Event = ("System", "ExtrinsicSuccess", {"dispatch_info": {}})
FEE = ("TransactionPayment", "TransactionFeePaid", {"who": "x", "actual_fee": 7, "tip": 0})
DONE = ("Utility", "ItemCompleted", None)
END = ("Utility", "BatchCompleted", None)
LOW = {"Token": "BelowMinimum"}


def failed(error: Any) -> Event:
    return ("System", "ExtrinsicFailed", {"dispatch_error": error, "dispatch_info": {}})


def proxy(error: Any = None) -> Event:
    return ("Proxy", "ProxyExecuted", {"result": {"Ok": ()} if error is None else {"Err": error}})


def transfer() -> dict[str, Any]:
    return {"call_module": "Balances", "call_function": "transfer_keep_alive", "call_args": []}


def proxied() -> dict[str, Any]:
    return {"call_module": "Proxy", "call_function": "proxy", "call_args": []}


def batch(function: str, *calls: dict[str, Any]) -> dict[str, Any]:
    return {"call_module": "Utility", "call_function": function, "call_args": [{"name": "calls", "value": list(calls)}]}


def of(call: dict[str, Any] | None, *events: Event) -> Any:
    return outcome(
        call,
        [{"module_id": m, "event_id": e, "attributes": a} for m, e, a in events],
        lambda pallet, error: f"error {pallet}/{error}",
    )


def test_one_transfer_that_worked() -> None:
    found = of(transfer(), FEE, OK)

    assert (found.items, found.fee_units, found.error) == ((True,), 7, "")


def test_one_transfer_that_failed_is_named() -> None:
    found = of(transfer(), FEE, failed({"Module": {"index": 5, "error": "0x02000000"}}))

    assert (found.items, found.fee_units, found.error) == ((False,), 7, "error 5/2")


@pytest.mark.parametrize("events", [(), (FEE,), (OK, OK), (OK, failed(LOW)), (DONE, END)])
def test_without_exactly_one_ending_nothing_is_known(events: tuple[Event, ...]) -> None:
    with pytest.raises(Untrusted):
        of(transfer(), *events)


def test_a_batch_all_is_done_or_not_done_as_a_whole() -> None:
    call = batch("batch_all", transfer(), transfer())

    assert of(call, DONE, DONE, END, FEE, OK).items == (True, True)
    assert of(call, FEE, failed(LOW)).items == (False, False)


@pytest.mark.parametrize("events", [(DONE, END), (END,), (DONE, DONE, DONE, END)])
def test_a_batch_whose_events_do_not_add_up_is_unknown(events: tuple[Event, ...]) -> None:
    with pytest.raises(Untrusted, match="of 2"):
        of(batch("batch_all", transfer(), transfer()), *events, OK)


def test_a_batch_of_one_is_still_told_by_its_items() -> None:
    assert of(batch("force_batch", transfer()), ("Utility", "ItemFailed", {"error": LOW}), OK).items == (False,)
    with pytest.raises(Untrusted):
        of(batch("batch_all", transfer()), OK)


def test_a_proxied_payment_that_failed_shows_behind_the_success() -> None:
    found = of(proxied(), proxy(LOW), OK)

    assert (found.items, found.error, found.ok) == ((False,), "Token: BelowMinimum", False)
    assert of(proxied(), proxy(), OK).ok


def test_in_a_batch_of_proxied_payments_each_has_its_own_result() -> None:
    found = of(batch("batch_all", proxied(), proxied(), transfer()), proxy(), DONE, proxy(LOW), DONE, DONE, END, OK)

    assert found.items == (True, False, True)


def test_an_interrupted_batch_did_what_came_before() -> None:
    interrupted = ("Utility", "BatchInterrupted", {"index": 1, "error": LOW})

    assert of(batch("batch", transfer(), transfer(), transfer()), DONE, interrupted, OK).items == (True, False, False)


def test_a_fee_that_the_events_do_not_tell_is_left_open() -> None:
    assert of(transfer(), OK).fee_units is None


def test_a_call_that_cannot_be_read_counts_as_one() -> None:
    assert of(None, OK).items == (True,)
    assert of(None, proxy(LOW), OK).items == (False,)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("BadOrigin", "BadOrigin"),
        (LOW, "Token: BelowMinimum"),
        ({"Module": {"index": 5, "error": 3}}, "error 5/3"),
        ({"Token": "\x1b[2J"}, "Token: ·[2J"),
    ],
)
def test_errors_in_words(error: Any, text: str) -> None:
    assert error_text(error, lambda pallet, number: f"error {pallet}/{number}") == text
