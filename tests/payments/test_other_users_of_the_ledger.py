"""Another process that holds the database, and a second machine with a copy of it: everyone is paid once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

import run as program
from tests.homes import move_in
from tests.once import Meddling, assert_nothing_paid, assert_paid_once, tried
from tests.payments.doorway import ready, sent_by
from tests.payout_world import OWNER, TAO, World
from valtrac.chains.bittensor import connect
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, OutcomeUnknown, Refused, ValtracError
from valtrac.database import opening
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments import send as payouts
from valtrac.payments.model.batches import Batch
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import histories
from valtrac.ports import Payer

HOLDER = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("moment", ["before the journal", "once the bytes are out"])
def test_a_database_that_another_process_holds_for_too_long_is_said_in_words(world: World, moment: str) -> None:
    batch = ready(world)
    holders: list[subprocess.Popen[str]] = []

    def hold() -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(world.home / "data" / "valtrac-devnet.sqlite")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

    def hand(payer: Payer, raw: bytes) -> None:
        payer.broadcast(raw)
        if moment == "once the bytes are out":
            hold()

    world.engine.dispose()
    sa.event.listen(world.engine, "connect", lambda dbapi, _record: dbapi.execute("PRAGMA busy_timeout=50"))
    signing = hold if moment == "before the journal" else lambda: None
    try:
        with pytest.raises(ValtracError, match=r"locked|cannot be used") as held:
            sent_by(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
    finally:
        for holder in holders:
            holder.communicate(timeout=30)
    assert held.value.moved == ("no" if moment == "before the journal" else "unknown")
    assert len(tried(world, batch)) == (moment == "once the bytes are out")
    world.send(batch)
    assert_paid_once(world, batch)


def _command(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], batch: Batch, **settings: str
) -> tuple[int, str]:
    """`payout send` as on another machine with the same database; its exit code and words, without any blanks."""
    move_in(monkeypatch, world.home, chunk_size="3", **settings)
    capsys.readouterr()
    code = program.main(["payout", "send", str(batch.id)])
    return code, "".join(capsys.readouterr().err.split())


def test_a_machine_with_an_older_version_refuses_a_newer_database_and_names_the_way(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = ready(world)
    with world.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    code, words = _command(world, monkeypatch, capsys, batch)
    assert code == 3
    assert "newerversion" in words
    assert "updateValTrac" in words
    with world.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (opening.REVISION,))
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_machine_with_another_wallet_is_refused_by_naming_both(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = ready(world)
    code, words = _command(world, monkeypatch, capsys, batch, wallet_name="//Stranger")
    assert code == 3
    assert f"wallet{world.app.wallet_address}" in words
    assert f"wallet{connect.dev_address('//Stranger')}" in words
    assert_nothing_paid(world, batch)
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_machine_with_another_wallet_that_has_a_past_is_told_the_same_and_begins_no_history(world: World) -> None:
    batch = ready(world)
    stranger = connect.dev_payer(world.app.chain, "//Stranger")
    world.app.unlock().broadcast(_signed(world, world.app.unlock(), stranger.address, 5 * TAO, 0))
    devnet.advance(world.node, 3)
    stranger.broadcast(_signed(world, stranger, world.app.wallet_address, TAO, 0))
    devnet.advance(world.node, 3)
    with pytest.raises(Refused, match="made for wallet"):
        payouts.send(world.door(), stranger, batch.id)
    with reading(world.engine) as conn:
        assert histories.baseline(conn, stranger.address) is None


def _signed(world: World, payer: Payer, to: str, units: int, nonce: int) -> bytes:
    return payer.sign((Payment(to, units),), nonce=nonce, period=64).raw


@pytest.mark.parametrize("moment", ["before it is written down", "before it is handed over", "after it is handed over"])
def test_two_machines_with_a_copy_of_the_ledger_each_pay_everyone_once_between_them(
    world: World, tmp_path: Path, moment: str
) -> None:
    batch = ready(world)
    copy = tmp_path / "elsewhere" / "valtrac.sqlite"
    copy.parent.mkdir()
    with closing(sqlite3.connect(world.home / "data" / "valtrac-devnet.sqlite")) as conn:
        conn.execute("VACUUM INTO ?", (str(copy),))
    other, chain, met = opening.open_engine(copy), connect.open_devnet(world.node), list[None]()

    def elsewhere() -> None:
        if not met:
            met.append(None)
            door = replace(world.door(), engine=other, chain=chain, log=copy.with_suffix(".csv"))
            with suppress(Refused, OutcomeUnknown):
                payouts.send(door, connect.dev_payer(chain, OWNER), batch.id)

    def hand(payer: Payer, raw: bytes) -> None:
        if moment == "before it is handed over":
            elsewhere()
        payer.broadcast(raw)
        if moment == "after it is handed over":
            elsewhere()

    signing = elsewhere if moment == "before it is written down" else lambda: None
    with suppress(Refused, OutcomeUnknown):
        sent_by(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
    for _ in range(10):
        with suppress(Refused, OutcomeUnknown):
            world.send(batch)
        with suppress(BadInput):  # what the other machine has paid
            foreign.adopt(world.door(), world.app.wallet_address)
            reconcile(world.door())
    world.send(batch)
    reconcile(world.door())
    assert_paid_once(world, batch)
    chain.close()
    other.dispose()
