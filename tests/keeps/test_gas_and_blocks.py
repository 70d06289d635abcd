"""Gas that rises, ether that runs out, blocks that are exchanged."""

from __future__ import annotations

import pytest

from tests.keeps.once import again, in_danger, redeemed_once
from tests.keeps.places import COIN, ETHER, GWEI, Place, Places
from valtrac.core.errors import OutcomeUnknown
from valtrac.database.engine import reading
from valtrac.devnet.tbtc import chains as on_chain
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps.model.progress import RedemptionState
from valtrac.payments.store import replacements
from valtrac.payments.verify import verify


def test_what_waits_because_of_its_price_is_signed_anew_with_its_number_and_lands_once(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    node = place.chains.ethereum
    node.automine(False)
    bids = [10 * GWEI, 20 * GWEI]

    def dearer() -> None:
        if bids:
            node.set_base_fee(bids.pop(0))

    place.on_wait = dearer
    place.round()
    with reading(place.watching.engine) as conn:
        journal = place.journal()
        anew = replacements.of_attempts(conn, [attempt.id for attempt in journal])
    assert sorted({attempt.nonce for attempt in journal}) == [0, 1]
    assert sum(map(len, anew.values())) >= 2
    landed = [attempt for attempt in journal if attempt.state == "landed"]
    assert sorted(attempt.nonce for attempt in landed) == [0, 1]
    versions = {attempt.tx_id for attempt in journal} | {each.tx_id for some in anew.values() for each in some}
    assert {attempt.tx_id for attempt in landed} < versions  # the receipt names the one of all of them that landed
    for attempt in landed:
        assert node.call("eth_getTransactionReceipt", attempt.tx_id)["status"] == "0x1"
    assert redeemed_once(place, one)


def test_above_the_cap_nothing_is_signed_what_waits_waits_and_both_go_on_when_gas_falls(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    node = place.chains.ethereum
    node.set_base_fee(200 * GWEI)
    node.mine()
    done = place.round()
    assert place.journal() == [] and place.lines() == []
    assert "above VALTRAC_KEEPS_GAS_CAP" in done.words[0] and "gas costs" in place.lasting()["waits"]

    node.set_base_fee(GWEI)
    node.mine()
    node.automine(False)

    def spike() -> None:
        node.set_base_fee(150 * GWEI)

    place.on_wait = spike
    with pytest.raises(OutcomeUnknown, match="2 transactions were sent and are not final yet"):
        place.round()
    place.waited = 0
    place.percent(121)
    with pytest.raises(OutcomeUnknown):  # the keeps are looked at, and told of, all the same
        place.round()
    assert "not final yet" in place.lasting()["waits"] and "is at 121 %" in place.lasting()["danger"]
    assert len(place.journal()) == 2

    place.on_wait = lambda: node.set_base_fee(GWEI)
    node.set_base_fee(GWEI)
    node.mine()
    place.round()
    assert redeemed_once(place, one)
    assert "waits" not in place.lasting() or place.round().sent == []


def test_out_of_ether_half_way_is_told_and_gone_on_with(place: Place, one: LocalDeposit) -> None:
    place.round()
    in_danger(place)
    place.round()
    place.chains.ethereum.set_balance(place.key.address, ETHER // 1000)
    place.settle()
    place.signers.tick()
    done = place.round()
    assert done.sent == [] and "ether for 1 calls is missing" in done.words
    assert "are missing for the calls that bring redemptions on" in place.lasting()["no-ether"]
    place.chains.ethereum.set_balance(place.key.address, ETHER)
    place.settle()
    assert [finding.called for finding in place.round().sent] == ["landed"]
    place.round()
    assert "no-ether" not in place.lasting()


def test_a_reorganisation_under_a_sent_redemption_before_it_is_final_is_gone_on_from(
    places: Places, one: LocalDeposit
) -> None:
    place = in_danger(places.new(tbtc=12, VALTRAC_KEEPS_FINAL_BLOCKS="4"))
    left = [2]

    def undo() -> None:
        if left[0]:
            left[0] -= 1
            place.chains.ethereum.reorg(2)

    place.on_wait = undo
    again(place, 3)
    assert redeemed_once(place, one)


def test_a_reorganisation_deeper_than_final_is_told_and_nothing_is_asked_for_twice(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    place.round()
    depth = place.chains.ethereum.height() - min(attempt.block or 0 for attempt in place.journal()) + 1
    place.chains.ethereum.reorg(depth)
    place.settle()
    assert place.chains.state(one.deposit) == on_chain.ACTIVE and place.tbtc() == 12 * COIN
    before = len(place.journal())
    done = place.round()
    assert done.plan is not None and "is gone: hand it over again: run.py keeps verify" in done.plan.left[0].words
    assert len(place.journal()) == before
    gone = verify(place.watching.door(), place.payer.broadcast)  # hands the same bytes over again
    assert len(gone.gone) == 2
    place.settle()
    assert redeemed_once(place, one)


def test_a_liquidation_that_is_undone_before_it_is_final_does_not_end_the_redemption(
    places: Places, one: LocalDeposit
) -> None:
    place = in_danger(places.new(tbtc=12, VALTRAC_KEEPS_FINAL_BLOCKS="4"))
    place.round()
    node = place.chains.ethereum
    mark = node.snapshot()
    node.warp(7_300)
    place.chains.send_all([one.contract.tx("notifyRedemptionSignatureTimedOut", sender=place.chains.system.third)])
    place.round()
    assert place.redemptions()[0].state is RedemptionState.REQUESTED
    node.revert(mark)
    node.mine(3)
    place.round()
    assert redeemed_once(place, one)
