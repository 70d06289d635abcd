"""Ways in which TezPay is known to pay twice, played here: everyone is paid once."""

from __future__ import annotations

import pytest

from tests.once import Died, Meddling, assert_nothing_paid, assert_paid_once, line_states, tried
from tests.payments.doorway import LOG, dying, failing_batch, handing, impatient, ready, sent_by
from tests.payout_world import TAO, World, address, owed
from valtrac.core.chain import Payment
from valtrac.core.errors import Refused, ValtracError
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign, payment_log
from valtrac.payments.door import Door
from valtrac.people import users


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True], ids=["before the node has it", "after the node has it"])
def test_tezpay_a_killed_after_dispatch_before_the_report(world: World, nth: int, after: bool) -> None:
    """Killed between the dispatch of a transaction and the note that it was sent, it left no trace and was redone."""
    batch = ready(world)
    with pytest.raises(Died):
        sent_by(world, dying(world, nth, after=after), batch)
    assert [attempt.state for attempt in tried(world, batch)] == ["landed"] * (nth - 1) + ["signed"]
    world.reopened().send(batch)
    assert len(tried(world, batch)) == 3
    assert_paid_once(world, batch)


def test_tezpay_b_timeout_after_the_node_accepted(world: World) -> None:
    """A reply that timed out left a transaction without an id, recorded as failed and paid anew."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True, lose_reply=1)
    unknown = impatient(world, world.app.unlock(), batch)
    (attempt,) = tried(world, batch)
    assert (attempt.state, attempt.tx_id in unknown.what) == ("sent", True)
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert tried(world, batch)[0].tx_id == attempt.tx_id
    assert_paid_once(world, batch)


@pytest.mark.parametrize("fault", [{"no_events": True}, {"down": True}], ids=["no events", "no answer"])
def test_tezpay_c_lookup_fails_is_not_unpaid(world: World, fault: dict[str, object]) -> None:
    """A look at the past that failed was only a warning, and what it should have found counted as unpaid."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    impatient(world, world.app.unlock(), batch)
    devnet.misbehave(world.node, hold_pool=False)
    devnet.advance(world.node, 5)  # it has landed
    payer = Meddling(world.app.unlock(), handing)
    devnet.misbehave(world.node, **fault)
    with pytest.raises(ValtracError):
        sent_by(world, payer, batch, patience_s=5)
    assert (payer.signed, [attempt.state for attempt in tried(world, batch)]) == ([], ["sent"])
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("left", ["nothing", "half a row", "the header", "the bare file"])
def test_tezpay_d_crash_or_full_disk_while_writing_the_report(
    world: World, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Written anew in place, the report of a whole cycle was lost where the write broke off, and all was paid again."""
    batch = ready(world)
    real = payment_log.sync

    def broken_off(door: Door, path: object) -> int:
        written = real(door, world.home.joinpath(*LOG))
        if written:
            raise Died
        return written

    monkeypatch.setattr(payment_log, "sync", broken_off)
    with pytest.raises(Died):
        world.send(batch)
    monkeypatch.setattr(payment_log, "sync", real)
    path = world.home.joinpath(*LOG)
    whole = path.read_bytes()
    header = whole[: whole.index(b"\n") + 1]
    if left == "nothing":
        path.unlink()
    else:
        path.write_bytes({"half a row": whole[:-20], "the header": header, "the bare file": b""}[left])
    world.reopened().send(batch)
    assert_paid_once(world, batch)


def test_tezpay_e_identity_is_more_than_amount_and_cycle(world: World) -> None:
    """Whoever is told apart by amount and cycle alone: two of the same amount, and the same amount in two cycles."""
    users.add(world.engine, "both", [address(1), address(2)])
    users.add(world.engine, "one", [address(3)])
    batches = []
    for _ in range(2):
        batch = world.day(1).approved(pool=28 * TAO, fee_policy="owner")
        assert owed(batch)["both"] == owed(batch)["one"]
        batches.append(batch)
    assert owed(batches[0]) == owed(batches[1])
    for batch in batches:
        world.send(batch)
        world.send(batch)
    assert_paid_once(world, *batches)
    assert world.balance(1) == world.balance(3) == 2 * owed(batches[0])["one"]


def test_tezpay_f_a_failed_batch_is_not_marked_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle of which a transaction failed was marked as done and never tried again."""
    batch = failing_batch(world, monkeypatch)
    with pytest.raises(Refused, match="failed on chain"):
        world.send(batch)
    assert line_states(world, batch) == {"owed": 7}
    assert_nothing_paid(world, batch)
    assert world.send(batch, isolate=True).state == "sending"
    assert line_states(world, batch) == {"owed": 1, "paid": 6}
    world.app.unlock().broadcast(_gift(world, 1, 600))
    devnet.advance(world.node, 3)
    foreign.rule(world.door(), world.app.wallet_address, "opened it by hand", pays_users=True)
    assert world.send(batch, isolate=True, retry_failed=True).state == "settled"
    assert world.received() == {**owed(batch), "u001": owed(batch)["u001"] + 600}


def _gift(world: World, number: int, units: int) -> bytes:
    payer, chain = world.app.unlock(), world.app.chain
    nonce = chain.nonce(payer.address, chain.finalized())
    return payer.sign((Payment(address(number), units),), nonce=nonce, period=64).raw
