"""Batches and proxies: what is all or nothing, and what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench, who

TOO_MUCH = 10**16


def batch(bench: Bench, function: str, amounts: Sequence[int]) -> Any:
    return bench.call("Utility", function, calls=[bench.transfer(f"//p{n}", units) for n, units in enumerate(amounts)])


def received(bench: Bench, count: int) -> list[int]:
    return [bench.free(f"//p{n}") for n in range(count)]


def names(bench: Bench, result: Any) -> list[str]:
    return [name for pallet, name, _ in bench.events(result) if pallet in ("Utility", "Proxy")]


def test_batch_all_does_everything(bench: Bench) -> None:
    result = bench.land(batch(bench, "batch_all", [TAO, 2 * TAO]))

    assert result.success
    assert received(bench, 2) == [TAO, 2 * TAO]
    assert names(bench, result) == ["ItemCompleted", "ItemCompleted", "BatchCompleted"]


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_batch_all_does_nothing_where_one_item_fails(bench: Bench, bad: int) -> None:
    amounts = [TAO, TAO, TAO]
    amounts[bad] = TOO_MUCH

    result = bench.land(batch(bench, "batch_all", amounts))

    assert not result.success
    assert received(bench, 3) == [0, 0, 0]
    assert [name for _, name, _ in bench.events(result)] == [
        "Withdraw",
        "Deposit",
        "TransactionFeePaid",
        "ExtrinsicFailed",
    ]


def test_batch_stops_at_the_first_failure_and_succeeds_outside(bench: Bench) -> None:
    result = bench.land(batch(bench, "batch", [TAO, TOO_MUCH, TAO]))

    assert received(bench, 3) == [TAO, 0, 0]
    assert names(bench, result) == ["ItemCompleted", "BatchInterrupted"]
    assert bench.events(result)[-1][1] == "ExtrinsicSuccess"
    assert not result.success


def test_force_batch_does_what_can_be_done(bench: Bench) -> None:
    result = bench.land(batch(bench, "force_batch", [TAO, TOO_MUCH, TAO]))

    assert received(bench, 3) == [TAO, 0, TAO]
    assert names(bench, result) == ["ItemCompleted", "ItemFailed", "ItemCompleted", "BatchCompletedWithErrors"]
    assert bench.events(result)[-1][1] == "ExtrinsicSuccess"


def test_a_batch_within_a_batch_is_filtered(bench: Bench) -> None:
    inner = batch(bench, "batch_all", [TAO])

    result = bench.land(bench.call("Utility", "batch_all", calls=[bench.transfer("//q", TAO), inner]))

    assert (result.success, result.error.name) == (False, "CallFiltered")
    assert (bench.free("//q"), received(bench, 1)) == (0, [0])


def test_a_batch_has_at_most_10922_calls(bench: Bench) -> None:
    call = bench.transfer("//Rich", 1)

    result = bench.land(bench.call("Utility", "batch_all", calls=[call] * 10_923))

    assert (result.success, result.error.name) == (False, "TooManyCalls")


def test_1500_payments_fit_into_one_batch(bench: Bench) -> None:
    bench.land(bench.call("Utility", "batch_all", calls=[bench.transfer("//q", 500)] * 1500))

    assert bench.free("//q") == 1500 * 500


def proxied(bench: Bench, call: Any) -> Any:
    return bench.call("Proxy", "proxy", real=who("//Rich"), force_proxy_type=None, call=call)


def test_a_proxy_pays_from_the_real_account(bench: Bench) -> None:
    result = bench.land(proxied(bench, bench.transfer("//q", TAO)), "//Hand")

    assert result.success
    assert (bench.free("//q"), bench.free("//Rich")) == (TAO, 999 * TAO)
    assert ("Proxy", "ProxyExecuted", {"result": {"Ok": ()}}) in bench.events(result)


def test_a_proxied_payment_that_fails_is_a_success_outside(bench: Bench) -> None:
    result = bench.land(proxied(bench, bench.transfer("//q", TOO_MUCH)), "//Hand")

    assert bench.events(result)[-1][1] == "ExtrinsicSuccess"
    assert ("Proxy", "ProxyExecuted", {"result": {"Err": {"Token": "FundsUnavailable"}}}) in bench.events(result)
    assert bench.free("//q") == 0


def test_batch_all_of_proxied_payments_is_not_atomic(bench: Bench) -> None:
    calls = [proxied(bench, bench.transfer("//q", TAO)), proxied(bench, bench.transfer("//q", TOO_MUCH))]

    bench.land(bench.call("Utility", "batch_all", calls=calls), "//Hand")

    assert bench.free("//q") == TAO


def test_a_transfer_proxy_may_not_batch(bench: Bench) -> None:
    result = bench.land(proxied(bench, batch(bench, "batch_all", [TAO])), "//Hand")

    error = {"Module": {"index": 0, "error": "0x05000000"}}
    assert ("Proxy", "ProxyExecuted", {"result": {"Err": error}}) in bench.events(result)


def test_who_is_no_proxy_gets_nowhere(bench: Bench) -> None:
    bench.land(bench.transfer("//Thief", TAO))

    result = bench.land(proxied(bench, bench.transfer("//Thief", TAO)), "//Thief")

    assert (result.success, result.error.name) == (False, "NotProxy")


def test_a_call_that_this_chain_does_not_know_fails_and_costs_its_fee(bench: Bench) -> None:
    result = bench.land(bench.call("SubtensorModule", "add_stake", hotkey=who("//Hot"), netuid=0, amount_staked=TAO))

    assert (result.success, result.error.name) == (False, "CallFiltered")
    assert bench.nonce("//Rich") == 1
