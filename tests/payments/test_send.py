"""The door: everyone is paid exactly once, or the reason why not is said in words."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.payments.doorway import ready, states
from tests.payout_world import HOTKEY, TAO, World, address, owed, seeded
from valtrac.chains.bittensor import connect
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import checks, foreign, send, wallets
from valtrac.payments.model.states import LineState
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import attempts, batches, ledger
from valtrac.payouts import approvals, drafts
from valtrac.wiring.payouts import App


def test_everyone_is_paid_what_the_plan_says_in_chunks(world: World) -> None:
    batch = ready(world)
    settled = world.send(batch)
    assert settled.state == "settled"
    assert world.received() == owed(batch)
    assert states(world, batch.id) == ["landed"] * 3  # seven people, three a chunk


def test_sending_a_settled_batch_again_sends_nothing(world: World) -> None:
    batch = ready(world)
    world.send(batch)
    again = world.send(batch)
    assert again.state == "settled"
    assert world.received() == owed(batch)
    assert len(states(world, batch.id)) == 3


def test_a_lost_reply_is_found_again_and_not_paid_twice(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, lose_reply=2)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_lost_request_is_sent_again_as_the_same_bytes(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, lose_request=1)
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)
    assert states(world, batch.id) == ["landed"] * 3


def test_a_fork_above_finality_does_not_pay_twice(world: World) -> None:
    batch = ready(world)
    forked = False

    def fork_once(seconds: float) -> None:
        nonlocal forked
        if not forked:
            forked = True
            devnet.misbehave(world.node, fork=1, hold_finality=False)
        devnet.advance(world.node, 1)

    devnet.misbehave(world.node, hold_finality=True)
    door = world.door(sleep=fork_once)
    send.send(door, world.app.unlock(), batch.id)
    assert forked
    assert world.received() == owed(batch)


def test_a_node_with_another_genesis_is_refused(world: World) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, wrong_genesis=True)
    with pytest.raises(Refused, match="another chain"):
        world.send(batch)
    devnet.misbehave(world.node, clear=True)
    assert world.received() == {}
    assert states(world, batch.id) == []


def test_a_nonce_that_a_foreign_transaction_used_freezes_the_wallet_until_it_is_ruled_on(world: World) -> None:
    batch = ready(world)
    wallets.adopt(world.door(), world.app.wallet_address)
    payer, chain = world.app.unlock(), world.app.chain
    payer.broadcast(payer.sign((Payment(address(99), TAO),), nonce=0, period=64).raw)
    devnet.advance(world.node, 3)
    with pytest.raises(Refused, match="not in the journal"):
        world.send(batch)
    assert world.received() == {}
    with pytest.raises(BadInput, match="what that transaction was"):
        foreign.rule(world.door(), payer.address, "")
    ruled = foreign.rule(world.door(), payer.address, "rent, sent by hand")
    assert ruled.used.nonce == 0
    assert chain.nonce(payer.address, ruled.used.head) == 1
    assert world.send(batch).state == "settled"
    assert world.received() == owed(batch)


def test_a_wallet_with_a_history_is_only_taken_on_in_words(world: World) -> None:
    batch = ready(world)
    payer = world.app.unlock()
    payer.broadcast(payer.sign((Payment(address(99), TAO),), nonce=0, period=64).raw)
    devnet.advance(world.node, 3)
    with pytest.raises(Refused, match="sent 1 transactions"):
        world.send(batch)
    assert world.send(batch, accept_history=True).state == "settled"


def test_a_foreign_transaction_waiting_in_the_pool_stops_the_door(world: World) -> None:
    batch = ready(world)
    wallets.adopt(world.door(), world.app.wallet_address)
    devnet.misbehave(world.node, hold_pool=True)
    payer = world.app.unlock()
    payer.broadcast(payer.sign((Payment(address(99), TAO),), nonce=0, period=64).raw)
    with pytest.raises(Refused, match="pool"):
        world.send(batch)
    assert states(world, batch.id) == []


def test_a_wallet_that_cannot_pay_all_pays_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.app.close()
    seeded_again = world.node
    seeded_again.unlink()
    seeded(tmp_path, free=5 * TAO)
    batch = ready(world.reopened())
    with pytest.raises(Refused, match=f"needs {decimal_text(batch.total + batch.fee)[:4]}") as refused:
        world.send(batch)
    assert world.app.wallet_address in refused.value.fix
    assert world.received() == {}
    world.app.close()


def test_the_cap_per_day_stops_between_two_chunks_and_the_rest_stays_owed(tmp_path: Path) -> None:
    world = World(tmp_path, cap_day=3 * TAO)
    batch = ready(world)
    with pytest.raises(Refused, match="within 24 hours"):
        world.send(batch)
    assert 0 < sum(world.received().values()) <= 3 * TAO
    assert sum(world.received().values()) < batch.total
    world.app.settings = world.app.settings.model_copy(update={"cap_day": 100 * TAO})
    world.send(batch)
    assert world.received() == owed(batch)
    world.app.close()


def test_a_batch_made_for_another_wallet_is_refused(world: World) -> None:
    batch = ready(world)
    stranger = connect.dev_payer(world.app.chain, "//Stranger")
    with pytest.raises(Refused, match="made for wallet"):
        send.send(world.door(), stranger, batch.id)
    assert world.received() == {}


def test_bytes_that_say_something_else_are_not_sent(world: World) -> None:
    ready(world)
    payer, payments = world.app.unlock(), (Payment(address(1), 1000),)
    tx = payer.sign(payments, nonce=0, period=64)
    checks.compare(world.app.chain, tx, payments, payer.address, 0)
    for other in ((Payment(address(2), 1000),), (Payment(address(1), 1001),), (*payments, *payments)):
        with pytest.raises(Refused, match="payments"):
            checks.compare(world.app.chain, tx, other, payer.address, 0)
    with pytest.raises(Refused, match="nonce"):
        checks.compare(world.app.chain, tx, payments, payer.address, 1)


@pytest.mark.parametrize(
    "trouble",
    [OSError(28, "No space left on device"), BrokenPipeError(), UnicodeEncodeError("latin-1", "Ł", 0, 1, "no")],
    ids=lambda trouble: type(trouble).__name__,
)
def test_progress_that_cannot_be_told_stops_no_payment(world: World, trouble: Exception) -> None:
    batch = ready(world)

    def tell(words: str) -> None:
        raise trouble

    assert send.send(world.door(tell=tell), world.app.unlock(), batch.id).state == "settled"
    assert world.received() == owed(batch)


def test_what_a_failed_transaction_was_charged_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "EXISTENTIAL_UNITS", 1)
    world.people().day()
    draft = drafts.draft(world.engine, world.request(pool=11_200, minimum=1, fee=10**6, fee_policy="owner"), None)
    batch = approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))
    with pytest.raises(Refused, match="nothing of it was paid") as failed:
        world.send(batch)
    with reading(world.engine) as conn:
        (attempt,) = attempts.of_batch(conn, batch.id)
    assert attempt.fee
    assert f"{decimal_text(attempt.fee)} TAO was charged as network fee" in failed.value.why
    assert failed.value.moved == "yes"


def test_a_payment_that_fails_its_chunk_is_set_aside_and_the_rest_is_paid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "EXISTENTIAL_UNITS", 1)
    world.people().day()
    draft = drafts.draft(world.engine, world.request(pool=11_200, minimum=1, fee=10**6, fee_policy="owner"), None)
    batch = approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))
    assert owed(batch)["u001"] == 400  # below what a new account must hold: the chain fails its whole chunk
    with pytest.raises(Refused, match="failed on chain"):
        world.send(batch)
    assert world.received() == {}
    left = world.send(batch, isolate=True)
    assert left.state == "sending"
    assert world.received() == {name: units for name, units in owed(batch).items() if name != "u001"}
    with reading(world.engine) as conn:
        assert [line.name for line in batches.lines_of(conn, batch.id, LineState.OWED)] == ["u001"]
    payer = world.app.unlock()
    head = world.app.chain.finalized()
    gift = payer.sign((Payment(address(1), 600),), nonce=world.app.chain.nonce(payer.address, head), period=64)
    payer.broadcast(gift.raw)  # the account exists from now on, so it can take the 400
    devnet.advance(world.node, 3)
    words = "opened the account of u001 by hand"
    with pytest.raises(Refused, match="addresses of your users"):
        foreign.rule(world.door(), payer.address, words)
    foreign.rule(world.door(), payer.address, words, pays_users=True)
    assert world.send(batch, isolate=True, retry_failed=True).state == "settled"
    assert world.received() == {**owed(batch), "u001": 1000}


def test_the_log_has_each_payment_once_even_after_a_torn_row(world: World) -> None:
    batch = ready(world)
    world.send(batch)
    path = world.home / "logs" / "payout_log.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    reconcile(world.door())
    assert path.read_bytes() == whole
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert {row["Username"]: row["Amount Paid"] for row in rows} == {n: decimal_text(v) for n, v in owed(batch).items()}
    assert list(rows[0])[:6] == ["Username", "Address", "Amount Paid", "Start Block", "End Block", "Total Payout Pool"]
    assert {row["Status"] for row in rows} == {"paid"}


def test_the_receipts_form_a_chain(world: World) -> None:
    batch = ready(world)
    world.send(batch)
    with reading(world.engine) as conn:
        assert ledger.broken_receipt(conn) is None
        assert {r["body"]["user"]: r["body"]["amount_rao"] for r in ledger.receipts(conn)} == owed(batch)


def test_the_ledger_says_what_was_accrued_and_paid(world: World) -> None:
    batch = ready(world, fee_policy="payee")
    world.send(batch)
    with reading(world.engine) as conn:
        totals = ledger.totals(conn)
    owner = totals.pop("owner")
    for kinds in totals.values():
        assert kinds["accrued"] == kinds["paid"] + kinds["netted"]
    taken = sum(line.fee_share for line in batch.payout.lines)
    with reading(world.engine) as conn:
        fees = attempts.fees_of_batch(conn, batch.id)
    assert fees is not None
    assert owner == {"netted": fees - taken}


def test_a_fee_that_grew_by_more_than_a_fifth_refuses_to_sign(world: World) -> None:
    batch = world.people().day().draft(fee=100)
    approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, decimal_text(batch.total))
    with pytest.raises(Refused, match="network fee"):
        world.send(batch)
    assert world.received() == {}


def test_a_database_of_another_chain_is_refused_everywhere(world: World, tmp_path: Path) -> None:
    ready(world)
    other = tmp_path / "other"
    seeded(other, name="another chain")
    stranger = App(world.app.settings.model_copy(update={"home": other, "database_url": world.app.settings.url}))
    with pytest.raises(Refused, match="another chain"):
        reconcile(stranger.door())
    stranger.close()


def test_a_hotkey_is_needed_only_once(world: World) -> None:
    assert world.app.hotkey() == HOTKEY


def test_a_batch_that_only_holds_is_settled_without_a_transaction(world: World) -> None:
    batch = ready(world, minimum=100 * TAO)
    assert owed(batch) == {}
    assert world.send(batch).state == "settled"
    assert states(world, batch.id) == []
    with reading(world.engine) as conn:
        assert sum(ledger.held(conn).values()) == batch.pool - batch.payout.fee_from_pool
