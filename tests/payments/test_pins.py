"""Who decides what is final is pinned in rows that only grow, and what a proof says goes with what is booked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.payments.test_evidence import landed_but_not_booked, looked
from tests.payout_world import World, owed
from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.core.finality import Finality, Origin, Pin, Proof
from valtrac.core.money import TAO
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.database.opening import open_engine
from valtrac.payments.pins import KeptPins
from valtrac.payments.reconcile import reconcile
from valtrac.payments.store import attempts, pins
from valtrac.payments.verify import verify

PIN = Pin("0xg", 10, "0xa", 3, ((b"\x01" * 32, 2**63), (b"\x02" * 32, 1)), Origin.ONE_NODE, "told", 10, "0xa")
NEXT = replace(PIN, block=20, block_hash="0xb", number=4, origin=Origin.FOLLOWED, proven_block=20, proven_hash="0xb")


@pytest.fixture
def kept(tmp_path: Path) -> KeptPins:
    return KeptPins(open_engine(tmp_path / "db.sqlite"))


def stored(kept: KeptPins) -> list[Pin]:
    return [replace(pin, id=0) for pin in kept.load("0xg")]


def test_pins_come_back_as_they_were_in_their_order(kept: KeptPins) -> None:
    assert kept.load("0xg") == []
    kept.save(PIN)
    kept.save(NEXT)
    assert stored(kept) == [PIN, NEXT]
    assert kept.load("0xother") == []


def test_of_two_processes_that_follow_one_pin_one_is_faster(kept: KeptPins) -> None:
    kept.save(PIN)
    (first,) = kept.load("0xg")
    with writing(kept._engine) as conn:
        pins.add(conn, NEXT, first.id)
        pins.add(conn, replace(NEXT, block=21), first.id)
    assert stored(kept) == [PIN, NEXT]


def test_the_newest_proven_block_only_goes_up(kept: KeptPins) -> None:
    kept.save(PIN)
    (pin,) = kept.load("0xg")
    kept.saw(pin, 15, "0xc")
    kept.saw(pin, 12, "0xd")
    assert [(one.proven_block, one.proven_hash) for one in kept.load("0xg")] == [(15, "0xc")]
    with pytest.raises(sa.exc.DBAPIError, match="refused"), writing(kept._engine) as conn:
        conn.exec_driver_sql("UPDATE authority_sets SET proven_block = 1")


def test_nothing_of_another_chain_is_kept(kept: KeptPins) -> None:
    with writing(kept._engine) as conn:
        claim_identity(conn, "0xother", "devnet", TAO)
    kept.save(PIN)
    assert kept.load("0xg") == []


class Saying:
    """`valtrac.ports.FinalityProofs` that says what it is told to."""

    def __init__(self, said: Proof | ChainUnreachable) -> None:
        self.said = said

    def proof(self, head: Head) -> Proof:
        if isinstance(self.said, ChainUnreachable):
            raise self.said
        return self.said


def test_what_became_of_a_payment_says_by_what_its_block_is_final(world: World) -> None:
    landed_but_not_booked(world)
    finding = looked(world, world.app.chain, finality=Saying(Proof(True, "they voted for block 9")), evidence="; x")
    assert finding.words.endswith("; proven under the block's header; proven to be final: they voted for block 9")


def test_nothing_is_booked_on_the_word_of_a_node_with_another_history(world: World) -> None:
    batch, _ = landed_but_not_booked(world)
    lied = ChainUnreachable("it cannot be trusted", why="block 3, which is proven to be final, is another one")
    with pytest.raises(ChainUnreachable, match="cannot be trusted"):
        reconcile(world.door(finality=Saying(lied)))
    with reading(world.engine) as conn:
        assert len(attempts.unresolved(conn)) == 1
    world.send(batch)
    assert world.received() == owed(batch)


@pytest.mark.parametrize(
    ("proof", "second", "finality"),
    [
        (Proof(True, "votes"), False, Finality.PROVEN),
        (Proof(False, "none yet"), True, Finality.AGREED),
        (Proof(False, "none yet"), False, Finality.BELIEVED),
    ],
)
def test_a_payment_that_is_looked_up_again_is_proven_agreed_or_believed(
    world: World, proof: Proof, second: bool, finality: Finality
) -> None:
    world.send(world.people().day().approved())
    door = world.door(finality=Saying(proof), witnesses=(world.app.chain,) if second else ())
    there = verify(door, world.app.chain.send).there
    assert [(one.known.finality, one.known.words) for one in there] == [(finality, proof.words)] * 3
