"""Fees, balances and the existential deposit: to the last rao, as on the real runtime."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devnet.bittensor.conftest import TAO, Bench, key, who, world
from valtrac.devnet.bittensor import dispatch, seed_world, state
from valtrac.devnet.bittensor.dispatch import Ledger


def test_a_transfer_costs_137051_rao(bench: Bench) -> None:
    assert bench.land(bench.transfer("//ann", TAO)).fee.rao == 137_051


@pytest.mark.parametrize(("payments", "measured"), [(2, 256_558), (300, 25_720_036)])
def test_a_batch_costs_about_what_was_measured(bench: Bench, payments: int, measured: int) -> None:
    calls = [bench.transfer(f"//n{n}", 10_000_000) for n in range(payments)]

    assert abs(bench.land(bench.call("Utility", "batch_all", calls=calls)).fee.rao - measured) <= 2


def test_the_estimate_is_what_is_charged_but_for_the_byte_of_the_era(bench: Bench) -> None:
    call = bench.transfer("//ann", TAO)
    estimate = bench.ask("estimate_fee", call, key("//Rich")).rao

    assert bench.land(call).fee.rao == estimate + 1


def test_sender_and_receiver_differ_by_the_amount_and_the_fee(bench: Bench) -> None:
    before = bench.free("//Rich")
    fee = bench.land(bench.transfer("//ann", 3 * TAO)).fee.rao

    assert bench.free("//Rich") == before - 3 * TAO - fee
    assert bench.free("//ann") == 3 * TAO


def test_a_call_that_fails_costs_its_fee_all_the_same(bench: Bench) -> None:
    before = bench.free("//Rich")
    result = bench.land(bench.transfer("//ann", 10**15))

    paid = next(attributes for _, name, attributes in bench.events(result) if name == "TransactionFeePaid")
    assert (result.success, result.error.name) == (False, "FundsUnavailable")
    assert bench.free("//Rich") == before - paid["actual_fee"]
    assert bench.nonce("//Rich") == 1


def test_who_cannot_pay_the_fee_is_refused_before_anything_happens(bench: Bench) -> None:
    assert "Inability to pay some fees" in bench.refusal(bench.sign(bench.transfer("//ann", 1), "//Poor"))
    assert "Inability to pay some fees" in bench.refusal(bench.sign(bench.transfer("//ann", 1), "//Nobody"))


@pytest.mark.parametrize(("left", "taken"), [(499, False), (500, True)])
def test_the_fee_must_leave_the_existential_deposit(bench: Bench, left: int, taken: bool) -> None:
    fee = bench.ask("estimate_fee", bench.transfer("//ann", 1000), key("//small")).rao + 1
    bench.land(bench.transfer("//small", fee + left))
    raw = bench.sign(bench.transfer("//ann", 1000), "//small")

    if taken:
        bench.send(raw)
        assert (bench.free("//small"), bench.nonce("//small")) == (500, 1)
    else:
        assert "Inability to pay" in bench.refusal(raw)


@pytest.mark.parametrize(("units", "lands"), [(499, False), (500, True)])
def test_a_new_account_needs_500_rao(bench: Bench, units: int, lands: bool) -> None:
    result = bench.land(bench.transfer("//new", units))

    assert result.success is lands
    assert bench.free("//new") == (units if lands else 0)
    if not lands:
        assert result.error.name == "BelowMinimum"


def test_an_account_that_exists_may_receive_less(bench: Bench) -> None:
    bench.land(bench.transfer("//new", 500))

    assert bench.land(bench.transfer("//new", 1)).success
    assert bench.free("//new") == 501


@pytest.mark.parametrize(("over", "lands"), [(0, True), (1, False)])
def test_keep_alive_leaves_the_sender_500_rao(bench: Bench, over: int, lands: bool) -> None:
    bench.land(bench.transfer("//small", TAO))
    fee = bench.ask("estimate_fee", bench.transfer("//ann", TAO), key("//small")).rao + 1

    result = bench.land(bench.transfer("//ann", TAO - fee - 500 + over), "//small")

    assert result.success is lands
    assert bench.free("//small") == (500 if lands else TAO - fee)


def test_allow_death_takes_the_dust_with_the_account(bench: Bench) -> None:
    bench.land(bench.transfer("//small", TAO))
    fee = bench.ask("estimate_fee", bench.transfer("//ann", TAO), key("//small")).rao + 1

    result = bench.land(bench.transfer("//ann", TAO - fee - 300, "transfer_allow_death"), "//small")

    assert result.success
    assert bench.free("//small") == 0
    assert ("Balances", "DustLost", {"account": who("//small"), "amount": 300}) in bench.events(result)


def test_a_payment_to_oneself_costs_only_the_fee(bench: Bench) -> None:
    before = bench.free("//Rich")

    assert bench.free("//Rich") + bench.land(bench.transfer("//Rich", TAO)).fee.rao == before + 137_051
    assert bench.free("//Rich") == before - 137_051


def test_a_balance_is_known_at_every_block_of_the_past(bench: Bench) -> None:
    for units in (1, 2, 3):
        bench.land(bench.transfer("//ann", units * TAO))

    assert [bench.free("//ann", block) for block in (0, 1, 3, 4, 6, 7)] == [0, TAO, TAO, 3 * TAO, 3 * TAO, 6 * TAO]


PEOPLE = ("a", "b", "c")
TRANSFER = st.tuples(
    st.sampled_from(["transfer_keep_alive", "transfer_allow_death"]), st.sampled_from(PEOPLE), st.integers(0, 3000)
).map(lambda t: {"module": "Balances", "function": t[0], "args": {"dest": t[1], "value": t[2]}})
CALL = st.one_of(
    TRANSFER,
    st.tuples(st.sampled_from(["batch", "batch_all", "force_batch"]), st.lists(TRANSFER, max_size=4)).map(
        lambda t: {"module": "Utility", "function": t[0], "args": {"calls": t[1]}}
    ),
)


@pytest.fixture(scope="module")
def ledger_db(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    path = tmp_path_factory.mktemp("ledger") / "chain.sqlite"
    seed_world(path, world())
    return state.connect(path)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), CALL), max_size=8))
def test_whatever_is_called_money_only_moves_or_goes_into_fees_and_dust(
    ledger_db: sqlite3.Connection, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    ledger = Ledger(ledger_db, 0, dict.fromkeys(PEOPLE, (5000, 0)))
    gone = 0
    for signer, call in calls:
        if ledger.free(signer) < 510:
            continue
        events = dispatch.apply(ledger, signer, call, 10)
        gone += 10 + sum(attributes["amount"] for _, name, attributes in events if name == "DustLost")

    balances = [free for free, _ in ledger.rows.values()]
    assert sum(balances) == 5000 * len(PEOPLE) - gone
    assert all(free == 0 or free >= 500 for free in balances)
