"""A transaction from elsewhere is read by what it moved, whatever call it used: what it paid is not paid again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.devnet.bittensor.conftest import key, run
from tests.payout_world import TAO, World, address, owed
from valtrac.core.errors import Refused
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.nonces import who_used

Call = tuple[str, str, dict[str, Any]]


def transfers(batch: Any, function: str, keep: slice = slice(None)) -> list[Call]:
    paid = [(line.address, line.amount) for line in batch.payout.lines][keep]
    return [("Balances", function, {"dest": to, "value": units}) for to, units in paid]


def send_by_hand(world: World, call: Call, *, period: int | None = 64) -> None:
    """Sign and send a call of any kind with the payout wallet's own key, past this program."""
    substrate = devnet.open_substrate(world.node)

    async def sent() -> None:
        module, function, args = call
        inner = args.get("calls")
        if inner is not None:
            args = {"calls": [await substrate.compose(item) for item in inner]}
        await substrate.submit(await substrate.compose((module, function, args)), key("//Owner"), period=period)
        await substrate.close()

    run(sent())
    devnet.advance(world.node, 3)


@pytest.fixture
def ready(world: World) -> Any:
    """A batch that is approved, on a wallet that this ledger answers for."""
    world.people().day()
    from valtrac.payments import wallets

    wallets.adopt(world.door(), world.app.wallet_address, accept_history=True)
    return world.approved()


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("batch_all", "transfer_keep_alive"),
        ("batch", "transfer_keep_alive"),
        ("force_batch", "transfer_allow_death"),
        ("batch", "transfer_allow_death"),
    ],
)
def test_a_batch_that_was_paid_by_hand_in_whatever_call_is_taken_over(
    world: World, ready: Any, outer: str, inner: str
) -> None:
    send_by_hand(world, ("Utility", outer, {"calls": transfers(ready, inner)}))
    assert world.received() == owed(ready)
    with pytest.raises(Refused, match="not in the journal"):
        world.send(ready)
    with pytest.raises(Refused, match="would pay them again"):
        foreign.rule(world.door(), world.app.wallet_address, "it was the rent")
    foreign.adopt(world.door(), world.app.wallet_address)
    assert world.send(ready).state == "settled"
    assert world.received() == owed(ready)


def test_one_payment_by_transfer_allow_death_is_taken_over_and_the_rest_is_paid(world: World, ready: Any) -> None:
    (call,) = transfers(ready, "transfer_allow_death", slice(1))
    send_by_hand(world, call)
    foreign.adopt(world.door(), world.app.wallet_address)
    assert world.send(ready).state == "settled"
    assert world.received() == owed(ready)


def test_a_batch_that_stopped_half_way_is_not_taken_over_and_names_whom_it_paid(world: World, ready: Any) -> None:
    calls = transfers(ready, "transfer_keep_alive", slice(2))
    calls.append(("Balances", "transfer_keep_alive", {"dest": address(5), "value": 10**9 * TAO}))
    send_by_hand(world, ("Utility", "batch", {"calls": calls}))
    with pytest.raises(Refused, match="not what an approved batch owes"):
        foreign.adopt(world.door(), world.app.wallet_address)
    with pytest.raises(Refused, match="2 addresses of your users"):
        foreign.rule(world.door(), world.app.wallet_address, "it was the rent")


def test_a_transaction_that_moved_nothing_is_ruled_on_in_words(world: World, ready: Any) -> None:
    send_by_hand(world, ("System", "remark", {"remark": "0x00"}))
    ruled = foreign.rule(world.door(), world.app.wallet_address, "a remark, by hand")
    assert ruled.payments == ()
    assert world.send(ready).state == "settled"


def test_what_cannot_be_read_may_have_paid_users_and_needs_more_than_words(
    world: World, ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_by_hand(world, ("System", "remark", {"remark": "0x00"}))
    monkeypatch.setattr(type(world.app.chain), "outcome", lambda *_: None)
    with pytest.raises(Refused, match="cannot be read"):
        foreign.rule(world.door(), world.app.wallet_address, "a remark, by hand")
    foreign.rule(world.door(), world.app.wallet_address, "a remark, by hand", pays_users=True)


def test_one_without_an_end_is_taken_over_like_any_other(world: World, ready: Any) -> None:
    send_by_hand(world, transfers(ready, "transfer_allow_death", slice(1))[0], period=None)
    with pytest.raises(Refused, match="would pay them again"):
        foreign.rule(world.door(), world.app.wallet_address, "it was the rent")
    foreign.adopt(world.door(), world.app.wallet_address)
    assert world.send(ready).state == "settled"
    assert world.received() == owed(ready)


@pytest.mark.parametrize("back", [1, 4, 100])
def test_a_transaction_is_found_though_the_block_from_which_on_it_was_looked_for_comes_after_it(
    world: World, ready: Any, back: int
) -> None:
    send_by_hand(world, transfers(ready, "transfer_keep_alive")[0])
    first = world.app.chain.finalized().number
    devnet.advance(world.node, back)
    chain, head = world.app.chain, world.app.chain.finalized()
    used = who_used(chain, world.app.wallet_address, 0, head.number - 1, head.number)
    assert used.tx_id in chain.block(used.head.number).tx_ids
    assert used.head.number <= first


class Liar:
    """A node that tells other movements, with no proof of them."""

    def __init__(self, node: Any, **told: Any) -> None:
        self._node, self._told = node, {"proven": False, **told}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def outcome(self, tx_id: str, at: Any) -> Any:
        outcome = self._node.outcome(tx_id, at)
        return None if outcome is None else replace(outcome, **self._told)


def test_what_one_node_tells_without_a_proof_and_the_other_does_not_may_have_paid_anybody(
    world: World, ready: Any
) -> None:
    send_by_hand(world, transfers(ready, "transfer_keep_alive")[0])
    honest, wallet = world.app.chain, world.app.wallet_address
    for told in ({"moved": ()}, {"items": (False,), "moved": ()}):
        lying = world.door(chain=Liar(honest, **told), witnesses=(honest,))
        assert foreign.find(lying, wallet).payments is None
        with pytest.raises(Refused, match="cannot be read"):
            foreign.rule(lying, wallet, "it paid nobody of mine")
    agreeing = world.door(chain=Liar(honest), witnesses=(honest,))
    assert foreign.find(agreeing, wallet).payments


def test_what_one_node_alone_tells_without_a_proof_has_to_be_in_the_balance(world: World, ready: Any) -> None:
    send_by_hand(world, transfers(ready, "transfer_keep_alive")[0])
    honest, wallet = world.app.chain, world.app.wallet_address
    assert foreign.find(world.door(chain=Liar(honest)), wallet).payments
    assert foreign.find(world.door(chain=Liar(honest, moved=())), wallet).payments is None
