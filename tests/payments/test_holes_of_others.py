"""Every way in which a payout tool of this kind is known to pay twice, played here: everyone is paid once."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.homes import CHECKOUT
from tests.once import Died, Meddling, assert_nothing_paid, assert_paid_once, line_states, tried
from tests.payout_world import TAO, World, address, owed
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign, payment_log, send
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Batch
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import ledger
from valtrac.payouts import approvals, drafts
from valtrac.people import users
from valtrac.ports import Payer
from valtrac.wiring.payouts import App

LOG = ("logs", "payout_log.csv")


def ready(world: World, **changes: object) -> Batch:
    return world.people().day().approved(**changes)


def sent_by(world: World, payer: Payer, batch: Batch, **door: object) -> Batch:
    return send.send(world.door(**door), payer, batch.id)


def impatient(world: World, payer: Payer, batch: Batch) -> OutcomeUnknown:
    """Send without letting time pass on the chain; it ends in not knowing."""
    with pytest.raises(OutcomeUnknown) as unknown:
        sent_by(world, payer, batch, sleep=lambda seconds: None, patience_s=1)
    return unknown.value


def dying(world: World, nth: int, *, after: bool) -> Meddling:
    """A wallet whose process dies at the n-th handing over, before or after the node has the bytes."""

    def hand(payer: Payer, raw: bytes) -> None:
        last = len(wallet.handed) == nth
        if after or not last:
            payer.broadcast(raw)
        if last:
            raise Died

    wallet = Meddling(world.app.unlock(), hand)
    return wallet


def handing(payer: Payer, raw: bytes) -> None:
    payer.broadcast(raw)


def failing_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch whose first payment is below what a new account must hold, so that the chain fails its chunk."""
    monkeypatch.setattr(drafts, "EXISTENTIAL_UNITS", 1)
    world.people().day()
    draft = drafts.draft(world.engine, world.request(pool=11_200, minimum=1, fee=10**6, fee_policy="owner"), None)
    return approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))


# -- TezPay ----------------------------------------------------------------------------------


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


# -- TRD -------------------------------------------------------------------------------------


def test_trd_crash_between_first_batch_and_report(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report came after all transactions, so a crash after the first one had the whole cycle paid again."""
    batch = ready(world)

    def never_written(*_: object) -> int:
        raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(payment_log, "sync", never_written)
        world.send(batch)
    assert line_states(world, batch) == {"paid": 3, "owed": 4}
    world.reopened().send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("moment", ["before it is written down", "before it is handed over", "after it is handed over"])
def test_trd_two_instances(world: World, moment: str) -> None:
    """Two instances at the same cycle each paid it."""
    batch = ready(world)
    other = App(world.app.settings)
    done: list[Batch] = []

    def second() -> None:
        if not done:
            done.append(batch)
            door = replace(world.door(), engine=other.engine, chain=other.chain)
            done.append(send.send(door, other.unlock(), batch.id))

    def hand(payer: Payer, raw: bytes) -> None:
        if moment == "before it is handed over":
            second()
        payer.broadcast(raw)
        if moment == "after it is handed over":
            second()

    signing = second if moment == "before it is written down" else lambda: None
    first = Meddling(world.app.unlock(), hand, signing=signing)
    assert sent_by(world, first, batch).state == "settled"
    assert done[1].state == "settled"
    assert len(tried(world, batch)) == 3
    assert_paid_once(world, batch)
    other.close()


def test_trd_stopped_with_ctrl_z_then_second_run(world: World) -> None:
    """One put to sleep in the middle and forgotten, a second one begun, then the first one woken: both paid."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    first = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "run.py"), "payout", "send", str(batch.id)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(world.home),
            "VALTRAC_HOME": str(world.home),
            "VALTRAC_ENV_FILE": os.devnull,
            "VALTRAC_CHUNK_SIZE": "3",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _put_to_sleep(world, batch, first)
        devnet.misbehave(world.node, hold_pool=False)
        assert world.send(batch).state == "settled"
        first.send_signal(signal.SIGCONT)
        said = first.communicate(timeout=120)
    finally:
        first.kill()
        first.wait()
    assert first.returncode == 0, said
    assert_paid_once(world, batch)


def _put_to_sleep(world: World, batch: Batch, process: subprocess.Popen[str]) -> None:
    """Stop a process that has a transaction on its way, at a moment when it holds no lock."""
    files = (world.home / "data" / "valtrac-devnet.sqlite", world.node)
    while "sent" not in {attempt.state for attempt in tried(world, batch)}:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    while True:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        if all(_free(file) for file in files) and _unlocked(world.home / "logs" / "payout_log.csv"):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)


def _free(file: object) -> bool:
    with closing(sqlite3.connect(str(file), timeout=0)) as conn:
        try:
            conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        conn.rollback()
        return True


def _unlocked(log: Path) -> bool:
    if not log.exists():
        return True
    with open(log, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_trd_stopped_with_ctrl_z_holding_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that sleeps holds the log: the second run waits a while and says so, and pays nobody again afterwards."""
    batch = ready(world)
    monkeypatch.setattr(payment_log, "PATIENCE_S", 0.2)
    log = world.home / "logs" / "payout_log.csv"
    log.parent.mkdir(exist_ok=True)
    with open(log, "ab") as sleeping:
        fcntl.flock(sleeping, fcntl.LOCK_EX)
        with pytest.raises((Refused, OutcomeUnknown)) as error:
            world.send(batch)
        assert "is held by another process" in f"{error.value.what} {error.value.why}"
    assert world.send(batch).state == "settled"
    assert_paid_once(world, batch)


def test_trd_http_error_retried_with_a_fresh_counter(world: World) -> None:
    """An error of the transport was taken for a failure, and each further try was signed with the next counter."""
    batch = ready(world)

    def hand(payer: Payer, raw: bytes) -> None:
        with suppress(Refused):  # the node has it already
            payer.broadcast(raw)
        raise OutcomeUnknown("502 Bad Gateway")

    payer = Meddling(world.app.unlock(), hand)
    devnet.misbehave(world.node, hold_pool=True)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            sent_by(world, payer, batch, sleep=lambda seconds: None, patience_s=12)
    assert len(payer.handed) > 3
    assert (len(payer.signed), set(payer.handed)) == (1, {payer.signed[0].raw})
    devnet.misbehave(world.node, clear=True)
    sent_by(world, payer, batch)
    assert [tx.nonce for tx in payer.signed] == [0, 1, 2]
    assert_paid_once(world, batch)


def test_trd_retries_do_not_sum_amounts(world: World) -> None:
    """What was tried again had its amounts added to those of the try before."""
    batch = ready(world)
    deaths = 2
    devnet.misbehave(world.node, hold_pool=True)

    def tell(words: str) -> None:
        nonlocal deaths
        deaths -= "dead" in words
        devnet.misbehave(world.node, hold_pool=deaths > 0)

    payer = Meddling(world.app.unlock(), handing)
    sent_by(world, payer, batch, sleep=lambda seconds: devnet.advance(world.node, 30), tell=tell)
    attempts = tried(world, batch)
    assert [attempt.state for attempt in attempts] == ["dead", "dead", "landed", "landed", "landed"]
    assert len({(attempt.nonce, attempt.units) for attempt in attempts[:3]}) == 1
    assert len({world.app.chain.decode(attempt.raw).payments for attempt in attempts[:3]}) == 1
    assert_paid_once(world, batch)


# -- mina-pool-payout ------------------------------------------------------------------------


def test_mina_paid_is_not_recorded_where_sending_failed(world: World) -> None:
    """The blocks were marked as paid whether or not anything had been sent."""
    batch = ready(world)

    def hand(payer: Payer, raw: bytes) -> None:
        raise Refused("the node refused the transaction")

    payer = Meddling(world.app.unlock(), hand)
    impatient(world, payer, batch)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    assert_nothing_paid(world, batch)
    world.send(batch)
    assert_paid_once(world, batch)


def test_mina_a_nonce_is_tied_to_the_payout_that_it_pays(world: World) -> None:
    """Signed files were named by nonce alone, so what lay there from one payout was sent as part of another."""
    first = ready(world)
    with pytest.raises(Died):
        sent_by(world, dying(world, 1, after=False), first)
    left = tried(world, first)[0]
    second = world.day(1).approved()
    world.send(second)
    assert [(attempt.tx_id, attempt.state) for attempt in tried(world, first)] == [(left.tx_id, "landed")]
    assert line_states(world, first) == {"paid": 3, "owed": 4}
    world.send(first)
    nonces = [attempt.nonce for batch in (first, second) for attempt in tried(world, batch)]
    assert sorted(nonces) == list(range(6))
    assert_paid_once(world, first, second)


def test_mina_the_same_payment_listed_per_block(world: World) -> None:
    """A payment was listed once for each block that it was earned in, and paid as often."""
    batch = world.people().day(9).approved()
    assert len({line.address for line in batch.payout.lines}) == len(batch.payout.lines) == 7
    world.send(batch)
    assert_paid_once(world, batch)


# -- Miningcore ------------------------------------------------------------------------------


def test_miningcore_rpc_error_after_the_wallet_sent(world: World) -> None:
    """The wallet sent and then answered with an error: balances stayed, and each interval paid them once more."""
    batch = ready(world)

    def hand(payer: Payer, raw: bytes) -> None:
        payer.broadcast(raw)
        raise RuntimeError("-32603: internal error")

    payer = Meddling(world.app.unlock(), hand)
    for _ in range(6):
        with pytest.raises(OutcomeUnknown, match="-32603"):
            sent_by(world, payer, batch)
        devnet.advance(world.node, 5)
        reconcile(world.door())
        if line_states(world, batch) == {"paid": 7}:
            break
    assert world.send(batch).state == "settled"
    assert len(payer.signed) == 3
    assert_paid_once(world, batch)


@pytest.mark.parametrize("policy", ["pool", "payee", "owner"])
def test_miningcore_what_is_sent_is_what_is_booked_to_the_unit(world: World, policy: str) -> None:
    """Amounts were rounded when sent, while the whole balance was taken off: the two drifted apart."""
    before = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    batch = ready(world, pool=7_123_456_789, fee_policy=policy)
    world.send(batch)
    assert_paid_once(world, batch)
    with reading(world.engine) as conn:
        totals = ledger.totals(conn)
    totals.pop("owner", None)
    assert all(kinds["accrued"] == kinds["paid"] + kinds.get("netted", 0) for kinds in totals.values())
    fees = [attempt.fee for attempt in tried(world, batch)]
    after = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    assert before - after == batch.total + sum(fee for fee in fees if fee is not None)


# -- core2_tbw -------------------------------------------------------------------------------


def test_core2_tbw_staged_rows_resent_with_new_nonce(world: World) -> None:
    """Rows still staged when it died after sending were sent again at the restart, with a nonce of their own."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    with pytest.raises(Died):
        sent_by(world, dying(world, 1, after=True), batch)
    (left,) = tried(world, batch)
    again = Meddling(world.reopened().app.unlock(), handing)
    impatient(world, again, batch)
    assert (left.state, again.signed, set(again.handed) <= {left.raw}) == ("signed", [], True)
    devnet.misbehave(world.node, hold_pool=False)
    sent_by(world, again, batch)
    assert [attempt.nonce for attempt in tried(world, batch)] == [0, 1, 2]
    assert_paid_once(world, batch)


# -- open-ethereum-pool ----------------------------------------------------------------------


def test_open_ethereum_pool_resolve_without_looking_on_chain(world: World) -> None:
    """Clearing a stuck payout by hand gave the balances back unseen, and what was on its way landed as well."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True, lose_reply=1)
    impatient(world, world.app.unlock(), batch)
    chain, wallet = world.app.chain, world.app.wallet_address
    for _ in range(3):
        (finding,) = reconcile(world.door(chain=chain))
        assert finding.called == "unknown"
    with pytest.raises(Refused, match="is sending"):
        approvals.void(world.engine, batch.id, "it hangs")
    with pytest.raises(Refused, match="still on its way"):
        foreign.rule(world.door(chain=chain), wallet, "it never went out")
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert_paid_once(world, batch)


# -- ValTrac before --------------------------------------------------------------------------


def test_valtrac_v1_one_failure_does_not_pay_the_others_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log was written only if every transfer went well; after one failure all the others were paid again."""
    batch = failing_batch(world, monkeypatch)
    for _ in range(3):
        assert world.send(batch, isolate=True).state == "sending"
        assert world.received() == {name: units for name, units in owed(batch).items() if name != "u001"}
    with pytest.raises(Refused, match="in a batch already"):
        world.draft()


def test_valtrac_v2_an_idle_user_does_not_fail_the_payout(world: World) -> None:
    """A user without stake was owed less than nothing, its transfer failed, and the history was paid once more."""
    users.add(world.engine, "idle", [address(90)])
    batch = ready(world)
    assert "idle" not in owed(batch)
    assert all(line.amount > 0 for line in batch.payout.lines)
    world.send(batch)
    world.send(batch)
    assert_paid_once(world, batch)


def test_valtrac_v3_a_user_without_an_address_stops_nobody(world: World) -> None:
    """A user without any address broke the run after some transfers and before the log."""
    world.people()
    users.end_address(world.engine, "u003", address(3), from_block=1)
    users.add(world.engine, "nowhere", [])
    batch = world.day().approved()
    world.send(batch)
    world.send(batch)
    assert not {"u003", "nowhere"} & set(owed(batch))
    assert_paid_once(world, batch)


def test_valtrac_v4_a_payout_by_nominators_is_recorded(world: World) -> None:
    """Payouts by nominators were never recorded, and each run paid the full history again."""
    batch = world.day().approved(by="nominators")
    world.send(batch)
    assert_paid_once(world, batch)
    with pytest.raises(Refused, match="in a batch already"):
        world.draft(by="nominators")
    with pytest.raises(Refused, match="in a batch already"):
        world.people().draft()
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[: text.index(b"\n") + 1], id="header only"),
        pytest.param(lambda text: text + b"\n", id="a blank last line"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="another system's line ends"),
        pytest.param(lambda text: text.replace(b"\n", b"\n\n"), id="line ends doubled"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\r\n"), id="line ends doubled by another system"),
        pytest.param(lambda text: text[:-1], id="no last line end"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="a mark at the beginning"),
        pytest.param(lambda text: text + b"\xff\x00,,\n", id="garbage"),
        pytest.param(lambda text: b"", id="empty"),
    ],
)
def test_valtrac_v5_a_log_that_cannot_be_read_is_no_restart_from_the_beginning(
    world: World, change: Callable[[bytes], bytes]
) -> None:
    """A log whose last line could not be parsed made the next run begin at the first block."""
    batch = ready(world)
    world.send(batch)
    paid, path = world.received(), world.home.joinpath(*LOG)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Refused, match="in a batch already"):
        world.draft()
    try:
        assert world.send(batch).state == "settled"
    except ValtracError as error:
        assert str(path) in f"{error.what} {error.fix}"
    assert world.received() == paid
    assert len(tried(world, batch)) == 3
    following = world.day(1).draft()
    assert following.from_block == batch.to_block + 1


def test_valtrac_v6_a_block_that_is_undone_is_not_paid(world: World) -> None:
    """Inclusion was taken for payment, before any finality, and no id was kept to look for it afterwards."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_finality=True)
    undone: list[None] = []

    def sleep(seconds: float) -> None:
        if not undone and world.slept > 3:
            assert_nothing_paid(world, batch)
            devnet.misbehave(world.node, fork=world.slept, drop=True, hold_finality=False)
            undone.append(None)
        world.sleep(seconds)

    sent_by(world, world.app.unlock(), batch, sleep=sleep)
    assert undone
    assert len({attempt.tx_id for attempt in tried(world, batch)}) == 3
    assert_paid_once(world, batch)


def test_valtrac_v12_an_address_belongs_to_one_user(world: World, tmp_path) -> None:
    """The same address under two users was paid for both."""
    from valtrac.people import user_import

    world.people()
    with pytest.raises(BadInput, match="u001"):
        users.add(world.engine, "twin", [address(1)])
    with pytest.raises(BadInput, match="u001"):
        users.add_address(world.engine, "u002", address(1))
    sheet = tmp_path / "users.csv"
    sheet.write_text(f"Name,Address1\ntwin,{address(1)}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="u001"):
        user_import.preview_import(world.engine, sheet)
    batch = world.day().approved()
    world.send(batch)
    assert_paid_once(world, batch)


def test_valtrac_v21_nothing_is_sent_that_was_not_confirmed_by_its_total(world: World) -> None:
    """Nobody was asked before the money went."""
    draft = world.people().day().draft()
    with pytest.raises(Refused, match="is a draft"):
        world.send(draft)
    for total in ("", "yes", "y", decimal_text(draft.total + 1), decimal_text(draft.pool)):
        with pytest.raises(BadInput):
            approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, total)
    with pytest.raises(Refused, match="is a draft"):
        world.send(draft)
    assert_nothing_paid(world, draft)
    approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))
    world.send(draft)
    assert_paid_once(world, draft)
