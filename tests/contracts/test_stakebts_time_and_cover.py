"""The defects D7 to D13 of StakeBTS 2.4, of blocks, clocks, switches and exchanges: each played, and done right."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import (
    FIRST,
    assert_books_whole,
    at_once,
    begun,
    bts,
    left,
    sums,
    told,
    with_exchanges,
)
from tests.homes import CHECKOUT
from valtrac.contracts import audit, dues, exchange_transfers, listener, overview
from valtrac.contracts import rulings as owner
from valtrac.contracts.model import contracts as domain
from valtrac.core.errors import BadInput
from valtrac.devnet import bitshares
from valtrac.loggers.jobs import payments


def test_d07_the_requests_of_a_skipped_block_are_written_down_and_not_carried_out(world: World) -> None:
    """D7: the list of blocks to skip was compared with an object and never matched."""
    next_block = bitshares.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=f"1,{next_block}")
    assert world.take("ann", 25_000, "three_months").kind == "skipped"
    assert world.take("bob", 25_000, "three_months").kind == "contract"
    listener.start_from(world.custodian, FIRST + 1)
    world.round()
    assert [one.name for one in world.contracts()] == ["bob"]
    assert sums(world, "ann") == []


def test_d07_what_a_skipped_block_held_is_taken_up_once_when_the_owner_says_so(world: World) -> None:
    next_block = bitshares.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=f"{next_block},{next_block + 4}")
    skipped, other = world.take("ann", 25_000, "three_months"), world.take("bob", 777, "nonsense")
    assert (skipped.kind, other.kind) == ("skipped", "skipped")
    with pytest.raises(BadInput, match="ask for nothing"):
        owner.read_by_hand(world.custodian, skipped.id, owner.Word(memo="nonsense"))
    assert world.contracts() == []
    assert owner.read_by_hand(world.custodian, skipped.id, owner.Word()) == "contract"
    assert owner.read_by_hand(world.custodian, other.id, owner.Word(refund=True)) == "returned"
    for one in (skipped, other):
        with pytest.raises(BadInput, match="is handled"):
            owner.read_by_hand(world.custodian, one.id, owner.Word(refund=True))
    listener.start_from(world.custodian, FIRST + 1)
    world.round()
    assert [one.name for one in world.contracts()] == ["ann"]
    assert sums(world, "ann") == [bts(1)]
    assert sums(world, "bob") == [bts(777)]


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert datetime.fromtimestamp(0).hour == 19  # noqa: DTZ006 - that is the point
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_d08_a_contract_starts_at_the_time_of_its_block_in_utc_wherever_the_host_is(tmp_path: Path) -> None:
    """D8: block times were parsed in the host's time zone: in New York every payment fell due four hours late."""
    world = World(tmp_path)
    try:
        operation = world.take("ann", 25_000, "three_months")
        said = bitshares.Client(world.path).call("get_block", operation.block)["timestamp"]
        start = datetime.fromisoformat(said).replace(tzinfo=UTC)
        (contract,) = world.contracts()
        assert contract.start_at == start
        first = min(one.due_at for one in world.dues(type_="reward"))
        assert (first - start).total_seconds() == 30 * 86_400
        world.round()
        world.days((first - world.now).total_seconds() / 86_400 - 0.1)
        assert world.round().paid == 0
        world.days(0.11)
        assert world.round().paid == 1
    finally:
        world.close()


def test_d09_no_python_version_is_compared_as_a_float() -> None:
    """D9: float("3.11") < 3.8, so that Python 3.10 and later were refused."""
    from packaging.specifiers import SpecifierSet

    wanted = SpecifierSet(tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert all(wanted.contains(version) for version in ("3.11", "3.12", "3.13", "3.14"))
    sources = [CHECKOUT / "run.py", *(CHECKOUT / "valtrac").rglob("*.py"), *(CHECKOUT / "menus").rglob("*.py")]
    asked = re.compile(r"sys\.version\b|platform\.python_version")
    assert [path.name for path in sources if asked.search(path.read_text("utf-8"))] == []


def test_d10_with_payments_switched_off_nothing_is_paid_and_nothing_breaks(tmp_path: Path) -> None:
    """D10: MAKE_PAYMENTS = False ended in an unbound name."""
    with with_exchanges(tmp_path, 10_000, CONTRACTS_PAYMENTS="no") as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.take("ann", 1, "stop")
        world.take("bob", 25_000, "six_months")
        world.days(31)
        world.listen()
        app: Any = SimpleNamespace(
            custodian=world.custodian,
            settings=world.settings,
            engine=world.engine,
            locked=False,
            payer=lambda: world.payer,
        )
        assert "switched off" in payments.tick(app).words
        assert (left(world), stub.asked, world.dues("processing", "paid", "confirmed")) == ([], [], [])
        world.set(contracts_payments="yes")
        app.settings, app.custodian = world.settings, world.custodian
        payments.tick(app, poll_s=0.0)
        world.round()
        assert bts(21_250) in sums(world, "ann")


@pytest.mark.parametrize("trouble", ["down", "refuse", "keys", "lossy"])
def test_d11_errors_of_an_exchange_are_noticed_and_said(tmp_path: Path, trouble: str) -> None:
    """D11: errors of the exchange were looked for in a text and never found."""
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        if trouble == "down":
            stub.down = True
        elif trouble == "refuse":
            stub.refuse = 1
        elif trouble == "lossy":
            stub.lose_replies = 1
        else:
            stub.accounts["key-one"].secret = "changed"
        said = exchange_transfers.step(world.custodian, bts(5_000))
        words = {
            "down": "does not tell",
            "refuse": "refused a withdrawal",
            "keys": "does not accept its keys",
            "lossy": "no clear answer",
        }[trouble]
        assert [words in one for one in said] == [True]
        if trouble == "refuse":
            assert "Insufficient" in told(world, "exchange_failed")[0]["error"]
        assert audit.note_balances(world.custodian, world.chain.finalized())
        known = told(world, "balances")[0]["balances"]["1"]
        assert (known is None) == (trouble in ("down", "keys"))


def test_d12_what_is_past_due_is_shown_and_what_is_being_paid_is_still_owed(world: World) -> None:
    """D12: past due never showed, and the gross liability left out what was being paid."""
    begun(world)
    gross = bts(25_000 + 3 * 2_000)
    assert overview.liabilities(world.engine, world.now).gross == gross
    world.days(31)
    world.listen()
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.past_due) == (gross, bts(2_000))
    assert any("past due" in words for words in domain.warnings(found, bts(10**6), None))
    bitshares.misbehave(world.path, hold_pool=True)
    with pytest.raises(Exception, match="not seen again"):
        dues.pay(world.custodian, world.payer, patience_s=3, poll_s=0)
    assert [one.state for one in world.dues("processing", "paid")] in (["paid"], ["processing"])
    assert overview.liabilities(world.engine, world.now).gross == gross
    bitshares.misbehave(world.path, hold_pool=False)
    world.round()
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.past_due, found.processed_48h) == (gross - bts(2_000), 0, bts(2_000))


def test_d13_accounts_with_too_little_are_neither_counted_nor_emptied(tmp_path: Path) -> None:
    """D13: accounts of 510 and less counted in the sum that decided, and were not drawn upon."""
    with with_exchanges(tmp_path, 510, 500, 300) as (world, stub):
        assert exchange_transfers.step(world.custodian, bts(1_000)) == []
        assert (stub.asked, exchange_transfers.on_the_way(world.custodian)) == ([], 0)


def test_d13_two_payments_that_lack_money_are_covered_by_one_withdrawal_for_both(tmp_path: Path) -> None:
    """D13: concurrent payments each withdrew, and then spent the same balance."""
    with with_exchanges(tmp_path, 200_000, custodian=0) as (world, stub):
        bitshares.fund(world.path, "custodian", bts(500))
        for who in ("ann", "bob"):
            world.take(who, 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", bts(50_000), "rent")
        for who in ("ann", "bob"):
            world.take(who, 1, "stop")
        for _ in range(4):
            world.round()
        assert len(stub.asked) == 1
        assert sums(world, "ann")[-1] == sums(world, "bob")[-1] == bts(21_250)
        assert_books_whole(world)


def test_d13_two_payers_at_once_ask_each_account_once(tmp_path: Path) -> None:
    """D13: whoever thinks of a cover at the same time, one of an account is on its way at most."""
    with with_exchanges(tmp_path, 3_000, 3_000) as (world, stub):
        stub.late = True
        step = lambda: exchange_transfers.step(world.custodian, bts(5_000))  # noqa: E731
        at_once(step, step, step)
        keys = [one.key for one in stub.asked]
        assert sorted(set(keys)) == sorted(keys)
        assert all(one.amount <= 2_990 for one in stub.asked)
