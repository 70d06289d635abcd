"""Ways in which tools of mining pools and delegates are known to pay twice, played here: everyone is paid once."""

from __future__ import annotations

import pytest

from tests.once import Died, Meddling, assert_nothing_paid, assert_paid_once, line_states, tried
from tests.payments.doorway import dying, handing, impatient, ready, sent_by
from tests.payout_world import World
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import ledger
from valtrac.payouts import approvals
from valtrac.ports import Payer


def test_mina_paid_is_not_recorded_where_sending_failed(world: World) -> None:
    """The blocks were marked as paid whether or not anything had been sent."""
    batch = ready(world)

    def hand(payer: Payer, raw: bytes) -> None:
        raise Refused("the node refused the transaction")

    payer = Meddling(world.app.unlock(), hand)
    impatient(world, payer, batch)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    assert_nothing_paid(world, batch)
    world.send(batch)
    assert_paid_once(world, batch)


def test_mina_a_nonce_is_tied_to_the_payout_that_it_pays(world: World) -> None:
    """Signed files were named by nonce alone, so what lay there from one payout was sent as part of another."""
    first = ready(world)
    with pytest.raises(Died):
        sent_by(world, dying(world, 1, after=False), first)
    left = tried(world, first)[0]
    second = world.day(1).approved()
    world.send(second)
    assert [(attempt.tx_id, attempt.state) for attempt in tried(world, first)] == [(left.tx_id, "landed")]
    assert line_states(world, first) == {"paid": 3, "owed": 4}
    world.send(first)
    nonces = [attempt.nonce for batch in (first, second) for attempt in tried(world, batch)]
    assert sorted(nonces) == list(range(6))
    assert_paid_once(world, first, second)


def test_mina_the_same_payment_listed_per_block(world: World) -> None:
    """A payment was listed once for each block that it was earned in, and paid as often."""
    batch = world.people().day(9).approved()
    assert len({line.address for line in batch.payout.lines}) == len(batch.payout.lines) == 7
    world.send(batch)
    assert_paid_once(world, batch)


def test_miningcore_rpc_error_after_the_wallet_sent(world: World) -> None:
    """The wallet sent and then answered with an error: balances stayed, and each interval paid them once more."""
    batch = ready(world)

    def hand(payer: Payer, raw: bytes) -> None:
        payer.broadcast(raw)
        raise RuntimeError("-32603: internal error")

    payer = Meddling(world.app.unlock(), hand)
    for _ in range(6):
        with pytest.raises(OutcomeUnknown, match="-32603"):
            sent_by(world, payer, batch)
        devnet.advance(world.node, 5)
        reconcile(world.door())
        if line_states(world, batch) == {"paid": 7}:
            break
    assert world.send(batch).state == "settled"
    assert len(payer.signed) == 3
    assert_paid_once(world, batch)


@pytest.mark.parametrize("policy", ["pool", "payee", "owner"])
def test_miningcore_what_is_sent_is_what_is_booked_to_the_unit(world: World, policy: str) -> None:
    """Amounts were rounded when sent, while the whole balance was taken off: the two drifted apart."""
    before = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    batch = ready(world, pool=7_123_456_789, fee_policy=policy)
    world.send(batch)
    assert_paid_once(world, batch)
    with reading(world.engine) as conn:
        totals = ledger.totals(conn)
    totals.pop("owner", None)
    assert all(kinds["accrued"] == kinds["paid"] + kinds.get("netted", 0) for kinds in totals.values())
    fees = [attempt.fee for attempt in tried(world, batch)]
    after = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    assert before - after == batch.total + sum(fee for fee in fees if fee is not None)


def test_core2_tbw_staged_rows_resent_with_new_nonce(world: World) -> None:
    """Rows still staged when it died after sending were sent again at the restart, with a nonce of their own."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(Died):
        sent_by(world, dying(world, 1, after=True), batch)
    (left,) = tried(world, batch)
    again = Meddling(world.reopened().app.unlock(), handing)
    impatient(world, again, batch)
    assert (left.state, again.signed, set(again.handed) <= {left.raw}) == ("signed", [], True)
    devnet.misbehave(world.node, hold_pool=False)
    sent_by(world, again, batch)
    assert [attempt.nonce for attempt in tried(world, batch)] == [0, 1, 2]
    assert_paid_once(world, batch)


def test_open_ethereum_pool_resolve_without_looking_on_chain(world: World) -> None:
    """Clearing a stuck payout by hand gave the balances back unseen, and what was on its way landed as well."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True, lose_reply=1)
    impatient(world, world.app.unlock(), batch)
    chain, wallet = world.app.chain, world.app.wallet_address
    for _ in range(3):
        (finding,) = reconcile(world.door(chain=chain))
        assert finding.called == "unknown"
    with pytest.raises(Refused, match="is sending"):
        approvals.void(world.engine, batch.id, "it hangs")
    with pytest.raises(Refused, match="still on its way"):
        foreign.rule(world.door(chain=chain), wallet, "it never went out")
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert_paid_once(world, batch)
