"""Ways in which TRD (tezos-reward-distributor) is known to pay twice, played here: everyone is paid once."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.homes import CHECKOUT
from tests.once import Died, Meddling, assert_paid_once, line_states, tried
from tests.payments.doorway import handing, ready, sent_by
from tests.payout_world import World
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.devnet import bittensor as devnet
from valtrac.payments import payment_log, send
from valtrac.payments.model.batches import Batch
from valtrac.ports import Payer
from valtrac.wiring.payouts import App


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
