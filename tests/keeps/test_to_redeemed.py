"""From discovery to REDEEMED, on the real contracts and a Bitcoin chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.devnet.tbtc.redeemer import Redeemer
from tests.keeps.places import BTC, COIN, Place, Places, faster
from valtrac.devnet.tbtc import chains as on_chain
from valtrac.devnet.tbtc import market
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.transactions import parse
from valtrac.keeps.model.progress import Action, RedemptionState
from valtrac.keeps.store.redemptions import SAVED_BY_ANOTHER

HOURS = 3_600


@pytest.fixture
def electrum(places: Places) -> Iterator[ElectrumServer]:
    with ElectrumServer(places.chains.bitcoin, ("tcp",)) as server:
        yield server


@pytest.fixture
def watch(places: Places, electrum: ElectrumServer) -> Place:
    """A watch with an Electrum server, and a wallet with 12 TBTC."""
    return places.new(tbtc=12, electrum_urls=(electrum.url,))


def asked(place: Place) -> Place:
    """The one deposit has fallen to 124 % and was asked back."""
    place.percent(124)
    place.settle()
    assert place.round().sent
    return place


def signed(place: Place) -> Place:
    """The members have signed, and the contract knows."""
    place.signers.tick()
    assert [step.action for step in place.round().steps.steps] == [Action.SIGN]
    return place


def sent(place: Place) -> str:
    """Bitcoin has it in its pool; its id."""
    place.round()
    [waiting] = place.chains.bitcoin.pool()
    return waiting.txid


def state(place: Place) -> RedemptionState:
    return place.redemptions()[-1].state


def paid_on_bitcoin(place: Place) -> int:
    """Satoshi that the address of redemptions has."""
    coins = place.chains.bitcoin.unspent(place.watching.script[1:])
    return sum(coin.value_sat for coin in coins.values())


def test_a_deposit_goes_from_discovery_to_redeemed_through_the_vending_machine(watch: Place, one: LocalDeposit) -> None:
    first = watch.round()
    assert (first.discovered.new, first.plan.redeem if first.plan else None, watch.tbtc()) == (1, (), 12 * COIN)

    asked(watch)
    assert watch.chains.state(one.deposit) == on_chain.AWAITING_SIGNATURE
    assert watch.tbtc() == 12 * COIN - 1_000_500_000_000_000_000 == 12 * COIN - watch.booked()
    signed(watch)
    assert watch.chains.state(one.deposit) == on_chain.AWAITING_WITHDRAWAL_PROOF
    txid = sent(watch)
    watch.chains.bitcoin.mine(5)
    assert watch.round().steps.steps == []
    assert watch.redemptions()[0].confirmations == 5
    watch.chains.bitcoin.mine(1)
    assert [step.action for step in watch.round().steps.steps] == [Action.PROVE]
    assert watch.chains.state(one.deposit) == on_chain.REDEEMED
    watch.round()

    assert state(watch) is RedemptionState.REDEEMED
    assert watch.redemptions()[0].words == f"Redeemed deposit {one.deposit.lower()} with Bitcoin transaction {txid}."
    assert paid_on_bitcoin(watch) == BTC - 36_000
    assert watch.allowed() == 0
    kinds = [each.action for each in watch.actions() if each.action is not Action.SEEN]
    assert kinds == [Action.APPROVE, Action.REDEEM, Action.SIGN, Action.SEND, Action.PROVE]
    assert all(
        each.ether > 0 for each in watch.actions() if each.action is not Action.SEND and each.block and each.batch_id
    )
    assert watch.round().look.asked == 0  # what is over is never asked about again


def test_in_courtesy_call_a_deposit_whose_token_a_third_party_has_is_redeemed_directly(
    watch: Place, one: LocalDeposit
) -> None:
    [theirs] = watch.deposit(BTC, tdt=watch.chains.system.third)
    watch.percent(124)
    market.courtesy_call(watch.chains, theirs.deposit)
    watch.settle()
    done = watch.round()

    assert done.plan is not None
    assert [each.asked.route.value for each in done.plan.redeem] == ["direct", "vending machine"]
    assert watch.tbtc() == 12 * COIN - COIN - 1_000_500_000_000_000_000 == 12 * COIN - watch.booked()
    assert watch.chains.state(theirs.deposit) == on_chain.AWAITING_SIGNATURE
    assert watch.allowed(theirs, one) == 0
    for _ in range(4):
        watch.signers.tick()
        watch.round()
        watch.chains.bitcoin.mine(6)
    assert [each.state for each in watch.redemptions()] == [RedemptionState.REDEEMED] * 2
    assert paid_on_bitcoin(watch) == 2 * (BTC - 36_000)


def test_late_signers_are_told_before_and_after_their_time_has_passed(watch: Place) -> None:
    asked(watch)
    watch.round()
    assert "late" not in watch.lasting()
    watch.chains.ethereum.warp(2 * HOURS - 20 * 60)
    watch.round()
    assert "the signature is due within" in watch.lasting()["late"]
    watch.chains.ethereum.warp(30 * 60)
    watch.round()
    assert "the signature is" in watch.lasting()["late"] and "late: anybody may have it" in watch.lasting()["late"]
    signed(watch)
    watch.round()
    assert "late" not in watch.lasting()


def test_a_late_proof_is_told_even_while_no_electrum_server_answers(watch: Place, electrum: ElectrumServer) -> None:
    signed(asked(watch))
    watch.chains.ethereum.warp(6 * HOURS)
    electrum.misbehave(close=True)
    watch.round()
    assert "the proof is" in watch.lasting()["late"]


def test_the_fee_is_increased_after_four_hours_and_the_newer_transaction_is_mined(watch: Place) -> None:
    signed(asked(watch))
    first = sent(watch)
    watch.chains.ethereum.warp(4 * HOURS)
    assert [step.action for step in watch.round().steps.steps] == [Action.INCREASE]
    assert watch.chains.state(watch.redemptions()[0].deposit) == on_chain.AWAITING_SIGNATURE
    watch.round()
    assert state(watch) is RedemptionState.REQUESTED and watch.redemptions()[0].increases == 1
    signed(watch)
    watch.chains.bitcoin.forget(first)
    second = sent(watch)
    assert second != first
    watch.chains.bitcoin.mine(6)
    watch.round()
    watch.settle()
    watch.round()
    assert (state(watch), watch.redemptions()[0].bitcoin_tx) == (RedemptionState.REDEEMED, second)
    assert paid_on_bitcoin(watch) == BTC - 72_000


def test_after_an_increase_the_older_transaction_may_be_mined_all_the_same(watch: Place) -> None:
    signed(asked(watch))
    first = sent(watch)
    [old] = watch.chains.bitcoin.pool()
    watch.chains.ethereum.warp(4 * HOURS)
    watch.round()
    signed(watch)
    watch.chains.bitcoin.mine(6)
    watch.round()
    watch.settle()
    watch.round()
    assert (state(watch), watch.redemptions()[0].bitcoin_tx) == (RedemptionState.REDEEMED, first)
    assert parse(old.raw()).txid == first
    assert paid_on_bitcoin(watch) == BTC - 36_000


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "garbage", "wrong_id", "error", "busy", "claim_sent"])
def test_whatever_an_electrum_server_does_to_a_transaction_it_is_mined_once(
    watch: Place, electrum: ElectrumServer, fault: str
) -> None:
    signed(asked(watch))
    electrum.misbehave(**{fault: {"blockchain.transaction.broadcast": 1}})
    for _ in range(3):
        watch.round()
    assert len(watch.chains.bitcoin.pool()) == 1
    assert state(watch) is RedemptionState.SIGNED


@pytest.mark.parametrize(("fault", "value"), [("wrong_merkle", True), ("wrong_header", True), ("behind", 3)])
def test_no_false_proof_reaches_the_contract(watch: Place, electrum: ElectrumServer, fault: str, value: Any) -> None:
    signed(asked(watch))
    sent(watch)
    watch.chains.bitcoin.mine(6)
    electrum.misbehave(**{fault: value})
    assert watch.round().steps.steps == []
    assert state(watch) is RedemptionState.SIGNED
    electrum.misbehave(**{fault: 0})
    watch.restart()  # a server that lied rests for a while
    assert [step.action for step in watch.round().steps.steps] == [Action.PROVE]


def test_a_transaction_that_a_server_hides_is_handed_over_again_and_mined_once(
    watch: Place, electrum: ElectrumServer
) -> None:
    signed(asked(watch))
    txid = sent(watch)
    electrum.misbehave(hide_transactions={txid})
    watch.round()
    assert [tx.txid for tx in watch.chains.bitcoin.pool()] == [txid]
    watch.chains.bitcoin.mine(6)
    electrum.misbehave(hide_transactions=set())
    watch.restart()
    watch.round()
    watch.settle()
    watch.round()
    assert state(watch) is RedemptionState.REDEEMED
    assert paid_on_bitcoin(watch) == BTC - 36_000


def test_the_proof_may_be_left_to_others(places: Places, one: LocalDeposit) -> None:
    place = places.new(tbtc=2, VALTRAC_KEEPS_PROOF="others")
    signed(asked(place))
    assert place.round().steps.steps == []
    place.chains.ethereum.warp(6 * HOURS - 600)
    place.round()
    assert "left to others, is due" in place.lasting()["late"]


def test_whoever_else_proves_it_the_redemption_is_over(watch: Place, one: LocalDeposit) -> None:
    signed(asked(watch))
    txid = sent(watch)
    watch.chains.bitcoin.mine(6)
    Redeemer(watch.chains, watch.chains.system.third).prove(one, txid)
    done = watch.round()
    assert done.steps.steps == []
    assert state(watch) is RedemptionState.SIGNED  # its block may still be undone
    watch.settle()
    watch.round()
    assert state(watch) is RedemptionState.REDEEMED


def test_a_deposit_that_is_liquidated_after_the_request_is_lost_and_told(watch: Place, one: LocalDeposit) -> None:
    asked(watch)
    watch.chains.ethereum.warp(2 * HOURS + 10)
    market.by_third(watch.chains, one.deposit, "notifyRedemptionSignatureTimedOut")
    watch.settle()
    watch.round()
    assert state(watch) is RedemptionState.LOST
    assert "in liquidation" in watch.lasting()["liquidation"]


def test_a_keep_that_somebody_else_redeemed_meanwhile_is_saved_and_not_failed(watch: Place, one: LocalDeposit) -> None:
    watch.percent(124)
    watch.settle()
    faster(watch, one)
    done = watch.round()

    assert [finding.called for finding in done.sent] == ["landed", "failed"]
    assert watch.tbtc() == 12 * COIN
    assert watch.allowed() == 0
    [ours] = watch.redemptions()
    assert (ours.state, ours.words, ours.saved_by_another) == (RedemptionState.FAILED, SAVED_BY_ANOTHER, True)
    assert [line.state for line in watch.lines()] == ["paid", "void", "paid"]
    watch.chains.ethereum.automine(True)
    assert watch.round().sent == []
