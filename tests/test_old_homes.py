"""Homes of an earlier version, with a batch, a due, a transfer and a withdrawal in every state, open and go on.

Made at revision 0006. Payouts: #1 settled, #2 void, #3 settled with a payment set aside, #4 being sent (one transaction
died, one was taken by the node and its reply lost), #5 approved, #6 a draft. Contracts: a payment whose transaction
was lost, others reserved in an approved batch, one delinquent, a memo that is not read, a parked transfer, one that
left the account from elsewhere.
"""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tests.contracts_world import World as Contracts
from tests.custody_world import assert_books_whole, left
from tests.payout_world import HOTKEY, World, address
from valtrac import devnet
from valtrac.app import App
from valtrac.chains import bitshares
from valtrac.config import Settings, load
from valtrac.domain.money import decimal_text
from valtrac.services import approvals, contracts, dues, listener, payouts, proofs, reconcile
from valtrac.services.balances import unbalanced
from valtrac.store import batches
from valtrac.store.engine import open_engine, reading

HOMES = Path(__file__).parent / "data" / "homes-of-revision-0006.tar.xz"


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    with tarfile.open(HOMES) as packed:
        packed.extractall(tmp_path, filter="data")
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
        (finding,) = reconcile.reconcile(world.engine, world.app.chain)
        assert finding.state == "landed"
        for number in (4, 5):
            assert payouts.send(world.door(), world.app.unlock(), number).state == "settled"
        with reading(world.engine) as conn:
            draft = batches.get(conn, 6)
            owed = Counter[str]()
            for number in (4, 5, 6):
                for line in batches.lines_of(conn, number):
                    owed[line.address] += line.amount
        approvals.approve(world.engine, world.app.settings, 6, decimal_text(draft.total), despite="as planned")
        assert payouts.send(world.door(), world.app.unlock(), 6).state == "settled"
        after = world.received()
        gained = {address(int(name[1:])): after[name] - before.get(name, 0) for name in after}
        assert gained == dict(owed)
        assert unbalanced(world.engine) == []
        assert proofs.audit(world.engine)[1] is None
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
    world.chain = bitshares.open_devnet(world.path, timeout_s=10)
    world.house = world.new_house()
    return world


def test_every_contract_opens_and_goes_on(homes: Path) -> None:
    world = opened_contracts(homes)
    try:
        found = Counter(due.state for due in world.dues())
        assert found == {
            "confirmed": 8, "aborted": 4, "pending": 4, "processing": 3, "premature": 2, "paid": 2, "delinquent": 1
        }  # fmt: skip
        assert Counter(one.state for one in world.operations()) == {
            "handled": 18, "parked": 1, "unruled": 1, "waiting": 1
        }  # fmt: skip
        world.unlock()
        listener.listen(world.house)  # the memo that was not read: dee has a contract
        (unruled,) = world.operations("unruled")
        contracts.rule(world.house, unruled.id, words="sent by hand from another wallet")
        (parked,) = world.operations("parked")
        contracts.read_by_hand(world.house, parked.id, keep="it was the withdrawal")
        world.blocks(200)
        listener.listen(world.house)
        for _ in range(3):
            world.round()
        (late,) = world.dues("delinquent")
        dues.pay_delinquent(world.house, world.payer, late.id, decimal_text(late.units, 5))
        for _ in range(12):
            world.days(31)
            world.round()
        assert {due.state for due in world.dues()} <= {"confirmed", "aborted", "premature"}
        assert len(left(world)) == len(world.dues("confirmed")) + 1  # and the one from the other wallet
        assert_books_whole(world)
    finally:
        world.close()
