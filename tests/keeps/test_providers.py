"""Providers that fail, lie or contradict each other: nothing is sent on one word, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keeps.once import SEND, again, in_danger, redeemed_once
from tests.keeps.places import COIN, Place, Places
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.proxy import Proxy
from valtrac.keeps.model.progress import RedemptionState


@pytest.mark.parametrize("fault", ["too_many", "limit", "internal", "garbage", "lose_request"])
def test_a_provider_that_fails_is_left_for_the_next_one(places: Places, one: LocalDeposit, fault: str) -> None:
    bad, good = places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url, good.url)))
    bad.misbehave(**{fault: True})
    place.round()
    assert redeemed_once(place, one)
    assert [method for method, _ in good.log].count(SEND) == 2


def test_a_provider_that_hangs_is_left_after_its_time(places: Places, one: LocalDeposit) -> None:
    bad, good = places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url, good.url), timeout_s=0.2))
    bad.misbehave(hang=True)
    place.round()
    assert redeemed_once(place, one)


def test_while_nobody_answers_it_is_told_and_nothing_is_sent(places: Places, one: LocalDeposit) -> None:
    bad = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url,)))
    bad.misbehave(internal=True)
    again(place, 1)
    assert "HTTP 500" in place.lasting()["providers"]
    assert place.journal() == []
    bad.behave()
    again(place, 1)
    assert redeemed_once(place, one)
    assert "providers" not in place.lasting()


def test_a_provider_of_another_chain_is_refused(places: Places, one: LocalDeposit) -> None:
    bad = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url,)))
    bad.lie(chain_id=1)
    with pytest.raises(Refused, match="serves chain 1, not 31337"):
        place.round()
    assert place.journal() == []


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "garbage"])
def test_a_provider_that_dies_between_sending_and_answer_pays_once(
    places: Places, one: LocalDeposit, fault: str
) -> None:
    proxy = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(proxy.url,)))
    proxy.misbehave(**{fault: {SEND: 2}})
    place.round()
    assert any("looking for it on the chain" in words for words in place.said)
    assert redeemed_once(place, one)
    assert [attempt.nonce for attempt in place.journal()] == [0, 1]


def two(places: Places) -> tuple[Place, Proxy, Proxy]:
    first, second = places.proxy(), places.proxy()
    return (
        in_danger(places.new(tbtc=12, urls=(first.url,), second=(second.url,), VALTRAC_KEEPS_FINAL_BLOCKS="3")),
        first,
        second,
    )


def word(value: int) -> str:
    return f"0x{value:064x}"


@pytest.mark.parametrize(
    ("what", "liar"),
    [
        ("state", 0),
        ("state", 1),
        ("percentage", 0),
        ("balance", 1),
        ("logs", 0),
        ("block", 1),
        ("cost", 0),
        ("cost", 1),
        ("chain", 1),
    ],
)
def test_nothing_is_sent_on_the_word_of_one_of_two_groups(
    places: Places, one: LocalDeposit, what: str, liar: int
) -> None:
    place, *proxies = two(places)
    contract, token = one.contract, place.chains.system.at("TBTCToken")
    lies: dict[str, dict[str, Any]] = {
        "state": {"calls": {(one.deposit, contract.data("currentState")[:10]): word(7)}},
        "percentage": {"calls": {(one.deposit, contract.data("collateralizationPercentage")[:10]): word(150)}},
        "balance": {"calls": {(token.address, token.data("balanceOf", one.deposit)[:10]): word(5 * COIN)}},
        "logs": {"hide_logs": True},
        "block": {"other_block_hashes": {place.chains.ethereum.height()}},
        "cost": {"calls": {(one.deposit, contract.data("utxoValue")[:10]): word(77 * 10**6)}},
        "chain": {"chain_id": 5},
    }
    proxies[liar].lie(**lies[what])
    again(place, 1)
    assert place.journal() == []
    if what != "chain":
        assert "providers" in place.lasting()
    proxies[liar].behave()
    again(place, 1)
    assert redeemed_once(place, one)


@pytest.mark.parametrize("liar", [0, 1])
def test_a_receipt_that_only_one_group_tells_otherwise_leaves_the_outcome_unknown(
    places: Places, one: LocalDeposit, liar: int
) -> None:
    place, *proxies = two(places)

    def lie() -> None:
        proxies[liar].lie(other_status={attempt.tx_id for attempt in place.journal()})

    place.on_wait = lie
    with pytest.raises(OutcomeUnknown):
        place.round()
    assert {str(attempt.state) for attempt in place.journal()} == {"sent"}
    assert place.booked() == 0
    place.on_wait = None
    proxies[liar].behave()
    place.round()
    assert redeemed_once(place, one)


def test_a_deposit_that_one_group_calls_redeemed_is_not_taken_for_redeemed(places: Places, one: LocalDeposit) -> None:
    place, first, _ = two(places)
    place.round()
    first.lie(calls={(one.deposit, one.contract.data("currentState")[:10]): word(7)})
    again(place, 2)
    assert place.redemptions()[0].state is RedemptionState.REQUESTED
    first.behave()
    place.round()
    assert redeemed_once(place, one)


def test_answers_that_no_deposit_gives_are_no_answers(places: Places, one: LocalDeposit) -> None:
    proxy = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(proxy.url,)))
    for function, value in (
        ("currentState", 12),
        ("collateralizationPercentage", 2**255),
        ("remainingTerm", 2**200),
    ):
        proxy.lie(calls={(one.deposit, one.contract.data(function)[:10]): word(value)})
        with pytest.raises(ChainUnreachable):
            place.round()
    proxy.behave()
    place.round()
    assert redeemed_once(place, one)
