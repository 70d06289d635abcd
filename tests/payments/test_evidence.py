"""One node's word is not enough: what a block says of a payment must fit what moved, and what the balance says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.payments.test_reconcile import Rewriting, advance_to_finalized, sent_and_not_seen
from tests.payout_world import World, owed
from valtrac.core.chain import BlockView, Head, Movement, Outcome
from valtrac.core.errors import Refused
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.model.batches import Attempt
from valtrac.payments.reconcile import Finding, reconcile
from valtrac.payments.scanning import scan
from valtrac.payments.send import send
from valtrac.payments.store import attempts
from valtrac.payouts.model.batches import PayoutBatch


class Telling:
    """A node that tells otherwise what became of a transaction."""

    def __init__(self, chain: Any, change: Callable[[Outcome], Outcome]) -> None:
        self._chain, self._change = chain, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        outcome = self._chain.outcome(tx_id, at)
        return None if outcome is None else self._change(outcome)


def landed_but_not_booked(world: World) -> tuple[PayoutBatch, Attempt]:
    batch, attempt = sent_and_not_seen(world)
    devnet.misbehave(world.node, hold_pool=False)
    devnet.advance(world.node, 5)
    return batch, attempt


def looked(world: World, chain: Any, **door: Any) -> Finding:
    (finding,) = reconcile(world.door(chain=chain, **door))
    return finding


def failed(outcome: Outcome) -> Outcome:
    return replace(outcome, items=(False,) * len(outcome.items), error="Token: FundsUnavailable")


def failed_and_nothing_moved(outcome: Outcome) -> Outcome:
    return replace(failed(outcome), moved=())


def paid_to_somebody_else(outcome: Outcome) -> Outcome:
    first, *rest = outcome.moved or ()
    return replace(outcome, moved=(Movement(first.source, first.source, first.units), *rest))


def paid_less(outcome: Outcome) -> Outcome:
    return replace(outcome, moved=(outcome.moved or ())[1:])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (failed, "tells of transfers all the same"),
        (failed_and_nothing_moved, "left the wallet there"),
        (paid_to_somebody_else, "other transfers than these"),
        (paid_less, "other transfers than these"),
    ],
)
def test_an_outcome_that_contradicts_itself_or_the_balance_is_unknown_and_pays_nobody_again(
    world: World, change: Callable[[Outcome], Outcome], words: str
) -> None:
    batch, _ = landed_but_not_booked(world)
    finding = looked(world, Telling(world.app.chain, change))
    assert finding.state is None
    assert words in finding.words
    assert looked(world, world.app.chain).state == "landed"
    world.send(batch)
    assert world.received() == owed(batch)


def test_a_payment_that_the_node_hides_is_not_called_dead_while_its_money_is_gone(world: World) -> None:
    batch, attempt = landed_but_not_booked(world)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn)
    advance_to_finalized(world, attempt.valid_until + 1)

    def hide(view: BlockView) -> BlockView:
        keep = [place for place, tx_id in enumerate(view.tx_ids) if tx_id != attempt.tx_id]
        return BlockView(view.head, tuple(view.tx_ids[p] for p in keep), tuple(view.raw[p] for p in keep))

    class Hiding(Rewriting):
        def nonce(self, address: str, at: Head) -> int:
            return attempt.nonce  # it says that nothing was sent, and forgets the balance

    finding = looked(world, Hiding(world.app.chain, hide))
    assert finding.state is None
    assert "left the wallet since it was signed" in finding.words
    assert looked(world, world.app.chain).state == "landed"
    world.send(batch)
    assert world.received() == owed(batch)


def test_what_two_nodes_tell_differently_is_unknown_whichever_way(world: World) -> None:
    batch, _ = landed_but_not_booked(world)
    honest, lying = world.app.chain, Telling(world.app.chain, failed_and_nothing_moved)
    for chain, witness in ((honest, lying), (lying, honest)):
        finding = looked(world, chain, witnesses=(witness,))
        assert finding.state is None
        assert "the other" in finding.words
    assert looked(world, honest, witnesses=(honest,)).state == "landed"
    world.send(batch)
    assert world.received() == owed(batch)


def test_each_finding_says_how_far_it_is_believed(world: World) -> None:
    landed_but_not_booked(world)
    finding = looked(world, world.app.chain, evidence="; one node is trusted")
    assert finding.words.endswith("; proven under the block's header; one node is trusted")


def test_what_a_node_gives_no_proofs_for_is_not_called_proven(world: World) -> None:
    landed_but_not_booked(world)
    devnet.misbehave(world.node, no_proofs=True)
    finding = looked(world, world.app.chain, evidence="; one node is trusted")
    assert finding.state == "landed"
    assert "proven" not in finding.words


class Forgetful(Rewriting):
    """A node that shows a history in which a transaction never was: not in its block, its nonce, nor the balance."""

    def __init__(self, chain: Any, attempt: Attempt) -> None:
        self._attempt = attempt
        super().__init__(chain, self._without)

    def _without(self, view: BlockView) -> BlockView:
        keep = [place for place, tx_id in enumerate(view.tx_ids) if tx_id != self._attempt.tx_id]
        return BlockView(view.head, tuple(view.tx_ids[p] for p in keep), tuple(view.raw[p] for p in keep))

    def nonce(self, address: str, at: Head) -> int:
        return self._attempt.nonce

    def left_between(self, address: str, before: Head, after: Head) -> int:
        return 0


def test_what_was_ruled_dead_and_is_seen_alive_stops_the_wallet_in_words(world: World) -> None:
    batch, attempt = landed_but_not_booked(world)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn)
    advance_to_finalized(world, attempt.valid_until + 1)
    lying = Forgetful(world.app.chain, attempt)
    assert looked(world, lying).state == "dead"

    before = world.received()
    with pytest.raises(Refused, match="ruled dead, has landed after all"):
        world.send(batch)
    assert world.received() == before
    _, revived = foreign.adopt(world.door(), world.app.wallet_address)
    assert len(revived.lines) == len(before)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_block_that_shows_what_was_ruled_dead_stops_whoever_reads_it(world: World) -> None:
    batch, attempt = landed_but_not_booked(world)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn)
    advance_to_finalized(world, attempt.valid_until + 1)
    assert looked(world, Forgetful(world.app.chain, attempt)).state == "dead"
    with reading(world.engine) as conn:
        assert attempts.ruled_dead(conn, [attempt.tx_id]) == {attempt.tx_id}
    later = replace(attempt, tx_id="0x" + "ab" * 32, scanned_to=None, scanned_hash=None)
    with pytest.raises(Refused, match="which was ruled dead, stands in block"):
        scan(world.app.chain, later, attempt.birth_block, attempt.birth_hash, {attempt.tx_id})
    assert batch.total > 0


class Dear:
    """A node that asks for many times the fee of the last payments."""

    def __init__(self, chain: Any, times: int) -> None:
        self._chain, self._times = chain, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def estimate_fee(self, signer: str, payments: Any) -> int:
        return int(self._chain.estimate_fee(signer, payments)) * self._times


def test_a_fee_far_above_the_usual_is_not_paid_where_nobody_looks_at_it_first(world: World) -> None:
    first = world.people().day().approved()
    world.send(first)
    second, before = world.day(1).approved(), world.received()

    def send_by_standing_order(times: int) -> Any:
        node = Dear(world.app.chain, times)
        producer = replace(world.app.producer, chain=lambda: node, standing=True)
        return send(world.door(chain=node, producer=producer), world.app.unlock(), second.id)

    with pytest.raises(Refused, match="more than 10 times as much"):
        send_by_standing_order(12)
    assert world.received() == before
    assert send_by_standing_order(5).state == "settled"
