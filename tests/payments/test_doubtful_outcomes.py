"""What became of a payment is not what it looks like: the door calls nothing paid, failed or dead too early."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.once import Meddling, assert_paid_once, line_states, logged, on_chain, tried
from tests.payments.doorway import Answering, handing, ready, sent_by
from tests.payout_world import World
from valtrac.chains.bittensor import outcomes
from valtrac.core.chain import Outcome, Payment
from valtrac.core.errors import OutcomeUnknown, Refused, ValtracError
from valtrac.database.engine import reading, writing
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.model.states import AttemptState, BatchState
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import attempts, batches, ledger
from valtrac.payouts.model.batches import PayoutBatch

PLAIN = {"call_module": "Balances", "call_function": "transfer_keep_alive", "call_args": []}
PROXIED = {"call_module": "Proxy", "call_function": "proxy", "call_args": []}
LOW = {"Token": "BelowMinimum"}
OK: tuple[str, str, Any] = ("System", "ExtrinsicSuccess", {})
DONE = ("Utility", "ItemCompleted", None)
MADE, LOST = (("Proxy", "ProxyExecuted", {"result": result}) for result in ({"Ok": ()}, {"Err": LOW}))
PARTLY = {
    "batch": (PLAIN, (DONE, ("Utility", "BatchInterrupted", {"index": 1, "error": LOW}), OK)),
    "force_batch": (PLAIN, (DONE, ("Utility", "ItemFailed", {"error": LOW}), DONE, OK)),
    "batch_all": (PROXIED, (MADE, DONE, LOST, DONE, MADE, DONE, OK)),
}


@pytest.mark.parametrize("shape", PARTLY)
def test_success_outside_with_a_failure_inside_is_called_neither_paid_nor_unpaid(world: World, shape: str) -> None:
    batch = ready(world)
    item, events = PARTLY[shape]
    call = {
        "call_module": "Utility",
        "call_function": shape,
        "call_args": [{"name": "calls", "value": [item] * 3}],
    }
    told = [{"module_id": module, "event_id": event, "attributes": given} for module, event, given in events]

    def partly(real: Outcome) -> Outcome:
        return outcomes.outcome(call, told, lambda pallet, error: "")

    chain = Answering(world.app.chain, "outcome", partly, lambda: True)
    payer = Meddling(world.app.unlock(), handing)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="only a part of transaction"):
            sent_by(world, payer, batch, chain=chain)
    with pytest.raises(Refused, match="only a part") as refused:
        reconcile(world.door(chain=chain))
    assert "of 3 payments were made: Token: BelowMinimum" in refused.value.why
    second = world.day(1).approved()
    with pytest.raises(OutcomeUnknown, match="only a part"):
        sent_by(world, payer, second, chain=chain)
    assert (len(payer.signed), len(payer.handed)) == (1, 1)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    with reading(world.engine) as conn:
        assert ledger.receipts(conn) == []
    assert logged(world) == []
    world.send(batch)
    world.send(second)
    assert_paid_once(world, batch, second)


@pytest.mark.parametrize("items", [(), (True,) * 9, (False,) * 2, (False,) * 9, (None,) * 3], ids=str)
def test_results_that_are_not_one_for_each_payment_prove_nothing(world: World, items: tuple[Any, ...]) -> None:
    batch = ready(world)
    chain = Answering(world.app.chain, "outcome", lambda real: replace(real, items=items), lambda: True)
    payer = Meddling(world.app.unlock(), handing)
    with pytest.raises(OutcomeUnknown):
        sent_by(world, payer, batch, chain=chain, patience_s=5)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_failure_that_only_one_of_two_nodes_tells_of_is_none(world: World) -> None:
    batch = ready(world)
    lying = Answering(world.app.chain, "outcome", lambda real: replace(real, items=(False,) * 3), lambda: True)
    with pytest.raises(OutcomeUnknown):
        sent_by(world, world.app.unlock(), batch, chain=lying, witnesses=(world.app.chain,), patience_s=5)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_nonce_that_was_used_before_it_was_signed_is_dead_in_the_end(world: World) -> None:
    first = world.send(ready(world))
    batch = world.day().approved()
    payer, head = world.app.unlock(), world.app.chain.finalized()
    with writing(world.engine) as conn:
        lines = batches.lines_of(conn, batch.id)[:3]
        payments = tuple(Payment(line.address, line.amount) for line in lines)
        batches.set_state(conn, batch.id, BatchState.APPROVED, BatchState.SENDING)
        attempts.open_attempt(conn, batch.id, lines, payer.sign(payments, nonce=0, period=4), head)
    devnet.advance(world.node, 12)
    assert world.send(batch).state == "settled"
    assert [attempt.state for attempt in tried(world, batch)].count(AttemptState.DEAD) == 1
    assert sum(payment.units * times for payment, times in on_chain(world).items()) == first.total + batch.total


def test_a_nonce_that_another_process_used_while_this_one_signed_is_not_written_down(world: World) -> None:
    first = ready(world)
    second = world.day().approved()
    done: list[str] = []

    def meanwhile() -> None:
        if not done:
            done.append("once")
            world.send(second)

    payer = Meddling(world.app.unlock(), handing, signing=meanwhile)
    assert sent_by(world, payer, first).state == "settled"
    states = [attempt.state for batch in (first, second) for attempt in tried(world, batch)]
    assert set(states) == {"landed"}


def _without_extrinsics(world: World) -> Answering:
    return Answering(world.app.chain, "block", lambda view: replace(view, tx_ids=(), raw=()), lambda: True)


def _shown_empty_blocks(world: World) -> PayoutBatch:
    """A batch whose first transaction landed while the node showed its blocks without anything in them."""
    batch = ready(world)
    with pytest.raises(OutcomeUnknown):
        sent_by(world, world.app.unlock(), batch, chain=_without_extrinsics(world), patience_s=5)
    return batch


@pytest.mark.parametrize("adopted", [False, True], ids=["sent again", "adopted"])
def test_what_has_used_its_nonce_is_looked_for_again_before_it_is_called_dead(world: World, adopted: bool) -> None:
    batch = _shown_empty_blocks(world)
    if adopted:
        with suppress(ValtracError):
            world.send(batch)
        with suppress(ValtracError):
            foreign.adopt(world.door(), world.app.wallet_address)
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_fault_nobody_thought_of_after_some_payments_says_that_they_landed(world: World) -> None:
    batch = ready(world)

    def break_down() -> None:
        if len(payer.signed) == 2:
            raise RuntimeError("'NoneType' object is not subscriptable")

    payer = Meddling(world.app.unlock(), handing, signing=break_down)
    with pytest.raises(ValtracError, match="unforeseen") as broken:
        sent_by(world, payer, batch)
    assert line_states(world, batch) == {"paid": 3, "owed": 4}
    assert "NoneType" in broken.value.why
    assert broken.value.moved == "yes"
