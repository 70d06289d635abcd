"""Two copies of a program sign one and the same transaction for a payment with a mark, whatever their nodes say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.chains.bitshares import connect, slots
from valtrac.chains.bitshares.answers import NULL_KEY
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.core.chain import Mark, Payment, SignedTx
from valtrac.core.errors import NotYet, Refused, Unpayable
from valtrac.devnet import bitshares

S = slots.LENGTH_REHEARSAL_S
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Bench:
    def __init__(self, path: Path) -> None:
        self.path = path
        people = [bitshares.dev_account(name, satoshi=10**11) for name in ("custodian", "alice")]
        bitshares.seed(path, accounts=people, at=BEGAN, pace="manual")
        self.chain = self.opened()
        self.alice = self.chain.named(["alice"])["alice"].id
        self.asked = bitshares.dev_public("alice", "memo")

    def opened(self) -> connect.BitSharesChain:
        chain = connect.open_devnet(self.path, timeout_s=10)
        chain.keys = dev_keys("custodian")
        return chain

    def payment(self, chain: connect.BitSharesChain, number: int = 7, **mark: str | None) -> Payment:
        own = bitshares.dev_public("custodian", "memo")
        keys: dict[str, Any] = {"own_key": own, "memo_key": self.asked, **mark}
        made = Mark(number, chain.finalized(), **keys)
        return Payment(self.alice, 5_000, "for you", made)

    def sign(self, chain: connect.BitSharesChain | None = None, **mark: Any) -> SignedTx:
        chain = chain or self.chain
        payer = connect.payer(chain, "custodian", dev_keys("custodian"))
        return payer.sign((self.payment(chain, **mark),), nonce=0, period=60)

    def blocks_to(self, second: int) -> None:
        """Until the newest irreversible block is of so many seconds after the beginning."""
        while int((self.chain.finalized().at - BEGAN).total_seconds()) < second:
            bitshares.produce(self.path, 1)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "chain.sqlite")
    yield made
    made.chain.close()


def test_within_a_slot_it_is_the_same_transaction_however_the_chain_moved_on(bench: Bench) -> None:
    bench.blocks_to(2 * S + 3)
    first = bench.sign()
    ids = {first.tx_id}
    bench.blocks_to(2 * S + 30)
    bitshares.fork(bench.path, 2)
    other = bench.opened()
    second = bench.sign(other)
    ids.add(second.tx_id)
    other.close()
    assert len(ids) == 1 and first.raw.count(b"signatures") == 1
    body, again = json.loads(first.raw), json.loads(second.raw)
    assert {**body, "signatures": 0} == {**again, "signatures": 0}
    assert first.valid_until == BEGAN.timestamp() + 3 * S
    assert bench.chain.block(first.birth_number).head.at.timestamp() <= BEGAN.timestamp() + 2 * S
    assert bench.chain.block(first.birth_number + 1).head.at.timestamp() > BEGAN.timestamp() + 2 * S
    assert body["operations"][0][1]["memo"]["nonce"] == "7"

    payer = connect.payer(bench.chain, "custodian", dev_keys("custodian"))
    payer.broadcast(first.raw)
    with pytest.raises(Refused):  # a node takes one of them
        payer.broadcast(second.raw)
    bitshares.produce(bench.path, 5)
    assert bitshares.balances(bench.path)["alice"] == 10**11 + 5_000


def test_a_slot_is_not_used_before_a_block_after_its_beginning_is_irreversible(bench: Bench) -> None:
    bench.blocks_to(2 * S)  # irreversible is a block at the very beginning, and not after it
    began = slots.began(bench.chain.finalized().at, S)
    assert began == BEGAN.timestamp() + S
    with pytest.raises(NotYet):
        bench.sign()
    bench.blocks_to(2 * S + 3)
    assert bench.sign().valid_until == BEGAN.timestamp() + 3 * S


def test_near_the_end_of_a_slot_nothing_is_signed(bench: Bench) -> None:
    bench.blocks_to(3 * S - 9)
    with pytest.raises(NotYet, match="s left"):
        bench.sign()


def test_the_keys_of_the_account_are_not_asked_and_neither_is_the_fee(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.blocks_to(2 * S + 3)
    first = bench.sign()
    import sqlite3

    with sqlite3.connect(bench.path) as db:  # alice has another memo key now
        db.execute("UPDATE accounts SET memo = ? WHERE name = 'alice'", (bitshares.dev_public("other", "memo"),))
    assert bench.sign().tx_id == first.tx_id
    call = bench.chain.rpc.call
    for fee, fine in ((1, True), (100_000, True), (10**7, False)):
        told = [{"amount": fee, "asset_id": "1.3.0"}]
        monkeypatch.setattr(
            bench.chain.rpc,
            "call",
            lambda api, m, *a, told=told: told if m == "get_required_fees" else call(api, m, *a),
        )
        if fine:
            assert bench.sign().tx_id == first.tx_id
        else:
            with pytest.raises(Refused, match="pays"):
                bench.sign()


def test_a_fee_is_known_before_and_enough(bench: Bench) -> None:
    bench.blocks_to(2 * S + 3)
    for words in ("x", "x" * 300, "\u00fc" * 200):
        payment = replace(bench.payment(bench.chain, number=9), memo=words)
        payer = connect.payer(bench.chain, "custodian", dev_keys("custodian"))
        tx = payer.sign((payment,), nonce=0, period=60)
        fee = json.loads(tx.raw)["operations"][0][1]["fee"]["amount"]
        assert fee == bench.chain.estimate_fee(payer.address, (payment,))
        assert bench.chain.decode(tx.raw).payments == (payment,)
        payer.broadcast(tx.raw)
        bitshares.produce(bench.path, 1)
        assert bitshares.status(bench.path)["pool"] == 0


def test_another_payment_of_the_same_is_another_transaction_and_without_a_key_its_words_are_in_the_open(
    bench: Bench,
) -> None:
    bench.blocks_to(2 * S + 3)
    ids = {bench.sign(number=number, memo_key=key).tx_id for number in (7, 8) for key in (bench.asked, "", NULL_KEY)}
    assert len(ids) == 4
    tx = bench.sign(memo_key="")
    bench.chain.keys = None
    assert bench.chain.decode(tx.raw).payments[0].memo == "for you"


def test_where_words_are_a_must_and_cannot_be_sealed_nothing_is_signed(bench: Bench) -> None:
    import sqlite3

    bench.blocks_to(2 * S + 3)
    assert bench.sign(memo_key=None).tx_id == bench.sign().tx_id
    with sqlite3.connect(bench.path) as db:
        db.execute("UPDATE accounts SET memo = ? WHERE name = 'alice'", (NULL_KEY,))
    with pytest.raises(Unpayable, match="would be lost"):
        bench.sign(memo_key=None)


def test_a_payment_with_a_mark_is_signed_alone(bench: Bench) -> None:
    payer = connect.payer(bench.chain, "custodian", dev_keys("custodian"))
    one = bench.payment(bench.chain)
    assert one.mark is not None
    for payments in ((one, one), (one, Payment(bench.alice, 1)), (replace(one, mark=replace(one.mark, number=0)),)):
        with pytest.raises(ValueError):
            payer.sign(payments, nonce=0, period=60)


def test_the_real_chain_has_longer_slots_than_the_rehearsal_and_both_are_whole_blocks() -> None:
    assert (slots.length_of("devnet"), slots.length_of("mainnet")) == (60, 600)
    assert all(slots.length_of(name) % slots.BLOCK_S == 0 for name in ("devnet", "mainnet"))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=80), st.integers(0, 4_000), st.integers(1, 5))
def test_the_last_block_that_is_not_after_a_moment_is_found(gaps: list[int], moment: int, first: int) -> None:
    times, at = {}, 0
    for number, gap in enumerate(gaps, first):
        at += 3 * gap
        times[number] = at
    newest = max(times)
    before = [number for number, when in times.items() if when <= moment]
    if times[newest] <= moment:
        return
    assert slots.last_before(moment, newest, times.get) == (max(before) if before else first)


@given(st.integers(1, 10**9))
def test_the_slot_of_a_block_began_before_it_and_is_the_newest_that_did(second: int) -> None:
    began = slots.began(datetime.fromtimestamp(0, UTC) + timedelta(seconds=second), S)
    assert began % S == 0 and began < second <= began + S
