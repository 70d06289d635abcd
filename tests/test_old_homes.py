"""Homes of an earlier version, with a batch, a due, a transfer and a withdrawal in every state, open and go on.

Made at revision 0006. Payouts: #1 settled, #2 void, #3 settled with a payment set aside, #4 being sent (one transaction
died, one was taken by the node and its reply lost), #5 approved, #6 a draft. Contracts: a payment whose transaction
was lost, others reserved in an approved batch, one delinquent, a memo that is not read, a parked transfer, one that
left the account from elsewhere.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.contracts_world import World as Contracts
from tests.custody_world import assert_books_whole, left
from tests.payout_world import HOTKEY, World, address
from valtrac.chains.bitshares import connect
from valtrac.contracts import dues, listener, rulings
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bittensor as devnet
from valtrac.payments import reconcile, send
from valtrac.payments.accounts import unbalanced
from valtrac.payments.audit import audit
from valtrac.payments.store import batches
from valtrac.payouts import approvals, proofs
from valtrac.settings import Settings, load
from valtrac.wiring.payouts import App

HOMES = Path(__file__).parent / "data" / "homes-of-revision-0006.tar.xz"


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    shutil.unpack_archive(HOMES, tmp_path)
    return tmp_path


def opened_payouts(homes: Path) -> World:
    world = World.__new__(World)
    world.home, world.heads, world.node = homes / "payouts", 7, homes / "payouts" / "data" / "devnet.sqlite"
    world.app = App(Settings(home=world.home, chunk_size=3, hotkeys=(HOTKEY,)))
    world.engine, world.told, world.slept = world.app.engine, [], 0
    return world


def states(world: World) -> dict[int, str]:
    with reading(world.engine) as conn:
        return {batch.id: batch.state for batch in batches.listed(conn)}


def test_every_batch_of_payouts_opens_and_goes_on(homes: Path) -> None:
    world = opened_payouts(homes)
    try:
        assert states(world) == {1: "settled", 2: "void", 3: "settled", 4: "sending", 5: "approved", 6: "draft"}
        before = world.received()
        devnet.advance(world.node, 5)
        (finding,) = reconcile.reconcile(world.door())
        assert finding.state == "landed"
        for number in (4, 5):
            assert send.send(world.door(), world.app.unlock(), number).state == "settled"
        with reading(world.engine) as conn:
            draft = batches.get(conn, 6)
            owed = Counter[str]()
            for number in (4, 5, 6):
                for line in batches.lines_of(conn, number):
                    owed[line.address] += line.amount
        approvals.approve(
            world.engine, world.app.settings, world.app.caps, 6, decimal_text(draft.total), despite="as planned"
        )
        assert send.send(world.door(), world.app.unlock(), 6).state == "settled"
        after = world.received()
        gained = {address(int(name[1:])): after[name] - before.get(name, 0) for name in after}
        assert gained == dict(owed)
        assert unbalanced(world.engine) == []
        assert audit(world.engine)[1] is None
        assert proofs.explain(world.engine, 1, "u002").explanation.exact
    finally:
        world.app.close()


def opened_contracts(homes: Path) -> Contracts:
    world = Contracts.__new__(Contracts)
    world.folder = homes / "contracts"
    world.path = world.folder / "data" / "bitshares-devnet.sqlite"
    given = {
        "HOME": str(world.folder),
        "CONTRACTS_AMOUNTS": "100,25000,50000,100000",
        "CONTRACTS_MANAGERS": "manager,clerk",
    }
    world.settings = load({f"VALTRAC_{name}": value for name, value in given.items()}, Path("/nonexistent"))
    world.engine = open_engine(world.settings.bitshares_database)
    world.chain = connect.open_devnet(world.path, timeout_s=10)
    world.custodian = world.new_custodian()
    return world


def test_every_contract_opens_and_goes_on(homes: Path) -> None:
    world = opened_contracts(homes)
    try:
        found = Counter(due.state for due in world.dues())
        assert found == {
            "confirmed": 8,
            "aborted": 4,
            "pending": 4,
            "processing": 3,
            "premature": 2,
            "paid": 2,
            "delinquent": 1,
        }
        assert Counter(one.state for one in world.operations()) == {
            "handled": 18,
            "parked": 1,
            "unruled": 1,
            "waiting": 1,
        }
        world.unlock()
        listener.listen(world.custodian)  # the memo that was not read: dee has a contract
        (unruled,) = world.operations("unruled")
        rulings.rule(world.custodian, unruled.id, words="sent by hand from another wallet")
        (parked,) = world.operations("parked")
        rulings.read_by_hand(world.custodian, parked.id, rulings.Word(keep="it was the withdrawal"))
        world.blocks(200)
        listener.listen(world.custodian)
        for _ in range(3):
            world.round()
        (late,) = world.dues("delinquent")
        dues.pay_delinquent(world.custodian, world.payer, late.id, decimal_text(late.units, 5))
        for _ in range(12):
            world.days(31)
            world.round()
        assert {due.state for due in world.dues()} <= {"confirmed", "aborted", "premature"}
        assert len(left(world)) == len(world.dues("confirmed")) + 1  # and the one from the other wallet
        assert_books_whole(world)
    finally:
        world.close()
