"""The BitShares adapter on the rehearsal node: as much of the contract as holds there, and what only this chain has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.chains.contract import (  # noqa: F401 - these tests of the contract run here
    Stage,
    test_a_block_that_is_not_there_is_no_answer,
    test_a_lost_reply_is_unknown_and_the_chain_tells_afterwards,
    test_a_node_of_another_chain_shows_by_its_genesis,
    test_an_account_that_does_not_exist_has_nothing,
    test_an_extrinsic_that_a_block_does_not_hold_has_no_outcome_there,
    test_bytes_that_are_no_transaction_are_not_decoded,
    test_nothing_and_zero_are_not_signed,
    test_the_secret_does_not_show_in_a_signed_transaction,
    test_what_is_no_address_is_not_asked_for,
)
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares import keys as account_keys
from valtrac.chains.bitshares.rpc import Rpc
from valtrac.core.chain import Head, Identity, Named, Payment, SealedMemo, SignedTx
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.devnet import bitshares
from valtrac.ports import CustodianChain, NoKey, Payer, Unreadable

NULL_KEY = "BTS1111111111111111111111111111111114T1Anm"
NOBODY = "1.2.999999"


@dataclass
class World:
    """A rehearsal chain with a custodian who holds 1,000,000 BTS, alice, bob, and mute, who cannot get memos."""

    path: Path
    chain: connect.BitSharesChain
    payer: connect.BitSharesPayer
    ids: dict[str, str]

    def produce(self, blocks: int = 1, **how: int) -> None:
        bitshares.produce(self.path, blocks, **how)

    def sign(self, *pays: Payment, period: int = 60) -> SignedTx:
        return self.payer.sign(pays or (self.pay(),), nonce=0, period=period)

    def pay(self, name: str = "alice", units: int = 500_000, memo: str = "hi") -> Payment:
        return Payment(self.ids[name], units, memo)

    def got(self, name: str = "alice") -> int:
        return bitshares.balances(self.path).get(name, 0)

    def settle(self, tx: SignedTx) -> str:
        """What the door finds out: paid, dead or unknown, from irreversible blocks alone."""
        number, last = tx.birth_number, self.chain.finalized().number
        while number < last and not self.chain.over(tx.valid_until, number):
            view = self.chain.block(number + 1)
            if tx.tx_id in view.tx_ids:
                outcome = self.chain.outcome(tx.tx_id, view.head)
                assert outcome is not None
                return "paid" if outcome.ok else "failed"
            number += 1
        return "dead" if self.chain.over(tx.valid_until, number) else "unknown"

    def fails_to_send(self, tx: SignedTx) -> type[Exception]:
        with pytest.raises((OutcomeUnknown, Refused)) as caught:
            self.payer.broadcast(tx.raw)
        return caught.type


def seeded(path: Path, **how: int) -> Path:
    people = [
        bitshares.dev_account("custodian", lifetime=True, satoshi=10**11),
        bitshares.dev_account("alice"),
        bitshares.dev_account("bob", satoshi=10**10),
    ]
    mute = replace(bitshares.dev_account("mute"), memo=NULL_KEY)
    bitshares.seed(path, accounts=[*people, mute], pace="manual", **how)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return seeded(tmp_path / "chain.sqlite")


@pytest.fixture
def world(path: Path) -> Iterator[World]:
    chain = connect.open_devnet(path, timeout_s=30)
    names = chain.named(["custodian", "alice", "bob", "mute"])
    chain.keys = account_keys.dev_keys("custodian")
    yield World(
        path, chain, connect.payer(chain, "custodian", chain.keys), {name: one.id for name, one in names.items()}
    )
    chain.close()


@pytest.fixture
def stage(world: World) -> Stage:
    people = {f"person {n}": world.ids[name] for n, name in enumerate(("alice", "bob", "mute"))}

    def address(name: str) -> str:
        return NOBODY if name == "nobody" else people.get(name, world.ids["alice"])

    def misbehave(**faults: object) -> None:
        known = {"wrong_genesis": "wrong_chain_id"}
        bitshares.misbehave(world.path, **{known.get(name, name): value for name, value in faults.items()})

    nothing = SimpleNamespace(announce=None)
    return Stage(
        world.chain, world.payer, NOBODY, world.produce, address, misbehave, lambda kind: b"", lambda *_: nothing
    )


def test_it_is_a_custody_and_a_payer(world):
    chain: CustodianChain = world.chain
    payer: Payer = world.payer

    assert payer.address == world.ids["custodian"]
    assert not any(hasattr(chain, name) for name in ("nonce", "next_index", "signer", "delegate", "swaps_announced"))


def test_the_chain_is_known_by_its_chain_id(world):
    identity = world.chain.identity()

    assert identity == Identity("devnet", identity.genesis_hash, 0)
    assert len(bytes.fromhex(identity.genesis_hash)) == 32


def test_irreversible_blocks_are_linked_and_dated_in_utc(world):
    world.produce(7)
    head = world.chain.finalized()
    blocks = [world.chain.block(number) for number in range(1, head.number + 1)]

    assert blocks[-1].head == head
    assert head.number == bitshares.status(world.path)["lib"]
    for old, new in pairwise(blocks):
        assert (new.head.number, new.head.parent_hash) == (old.head.number + 1, old.head.hash)
        assert new.head.at > old.head.at and new.head.at.tzinfo is UTC


def test_the_head_block_is_known_by_the_id_that_the_node_tells(world):
    world.produce(3)
    number = world.chain.finalized().number + 2

    before = world.chain.block(number).head
    world.produce(1)
    assert world.chain.block(number).head == before


# The seven stories


def test_what_is_sent_is_paid_once_it_is_irreversible(world):
    tx = world.sign()
    world.payer.broadcast(tx.raw)
    world.produce(1)
    assert world.settle(tx) == "unknown"
    world.produce(3)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_crash_before_the_broadcast_loses_nothing(world):
    tx = world.sign()
    assert world.settle(tx) == "unknown"
    world.payer.broadcast(tx.raw)
    world.produce(4)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_lost_reply_and_the_same_bytes_again_pay_once(world):
    tx = world.sign()
    bitshares.misbehave(world.path, lose_reply=1)

    assert world.fails_to_send(tx) is OutcomeUnknown
    assert world.fails_to_send(tx) is Refused
    world.produce(4)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_what_expired_is_dead_and_may_be_signed_anew(world):
    tx = world.sign(period=30)
    world.produce(11)
    assert world.settle(tx) == "unknown"  # the head is past it, but no irreversible block is
    world.produce(4)
    assert world.settle(tx) == "dead"
    assert world.fails_to_send(tx) is Refused

    again = world.sign()
    assert again.tx_id != tx.tx_id
    world.payer.broadcast(again.raw)
    world.produce(4)
    assert (world.settle(again), world.got()) == ("paid", 500_000)


def test_a_block_one_interval_after_the_expiration_may_still_hold_it(world):
    tx = world.sign(period=3)
    world.produce(1)
    world.payer.broadcast(tx.raw)
    world.produce(5)

    (where,) = [
        view.head
        for view in map(world.chain.block, range(1, world.chain.finalized().number + 1))
        if tx.tx_id in view.tx_ids
    ]
    assert where.at.timestamp() - tx.valid_until == 3
    assert not world.chain.over(tx.valid_until, where.number - 1)
    assert world.chain.over(tx.valid_until, where.number)
    assert world.settle(tx) == "paid"


@pytest.mark.parametrize("keep", [True, False])
def test_a_fork_takes_the_block_away_and_the_same_bytes_pay_once(world, keep):
    tx = world.sign()
    world.payer.broadcast(tx.raw)
    world.produce(2)
    head = next(view.head for view in map(world.chain.block, (2, 3, 4, 5)) if tx.tx_id in view.tx_ids)
    bitshares.fork(world.path, 2, keep=keep)

    assert world.settle(tx) == "unknown"
    with pytest.raises(ChainUnreachable):
        world.chain.outcome(tx.tx_id, head)
    if keep:
        assert world.fails_to_send(tx) is Refused
    else:
        world.payer.broadcast(tx.raw)
    world.produce(5)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_a_block_that_may_still_be_undone_ends_nothing(world):
    tx = world.sign(period=3)
    last = world.chain.finalized().number
    world.produce(2)

    assert not world.chain.over(tx.valid_until - 600, last + 4)
    assert world.chain.over(tx.valid_until - 600, last)


# Signing


def test_several_payments_with_memos_of_their_own_are_one_transaction(world):
    pays = (world.pay(memo="one"), world.pay("bob", 7, ""), world.pay("alice", 5_000_000_000, "zwei ü ✓"))
    estimate, before = world.chain.estimate_fee(world.payer.address, pays), world.got("custodian")
    tx = world.sign(*pays)
    decoded = world.chain.decode(tx.raw)

    assert (decoded.payments, decoded.tx_id, decoded.signer) == (pays, tx.tx_id, world.payer.address)
    assert (decoded.expires, decoded.nonce, decoded.all_or_nothing) == (tx.valid_until, 0, True)
    world.payer.broadcast(tx.raw)
    world.produce(4)
    head = world.chain.finalized()
    (found,) = [b for b in world.chain.transfers(1, head.number, world.ids["alice"]) if b.transfers]
    assert [one.tx_id for one in found.transfers] == [tx.tx_id] * 2
    assert [one.units for one in found.transfers] == [500_000, 5_000_000_000]  # the second one comes as text
    assert [world.chain.read_memo(one.memo) for one in found.transfers] == ["one", "zwei ü ✓"]
    outcome = world.chain.outcome(tx.tx_id, world.chain.block(found.number).head)
    assert (outcome.items, outcome.fee_units) == ((True,) * 3, estimate)
    assert world.got("custodian") == before - sum(one.units for one in pays) - estimate


@pytest.mark.parametrize("size", [1, 11, 12, 13, 27, 28, 200])
def test_a_fee_is_known_to_the_satoshi_whatever_the_memos_length(world, size):
    pays = (world.pay(memo="x" * size), world.pay("bob", 1, "é" * size))
    tx = world.sign(*pays)

    body = json.loads(tx.raw)
    assert world.chain.estimate_fee(world.payer.address, pays) == sum(
        op["fee"]["amount"] for _, op in body["operations"]
    )


def test_signing_sends_nothing(world):
    tx = world.sign()
    world.produce(4)

    assert (world.got(), world.settle(tx)) == (0, "unknown")


def test_a_transaction_is_born_at_the_last_irreversible_block_and_expires_by_the_chains_clock(world):
    world.produce(5)
    head = world.chain.finalized()
    tx = world.sign(period=60)

    assert (tx.birth_number, tx.birth_hash) == (head.number, head.hash)
    assert tx.valid_until - head.at.timestamp() == 60 + 2 * 3


def test_the_same_payment_signed_twice_are_two_transactions_even_without_a_memo_when_the_chain_moved(world):
    first = world.sign(world.pay(memo=""))
    world.produce(1)
    assert world.sign(world.pay(memo="")).tx_id != first.tx_id


def test_an_account_without_a_memo_key_is_paid_without_words_and_the_bytes_show_it(world):
    tx = world.sign(world.pay("mute", 9, "unheard"))

    assert world.chain.decode(tx.raw).payments == (Payment(world.ids["mute"], 9, ""),)
    assert (
        world.chain.estimate_fee(world.payer.address, (world.pay("mute", 9, "unheard"),))
        == json.loads(tx.raw)["operations"][0][1]["fee"]["amount"]
    )


def test_who_does_not_exist_is_not_paid(world):
    with pytest.raises(Refused, match=r"no account 1\.2\.999999"):
        world.sign(Payment(NOBODY, 5))


@pytest.mark.parametrize("period", [0, -1, 86_401])
def test_a_period_outside_a_day_is_not_signed(world, period):
    with pytest.raises(ValueError):
        world.sign(period=period)


def test_more_payments_than_the_limit_are_not_signed(world):
    most = world.chain.limits().max_payments
    with pytest.raises(ValueError):
        world.sign(*[world.pay("bob", n + 1, "") for n in range(most + 1)])
    tx = world.sign(*[world.pay("bob", n + 1, f"no {n}") for n in range(most)])
    world.payer.broadcast(tx.raw)
    world.produce(4)
    assert world.settle(tx) == "paid"


def test_the_bytes_can_be_sent_by_another_process_later(world, tmp_path):
    tx = world.sign()
    (tmp_path / "raw").write_bytes(tx.raw)
    program = f"""
from pathlib import Path
from valtrac.chains.bitshares import connect, keys
chain = connect.open_devnet(Path({str(world.path)!r}), timeout_s=5)
connect.BitSharesPayer(chain, {world.payer.address!r}, keys.Keys((), ())).broadcast(
    Path({str(tmp_path / "raw")!r}).read_bytes())
chain.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    world.produce(4)
    assert (world.settle(tx), world.got()) == ("paid", 500_000)


def test_what_no_money_covers_is_refused_in_the_nodes_words(world):
    tx = world.sign(world.pay(units=10**15))
    with pytest.raises(Refused) as refused:
        world.payer.broadcast(tx.raw)
    assert "nsufficient" in refused.value.why and refused.value.moved == "no"


def test_bytes_that_are_no_payment_never_leave(world):
    for raw in (b"", b"{}", world.sign().raw + b" "):
        with pytest.raises(Refused, match="no payment"):
            world.payer.broadcast(raw)


def test_keys_that_do_not_open_the_account_make_no_payer(world):
    with pytest.raises(Refused, match="do not open"):
        connect.payer(world.chain, "custodian", account_keys.dev_keys("alice"))
    with pytest.raises(Refused, match="memo key"):
        own = account_keys.dev_keys("custodian")
        connect.payer(world.chain, "custodian", account_keys.Keys(own.active, ()))
    with pytest.raises(BadInput):
        connect.payer(world.chain, "nobody", own)


def test_keys_that_are_not_needed_do_not_sign(world):
    keys = account_keys.dev_keys("custodian")
    both = account_keys.Keys((*account_keys.dev_keys("bob").active, *keys.memo, *keys.active), keys.memo)
    payer = connect.payer(world.chain, "custodian", both)
    tx = payer.sign((world.pay(),), nonce=0, period=60)

    assert len(json.loads(tx.raw)["signatures"]) == 1
    payer.broadcast(tx.raw)


def test_as_few_keys_sign_as_the_authority_needs_and_too_few_make_no_payer(world):
    names = ("bob", "mute", "custodian")
    active = {bitshares.dev_public(name): 1 for name in names}
    bitshares.reauthorize(world.path, "custodian", key_weights=active, threshold=2)
    memo = account_keys.dev_keys("custodian").memo
    wifs = tuple(bitshares.dev_wif(name) for name in names)

    with pytest.raises(Refused, match="do not open"):
        connect.payer(world.chain, "custodian", account_keys.Keys(wifs[:1], memo))
    with pytest.raises(Refused, match="any more"):
        world.sign()  # unlocked before its keys were changed
    payer = connect.payer(world.chain, "custodian", account_keys.Keys(wifs, memo))
    tx = payer.sign((world.pay(),), nonce=0, period=60)
    assert len(json.loads(tx.raw)["signatures"]) == 2
    payer.broadcast(tx.raw)
    world.produce(4)
    assert world.settle(tx) == "paid"


def test_a_node_that_asks_for_an_absurd_fee_is_not_believed(world, monkeypatch):
    call = world.chain.rpc.call

    def greedy(api, method, *args):
        return [{"amount": 10**8, "asset_id": "1.3.0"}] if method == "get_required_fees" else call(api, method, *args)

    monkeypatch.setattr(world.chain.rpc, "call", greedy)
    with pytest.raises(ChainUnreachable, match="cannot be trusted"):
        world.sign()


# Names, memos, transfers


def test_accounts_are_found_by_name_and_by_id(world):
    custodian = Named(world.ids["custodian"], "custodian", True)

    assert world.chain.named(["custodian", "nobody"]) == {"custodian": custodian}
    assert world.chain.accounts([custodian.id, NOBODY]) == {custodian.id: custodian}
    assert world.chain.named(["alice"])["alice"].lifetime is False
    with pytest.raises(ValueError):
        world.chain.accounts(["alice"])


def test_transfers_tell_every_block_once_and_only_what_touches_the_account(world):
    bitshares.transfer(world.path, "bob", "custodian", 2_500_000_000, "three_months")
    bitshares.transfer(world.path, "bob", "alice", 5, "not ours")
    world.produce(1)
    bitshares.foreign(world.path, "bob", "custodian", 11)
    world.produce(4)
    last = world.chain.finalized().number
    blocks = list(world.chain.transfers(1, last, world.ids["custodian"]))

    assert [block.number for block in blocks] == list(range(1, last + 1))
    found = [one for block in blocks for one in block.transfers]
    assert [(one.sender, one.units, one.op, bool(one.tx_id)) for one in found] == [
        (world.ids["bob"], 2_500_000_000, 0, True),
        (world.ids["bob"], 11, 1, False),
    ]
    assert (world.chain.read_memo(found[0].memo), found[1].memo) == ("three_months", None)
    for block, after in pairwise(blocks):
        assert after.previous == world.chain.block(block.number).head.hash


def test_a_block_that_is_missing_ends_the_stream(world):
    blocks = world.chain.transfers(1, 1_000, world.ids["alice"])
    with pytest.raises(ChainUnreachable):
        list(blocks)


def test_blocks_that_do_not_follow_are_not_believed(world, monkeypatch):
    world.produce(5)
    good = list(world.chain.rpc.stream("get_block", [(n,) for n in (1, 2, 3)]))
    other = "0000000999" + "0" * 30
    for bad in (
        {**good[1], "previous": other},
        {**good[1], "timestamp": "2001-01-01T00:00:00"},
        {**good[1], "timestamp": "soon"},
        {**good[1], "transactions": [{"operations": [[0, {"from": 5}]]}]},
        {**good[1], "transactions": 7},
        None,
        [],
    ):
        monkeypatch.setattr(world.chain.rpc, "stream", lambda *_, bad=bad: (one for one in (good[0], bad, good[2])))
        with pytest.raises(ChainUnreachable):
            list(world.chain.transfers(1, 3, world.ids["alice"]))


def test_other_questions_may_be_asked_between_two_blocks(world):
    world.produce(300)
    last = world.chain.finalized().number
    seen = []
    for block in world.chain.transfers(1, last, world.ids["alice"]):
        seen.append(block.number)
        if block.number % 50 == 0:
            assert world.chain.named(["bob"])["bob"].name == "bob"
    assert seen == list(range(1, last + 1))


def test_memos_that_cannot_be_read_say_why(world):
    bitshares.transfer(world.path, "bob", "custodian", 5, "three_months")
    world.produce(4)
    last = world.chain.finalized().number
    (transfer,) = [one for b in world.chain.transfers(1, last, world.payer.address) for one in b.transfers]
    memo, alice = transfer.memo, bitshares.dev_public("alice", "memo")

    assert world.chain.read_memo(memo) == "three_months"
    own = replace(memo, sender_key=memo.receiver_key, receiver_key=memo.sender_key)
    assert world.chain.read_memo(own) == "three_months"  # written by us: the same secret from the other side
    for change in (
        {"nonce": "1"},
        {"nonce": ""},
        {"nonce": "-4"},
        {"nonce": "9" * 30},
        {"message": "00"},
        {"message": "zz"},
        {"message": ""},
        {"message": "00" * 16},
        {"message": "é"},
        {"sender_key": "BTS1"},
        {"sender_key": ""},
        {"sender_key": NULL_KEY},
    ):
        with pytest.raises(Unreadable):
            world.chain.read_memo(replace(memo, **change))
    for foreign in (replace(memo, receiver_key=alice, sender_key=alice), SealedMemo("", "", "", "")):
        with pytest.raises(NoKey):
            world.chain.read_memo(foreign)
    world.chain.keys = None
    with pytest.raises(NoKey):
        world.chain.read_memo(memo)


def test_while_locked_payments_are_read_back_without_words(world):
    tx = world.sign()
    world.chain.keys = None

    assert world.chain.decode(tx.raw).payments == (world.pay(memo=""),)


# Nodes that fail


def questions(world: World) -> list:
    head, tx = world.chain.finalized(), world.sign()
    chain, payer = world.chain, world.payer.address
    return [
        chain.identity,
        chain.finalized,
        lambda: chain.block(head.number),
        lambda: chain.balance(payer, head),
        lambda: chain.outcome(tx.tx_id, head),
        lambda: chain.estimate_fee(payer, (world.pay(),)),
        lambda: chain.named(["alice"]),
        lambda: chain.accounts([payer]),
        lambda: list(chain.transfers(1, head.number, payer)),
        lambda: chain.over(0, 10**6),
        world.sign,
        lambda: connect.payer(chain, "alice", account_keys.dev_keys("alice")),
    ]


@pytest.mark.parametrize("fault", ["down", "garbage", "error"])
def test_a_node_in_trouble_gives_no_answer_and_no_other_error(world, fault):
    asked, tx = questions(world), world.sign()
    bitshares.misbehave(world.path, **{fault: True})

    for question in asked:
        with pytest.raises(ChainUnreachable) as unreachable:
            question()
        assert unreachable.value.moved == "no"
    with pytest.raises(OutcomeUnknown):
        world.payer.broadcast(tx.raw)
    bitshares.clear(world.path)
    assert isinstance(world.chain.finalized(), Head)


def test_a_node_that_never_answers_does_not_hang(path):
    chain = connect.open_devnet(path, timeout_s=30)
    payer = connect.payer(chain, "custodian", account_keys.dev_keys("custodian"))
    alice = chain.named(["alice"])["alice"].id
    tx = payer.sign((Payment(alice, 5),), nonce=0, period=60)

    bitshares.misbehave(path, hang={"get_block_header": 1, "broadcast_transaction": 1})
    chain.rpc.timeout_s = 0.5
    with pytest.raises(ChainUnreachable, match=r"0\.5 s"):
        chain.finalized()
    with pytest.raises(OutcomeUnknown, match="reply was lost"):
        payer.broadcast(tx.raw)
    bitshares.produce(path, 4)
    assert bitshares.balances(path)["alice"] == 5
    chain.close()


def test_a_reply_to_another_question_is_passed_over(world):
    bitshares.misbehave(world.path, wrong_id=3)

    assert world.chain.identity().genesis_hash
    assert world.chain.finalized() == world.chain.finalized()


@pytest.mark.parametrize("answer", [None, 5, "x", [], {}, [None], [[]], {"chain_id": 7}, [{"amount": -1}], True, 1.5])
def test_whatever_shape_an_answer_has_only_one_error_comes_out(world, monkeypatch, answer):
    asked = [question for question in questions(world)[:-2] if question]
    monkeypatch.setattr(world.chain.rpc, "call", lambda *_: answer)
    monkeypatch.setattr(world.chain.rpc, "stream", lambda *_: (answer for _ in range(9)))

    for question in asked:
        try:
            question()
        except (ChainUnreachable, Refused):
            continue
        assert answer in (None, [None], []), question  # "there is no such account" is an answer


def test_a_network_called_mainnet_must_be_the_real_one(path):
    server = bitshares.serve(path)
    chain = connect.open_node([server.url], network="mainnet", timeout_s=5)
    with pytest.raises(ChainUnreachable) as other:
        chain.identity()
    assert "another chain" in other.value.why
    chain.close()
    server.close()


@pytest.fixture
def other_prefix(path: Path) -> Iterator[connect.BitSharesChain]:
    """A node as of the public test chain, whose keys begin with TEST."""
    with bitshares.serve(path, key_prefix="TEST") as server:
        chain = connect.open_node([server.url], network="testnet", timeout_s=10, key_prefix="TEST")
        yield chain
        chain.close()


def test_on_a_chain_with_another_key_prefix_payments_and_memos_are_the_same(other_prefix, path):
    keys = account_keys.dev_keys("custodian")
    payer, alice = connect.payer(other_prefix, "custodian", keys), other_prefix.named(["alice"])["alice"]
    signed = payer.sign((Payment(alice.id, 500_000, "hello"), Payment(alice.id, 1, "")), nonce=0, period=60)
    assert b'"BTS' in signed.raw and b'"TEST' not in signed.raw  # what is journaled is the same on every chain
    payer.broadcast(signed.raw)
    bitshares.produce(path, 5)

    last = other_prefix.finalized().number
    (found, small) = [one for block in other_prefix.transfers(1, last, alice.id) for one in block.transfers]
    assert (found.units, small.units, found.tx_id) == (500_000, 1, signed.tx_id)
    assert found.memo.receiver_key.startswith("BTS")
    other_prefix.keys = keys
    assert other_prefix.read_memo(found.memo) == "hello"
    mute = other_prefix.named(["mute"])["mute"]
    assert other_prefix.estimate_fee(payer.address, (Payment(mute.id, 5, "no memo for the null key"),)) > 0


def test_a_wrong_key_prefix_opens_nothing_and_is_none_on_the_real_chain(path):
    with bitshares.serve(path, key_prefix="TEST") as server:
        chain = connect.open_node([server.url], network="testnet", timeout_s=10)
        with pytest.raises(Refused, match="do not begin with BTS"):
            connect.payer(chain, "custodian", account_keys.dev_keys("custodian"))
        chain.close()
        with pytest.raises(BadInput, match="begin with BTS"):
            connect.open_node([server.url], network="mainnet", timeout_s=10, key_prefix="TEST")


def test_a_second_node_of_another_chain_is_never_used(path, tmp_path):
    ours, theirs = bitshares.serve(path), None
    other = tmp_path / "other.sqlite"
    bitshares.seed(other, name="other", accounts=[bitshares.dev_account("alice")], pace="manual")
    theirs = bitshares.serve(other)
    chain = connect.open_node([ours.url, theirs.url], network="test", timeout_s=5)
    first = chain.identity().genesis_hash
    ours.close()

    with pytest.raises(ChainUnreachable) as wrong:
        chain.identity()
    assert "another chain" in wrong.value.why
    assert len(first) == 64
    chain.close()
    theirs.close()


def test_only_websockets_are_nodes():
    for urls in ([], ["http://example.org"], ["ws://ok", "example.org"]):
        with pytest.raises(BadInput):
            connect.open_node(urls, network="x", timeout_s=1)


def test_after_closing_nothing_is_answered_and_closing_again_is_no_error(world):
    world.chain.identity()
    world.chain.close()
    world.chain.close()

    assert world.chain.keys is None
    with pytest.raises(ChainUnreachable):
        world.chain.identity()


def test_importing_the_adapter_loads_no_library():
    program = (
        "import sys, valtrac.chains.bitshares; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('bitshares', 'bitsharesbase', 'graphenebase', 'websocket', 'websockets', 'ecdsa')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_what_is_read_is_nearly_as_fast_as_the_bare_stream(path):
    """Printed with -s: blocks per second, bare and with everything checked. Not a gate: machines differ."""
    from time import perf_counter

    bitshares.produce(path, 1_000)
    server = bitshares.serve(path)
    chain = connect.open_node([server.url], network="x", timeout_s=20)
    last = chain.finalized().number
    rates = []
    for read in (
        lambda: chain.rpc.stream("get_block", ((n,) for n in range(1, last + 1))),
        lambda: chain.transfers(1, last, "1.2.6"),
    ):
        start = perf_counter()
        count = sum(1 for _ in read())
        rates.append(count / (perf_counter() - start))
    print(f"bare {rates[0]:.0f}/s, checked {rates[1]:.0f}/s")
    assert rates[1] > rates[0] / 4
    assert isinstance(chain.rpc, Rpc)
    chain.close()
    server.close()
