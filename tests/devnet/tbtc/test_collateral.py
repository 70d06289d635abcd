"""What the price does to a keep: percentages, courtesy call, liquidation. The figures are worked examples."""

from __future__ import annotations

import pytest

from tests.devnet.tbtc.redeemer import TBTC, Redeemer
from valtrac.devnet.tbtc import deposits, market
from valtrac.devnet.tbtc.chains import ACTIVE, COURTESY_CALL, LIQUIDATED, LIQUIDATION, Chains
from valtrac.devnet.tbtc.evm import ETH, Reverted
from valtrac.devnet.tbtc.node import NodeSaid

BTC = 10**8
HOUR = 3_600


def test_a_bond_of_75_eth_is_worth_less_percent_the_dearer_bitcoin_is(chains: Chains) -> None:
    deposit = deposits.make_one(chains, BTC)
    assert deposit.keep_contract.read(chains.ethereum, "checkBondAmount") == 75 * ETH
    seen = {}
    for price in (50.0, 57.6, 58.0, 60.0, 60.00001, 68.18, 68.5, 75.0):
        seen[price] = (market.set_price(chains, price), chains.collateral_percent(deposit.deposit))
    assert seen == {
        50.0: (500_000_000_000, 150),
        57.6: (576_000_000_000, 130),
        58.0: (579_999_999_999, 129),
        60.0: (600_000_000_000, 125),
        60.00001: (600_000_100_000, 124),
        68.18: (681_800_000_000, 110),
        68.5: (684_999_999_999, 109),
        75.0: (749_999_999_999, 100),
    }


def test_below_125_it_may_be_called_and_below_110_liquidated(chains: Chains) -> None:
    deposit = deposits.make_one(chains, BTC)
    market.set_price(chains, 60.0)
    with pytest.raises(Reverted, match="Signers have sufficient collateral"):
        market.courtesy_call(chains, deposit.deposit)
    market.set_price(chains, 60.00001)
    market.courtesy_call(chains, deposit.deposit)
    assert chains.state(deposit.deposit) == COURTESY_CALL
    market.set_price(chains, 68.18)
    with pytest.raises(Reverted):
        market.liquidate(chains, deposit.deposit)
    market.set_price(chains, 68.5)
    market.liquidate(chains, deposit.deposit)
    assert (chains.state(deposit.deposit), chains.collateral_percent(deposit.deposit)) == (LIQUIDATION, 0)


def test_while_the_price_feed_is_off_nobody_knows_a_percentage(chains: Chains) -> None:
    deposit = deposits.make_one(chains, BTC)
    market.set_feed(chains, market.OFFLINE)
    with pytest.raises(NodeSaid, match="Price feed offline"):
        chains.collateral_percent(deposit.deposit)


def test_a_courtesy_call_expires_after_six_hours_at_any_price(chains: Chains) -> None:
    node, deposit = chains.ethereum, deposits.make_one(chains, BTC)
    market.set_price(chains, 61.0)
    called_at = _called(chains, deposit.deposit)
    market.set_price(chains, 50.0)
    node.next_block_at(called_at + 21_599)
    with pytest.raises(Reverted):
        market.expire_courtesy_call(chains, deposit.deposit)
    assert node.now() == called_at + 21_599
    node.next_block_at(called_at + 21_600)
    market.expire_courtesy_call(chains, deposit.deposit)
    assert chains.state(deposit.deposit) == LIQUIDATION


def test_a_courtesy_call_ends_at_125_and_not_at_124(chains: Chains) -> None:
    deposit = deposits.make_one(chains, BTC)
    market.set_price(chains, 61.0)
    _called(chains, deposit.deposit)
    market.set_price(chains, 60.00001)
    with pytest.raises(Reverted):
        market.exit_courtesy_call(chains, deposit.deposit)
    market.set_price(chains, 60.0)
    market.exit_courtesy_call(chains, deposit.deposit)
    assert chains.state(deposit.deposit) == ACTIVE


def test_a_call_that_nobody_let_expire_can_still_be_redeemed(chains: Chains, redeemer: Redeemer) -> None:
    _, deposit = deposits.make(chains, [BTC, BTC])
    market.set_price(chains, 61.0)
    called_at = _called(chains, deposit.deposit)
    redeemer.filled(TBTC)
    chains.ethereum.warp_to(called_at + 30_000)
    assert [one["status"] for one in redeemer.many_by_machine([deposit], TBTC)] == ["0x1"]


@pytest.mark.parametrize(
    ("hours", "buyer", "signer", "starter"),
    [(0, 49.5, 4.25, 12.75), (6, 55.5, 3.25, 9.75), (12, 62.25, 2.125, 6.375), (24, 75.0, 0.0, 0.0)],
)
def test_a_seized_bond_is_shared_by_when_it_is_bought(
    chains: Chains, redeemer: Redeemer, hours: int, buyer: float, signer: float, starter: float
) -> None:
    node, third = chains.ethereum, chains.system.third
    _, deposit = deposits.make(chains, [BTC, BTC])
    redeemer.filled(TBTC)
    market.set_price(chains, 75 / 1.05)
    chains.send_all([redeemer.approval(deposit.deposit, TBTC)])
    bonding = chains.system.at("KeepBonding")
    before = [bonding.read(node, "unbondedValue", member) for member in deposit.members]
    start = deposit.contract.tx("notifyUndercollateralizedLiquidation", sender=third)
    buy = deposit.contract.tx("purchaseSignerBondsAtAuction", sender=redeemer.address)
    if hours:
        chains.send_all([start])
        node.next_block_at(node.now() + hours * HOUR)
        chains.send_all([buy])
    else:  # at the very same second, which takes the same block
        chains.send_all([start, buy])
    assert chains.state(deposit.deposit) == LIQUIDATED

    def due(who: str) -> int:
        amount: int = deposit.contract.read(node, "withdrawableAmount", sender=who)
        return amount

    after = [bonding.read(node, "unbondedValue", member) for member in deposit.members]
    assert (due(redeemer.address), due(third)) == (int(buyer * ETH), int(starter * ETH))
    assert [new - old for new, old in zip(after, before, strict=True)] == [int(signer * ETH)] * 3


def _called(chains: Chains, deposit: str) -> int:
    """Call it; the time of the block."""
    market.courtesy_call(chains, deposit)
    return chains.ethereum.now()
