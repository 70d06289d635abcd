"""Where a payment may not go for now: replaced, in quarantine, or announced to change hands on the chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.payout_world import World, address, owed
from valtrac.core.errors import BadInput, Refused
from valtrac.devnet import bittensor as devnet
from valtrac.payments.send import send
from valtrac.payouts import balances, proofs
from valtrac.people import destinations, policies, users


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=4).people()


def change(world: World, name: str = "u002", number: int = 50, from_block: int | None = None) -> None:
    users.add_address(world.engine, name, address(number))
    users.set_payout(world.engine, name, address(number), from_block=from_block)


def test_an_address_that_was_replaced_after_the_approval_gets_nothing_and_the_rest_goes_on(world: World) -> None:
    batch = world.day().approved()
    change(world)
    sent = world.send(batch)
    amounts = owed(batch)
    assert sent.state == "sending"
    assert world.received() == {name: units for name, units in amounts.items() if name != "u002"}
    assert any("u002 waits: the address was replaced" in words for words in world.told)
    held = balances.set_aside(world.engine, world.app.producer, batch.id, "u002", "the old key is lost")
    assert held.held == amounts["u002"]
    assert world.reopened().send(sent).state == "settled"
    later = world.day().draft()
    line = next(line for line in later.payout.lines if line.user == "u002")
    assert (line.address, line.released) == (address(50), amounts["u002"])


def test_a_changed_address_is_in_quarantine_until_the_owner_types_its_end(world: World) -> None:
    change(world, from_block=0)
    batch = world.day().approved()
    assert world.send(batch).state == "sending"
    assert world.balance(50) == 0
    (waits,) = destinations.waiting(world.engine, world.app.settings.quarantine)
    assert (waits.whom, waits.address) == ("u002", address(50))
    with pytest.raises(BadInput, match="does not end in"):
        destinations.confirm(world.engine, world.app.settings.quarantine, "u002", address(2)[-6:])
    assert destinations.confirm(world.engine, world.app.settings.quarantine, "u002", address(50)[-6:]) == address(50)
    assert destinations.waiting(world.engine, world.app.settings.quarantine) == []
    assert world.send(batch).state == "settled"
    assert world.balance(50) == owed(batch)["u002"]


def test_the_quarantine_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    change(world, from_block=0)
    batch = world.day().approved()
    assert world.send(batch).state == "sending"

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(hours=24, minutes=1)

    monkeypatch.setattr(destinations, "datetime", Later)
    assert world.send(batch).state == "settled"


def test_the_first_address_of_a_user_is_no_change_and_zero_hours_are_no_quarantine(tmp_path: Path) -> None:
    world = World(tmp_path, heads=3, quarantine_hours=0).people()
    change(world, from_block=0)
    assert destinations.waiting(world.engine, world.app.settings.quarantine) == []
    assert world.send(world.day().approved()).state == "settled"


def test_a_redirection_is_a_changed_address_too(world: World) -> None:
    policies.put(world.engine, "u003", "redirect", address(60))
    batch = world.day().approved()
    assert world.send(batch).state == "sending"
    destinations.confirm(world.engine, world.app.settings.quarantine, "u003", address(60)[-6:])
    assert world.send(batch).state == "settled"
    assert (world.balance(3), world.balance(60)) == (0, owed(batch)["u003"])


def announce(world: World, who: str, *, cancel: bool = False) -> None:
    devnet.announce_swap(world.node, who, cancel=cancel)
    devnet.advance(world.node, 3)


def test_a_destination_with_an_announced_coldkey_swap_is_held_also_when_the_chain_has_forgotten_it(
    world: World,
) -> None:
    batch = world.day().approved()
    announce(world, address(3))
    assert world.send(batch).state == "sending"
    announce(world, address(3), cancel=True)  # carried out or taken back: the chain looks the same
    assert world.send(batch).state == "sending"
    assert world.balance(3) == 0
    (waits,) = destinations.waiting(world.engine, world.app.settings.quarantine)
    assert (waits.whom, waits.until) == ("u003", None)
    destinations.confirm(world.engine, world.app.settings.quarantine, "u003", address(3)[-6:])
    assert world.send(batch).state == "settled"
    assert world.balance(3) == owed(batch)["u003"]


def test_a_second_announcement_after_the_owners_word_holds_again(world: World) -> None:
    who = destinations.confirm
    batch = world.day().approved()
    announce(world, address(3))
    assert world.send(batch).state == "sending"
    who(world.engine, world.app.settings.quarantine, "u003", address(3)[-6:])
    assert world.send(batch).state == "settled"
    announce(world, address(3), cancel=True)
    destinations.look_for_swaps(world.engine, world.app.chain, {address(3)})
    announce(world, address(3))
    later = world.day().approved()
    assert world.send(later).state == "sending"
    assert world.balance(3) == owed(batch)["u003"]


class Silent:
    """A node that tells of no swap."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def swaps_announced(self, addresses: Any, at: Any) -> frozenset[str]:
        return frozenset()


@pytest.mark.parametrize("whose", ["a payee's", "the wallet's"])
def test_a_swap_that_one_node_keeps_to_itself_is_told_by_the_other(world: World, whose: str) -> None:
    batch = world.day().approved()
    announce(world, address(3) if whose == "a payee's" else world.app.wallet_address)
    silent, honest = Silent(world.app.chain), world.app.chain
    producer = replace(world.app.producer, chain=lambda: silent, others=lambda: (honest,))
    door = world.door(chain=silent, witnesses=(honest,), producer=producer)
    if whose == "a payee's":
        assert send(door, world.app.unlock(), batch.id).state == "sending"
        assert world.balance(3) == 0
    else:
        with pytest.raises(Refused, match="swap of the payout wallet itself"):
            send(door, world.app.unlock(), batch.id)
        assert world.received() == {}


def test_what_begins_later_does_not_count_yet(world: World) -> None:
    policies.put(world.engine, "u003", "redirect", address(60), from_block=100_000)
    assert world.send(world.day().approved()).state == "settled"
    assert (world.balance(60), destinations.waiting(world.engine, world.app.settings.quarantine)) == (0, [])


def test_a_user_who_is_renamed_half_way_is_still_the_same_person(world: World) -> None:
    policies.put(world.engine, "u003", "redirect", address(60))
    batch = world.day().approved()
    assert world.send(batch).state == "sending"
    users.rename(world.engine, "u003", "carla")
    destinations.confirm(world.engine, world.app.settings.quarantine, "carla", address(60)[-6:])
    assert world.send(batch).state == "settled"
    assert world.balance(60) == owed(batch)["u003"]
    for name in ("carla", "u003"):
        assert proofs.explain(world.engine, batch.id, name).line["amount"] == owed(batch)["u003"]


def test_a_nominators_own_address_is_held_and_confirmed_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    batch = world.day().approved(by="nominators")
    announce(world, address(1))
    assert world.send(batch).state == "sending"
    destinations.confirm(world.engine, world.app.settings.quarantine, address(1), address(1)[-6:])
    assert world.send(batch).state == "settled"


def test_a_wallet_whose_own_swap_is_announced_signs_nothing(world: World) -> None:
    batch = world.day().approved()
    announce(world, world.app.wallet_address)
    with pytest.raises(Refused, match="swap of the payout wallet") as refused:
        world.send(batch)
    assert refused.value.moved == "no"
    assert world.received() == {}


def test_an_address_that_is_replaced_between_looking_and_writing_down_is_not_paid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = world.day().approved()
    payer = world.app.unlock()
    sign = payer.sign

    def slow(*args: object, **how: object) -> object:
        signed = sign(*args, **how)  # type: ignore[arg-type]
        monkeypatch.undo()
        change(world, "u001", 51)
        return signed

    monkeypatch.setattr(type(payer), "sign", lambda self, *args, **how: slow(*args, **how))
    from valtrac.payments import send

    assert send.send(world.door(), payer, batch.id).state == "sending"
    assert (world.balance(1), world.balance(51)) == (0, 0)


def reasons(world: World, number: int, *, block: int, chain_at: datetime) -> dict[int, str]:
    from valtrac.database.engine import reading

    meant = [destinations.Destination(1, "u002", person_of(world, "u002"), address(number))]
    with reading(world.engine) as conn:
        return destinations.waits(conn, meant, timedelta(hours=24), block=block, chain_at=chain_at)


def person_of(world: World, name: str) -> str:
    from valtrac.database.engine import reading
    from valtrac.people.store import people

    with reading(world.engine) as conn:
        return next(term.person for term in people.terms(conn).users if term.name == name)


@pytest.mark.parametrize("days_off", [-9, 9])
def test_a_clock_that_is_days_off_neither_skips_a_quarantine_nor_shortens_one(
    world: World, monkeypatch: pytest.MonkeyPatch, days_off: int
) -> None:
    really = datetime.now(UTC)

    class Off(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return really + timedelta(days=days_off)

    from valtrac.people.store import people

    monkeypatch.setattr(people, "datetime", Off)
    monkeypatch.setattr(destinations, "datetime", Off)
    change(world, from_block=1_000)
    monkeypatch.setattr(people, "datetime", datetime)
    monkeypatch.setattr(destinations, "datetime", datetime if days_off < 0 else Off)  # one that is slow was mended
    hours = [0, 12, 23]
    for passed in hours:
        block, moment = 1_000 + passed * 300, really + timedelta(hours=passed)
        assert "in quarantine" in reasons(world, 50, block=block, chain_at=moment)[1]
    over = really + timedelta(days=max(0, days_off), hours=25)
    monkeypatch.setattr(destinations, "datetime", datetime)

    class Over(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return over

    monkeypatch.setattr(destinations, "datetime", Over)
    assert reasons(world, 50, block=1_000 + 25 * 300, chain_at=over) == {}


def test_what_a_wrong_clock_keeps_in_quarantine_is_listed_and_can_be_vouched_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks say that it is new, this machine's clock that it is old: the door waits, so the owner is asked."""
    world.day()
    change(world, from_block=0)
    really = datetime.now(UTC)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return really + timedelta(days=9)

    monkeypatch.setattr(destinations, "datetime", Ahead)
    assert "in quarantine until block" in reasons(world, 50, block=200, chain_at=really + timedelta(days=9))[1]
    length = world.app.settings.quarantine
    (waits,) = destinations.waiting(world.engine, length)
    assert (waits.whom, waits.address, waits.until) == ("u002", address(50), None)
    assert waits.reason == "new: in quarantine until block 7200, whatever this machine's clock says"
    assert destinations.confirm(world.engine, length, "u002", address(50)[-6:]) == address(50)
    assert destinations.waiting(world.engine, length) == []
