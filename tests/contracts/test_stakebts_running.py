"""The defects D14 to D21 of StakeBTS 2.4, of how it runs, reads and writes: each played, and done right."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from websockets.sync.server import ServerConnection

from tests.contracts_world import World
from tests.custody_world import (
    begun,
    bts,
    left,
    sums,
    told,
    with_exchanges,
)
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import exchange_transfers, import_stakebts, listener
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.store import contracts, transfers
from valtrac.contracts.store import tables as t
from valtrac.core.errors import ValtracError
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares
from valtrac.exchanges.account import open_account


def test_d14_hundreds_of_blocks_are_read_over_one_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """D14: every question for the newest block opened a new websocket."""
    from valtrac.devnet.bitshares.server import Server

    opened = []
    serve = Server._serve

    def counted(self: Server, link: ServerConnection) -> None:
        opened.append(link)
        serve(self, link)

    monkeypatch.setattr(Server, "_serve", counted)
    with bitshares.serve(world.path) as node:
        chain = connect.open_node([node.url], network="devnet", timeout_s=10)
        chain.keys = dev_keys("custodian")
        custodian = replace(world.custodian, chain=chain)
        for _ in range(10):
            world.blocks(30)
            listener.listen(custodian)
        assert len(opened) == 1
        assert len(node.log) < 300 * 2 + 200
        chain.close()


def test_d14_an_error_of_the_database_is_raised_and_not_tried_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D14: any SQL error, a full disk or a mistyped name, was retried for ever."""
    tries = []

    def broken(*_: object, **__: object) -> bool:
        tries.append(1)
        raise sa.exc.OperationalError("UPDATE cursors", {}, Exception("database or disk is full"))

    world.send("ann", 25_000, "three_months")
    with monkeypatch.context() as patch:
        patch.setattr(transfers, "set_cursor", broken)
        with pytest.raises(ValtracError) as said:
            world.listen()
        assert "full" in str(said.value.why)
    assert (len(tries), world.operations()) == (1, [])
    world.listen()
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("first_block", [59_120_000, 60_692_990, 60_700_000])
@pytest.mark.parametrize("memo", ["three_months", "'three_months'", '{"type":"three_months"}'])
def test_d15_a_memo_means_the_same_in_every_block(tmp_path: Path, first_block: int, memo: str) -> None:
    """D15: whether words without JSON counted hung on the block that the database was at, not on the memo's."""
    world = World(tmp_path, first_block=first_block)
    try:
        assert world.take("ann", 25_000, memo).kind == "contract"
        listener.start_from(world.custodian, first_block + 1)
        world.listen()
        assert len(world.contracts()) == 1
    finally:
        world.close()


@pytest.mark.parametrize("request_", ["contract", "refund", "stop"])
def test_d16_a_crash_between_effects_and_cursor_leaves_nothing_and_is_done_once_later(
    world: World, monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    """D16: a block was marked as done after its effects, so that a crash in between did them twice."""
    begun(world)
    what = {"contract": ("bob", 50_000, "six_months"), "refund": ("bob", 99, "hello"), "stop": ("ann", 1, "stop")}
    world.send(*what[request_])
    world.blocks(3)
    with reading(world.engine) as conn:
        before = [conn.execute(sa.select(table)).all() for table in (t.operations, t.contracts, t.dues, t.events)]
        at = transfers.cursor(conn)

    class Crash(BaseException):
        pass

    def crash(*_: object, **__: object) -> bool:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(transfers, "set_cursor", crash)
        listener.listen(world.custodian)
    with reading(world.engine) as conn:
        assert transfers.cursor(conn) == at
        assert before == [
            conn.execute(sa.select(table)).all() for table in (t.operations, t.contracts, t.dues, t.events)
        ]
    for _ in range(3):
        world.round()
    paid = {"contract": [bts(1)], "refund": [bts(49)], "stop": []}[request_]
    assert sums(world, "bob") == paid
    assert sums(world, "ann") == ([bts(1), bts(21_250)] if request_ == "stop" else [bts(1)])


def test_d17_no_key_and_no_memo_is_printed_or_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """D17: raw memos were printed everywhere, and the exchange's key with them."""
    caplog.set_level(logging.INFO)
    wifs = list(dev_keys("custodian").by_public.values())
    with with_exchanges(tmp_path, 90_000, custodian=1_000) as (world, stub):
        account = stub.accounts.pop("key-one")
        account.secret = "marker-secret-5af1"
        stub.accounts["marker-key-77c0"] = account
        keys = {"key": "marker-key-77c0", "secret": "marker-secret-5af1"}
        opened = open_account("poloniex", "one", keys, network="BTS", timeout_s=5, urls=stub.urls)
        world.custodian = replace(world.custodian, exchanges=(opened,))
        world.take("ann", 25_000, "three_months")
        world.take("bob", 1_000, "marker-memo-31d9")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", bts(24_000), "marker-memo-31d9")
        world.take("ann", 1, "stop")
        said = []
        for trouble in ("lose_replies", "refuse", "down", "changed", "well"):
            if trouble == "changed":
                stub.accounts["marker-key-77c0"].secret = "other"
            elif trouble != "well":
                setattr(stub, trouble, 1)
            said += exchange_transfers.step(world.custodian, bts(20_000))
            stub.down = False
            stub.accounts["marker-key-77c0"].secret = "marker-secret-5af1"
            world.round()
        assert said
        with reading(world.engine) as conn:
            trail = [str(conn.execute(sa.select(table)).all()) for table in (t.events, t.moves, t.dues, t.operations)]
        logs = [path.read_text("utf-8", "replace") for path in (tmp_path / "logs").rglob("*") if path.is_file()]
        captured = capfd.readouterr()
        printed = "".join((captured.out, captured.err, caplog.text, *said, *logs))

        shown = repr(opened) + repr(world.custodian) + repr(world.chain.keys) + repr(world.payer)
        for secret in ("marker-secret-5af1", "marker-key-77c0", *wifs):
            assert secret not in printed + shown + "".join(trail)
        assert "marker-memo-31d9" not in printed + shown


@pytest.mark.parametrize("whole", [0.5, 1, 40, 50, 51, 55, 60, 60.99999])
def test_d18_what_is_too_small_for_a_refund_is_kept_and_said_to_be_kept(world: World, whole: float) -> None:
    """D18: of 51 to 60 BTS nothing went back while the receipt said that 50 were charged, below 50 that none were."""
    assert world.take("ann", whole, "fail_memo").kind == "kept"
    world.round()
    assert (world.dues(), left(world)) == ([], [])
    (event,) = told(world, "kept")
    assert "all of it is kept" in event["warn"]
    assert told(world, "refund") == []


@pytest.mark.parametrize(("whole", "back"), [(61, 11), (61.99999, 11), (99, 49), (25_000, 24_950)])
def test_d18_what_goes_back_says_what_was_charged(world: World, whole: float, back: int) -> None:
    """D18: the memo names the fee, and the trail what was really charged, fractions included."""
    assert world.take("ann", whole, "fail_memo").kind == "invalid"
    world.round()
    (paid,) = left(world, "ann")
    assert (paid.units, paid.memo) == (bts(back), "50 BTS fee charged: the memo is none of the known words")
    (event,) = told(world, "refund")
    assert bts(float(event["fee"])) + bts(float(event["pays"])) == bts(whole)


def test_d19_an_import_marks_the_contracts_of_its_list_only(world: World) -> None:
    """D19: what had been paid by hand was marked on every contract of that name, new ones too."""
    begun(world)
    begun(world, "ann", 50_000, "six_months")
    world.days(61)
    world.listen()
    old, other = world.contracts()
    before = left(world)
    ms = int(old.start_at.timestamp() * 1000)
    look = import_stakebts.preview(
        world.custodian, import_stakebts.read_text(f"ann {ms} 25000 3 2", world.settings.contract_terms)
    )
    assert import_stakebts.apply(world.custodian, look) == (0, 2, 0)
    states: dict[int | None, list[str]] = {one.id: [] for one in (old, other)}
    for row in world.dues(type_="reward"):
        states[row.contract_id].append(row.state)
    assert states == {old.id: ["paid", "paid", "pending"], other.id: ["pending"] * 6}
    assert (left(world), len(world.contracts())) == (before, 2)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(1), bts(4_000), bts(4_000)]


def test_d20_a_row_that_comes_between_looking_and_taking_is_paid_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D20: rows inserted between SELECT and UPDATE were marked as processing and never paid."""
    begun(world)
    world.take("bob", 1_000, "nonsense")
    world.send("cid", 2_000, "nonsense")
    world.blocks(3)
    payable, late = contracts.payable, list[int]()

    def then_another(conn: sa.Connection, now: datetime) -> list[Due]:
        found = payable(conn, now)
        if not late:
            late.append(1)
            other = threading.Thread(target=listener.listen, args=(world.custodian,))
            other.start()
            other.join()
        return found

    monkeypatch.setattr(contracts, "payable", then_another)
    world.pay()
    assert late
    assert all(one.line_id is not None for one in world.dues("processing", "paid", "confirmed"))
    world.round()
    assert (sums(world, "bob"), sums(world, "cid")) == ([bts(950)], [bts(1_950)])


def test_d21_contracts_are_told_apart_by_block_transaction_and_operation(world: World) -> None:
    """D21: the number by which they were told apart was the time of insertion, which two may share."""
    rows = [("ann", "custodian", bts(25_000), "three_months")] * 2
    bitshares.Client(world.path).transfers(rows)
    bitshares.transfer(world.path, "ann", "custodian", bts(25_000), "three_months")
    world.blocks(1)
    world.listen()
    made = world.contracts()
    block = made[0].block
    assert [one.key for one in made] == [f"{block}:0:0", f"{block}:0:1", f"{block}:1:0"]
    assert len({one.nonce for one in world.dues()}) == 1
    world.round()
    assert sums(world, "ann") == [bts(1)] * 3
    world.take("ann", 1, "stop")
    world.round()
    assert sums(world, "ann")[3:] == [bts(3 * 21_250)]


def test_d21_the_database_refuses_a_second_row_of_a_kind(world: World) -> None:
    """D21: whatever goes wrong above it, a contract has one principal and a request one refund."""
    begun(world)
    world.take("bob", 1_000, "nonsense")
    with reading(world.engine) as conn:
        rows = [dict(row._mapping) for row in conn.execute(sa.select(t.dues))]
        operation = dict(conn.execute(sa.select(t.operations).limit(1)).one()._mapping)
    for row in rows:
        with pytest.raises(sa.exc.IntegrityError), writing(world.engine) as conn:
            conn.execute(t.dues.insert().values({**row, "id": None, "line_id": None, "state": "pending"}))
    with pytest.raises(sa.exc.IntegrityError), writing(world.engine) as conn:
        conn.execute(t.operations.insert().values({**operation, "id": None}))
