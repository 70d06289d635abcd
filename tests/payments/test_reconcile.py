"""Reconciling: a transaction is landed, failed or dead only where the finalized chain proves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.payout_world import World, owed
from valtrac.core.chain import BlockView
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send
from valtrac.payments.model.batches import Attempt
from valtrac.payments.reconcile import reconcile, rule_gone
from valtrac.payments.store import attempts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.ports import PayoutChain


def sent_and_not_seen(world: World) -> tuple[PayoutBatch, Attempt]:
    """A batch whose first transaction waits in the pool; its attempt."""
    batch = world.people().day().approved()
    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(OutcomeUnknown):
        send.send(world.door(sleep=lambda s: None, patience_s=1), world.app.unlock(), batch.id)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn)
    return batch, attempt


def advance_to_finalized(world: World, number: int) -> None:
    while (behind := number - world.app.chain.finalized().number) > 0:
        devnet.advance(world.node, behind)


class Rewriting:
    """A node that shows a block otherwise than it is."""

    def __init__(self, chain: PayoutChain, change: Callable[[BlockView], BlockView]) -> None:
        self._chain, self._change = chain, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def block(self, number: int) -> BlockView:
        return self._change(self._chain.block(number))


def test_a_transaction_in_its_very_last_block_has_landed(world: World) -> None:
    batch, attempt = sent_and_not_seen(world)
    advance_to_finalized(world, attempt.valid_until - 3)
    assert devnet.status(world.node)["number"] == attempt.valid_until - 1
    devnet.misbehave(world.node, hold_pool=False)
    devnet.advance(world.node, 1)  # its last valid block
    devnet.advance(world.node, 10)
    (finding,) = reconcile(world.door())
    assert (finding.state, f"block {attempt.valid_until}") == ("landed", finding.words.removeprefix("in "))
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_it_is_unknown_until_a_block_past_its_last_one_is_final_and_dead_then(world: World) -> None:
    _, attempt = sent_and_not_seen(world)
    advance_to_finalized(world, attempt.valid_until)
    (finding,) = reconcile(world.door())
    assert finding.state is None
    advance_to_finalized(world, attempt.valid_until + 1)
    (finding,) = reconcile(world.door())
    assert finding.state == "dead"


def test_blocks_that_do_not_link_prove_nothing(world: World) -> None:
    _, attempt = sent_and_not_seen(world)
    advance_to_finalized(world, attempt.valid_until + 5)

    def other_past(view: BlockView) -> BlockView:
        return replace(view, head=replace(view.head, parent_hash="0x" + "00" * 32))

    with pytest.raises(ChainUnreachable, match="does not follow"):
        reconcile(world.door(chain=Rewriting(world.app.chain, other_past)))
    with reading(world.engine) as conn:
        assert len(attempts.unresolved(conn)) == 1


def test_a_block_that_is_missing_proves_nothing(world: World) -> None:
    _, attempt = sent_and_not_seen(world)
    advance_to_finalized(world, attempt.valid_until + 5)

    def gone(view: BlockView) -> BlockView:
        raise ChainUnreachable("the node does not have this block")

    with pytest.raises(ChainUnreachable):
        reconcile(world.door(chain=Rewriting(world.app.chain, gone)))
    with reading(world.engine) as conn:
        assert len(attempts.unresolved(conn)) == 1


def test_what_was_scanned_is_not_scanned_again(world: World) -> None:
    _, attempt = sent_and_not_seen(world)
    advance_to_finalized(world, attempt.birth_block + 20)
    reconcile(world.door())
    seen: list[int] = []

    def noted(view: BlockView) -> BlockView:
        seen.append(view.head.number)
        return view

    advance_to_finalized(world, attempt.birth_block + 25)
    reconcile(world.door(chain=Rewriting(world.app.chain, noted)))
    assert min(seen) >= attempt.birth_block + 20


def with_another_birth(chain: Any, attempt: Any) -> Rewriting:
    """A node of a history in which the block that an attempt was signed against is another one."""

    def change(view: BlockView) -> BlockView:
        if view.head.number == attempt.birth_block:
            return replace(view, head=replace(view.head, hash="0x" + "aa" * 32))
        if view.head.number == attempt.birth_block + 1:
            return replace(view, head=replace(view.head, parent_hash="0x" + "aa" * 32))
        return view

    return Rewriting(chain, change)


def test_an_attempt_whose_birth_is_gone_is_dead_when_two_nodes_say_so_and_waits_for_words_when_one_does(
    world: World,
) -> None:
    batch, attempt = sent_and_not_seen(world)
    devnet.advance(world.node, 5)
    other = with_another_birth(world.app.chain, attempt)
    (finding,) = reconcile(world.door(chain=other))
    assert (finding.state, "one node says so" in finding.words) == (None, True)
    (finding,) = reconcile(world.door(chain=other, witnesses=(world.app.chain,)))
    assert (finding.state, "the second node still has it" in finding.words) == (None, True)
    (finding,) = reconcile(world.door(chain=other, witnesses=(other,)))
    assert finding.state == "dead"
    devnet.misbehave(world.node, evict=True, clear=True)
    world.send(batch)
    assert world.received() == owed(batch)


def test_the_owner_may_say_in_words_that_the_birth_of_an_attempt_is_gone(world: World) -> None:
    _, attempt = sent_and_not_seen(world)
    devnet.advance(world.node, 5)
    other = world.door(chain=with_another_birth(world.app.chain, attempt))
    with pytest.raises(BadInput, match="how you know"):
        rule_gone(other, attempt.tx_id, "")
    with pytest.raises(BadInput, match="no open transaction"):
        rule_gone(other, "0x12", "finality broke")
    with pytest.raises(Refused, match="is where it was"):
        rule_gone(world.door(), attempt.tx_id, "finality broke")
    rule_gone(other, attempt.tx_id, "finality broke, as was announced")
    with reading(world.engine) as conn:
        assert attempts.unresolved(conn) == []
        assert "as was announced" in attempts.of_batch(conn, attempt.batch_id)[0].error
