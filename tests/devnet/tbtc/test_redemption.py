"""Redeeming deposits: what it costs, what goes at once, and the whole way to REDEEMED."""

from __future__ import annotations

import pytest

from tests.devnet.tbtc.redeemer import FEE_SAT, PAYEE, TBTC, Redeemer, out
from valtrac.devnet.tbtc import deposits, market
from valtrac.devnet.tbtc.chains import (
    ACTIVE,
    AWAITING_SIGNATURE,
    AWAITING_WITHDRAWAL_PROOF,
    LIQUIDATION,
    REDEEMED,
    Chains,
)
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.evm import Reverted, Tx
from valtrac.devnet.tbtc.node import NodeSaid
from valtrac.devnet.tbtc.signers import Signers
from valtrac.devnet.tbtc.transactions import Outpoint

BTC = 10**8
AT_128, AT_122 = 75 / 1.28, 75 / 1.22
SETS = ((10,), (5, 5), (1,) * 10, (5, 1, 1, 1, 1, 1), (5, 1, 1, 1, 1, 0.5, 0.5))


def test_what_a_lot_of_one_bitcoin_costs_depends_on_who_holds_its_tokens(chains: Chains, redeemer: Redeemer) -> None:
    in_machine, rebated = deposits.make(chains, [BTC, BTC])
    thirds = deposits.make_one(chains, BTC, tdt=chains.system.third)
    own = deposits.make_one(chains, BTC, tdt=redeemer.address)
    market.give_rebate_token(chains, rebated, redeemer.address)

    assert redeemer.cost_by_machine(in_machine) == 1_000_500_000_000_000_000
    assert redeemer.cost_by_machine(rebated) == TBTC
    with pytest.raises(NodeSaid, match="Only TDT holder can redeem unless deposit is at-term or in COURTESY_CALL"):
        redeemer.cost_directly(thirds)
    assert redeemer.cost_directly(own) == 500_000_000_000_000

    market.set_price(chains, AT_122)
    for deposit in (in_machine, rebated, thirds, own):
        market.courtesy_call(chains, deposit.deposit)
    assert redeemer.cost_by_machine(in_machine) == redeemer.cost_by_machine(rebated) == TBTC
    assert redeemer.cost_directly(thirds) == redeemer.cost_directly(in_machine) == TBTC
    assert redeemer.cost_directly(own) == 500_000_000_000_000


@pytest.mark.parametrize(
    ("called", "units", "redeemed", "left"),
    [
        (True, 10 * TBTC, [1, 2, 10, 6, 7], [0, 0, 0, 0, 0]),
        (False, 10 * TBTC, [0, 1, 9, 5, 6], [10.0, 4.9975, 0.9955, 0.9955, 0.49525]),
        (False, 10 * TBTC + TBTC // 200, [1, 2, 10, 6, 7], [0, 0, 0, 0, 0]),
    ],
)
def test_ten_tbtc_redeem_ten_bitcoin_in_courtesy_call_only(
    chains: Chains, redeemer: Redeemer, called: bool, units: int, redeemed: list[int], left: list[float]
) -> None:
    made = deposits.make(chains, [10 * BTC, *(int(lot * BTC) for lots in SETS for lot in lots)])[1:]
    market.set_price(chains, AT_122 if called else AT_128)
    if called:
        third = chains.system.third
        chains.send_all([one.contract.tx("notifyCourtesyCall", sender=third) for one in made])
    redeemer.filled(units)
    seen, balances = [], []
    for lots in SETS:
        group, made = made[: len(lots)], made[len(lots) :]
        mark = chains.ethereum.snapshot()
        seen.append([one["status"] for one in redeemer.many_by_machine(group, units)].count("0x1"))
        balances.append(chains.tbtc(redeemer.address))
        chains.ethereum.revert(mark)
    assert seen == redeemed
    assert balances == [int(amount * TBTC) for amount in left]


def test_twenty_redemptions_fit_into_one_block_with_one_approval(chains: Chains, redeemer: Redeemer) -> None:
    made = deposits.make(chains, [BTC] * 21)
    market.set_price(chains, AT_128)
    assert {chains.collateral_percent(one.deposit) for one in made} == {128}
    cost = sum(redeemer.cost_by_machine(one) for one in made[:20])
    assert cost == 20_010 * TBTC // 1_000
    redeemer.filled(cost)
    receipts = redeemer.many_by_machine(made[:20], cost)
    assert {one["status"] for one in receipts} == {"0x1"}
    assert len({one["blockNumber"] for one in receipts}) == 1
    assert {chains.state(one.deposit) for one in made[:20]} == {AWAITING_SIGNATURE}
    assert chains.state(made[20].deposit) == ACTIVE


def test_a_deposit_is_redeemed_through_the_vending_machine(chains: Chains, redeemer: Redeemer) -> None:
    deposit, _ = deposits.make(chains, [BTC, BTC])
    market.set_price(chains, AT_128)
    cost = redeemer.cost_by_machine(deposit)
    redeemer.filled(cost)
    redeemer.many_by_machine([deposit], cost)
    assert chains.state(deposit.deposit) == AWAITING_SIGNATURE

    assert Signers(chains).tick() == 1
    tx = redeemer.signed(deposit)
    assert chains.state(deposit.deposit) == AWAITING_WITHDRAWAL_PROOF
    _confirmed(chains, tx.raw(), others=3)
    assert Outpoint(tx.txid, 0) in chains.bitcoin.unspent(PAYEE.script)
    assert chains.bitcoin.branch(tx.txid)[0]  # the block has more than this transaction
    redeemer.prove(deposit, tx.txid)
    assert chains.state(deposit.deposit) == REDEEMED
    assert deposit.keep_contract.read(chains.ethereum, "isClosed")


def test_a_called_deposit_of_somebody_else_is_redeemed_directly_with_a_higher_fee_later(
    chains: Chains, redeemer: Redeemer
) -> None:
    deposits.make(chains, [BTC, BTC])
    deposit = deposits.make_one(chains, BTC, tdt=chains.system.third)
    market.set_price(chains, AT_122)
    market.courtesy_call(chains, deposit.deposit)
    redeemer.filled(TBTC)
    chains.send_all([redeemer.approval(deposit.deposit, redeemer.cost_directly(deposit)), redeemer.directly(deposit)])
    members = Signers(chains)
    members.tick()
    first = redeemer.signed(deposit)
    chains.bitcoin.held.add(chains.bitcoin.accept(first.raw()))
    chains.bitcoin.mine(6)
    assert chains.bitcoin.confirmations(first.txid) == 0

    chains.ethereum.warp(14_400)
    chains.send_all([_increase(redeemer, deposit, FEE_SAT)])
    assert chains.state(deposit.deposit) == AWAITING_SIGNATURE
    assert members.tick() == 1
    second = redeemer.signed(deposit)
    assert second.outputs[0].value_sat == BTC - 2 * FEE_SAT
    _confirmed(chains, second.raw(), others=1)
    assert chains.bitcoin.transaction(first.txid) is None  # the second one took its place
    redeemer.prove(deposit, second.txid)
    assert chains.state(deposit.deposit) == REDEEMED


def test_the_deadlines_run_from_the_last_request_or_increase(chains: Chains, redeemer: Redeemer) -> None:
    node = chains.ethereum
    silent, deposit, _ = deposits.make(chains, [BTC, BTC, BTC])
    cost = sum(map(redeemer.cost_by_machine, (silent, deposit)))
    redeemer.filled(cost)
    redeemer.many_by_machine([silent, deposit], cost)
    asked_at = node.now()
    members = Signers(chains)
    members.silent = {silent.keep}
    assert members.tick() == 1
    redeemer.signed(deposit)

    node.next_block_at(asked_at + 7_200)
    with pytest.raises(Reverted):
        market.by_third(chains, silent.deposit, "notifyRedemptionSignatureTimedOut")
    node.next_block_at(asked_at + 7_201)
    market.by_third(chains, silent.deposit, "notifyRedemptionSignatureTimedOut")
    assert chains.state(silent.deposit) == LIQUIDATION

    node.next_block_at(asked_at + 14_399)
    with pytest.raises(Reverted, match="Fee increase not yet permitted"):
        chains.send_all([_increase(redeemer, deposit, FEE_SAT)])
    mark = node.snapshot()
    node.next_block_at(asked_at + 14_400)
    with pytest.raises(Reverted):
        chains.send_all([_increase(redeemer, deposit, FEE_SAT + 1)])
    node.revert(mark)
    mark = node.snapshot()
    node.next_block_at(asked_at + 14_400)
    chains.send_all([_increase(redeemer, deposit, FEE_SAT)])
    members.tick()
    redeemer.signed(deposit)
    _proof_times_out(chains, deposit, asked_at + 36_001)
    node.revert(mark)
    _proof_times_out(chains, deposit, asked_at + 21_601)


def test_an_output_is_asked_for_in_eight_bytes_the_lowest_first(chains: Chains, redeemer: Redeemer) -> None:
    written = {
        BTC // 100: "a0b50e0000000000",
        BTC // 10: "e009980000000000",
        BTC: "6054f50500000000",
        10 * BTC: "603d9a3b00000000",
    }
    made = deposits.make(chains, [BTC, *written])[1:]
    cost = sum(map(redeemer.cost_by_machine, made))
    redeemer.filled(cost)
    assert [out(one.lot_sat - FEE_SAT).hex() for one in made] == list(written.values())
    redeemer.many_by_machine(made, cost)
    assert [redeemer.request(one)["_requestedFee"] for one in made] == [FEE_SAT] * 4


def test_a_hundredth_of_a_bitcoin_bears_26_increases(chains: Chains, redeemer: Redeemer) -> None:
    deposit, _ = deposits.make(chains, [BTC // 100, BTC])
    cost = redeemer.cost_by_machine(deposit)
    redeemer.filled(cost)
    redeemer.many_by_machine([deposit], cost)
    members, increases = Signers(chains), 0
    while True:
        members.tick()
        last = redeemer.signed(deposit).outputs[0].value_sat
        if last <= FEE_SAT:
            break
        chains.ethereum.warp(14_400)
        chains.send_all([_increase(redeemer, deposit, FEE_SAT)])
        increases += 1
    assert (increases, last) == (26, 28_000)


def _proof_times_out(chains: Chains, deposit: LocalDeposit, first: int) -> None:
    """It may be called from that second on, and not a second before."""
    chains.ethereum.next_block_at(first - 1)
    with pytest.raises(Reverted):
        market.by_third(chains, deposit.deposit, "notifyRedemptionProofTimedOut")
    chains.ethereum.next_block_at(first)
    market.by_third(chains, deposit.deposit, "notifyRedemptionProofTimedOut")
    assert chains.state(deposit.deposit) == LIQUIDATION


def _increase(redeemer: Redeemer, deposit: LocalDeposit, step: int) -> Tx:
    asked = redeemer.request(deposit)
    now = asked["_utxoValue"] - asked["_requestedFee"]
    return deposit.contract.tx("increaseRedemptionFee", out(now), out(now - step), sender=redeemer.address)


def _confirmed(chains: Chains, raw: bytes, *, others: int) -> None:
    """Broadcast it and mine it six blocks deep, in a block with other transactions."""
    for _ in range(others):
        chains.bitcoin.fund(PAYEE.script, 10_000)
    chains.bitcoin.accept(raw)
    chains.bitcoin.mine(6)
