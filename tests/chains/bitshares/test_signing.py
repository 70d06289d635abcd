"""What the custodian account signs: who is paid what, with which words, for which fee and by which keys."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chains.bitshares.chain_world import NOBODY, World
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares import keys as account_keys
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet import bitshares


def test_several_payments_with_memos_of_their_own_are_one_transaction(world: World) -> None:
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
    assert [world.chain.read_memo(one.memo) for one in found.transfers if one.memo is not None] == ["one", "zwei ü ✓"]
    outcome = world.chain.outcome(tx.tx_id, world.chain.block(found.number).head)
    assert outcome is not None
    assert (outcome.items, outcome.fee_units) == ((True,) * 3, estimate)
    assert world.got("custodian") == before - sum(one.units for one in pays) - estimate


@pytest.mark.parametrize("size", [1, 11, 12, 13, 27, 28, 200])
def test_a_fee_is_known_to_the_satoshi_whatever_the_memos_length(world: World, size: int) -> None:
    pays = (world.pay(memo="x" * size), world.pay("bob", 1, "é" * size))
    tx = world.sign(*pays)

    body = json.loads(tx.raw)
    assert world.chain.estimate_fee(world.payer.address, pays) == sum(
        op["fee"]["amount"] for _, op in body["operations"]
    )


def test_signing_sends_nothing(world: World) -> None:
    tx = world.sign()
    world.produce(4)

    assert (world.got(), world.settle(tx)) == (0, "unknown")


def test_a_transaction_is_born_at_the_last_irreversible_block_and_expires_by_the_chains_clock(world: World) -> None:
    world.produce(5)
    head = world.chain.finalized()
    tx = world.sign(period=60)

    assert (tx.birth_number, tx.birth_hash) == (head.number, head.hash)
    assert tx.valid_until - head.at.timestamp() == 60 + 2 * 3


def test_the_same_payment_signed_twice_are_two_transactions_even_without_a_memo_when_the_chain_moved(
    world: World,
) -> None:
    first = world.sign(world.pay(memo=""))
    world.produce(1)
    assert world.sign(world.pay(memo="")).tx_id != first.tx_id


def test_an_account_without_a_memo_key_is_paid_without_words_and_the_bytes_show_it(world: World) -> None:
    tx = world.sign(world.pay("mute", 9, "unheard"))

    assert world.chain.decode(tx.raw).payments == (Payment(world.ids["mute"], 9, ""),)
    assert (
        world.chain.estimate_fee(world.payer.address, (world.pay("mute", 9, "unheard"),))
        == json.loads(tx.raw)["operations"][0][1]["fee"]["amount"]
    )


def test_who_does_not_exist_is_not_paid(world: World) -> None:
    with pytest.raises(Refused, match=r"no account 1\.2\.999999"):
        world.sign(Payment(NOBODY, 5))


@pytest.mark.parametrize("period", [0, -1, 86_401])
def test_a_period_outside_a_day_is_not_signed(world: World, period: int) -> None:
    with pytest.raises(ValueError):
        world.sign(period=period)


def test_more_payments_than_the_limit_are_not_signed(world: World) -> None:
    most = world.chain.limits().max_payments
    with pytest.raises(ValueError):
        world.sign(*[world.pay("bob", n + 1, "") for n in range(most + 1)])
    tx = world.sign(*[world.pay("bob", n + 1, f"no {n}") for n in range(most)])
    world.payer.broadcast(tx.raw)
    world.produce(4)
    assert world.settle(tx) == "paid"


def test_the_bytes_can_be_sent_by_another_process_later(world: World, tmp_path: Path) -> None:
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


def test_what_no_money_covers_is_refused_in_the_nodes_words(world: World) -> None:
    tx = world.sign(world.pay(units=10**15))
    with pytest.raises(Refused) as refused:
        world.payer.broadcast(tx.raw)
    assert "nsufficient" in refused.value.why and refused.value.moved == "no"


def test_bytes_that_are_no_payment_never_leave(world: World) -> None:
    for raw in (b"", b"{}", world.sign().raw + b" "):
        with pytest.raises(Refused, match="no payment"):
            world.payer.broadcast(raw)


def test_keys_that_do_not_open_the_account_make_no_payer(world: World) -> None:
    with pytest.raises(Refused, match="do not open"):
        connect.payer(world.chain, "custodian", account_keys.dev_keys("alice"))
    with pytest.raises(Refused, match="memo key"):
        own = account_keys.dev_keys("custodian")
        connect.payer(world.chain, "custodian", account_keys.Keys(own.active, ()))
    with pytest.raises(BadInput):
        connect.payer(world.chain, "nobody", own)


def test_keys_that_are_not_needed_do_not_sign(world: World) -> None:
    keys = account_keys.dev_keys("custodian")
    both = account_keys.Keys((*account_keys.dev_keys("bob").active, *keys.memo, *keys.active), keys.memo)
    payer = connect.payer(world.chain, "custodian", both)
    tx = payer.sign((world.pay(),), nonce=0, period=60)

    assert len(json.loads(tx.raw)["signatures"]) == 1
    payer.broadcast(tx.raw)


def test_as_few_keys_sign_as_the_authority_needs_and_too_few_make_no_payer(world: World) -> None:
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


def test_a_node_that_asks_for_an_absurd_fee_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    call = world.chain.rpc.call

    def greedy(api: str, method: str, *args: Any) -> Any:
        return [{"amount": 10**8, "asset_id": "1.3.0"}] if method == "get_required_fees" else call(api, method, *args)

    monkeypatch.setattr(world.chain.rpc, "call", greedy)
    with pytest.raises(ChainUnreachable, match="cannot be trusted"):
        world.sign()
