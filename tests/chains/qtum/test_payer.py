"""The wallet in a node as a payer: what a node that cheats, loses or forgets makes of a payment, and what never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.once import Died, Meddling
from tests.pool_world import COIN, World
from tests.qtum_within import within
from valtrac.chains.qtum.payer import QtumPayer
from valtrac.core.chain import Payment
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, Unpayable, ValtracError
from valtrac.devnet import qtum
from valtrac.devnet.qtum import state
from valtrac.payments import checks, rivals
from valtrac.pool import payday
from valtrac.pool.audit import audit

PAID = 4 * COIN * 88 // 100


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    with within():
        yield


@pytest.fixture
def due(world: World) -> World:
    """A payday that is due, of one reward."""
    world.look()
    world.win()
    world.midnight()
    world.unlock()
    world.look()
    return world


def payer_of(world: World) -> QtumPayer:
    world.unlock()
    return world.app.payer()


def payments(world: World) -> tuple[Payment, ...]:
    return (Payment(world.address("ann"), 3 * COIN), Payment(world.address("bob"), COIN))


def resting(world: World) -> bool:
    """Whether the wallet is open for staking alone."""
    db = state.connect(world.folder)
    until, only = db.execute("SELECT until, staking_only FROM wallets").fetchone()
    return until > state.now(db) and bool(only)


def locks(world: World) -> int:
    return int(state.connect(world.folder).execute("SELECT COUNT(*) FROM locks").fetchone()[0])


@pytest.mark.parametrize("where", ["fundrawtransaction", "signrawtransactionwithwallet"])
def test_a_payee_that_the_node_swaps_is_seen_before_anything_is_written_down(due: World, where: str) -> None:
    due.misbehave(swap_payee={where: 1})
    signed = payer_of(due).sign(payments(due), nonce=0, period=1)
    with pytest.raises(Refused):
        checks.compare(due.pool.chain, signed, payments(due), due.pool.staker, 0)
    due.misbehave(swap_payee={where: 20})
    assert due.pay().words
    qtum.clear(due.folder)
    assert due.attempts() == [] and due.received() == {}
    due.pay()
    assert sum(due.received().values()) == PAID


def test_change_that_would_be_burnt_as_a_fee_is_refused_and_its_coins_let_go(due: World) -> None:
    payer = payer_of(due)
    due.misbehave(high_fee=1)
    with pytest.raises(Refused, match="network fee would be"):
        payer.sign(payments(due), nonce=0, period=1)
    assert locks(due) == 0 and resting(due)


@pytest.mark.parametrize(
    "fault",
    [
        {"down": {"fundrawtransaction": 1}},
        {"down": {"signrawtransactionwithwallet": 1}},
        {"lose_reply": {"signrawtransactionwithwallet": 1}},
        {"error": {"testmempoolaccept": 1}},
        {"garbage": {"signrawtransactionwithwallet": 1}},
        {"warming_up": {"signrawtransactionwithwallet": 1}},
    ],
    ids=lambda fault: "-".join((*fault, *next(iter(fault.values())))),
)
def test_whatever_fails_while_signing_the_wallet_goes_back_to_staking(due: World, fault: dict[str, Any]) -> None:
    payer = payer_of(due)
    due.misbehave(**fault)
    with pytest.raises(ValtracError):
        payer.sign(payments(due), nonce=0, period=1)
    assert resting(due)
    qtum.clear(due.folder)
    assert payer.sign(payments(due), nonce=0, period=1).tx_id


def test_a_wrong_password_opens_nothing_and_nothing_is_signed(due: World) -> None:
    wrong = QtumPayer(due.pool.chain, "wrong")  # type: ignore[arg-type]
    for act in (wrong.try_password, lambda: wrong.sign(payments(due), nonce=0, period=1)):
        with pytest.raises(Refused, match="does not open"):
            act()
    assert locks(due) == 0


def test_only_addresses_of_the_network_are_paid_each_once(due: World) -> None:
    payer = payer_of(due)
    for wrong in ("nobody", qtum.dev_address("ann", "main"), due.pool.staker):
        with pytest.raises(Unpayable) as told:
            payer.sign((Payment(wrong, COIN),), nonce=0, period=1)
        assert told.value.addresses == {wrong}
    twice = (Payment(due.address("ann"), 1), Payment(due.address("ann"), 2))
    for senseless in (twice, (), (Payment(due.address("ann"), 0),)):
        with pytest.raises(ValueError, match=r".+"):
            payer.sign(senseless, nonce=0, period=1)


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "wrong_txid", "claim_sent"])
def test_what_a_broadcast_answers_proves_nothing_and_everyone_is_paid_once(due: World, fault: str) -> None:
    due.misbehave(**{fault: {"sendrawtransaction": 2}})
    with suppress(OutcomeUnknown):
        payday.pay(due.pool, due.app.payer(), due.state, patience_s=600)
    qtum.clear(due.folder)
    due.blocks(4)
    payday.pay(due.pool, due.app.payer(), due.state, patience_s=600)
    assert sum(due.received().values()) == PAID
    assert len({attempt.tx_id for attempt in due.attempts()}) == 1


def test_a_reply_that_is_lost_or_a_wrong_name_is_told_as_unknown(due: World) -> None:
    payer = payer_of(due)
    raw = payer.sign(payments(due), nonce=0, period=1).raw
    for fault in ("lose_request", "lose_reply", "wrong_txid", "warming_up"):
        due.misbehave(**{fault: {"sendrawtransaction": 1}})
        with pytest.raises(OutcomeUnknown):
            payer.broadcast(raw)
    payer.broadcast(raw)
    due.blocks(1)
    payer.broadcast(raw)  # it is in a block by now


def stopped_after_sending(world: World, *, handed: bool = True) -> None:
    """A payer that dies once it has written a payment down, and handed it over or not."""

    def dies(payer: QtumPayer, raw: bytes) -> None:
        if handed:
            payer.broadcast(raw)
        raise Died

    with pytest.raises(Died):
        payday.pay(world.pool, Meddling(world.app.payer(), dies), world.state)  # type: ignore[arg-type]


@pytest.mark.parametrize("act", ["a rival in the next block", "a history with a rival"])
def test_a_payment_whose_coin_is_spent_elsewhere_is_dead_and_made_once_more(due: World, act: str) -> None:
    stopped_after_sending(due)
    (attempt,) = due.attempts()
    if act == "a rival in the next block":
        qtum.double_spend(due.folder, attempt.tx_id)
    else:
        due.blocks(2)
        qtum.reorganise(due.folder, 2, rivals=[attempt.tx_id])
    due.blocks(4)
    due.pay()
    assert [str(each.state) for each in due.attempts()] == ["dead", "landed"]
    assert sum(due.received().values()) == PAID


@pytest.fixture
def deep(worlds: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with enough blocks behind it to look for a payment in another history."""
    monkeypatch.setattr(rivals, "REWRITTEN", 40)
    world = worlds()
    world.blocks(50)
    world.look()
    return world


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "forgotten"])
def test_a_history_that_changes_deeper_than_final_under_an_open_payment_costs_nobody_anything(
    deep: World, keep: bool
) -> None:
    deep.win()
    deep.midnight()
    deep.unlock()
    deep.look()
    stopped_after_sending(deep)
    deep.blocks(4)
    qtum.reorganise(deep.folder, 9, keep=keep)  # three blocks are final here
    deep.restart()
    deep.unlock()
    with suppress(OutcomeUnknown):
        payday.pay(deep.pool, deep.app.payer(), deep.state, patience_s=300)
    deep.blocks(4)
    deep.pay()
    assert sum(deep.received().values()) == PAID and len(deep.attempts()) == 1


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "forgotten"])
def test_a_payment_that_such_a_history_moved_elsewhere_holds_no_later_one_back(deep: World, keep: bool) -> None:
    deep.win()
    deep.midnight()
    deep.pay()
    qtum.reorganise(deep.folder, deep.height - deep.attempts()[0].block + 1, keep=keep)
    deep.blocks(1)
    deep.win()
    deep.midnight()
    if not keep:
        assert any("another one" in words for words in deep.pay().words)
        told = audit(deep.pool, payer=deep.app.payer())  # as the words say: it hands the bytes over again
        assert any("handed over again" in words for words in told.problems)
        deep.blocks(5)
    deep.pay()
    assert sum(deep.received().values()) == 2 * PAID
    assert len(deep.paydays()) == 2


def test_a_node_that_stands_before_what_was_scanned_is_waited_for(due: World) -> None:
    stopped_after_sending(due)
    due.misbehave(stale_tip=20)
    with pytest.raises(ChainUnreachable, match=r"has not reached|is at block"):
        due.pay()
    qtum.clear(due.folder)
    due.blocks(1)
    due.pay()
    assert sum(due.received().values()) == PAID
