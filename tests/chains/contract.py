"""What every chain adapter must do. A test file imports these tests and offers a fixture `stage`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise

import pytest

from valtrac.core.chain import Outcome, Payment, SignedTx
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused
from valtrac.ports import Payer, PayoutChain


@dataclass(frozen=True)
class Stage:
    """A chain with a payer who holds at least 10 TAO, and nobody else at work on it.

    advance: produce blocks. address: a name -> an address without money. misbehave: see the
    rehearsal chains. sign_other: signed bytes that are no payment, by the payer. announce: the
    person of that name announces a coldkey swap with the next block, or takes it back (cancel=True).
    """

    chain: PayoutChain
    payer: Payer
    hotkey: str
    advance: Callable[[int], None]
    address: Callable[[str], str]
    misbehave: Callable[..., None]
    sign_other: Callable[[str], bytes]
    announce: Callable[..., None]

    def pays(self, *units: int) -> tuple[Payment, ...]:
        return tuple(Payment(self.address(f"person {n}"), amount) for n, amount in enumerate(units))

    def sign(self, *units: int, nonce: int | None = None, period: int = 64) -> SignedTx:
        at = nonce
        if at is None:  # a chain may number nothing
            counted = getattr(self.chain, "nonce", lambda address, head: 0)
            at = counted(self.payer.address, self.chain.finalized())
        return self.payer.sign(self.pays(*units), nonce=at, period=period)

    def outcomes(self, tx: SignedTx) -> list[Outcome]:
        """Of all blocks from the birth to the finalized head, what became of it."""
        blocks = [self.chain.block(n) for n in range(tx.birth_number, self.chain.finalized().number + 1)]
        found = [self.chain.outcome(tx.tx_id, block.head) for block in blocks if tx.tx_id in block.tx_ids]
        return [outcome for outcome in found if outcome is not None]

    def swapping(self, *names: str) -> list[str]:
        """Who of them has a swap announced at the finalized head."""
        asked = {self.address(name): name for name in names}
        return sorted(asked[found] for found in self.chain.swaps_announced(list(asked), self.chain.finalized()))

    def free(self, name: str) -> int:
        return self.chain.balance(self.address(name), self.chain.finalized())


def test_identity_names_genesis_and_runtime(stage: Stage) -> None:
    identity = stage.chain.identity()

    assert identity == stage.chain.identity()
    assert identity.genesis_hash == stage.chain.block(0).head.hash
    assert identity.spec_version > 0


def test_finalized_blocks_are_linked_by_parent_hash_and_dated_in_utc(stage: Stage) -> None:
    stage.advance(8)
    head = stage.chain.finalized()
    blocks = [stage.chain.block(number) for number in range(head.number + 1)]

    assert blocks[-1].head == head
    for old, new in pairwise(blocks):
        assert (new.head.number, new.head.parent_hash) == (old.head.number + 1, old.head.hash)
        assert new.head.at > old.head.at
        assert new.head.at.tzinfo is UTC


def test_a_block_that_is_not_there_is_no_answer(stage: Stage) -> None:
    with pytest.raises(ChainUnreachable):
        stage.chain.block(1_000_000)


def test_an_account_that_does_not_exist_has_nothing(stage: Stage) -> None:
    assert stage.chain.balance(stage.address("nobody"), stage.chain.finalized()) == 0


def test_what_is_no_address_is_not_asked_for(stage: Stage) -> None:
    with pytest.raises(ValueError):
        stage.chain.balance("5Grwva", stage.chain.finalized())


def test_limits_are_the_runtimes_with_a_margin(stage: Stage) -> None:
    limits = stage.chain.limits()

    assert limits.existential_units == 500
    assert 300 <= limits.max_payments <= 1500


def test_a_delegates_stakes_sum_up_to_its_totals_but_for_what_is_rounded_down(stage: Stage) -> None:
    stage.advance(25)
    delegate = stage.chain.delegate(stage.hotkey, stage.chain.finalized())

    assert delegate is not None
    assert [subnet.netuid for subnet in delegate.subnets] == [0, 1]
    for subnet in delegate.subnets:
        assert 0 <= subnet.total_units - sum(subnet.stakes.values()) <= len(subnet.stakes) + 1
        assert subnet.total_units > 0
        assert subnet.price_rao is not None and subnet.price_rao > 0
    assert delegate.subnets[0].price_rao == 10**9
    assert delegate.owner in delegate.subnets[0].stakes


def test_stakes_at_a_past_block_stay_what_they_were(stage: Stage) -> None:
    past = stage.chain.finalized()
    before = stage.chain.delegate(stage.hotkey, past)

    stage.advance(40)

    assert stage.chain.delegate(stage.hotkey, past) == before
    assert stage.chain.delegate(stage.hotkey, stage.chain.finalized()) != before


def test_who_is_no_delegate_is_none(stage: Stage) -> None:
    assert stage.chain.delegate(stage.payer.address, stage.chain.finalized()) is None


def test_where_nobody_announced_a_swap_nobody_is_told_of(stage: Stage) -> None:
    assert stage.swapping("ann", "bob") == []
    assert stage.swapping() == []


def test_an_announced_swap_is_told_of_those_who_were_asked_for(stage: Stage) -> None:
    for name in ("ann", "cat"):
        stage.announce(name)
    stage.advance(3)

    assert stage.swapping("ann", "bob", "cat") == ["ann", "cat"]
    assert stage.swapping("ann", "bob") == ["ann"]
    assert stage.swapping("bob") == []


def test_a_swap_is_announced_from_its_block_until_it_is_taken_back(stage: Stage) -> None:
    ann, before = stage.address("ann"), stage.chain.finalized()
    stage.announce("ann")
    stage.advance(4)
    between = stage.chain.finalized()
    stage.announce("ann", cancel=True)
    stage.advance(4)

    heads = (before, between, stage.chain.finalized())
    assert [stage.chain.swaps_announced([ann], head) for head in heads] == [set(), {ann}, set()]


def test_whose_swap_is_asked_for_must_be_an_address(stage: Stage) -> None:
    with pytest.raises(ValueError):
        stage.chain.swaps_announced([stage.payer.address, "5Grwva"], stage.chain.finalized())


@pytest.mark.parametrize("units", [(1_000_000,), (1_000_000, 2_000_000, 3_000_000)])
def test_signing_sends_nothing_and_the_bytes_say_what_was_asked(stage: Stage, units: tuple[int, ...]) -> None:
    tx = stage.sign(*units, period=32)
    decoded = stage.chain.decode(tx.raw)

    assert decoded.payments == stage.pays(*units)
    assert (decoded.tx_id, decoded.signer, decoded.nonce) == (tx.tx_id, stage.payer.address, tx.nonce)
    assert (decoded.era_period, decoded.all_or_nothing) == (32, True)
    stage.advance(3)
    assert (stage.outcomes(tx), stage.chain.next_index(stage.payer.address)) == ([], tx.nonce)


def test_a_transaction_is_born_at_the_finalized_head_and_knows_its_last_block(stage: Stage) -> None:
    stage.advance(5)
    head = stage.chain.finalized()
    tx = stage.sign(1_000_000, period=16)

    assert (tx.birth_number, tx.birth_hash, tx.valid_until) == (head.number, head.hash, head.number + 15)
    assert stage.chain.decode(tx.raw).era_phase == head.number % 16
    assert tx.spec_version == stage.chain.identity().spec_version


@pytest.mark.parametrize("period", [0, 2, 3, 5, 100, 8192, -4])
def test_a_period_that_the_chain_would_round_is_not_signed(stage: Stage, period: int) -> None:
    with pytest.raises(ValueError):
        stage.sign(1_000_000, period=period)


def test_nothing_and_zero_are_not_signed(stage: Stage) -> None:
    for units in ((), (0,), (1_000_000, 0), (-5,), (2**64,)):
        with pytest.raises(ValueError):
            stage.sign(*units, nonce=0)
    with pytest.raises(ValueError):
        stage.sign(1_000_000, nonce=-1)


def test_the_secret_does_not_show_in_a_signed_transaction(stage: Stage) -> None:
    assert "raw" not in repr(stage.sign(1_000_000))


@pytest.mark.parametrize("units", [(1_000_000,), (1_000_000, 2_000_000, 3_000_000)])
def test_what_was_broadcast_lands_once_and_is_found_by_its_id(stage: Stage, units: tuple[int, ...]) -> None:
    estimate = stage.chain.estimate_fee(stage.payer.address, stage.pays(*units))
    head = stage.chain.finalized()
    before, counted = stage.chain.balance(stage.payer.address, head), stage.chain.nonce(stage.payer.address, head)
    tx = stage.sign(*units)

    stage.payer.broadcast(tx.raw)
    stage.advance(3)

    (outcome,) = stage.outcomes(tx)
    assert (outcome.items, outcome.error, outcome.ok) == ((True,) * len(units), "", True)
    assert outcome.fee_units is not None
    assert 0 <= outcome.fee_units - estimate <= 1
    head = stage.chain.finalized()
    assert stage.chain.balance(stage.payer.address, head) == before - sum(units) - outcome.fee_units
    assert stage.chain.nonce(stage.payer.address, head) == counted + 1
    assert [stage.free(f"person {n}") for n in range(len(units))] == list(units)


def test_an_extrinsic_that_a_block_does_not_hold_has_no_outcome_there(stage: Stage) -> None:
    stage.advance(3)

    assert stage.chain.outcome("0x" + "11" * 32, stage.chain.finalized()) is None


@pytest.mark.parametrize(
    ("units", "error"),
    [((499,), "BelowMinimum"), ((1_000_000, 499), "BelowMinimum"), ((1_000_000, 10**18), "FundsUnavailable")],
)
def test_a_failure_on_chain_pays_nobody_costs_the_fee_and_is_named(
    stage: Stage, units: tuple[int, ...], error: str
) -> None:
    tx = stage.sign(*units)
    stage.payer.broadcast(tx.raw)
    stage.advance(3)

    (outcome,) = stage.outcomes(tx)
    assert outcome.items == (False,) * len(units)
    assert outcome.fee_units is not None
    assert outcome.fee_units > 0
    assert error in outcome.error
    assert [stage.free(f"person {n}") for n in range(len(units))] == [0] * len(units)


def test_the_same_bytes_never_pay_twice(stage: Stage) -> None:
    tx = stage.sign(1_000_000)
    stage.payer.broadcast(tx.raw)
    stage.advance(3)

    with pytest.raises(Refused) as refused:
        stage.payer.broadcast(tx.raw)
    assert "outdated" in refused.value.why

    stage.advance(3)
    assert (len(stage.outcomes(tx)), stage.free("person 0")) == (1, 1_000_000)


def test_a_changed_byte_is_refused_in_the_nodes_words(stage: Stage) -> None:
    tx = stage.sign(1_000_000)

    with pytest.raises(Refused) as refused:
        stage.payer.broadcast(tx.raw[:50] + bytes([tx.raw[50] ^ 1]) + tx.raw[51:])
    assert "bad signature" in refused.value.why
    assert refused.value.moved == "no"


def test_a_transaction_that_came_too_late_is_dead(stage: Stage) -> None:
    tx = stage.sign(1_000_000, period=4)
    stage.advance(8)

    with pytest.raises(Refused):
        stage.payer.broadcast(tx.raw)
    stage.advance(3)
    assert stage.outcomes(tx) == []


def test_the_next_index_counts_the_pool_and_is_never_from_a_cache(stage: Stage) -> None:
    nonce = stage.chain.next_index(stage.payer.address)
    stage.misbehave(hold_pool=True)
    stage.payer.broadcast(stage.sign(1_000_000).raw)

    assert stage.chain.next_index(stage.payer.address) == nonce + 1
    assert stage.chain.next_index(stage.payer.address) == nonce + 1
    stage.misbehave(evict=True)
    assert stage.chain.next_index(stage.payer.address) == nonce


@pytest.mark.parametrize("fault", ["lose_request", "lose_reply"])
def test_a_lost_reply_is_unknown_and_the_chain_tells_afterwards(stage: Stage, fault: str) -> None:
    tx = stage.sign(1_000_000)
    stage.misbehave(**{fault: 1})

    with pytest.raises(OutcomeUnknown) as unknown:
        stage.payer.broadcast(tx.raw)
    assert unknown.value.moved == "unknown"

    stage.advance(3)
    assert len(stage.outcomes(tx)) == (0 if fault == "lose_request" else 1)


def test_while_the_node_is_down_every_question_is_unanswered(stage: Stage) -> None:
    head, tx, payer = stage.chain.finalized(), stage.sign(1_000_000), stage.payer.address
    stage.misbehave(down=True)
    # Not the limits: they stand in the runtime's metadata, which the SDK has fetched already.
    questions: list[Callable[[], object]] = [
        stage.chain.identity,
        stage.chain.finalized,
        lambda: stage.chain.block(head.number),
        lambda: stage.chain.balance(payer, head),
        lambda: stage.chain.next_index(payer),
        lambda: stage.chain.swaps_announced([payer], head),
        lambda: stage.chain.delegate(stage.hotkey, head),
        lambda: stage.chain.outcome(tx.tx_id, head),
        lambda: stage.chain.estimate_fee(payer, stage.pays(5)),
    ]

    for question in questions:
        with pytest.raises(ChainUnreachable) as unreachable:
            question()
        assert unreachable.value.moved == "no"
    with pytest.raises(OutcomeUnknown):
        stage.payer.broadcast(tx.raw)

    stage.misbehave(clear=True)
    assert stage.chain.finalized() == head


def test_a_block_without_its_events_has_no_outcome_that_anyone_may_guess(stage: Stage) -> None:
    tx = stage.sign(1_000_000)
    stage.payer.broadcast(tx.raw)
    stage.advance(3)
    stage.misbehave(no_events=True)

    with pytest.raises(ChainUnreachable):
        stage.outcomes(tx)


def test_state_that_is_gone_is_no_answer(stage: Stage) -> None:
    stage.advance(4)
    old = stage.chain.finalized()
    stage.advance(30)
    stage.misbehave(pruned=5)

    questions = (stage.chain.balance, stage.chain.delegate, lambda who, at: stage.chain.swaps_announced([who], at))
    for question in questions:
        with pytest.raises(ChainUnreachable):
            question(stage.hotkey, old)
    assert stage.chain.block(old.number).head == old


def test_a_node_of_another_chain_shows_by_its_genesis(stage: Stage) -> None:
    ours = stage.chain.identity().genesis_hash
    stage.misbehave(wrong_genesis=True)

    assert stage.chain.identity().genesis_hash != ours


@pytest.mark.parametrize(
    "kind", ["remark", "allow_death", "batch", "force_batch", "proxy", "mixed", "nested", "tip", "immortal"]
)
def test_bytes_that_hold_anything_but_payments_are_not_decoded(stage: Stage, kind: str) -> None:
    with pytest.raises(ValueError):
        stage.chain.decode(stage.sign_other(kind))


def test_bytes_that_are_no_transaction_are_not_decoded(stage: Stage) -> None:
    raw = stage.sign(1_000_000).raw

    for bad in (b"", b"\x00", raw[:-1], raw + b"\x00", raw[1:], raw[:2] + b"\x04" + raw[3:], bytes(200)):
        with pytest.raises(ValueError):
            stage.chain.decode(bad)


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        ("batch", (True, False, False)),
        ("force_batch", (True, False, True)),
        ("proxy", (False,)),
        ("proxies", (True, False, True)),
        ("mixed", (True, True)),
        ("allow_death", (True,)),
    ],
)
def test_success_outside_does_not_hide_failure_inside(stage: Stage, kind: str, items: tuple[bool, ...]) -> None:
    raw = stage.sign_other(kind)
    stage.payer.broadcast(raw)
    stage.advance(3)
    head = stage.chain.finalized()
    found = [
        stage.chain.outcome(tx_id, block.head)
        for block in map(stage.chain.block, range(head.number + 1))
        for tx_id in block.tx_ids[1:]
    ]

    (outcome,) = [outcome for outcome in found if outcome is not None]
    assert outcome.items == items
    assert bool(outcome.error) is not all(items)
