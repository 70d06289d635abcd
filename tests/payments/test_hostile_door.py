"""The door when node, disk, clock or the other machine lie: nothing twice, in words, and once it is over, once."""

from __future__ import annotations

import errno
import io
import itertools
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import run as program
from tests.homes import move_in
from tests.once import Died, Meddling, assert_nothing_paid, assert_paid_once, line_states, logged, on_chain, tried
from tests.payout_world import OWNER, TAO, World
from valtrac.chains.bittensor import connect, outcomes
from valtrac.core.chain import Head, Outcome, Payment
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.database import engine, opening
from valtrac.database.engine import reading, writing
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign, payment_log
from valtrac.payments import reconcile as reconciling
from valtrac.payments import send as payouts
from valtrac.payments.model.batches import Batch
from valtrac.payments.model.states import BatchState
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import attempts, batches, histories, ledger
from valtrac.payouts import approvals
from valtrac.ports import Payer


def ready(world: World) -> Batch:
    return world.people().day().approved()


def handing(payer: Payer, raw: bytes) -> None:
    payer.broadcast(raw)


def send(world: World, payer: Payer, batch: Batch, **door: object) -> Batch:
    return payouts.send(world.door(**door), payer, batch.id)


class Answering:
    """A node one of whose answers is another: instead(real answer), once `armed` says so."""

    def __init__(self, real: Any, name: str, instead: Callable[[Any], Any], armed: Callable[[], bool]) -> None:
        self._real, self._name, self._instead, self._armed = real, name, instead, armed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name != self._name:
            return found

        def answer(*args: object, **named: object) -> Any:
            real = found(*args, **named)
            return self._instead(real) if self._armed() else real

        return answer


# -- success outside, failure inside ---------------------------------------------------------

PLAIN = {"call_module": "Balances", "call_function": "transfer_keep_alive", "call_args": []}
PROXIED = {"call_module": "Proxy", "call_function": "proxy", "call_args": []}
LOW = {"Token": "BelowMinimum"}
OK, DONE = ("System", "ExtrinsicSuccess", {}), ("Utility", "ItemCompleted", None)
MADE, LOST = (("Proxy", "ProxyExecuted", {"result": result}) for result in ({"Ok": ()}, {"Err": LOW}))
PARTLY = {
    "batch": (PLAIN, (DONE, ("Utility", "BatchInterrupted", {"index": 1, "error": LOW}), OK)),
    "force_batch": (PLAIN, (DONE, ("Utility", "ItemFailed", {"error": LOW}), DONE, OK)),
    "batch_all": (PROXIED, (MADE, DONE, LOST, DONE, MADE, DONE, OK)),
}


@pytest.mark.parametrize("shape", PARTLY)
def test_success_outside_with_a_failure_inside_is_called_neither_paid_nor_unpaid(world: World, shape: str) -> None:
    batch = ready(world)
    item, events = PARTLY[shape]
    call = {
        "call_module": "Utility",
        "call_function": shape,
        "call_args": [{"name": "calls", "value": [item] * 3}],
    }
    told = [{"module_id": module, "event_id": event, "attributes": given} for module, event, given in events]

    def partly(real: Outcome) -> Outcome:
        return outcomes.outcome(call, told, lambda pallet, error: "")

    chain = Answering(world.app.chain, "outcome", partly, lambda: True)
    payer = Meddling(world.app.unlock(), handing)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="only a part of transaction"):
            send(world, payer, batch, chain=chain)
    with pytest.raises(Refused, match="only a part") as refused:
        reconcile(world.door(chain=chain))
    assert "of 3 payments were made: Token: BelowMinimum" in refused.value.why
    second = world.day(1).approved()
    with pytest.raises(OutcomeUnknown, match="only a part"):
        send(world, payer, second, chain=chain)
    assert (len(payer.signed), len(payer.handed)) == (1, 1)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    with reading(world.engine) as conn:
        assert ledger.receipts(conn) == []
    assert logged(world) == []
    world.send(batch)
    world.send(second)
    assert_paid_once(world, batch, second)


@pytest.mark.parametrize("items", [(), (True,) * 9, (False,) * 2, (False,) * 9, (None,) * 3], ids=str)
def test_results_that_are_not_one_for_each_payment_prove_nothing(world: World, items: tuple[Any, ...]) -> None:
    batch = ready(world)
    chain = Answering(world.app.chain, "outcome", lambda real: replace(real, items=items), lambda: True)
    payer = Meddling(world.app.unlock(), handing)
    with pytest.raises(OutcomeUnknown):
        send(world, payer, batch, chain=chain, patience_s=5)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    world.send(batch)
    assert_paid_once(world, batch)


# -- a node that answers garbage -------------------------------------------------------------

GARBAGE = (None, "garbage", -1, b"\xff", 3.5, [], {}, True, 2**70)


class Substrate:
    """The connection to a node that answers one question, asked raw or through the SDK, with garbage."""

    def __init__(self, real: Any, question: str) -> None:
        self._real, self._question = real, question
        self.garbage: list[object] = []
        self.raw = self

    def __getattr__(self, name: str) -> Any:
        if name == "rpc_request":
            return self._rpc_request
        if not hasattr(self._real, name):
            return getattr(self._real.raw, name)
        if name != self._question:
            return getattr(self._real, name)
        return self._answer

    async def _answer(self, *args: object, **named: object) -> Any:
        if self.garbage:
            return self.garbage[-1]
        return await getattr(self._real, self._question)(*args, **named)

    async def _rpc_request(self, method: str, params: list[object]) -> Any:
        answer = await self._real.raw.rpc_request(method, params)
        return self.garbage[-1] if self.garbage and method == self._question else answer


QUESTIONS = (
    "spec_version",
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getBlock",
    "chain_getHeader",
    "state_getReadProof",
    "query",
    "account_nextIndex",
    "constant",
    "estimate_fee",
    "decode_scale",
    "prepare",
    "events",
    "state_getKeysPaged",
    "author_submitExtrinsic",
)
# an empty page of keys is an answer; a header came with its block; accounts, events and calls are read from proofs and
# bytes, whatever is said of them; bytes are handed over once something is out
HARMLESS_AT_FIRST = {
    "state_getKeysPaged",
    "chain_getHeader",
    "query",
    "decode_scale",
    "events",
    "author_submitExtrinsic",
}


@pytest.mark.parametrize("moment", ["from the start", "once the first bytes are out"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_garbage_from_a_node_is_said_in_words_and_pays_nobody_twice(world: World, question: str, moment: str) -> None:
    batch = ready(world)
    substrate = world.app.chain.substrate
    lying = Substrate(substrate, question)
    world.app.chain.substrate = lying
    for value in GARBAGE:
        if moment == "from the start":
            lying.garbage = [value]

        def hand(payer: Payer, raw: bytes, value: object = value) -> None:
            payer.broadcast(raw)
            lying.garbage = [value]

        with suppress(ValtracError):
            send(world, Meddling(world.app.unlock(), hand), batch, patience_s=3)
    if moment == "from the start" and question not in HARMLESS_AT_FIRST:
        assert tried(world, batch) == []
    world.app.chain.substrate = substrate
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_runtime_that_allows_no_payments_at_all_is_not_believed(world: World) -> None:
    batch = ready(world)
    real = world.app.chain.substrate
    lying = Substrate(real, "constant")
    lying.garbage = [0]
    world.app.chain.substrate = lying
    with pytest.raises(ChainUnreachable):
        send(world, world.app.unlock(), batch)


PORT = (
    "identity",
    "finalized",
    "block",
    "account",
    "swaps_announced",
    "next_index",
    "limits",
    "estimate_fee",
    "decode",
    "outcome",
)


@pytest.mark.parametrize("once_out", [False, True], ids=["from the start", "once the first bytes are out"])
@pytest.mark.parametrize("method", PORT)
def test_a_broken_port_pays_nobody_twice(world: World, method: str, once_out: bool) -> None:
    batch = ready(world)
    _break(world, batch, method, once_out, Exception)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize(
    ("method", "once_out"),
    [
        pytest.param(
            method,
            once_out,
        )
        for method in PORT
        for once_out in (False, True)
    ],
)
def test_a_broken_port_is_said_in_words(world: World, method: str, once_out: bool) -> None:
    _break(world, ready(world), method, once_out, ValtracError)


def _break(world: World, batch: Batch, method: str, once_out: bool, allowed: type[Exception]) -> None:
    """Send through a port that returns garbage of several kinds, one after another."""
    for value in (None, "garbage", -1, b"\xff"):
        payer = Meddling(world.app.unlock(), handing)
        broken = Answering(
            world.app.chain,
            method,
            lambda real, value=value: value,
            lambda payer=payer: bool(payer.handed) or not once_out,
        )
        with suppress(allowed):
            send(world, payer, batch, chain=broken, patience_s=3)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("identity", {"spec_version": -1}),
        ("identity", {"genesis_hash": ""}),
        ("finalized", {"number": -1}),
        ("finalized", {"number": 0}),
        ("finalized", {"hash": "0x" + "00" * 32}),
        ("account", {"free_units": -1}),
        ("account", {"nonce": -1}),
        ("account", {"nonce": 7}),
        ("limits", {"max_payments": 1}),
        ("decode", {"payments": ()}),
        ("decode", {"nonce": -1}),
        ("decode", {"era_period": 4}),
        ("decode", {"all_or_nothing": False}),
        ("decode", {"tx_id": ""}),
        ("outcome", {"fee_units": "much"}),
        ("outcome", {"items": None}),
    ],
    ids=str,
)
def test_answers_of_the_right_shape_that_cannot_be_so_pay_nobody_twice(
    world: World, method: str, changes: dict[str, object]
) -> None:
    batch = ready(world)
    chain = Answering(world.app.chain, method, lambda real: real and replace(real, **changes), lambda: True)
    with suppress(ValtracError):
        send(world, world.app.unlock(), batch, chain=chain, patience_s=5)
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_failure_that_only_one_of_two_nodes_tells_of_is_none(world: World) -> None:
    batch = ready(world)
    lying = Answering(world.app.chain, "outcome", lambda real: replace(real, items=(False,) * 3), lambda: True)
    with pytest.raises(OutcomeUnknown):
        send(world, world.app.unlock(), batch, chain=lying, witnesses=(world.app.chain,), patience_s=5)
    assert line_states(world, batch) == {"chunked": 3, "owed": 4}
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_nonce_that_was_used_before_it_was_signed_is_dead_in_the_end(world: World) -> None:
    first = world.send(ready(world))
    batch = world.day().approved()
    payer, head = world.app.unlock(), world.app.chain.finalized()
    with writing(world.engine) as conn:
        lines = batches.lines_of(conn, batch.id)[:3]
        payments = tuple(Payment(line.address, line.amount) for line in lines)
        batches.set_state(conn, batch.id, BatchState.APPROVED, BatchState.SENDING)
        attempts.open_attempt(conn, batch.id, lines, payer.sign(payments, nonce=0, period=4), head)
    devnet.advance(world.node, 12)
    assert world.send(batch).state == "settled"
    assert [attempt.state for attempt in tried(world, batch)].count("dead") == 1
    assert sum(payment.units * times for payment, times in on_chain(world).items()) == first.total + batch.total


def test_a_nonce_that_another_process_used_while_this_one_signed_is_not_written_down(world: World) -> None:
    first = ready(world)
    second = world.day().approved()
    done: list[str] = []

    def meanwhile() -> None:
        if not done:
            done.append("once")
            world.send(second)

    payer = Meddling(world.app.unlock(), handing, signing=meanwhile)
    assert send(world, payer, first).state == "settled"
    states = [attempt.state for batch in (first, second) for attempt in tried(world, batch)]
    assert set(states) == {"landed"}


def _without_extrinsics(world: World) -> Answering:
    return Answering(world.app.chain, "block", lambda view: replace(view, tx_ids=(), raw=()), lambda: True)


def _shown_empty_blocks(world: World) -> Batch:
    """A batch whose first transaction landed while the node showed its blocks without anything in them."""
    batch = ready(world)
    with pytest.raises(OutcomeUnknown):
        send(world, world.app.unlock(), batch, chain=_without_extrinsics(world), patience_s=5)
    return batch


@pytest.mark.parametrize("adopted", [False, True], ids=["sent again", "adopted"])
def test_what_has_used_its_nonce_is_looked_for_again_before_it_is_called_dead(world: World, adopted: bool) -> None:
    batch = _shown_empty_blocks(world)
    if adopted:
        with suppress(ValtracError):
            world.send(batch)
        with suppress(ValtracError):
            foreign.adopt(world.door(), world.app.wallet_address)
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_fault_nobody_thought_of_after_some_payments_says_that_they_landed(world: World) -> None:
    batch = ready(world)

    def break_down() -> None:
        if len(payer.signed) == 2:
            raise RuntimeError("'NoneType' object is not subscriptable")

    payer = Meddling(world.app.unlock(), handing, signing=break_down)
    with pytest.raises(ValtracError, match="unforeseen") as broken:
        send(world, payer, batch)
    assert line_states(world, batch) == {"paid": 3, "owed": 4}
    assert "NoneType" in broken.value.why
    assert broken.value.moved == "yes"


# -- the clock of this machine ---------------------------------------------------------------


def _set_clock(monkeypatch: pytest.MonkeyPatch, shift: timedelta) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + shift

    for module in (attempts, batches, ledger, engine, approvals, reconciling):
        monkeypatch.setattr(module, "datetime", Shifted)


@pytest.mark.parametrize("hours", [-25, -1, 1, 25])
def test_a_clock_that_is_wrong_changes_nothing_about_who_is_paid(
    world: World, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    _set_clock(monkeypatch, timedelta(hours=hours))
    batch = ready(world)
    devnet.misbehave(world.node, lose_reply=1, lose_request=0)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_while_it_waits_is_no_verdict(world: World, jump_s: int) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    minutes = itertools.count()

    def clock() -> float:
        minute = next(minutes)
        return 60.0 * minute + (jump_s if minute > 5 else 0)

    with pytest.raises(OutcomeUnknown):
        send(world, world.app.unlock(), batch, clock=clock, patience_s=600, sleep=lambda seconds: None)
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("hours", [-25, -1, 1, 25])
def test_the_cap_per_day_counts_the_days_of_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    world = World(tmp_path, cap_day=10 * TAO)
    first = ready(world)
    world.send(first)
    _set_clock(monkeypatch, timedelta(hours=hours))
    second = world.day(1).approved()
    with pytest.raises(Refused, match="within 24 hours"):
        world.send(second)
    now = world.app.chain.finalized().at
    chain = Answering(world.app.chain, "finalized", lambda head: _later(head, now), lambda: True)
    payouts.send(replace(world.door(), chain=chain), world.app.unlock(), second.id)
    assert_paid_once(world, first, second)
    world.app.close()


def _later(head: Head, now: datetime) -> Head:
    return replace(head, at=max(head.at, now + timedelta(hours=24)))


# -- a disk that is full ---------------------------------------------------------------------

FULL = "database or disk is full"


@contextmanager
def bounded(world: World, statement: str) -> Iterator[None]:
    """No statement that begins like this finds any room."""

    def refuse(conn: Any, cursor: Any, text: str, parameters: Any, context: Any, many: Any) -> None:
        if text.startswith(statement):
            raise sa.exc.OperationalError(text, parameters, sqlite3.OperationalError(FULL))

    sa.event.listen(world.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        sa.event.remove(world.engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize(
    ("statement", "moved"),
    [
        ("INSERT INTO chunks", "no"),
        ("INSERT INTO attempts", "no"),
        ("UPDATE attempts SET state=?, sent_at", "unknown"),
        ("UPDATE attempts SET state=?, block", "unknown"),
        ("INSERT INTO entries", "unknown"),
        ("INSERT INTO receipts", "unknown"),
    ],
)
def test_a_disk_that_is_full_at_one_step_is_said_in_words_and_pays_nobody_twice(
    world: World, statement: str, moved: str
) -> None:
    batch = ready(world)
    with bounded(world, statement), pytest.raises(ValtracError) as full:
        world.send(batch)
    assert full.value.moved == moved
    assert FULL in full.value.why or "cannot be used" in full.value.what
    assert len(tried(world, batch)) == (moved == "unknown")
    if moved == "no":
        assert_nothing_paid(world, batch)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("moment", ["before the journal", "before the booking"])
def test_a_disk_that_is_really_full_stops_the_door_and_pays_nobody_twice(tmp_path: Path, moment: str) -> None:
    world = World(tmp_path, heads=150, chunk_size=150)
    batch = ready(world)

    def fill_up() -> None:
        with world.engine.connect() as conn:
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        world.engine.dispose()

        @sa.event.listens_for(world.engine, "connect")
        def limit(dbapi: Any, _record: object) -> None:
            dbapi.execute(f"PRAGMA max_page_count={pages}")

    def hand(payer: Payer, raw: bytes) -> None:
        if moment == "before the booking":
            fill_up()
        payer.broadcast(raw)

    signing = fill_up if moment == "before the journal" else lambda: None
    with pytest.raises(ValtracError) as full:
        send(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
    assert full.value.moved == ("no" if moment == "before the journal" else "unknown")
    assert len(tried(world, batch)) == (moment == "before the booking")
    world.reopened().send(batch)
    assert_paid_once(world, batch)
    world.app.close()


PARTS = 2  # so that two workers share the commits


@pytest.fixture(scope="module")
def approved_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Batch]:
    """A home with an approved batch for four people, to copy; and the batch."""
    world = World(tmp_path_factory.mktemp("approved") / "home", heads=4)
    batch = ready(world)
    world.app.close()
    return world.home, batch


@pytest.mark.parametrize("part", range(PARTS))
def test_a_disk_that_is_full_at_any_commit_ends_in_words_and_the_next_run_pays_once(
    tmp_path: Path, approved_home: tuple[Path, Batch], part: int
) -> None:
    count = _send_with_a_full_disk(approved_home, tmp_path / "0", 0)
    assert count > 20
    for number in range(1 + part, count + 1, PARTS):
        _send_with_a_full_disk(approved_home, tmp_path / str(number), number)


def _send_with_a_full_disk(approved_home: tuple[Path, Batch], home: Path, number: int) -> int:
    """Send while the n-th commit finds no room, then once more; how many commits the first sending made."""
    template, batch = approved_home
    world = World(Path(shutil.copytree(template, home)), heads=4)
    dialect, commits = world.engine.dialect, 0
    commit = dialect.do_commit

    def counted(connection: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == number:
            raise sqlite3.OperationalError(FULL)
        commit(connection)

    dialect.do_commit = counted  # type: ignore[method-assign]
    try:
        world.send(batch)
    except ValtracError as error:
        assert number, error
    finally:
        dialect.do_commit = commit  # type: ignore[method-assign]
    made = commits
    world.reopened().send(batch)
    reconcile(world.door())
    assert_paid_once(world, batch)
    world.app.close()
    return made


class FullFile:
    """A file that takes a few bytes and then has no room left."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> FullFile:
        return self

    def __exit__(self, *problem: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._file.write(data[:50])
        self._file.flush()
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_while_the_log_is_written_loses_no_row_and_doubles_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ready(world)
    looked = iter([io.open])  # the look before anything is signed finds room

    def opened(*args: Any, **how: Any) -> Any:
        file = io.open(*args, **how)  # noqa: UP020, SIM115
        return file if next(looked, None) else FullFile(file)

    with monkeypatch.context() as full:
        full.setattr(payment_log, "open", opened, raising=False)
        assert world.send(batch).state == "settled"
    assert len([words for words in world.told if "No space left" in words and "written later" in words]) == 4
    assert line_states(world, batch) == {"paid": 7}
    world.send(batch)
    assert_paid_once(world, batch)


def test_a_row_that_was_kept_out_after_the_last_booking_is_written_by_the_next_sending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ready(world)

    def never_written(*_: object) -> int:
        if line_states(world, batch) == {"paid": 7}:
            raise Died
        return 0

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(payment_log, "sync", never_written)
        world.send(batch)
    world.reopened().send(batch)
    assert_paid_once(world, batch)


def test_a_log_that_cannot_be_written_is_said_in_words_by_reconcile(world: World) -> None:
    batch = ready(world)
    world.send(batch)
    with pytest.raises(ValtracError):
        reconcile(world.door(log=world.home / "data"))


@pytest.mark.parametrize("in_the_way", ["a folder", "a file"])
def test_a_log_that_cannot_be_written_stops_the_door_before_anything_is_signed(world: World, in_the_way: str) -> None:
    batch = ready(world)
    if in_the_way == "a folder":
        (world.home / "logs" / "payout_log.csv").mkdir(parents=True)
    else:
        (world.home / "logs").write_text("", encoding="utf-8")
    payer = Meddling(world.app.unlock(), handing)
    with pytest.raises(ValtracError) as refused:
        send(world, payer, batch)
    assert (refused.value.moved, payer.signed) == ("no", [])


# -- a database that another process holds ---------------------------------------------------

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
            send(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
    finally:
        for holder in holders:
            holder.communicate(timeout=30)
    assert held.value.moved == ("no" if moment == "before the journal" else "unknown")
    assert len(tried(world, batch)) == (moment == "once the bytes are out")
    world.send(batch)
    assert_paid_once(world, batch)


# -- a second machine ------------------------------------------------------------------------


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
        send(world, Meddling(world.app.unlock(), hand, signing=signing), batch)
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
