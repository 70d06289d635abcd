"""What else touches the account: other assets, payments that the journal does not know, several in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import FIRST, begun, bts, left, sums, told
from valtrac.contracts import listener
from valtrac.contracts import rulings as owner
from valtrac.contracts.custodian import find_custodian
from valtrac.contracts.model.states import TransferState
from valtrac.contracts.store import transfers as operations
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares


def test_other_assets_are_written_down_and_ask_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transfers = world.chain.transfers

    def in_another_asset(*args: Any) -> Iterator[Any]:
        for block in transfers(*args):
            yield replace(block, transfers=tuple(replace(one, asset_id="1.3.121") for one in block.transfers))

    monkeypatch.setattr(world.chain, "transfers", in_another_asset)
    operation = world.take("ann", 25_000, "three_months")
    assert (operation.state, operation.kind, operation.asset_id) == ("handled", "other_asset", "1.3.121")
    monkeypatch.undo()
    world.round()
    assert (world.contracts(), world.dues(), left(world)) == ([], [], [])
    assert told(world, "transfer")[0]["amount"] == "2500000000 units of 1.3.121"


def test_a_foreign_payment_holds_what_is_paid_to_that_account_until_the_owner_has_ruled(world: World) -> None:
    begun(world)
    begun(world, "bob")
    world.days(31)
    bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "by hand")
    world.blocks(1)
    done = world.round()
    (one,) = world.operations("unruled")
    assert (one.name, one.kind, one.direction) == ("ann", "foreign", "out")
    assert [why for _, why in done.outlook.held] == [
        f"transfer {one.key} to it is not in the journal: run.py contracts waiting"
    ]
    assert (sums(world, "ann"), sums(world, "bob")) == ([bts(1), bts(2_000)], [bts(1), bts(2_000)])
    reward = owner.matching(world.engine, one)[0]
    assert (reward.type, reward.number) == ("reward", 1)
    owner.rule(world.custodian, one.id, pays=reward.id)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert [(due.state, due.tx_id) for due in world.dues() if due.id == reward.id] == [("confirmed", one.tx_id)]
    from valtrac.payments.accounts import unbalanced

    assert unbalanced(world.engine) == []


def test_calling_it_foreign_needs_words_where_that_client_is_owed_something(world: World) -> None:
    begun(world)
    bitshares.transfer(world.path, "custodian", "ann", bts(77), "rent")
    bitshares.transfer(world.path, "custodian", "dee", bts(77), "rent")
    world.blocks(1)
    world.listen()
    ann, dee = world.operations("unruled")
    with pytest.raises(Refused, match="who is owed something"):
        owner.rule(world.custodian, ann.id)
    with pytest.raises(BadInput, match="the transfer was 77"):
        owner.rule(world.custodian, ann.id, pays=world.dues(type_="reward")[0].id)
    assert owner.rule(world.custodian, ann.id, words="rent of May").words == "rent of May"
    assert owner.rule(world.custodian, dee.id).kind == "foreign"
    with pytest.raises(BadInput, match="handled"):
        owner.rule(world.custodian, dee.id)
    world.days(31)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(77), bts(2_000)]


def test_what_left_before_the_block_that_is_begun_with_is_not_asked_about(world: World, tmp_path: Path) -> None:
    bitshares.transfer(world.path, "custodian", "dee", bts(7), "long ago")
    world.blocks(4)
    engine = open_engine(tmp_path / "new.sqlite")
    custodian = replace(world.custodian, engine=engine)
    find_custodian(engine, world.chain, world.settings)
    listener.listen(custodian)  # the first start of this database
    began = listener.start_from(custodian, world.chain.finalized().number)
    bitshares.transfer(world.path, "custodian", "dee", bts(8), "since then")
    world.blocks(4)
    listener.listen(custodian)
    with reading(engine) as conn:
        found = [(one.units, one.state, one.kind) for one in operations.listed(conn)]
    assert began == 0  # nothing is passed over
    assert found == [(bts(8), "unruled", "foreign")]
    listener.start_from(custodian, FIRST + 1)  # what is read anew is answered for: it may have been paid by then
    listener.listen(custodian)
    with reading(engine) as conn:
        anew = [(one.units, one.state) for one in operations.listed(conn)]
    assert anew == [(bts(7), "unruled"), (bts(8), "unruled")]
    assert owner.rule_before(custodian, world.chain.finalized().number, "paid by hand, long ago") == 2
    with reading(engine) as conn:
        assert operations.listed(conn, TransferState.UNRULED) == []
    engine.dispose()


def test_every_operation_of_a_transaction_counts_by_itself(world: World) -> None:
    client = bitshares.Client(world.path)
    client.transfers(
        [
            ("ann", "custodian", bts(25_000), "three_months"),
            ("ann", "bob", bts(5), "custodian"),
            ("ann", "custodian", bts(50_000), "six_months"),
            ("bob", "custodian", bts(99), "hello"),
            ("ann", "custodian", bts(1), "stop"),
        ]
    )
    client.foreign("ann", "custodian", bts(300))
    world.blocks(1)
    world.listen()
    found = world.operations()
    assert [(one.trx, one.op, one.kind) for one in found] == [
        (0, 0, "contract"),
        (0, 2, "contract"),
        (0, 3, "invalid"),
        (0, 4, "stop"),
        (1, 1, "invalid"),
    ]
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), bts(1), bts(250), bts(63_750)]
    assert sums(world, "bob") == [bts(49)]


def test_two_deposits_in_one_transaction_are_two_contracts(world: World) -> None:
    bitshares.Client(world.path).transfers([("ann", "custodian", bts(25_000), "three_months")] * 2)
    world.blocks(1)
    world.listen()
    assert [one.op for one in world.contracts()] == [0, 1]
    assert len(world.dues()) == 12
