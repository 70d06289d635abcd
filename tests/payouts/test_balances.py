"""The ledger by person: every unit that accrued is paid, borne, held or on its way, whatever was done in between."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.payout_world import TAO, World, address, owed
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading, writing
from valtrac.payments.accounts import unbalanced
from valtrac.payments.store import ledger
from valtrac.payments.store import tables as t
from valtrac.payouts import approvals, balances, drafts
from valtrac.people import policies, users


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=3).people()


def held(world: World) -> dict[str, int]:
    return {one.name: one.held for one in balances.accounts(world.engine) if one.held}


def release(world: World, *names: str, approve: bool = True) -> object:
    with reading(world.engine) as conn:
        persons = tuple(balances.person_of(conn, name) for name in names)
    batch = drafts.draft_balances(world.engine, world.request(pool=0, hotkey="", persons=persons), world.app.chain)
    if approve:
        approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, decimal_text(batch.total))
    return batch


def test_an_account_tells_what_accrued_and_where_it_is(world: World) -> None:
    batch = world.day().approved(minimum=2 * TAO)
    way = {one.name: one for one in balances.accounts(world.engine)}["u003"]
    assert (way.accrued, way.on_the_way, way.paid) == (owed(batch)["u003"], owed(batch)["u003"], 0)
    world.send(batch)
    accounts = {one.name: one for one in balances.accounts(world.engine)}
    assert accounts["u003"].paid == owed(batch)["u003"] == world.balance(3)
    assert accounts["u001"].held == accounts["u001"].accrued > 0
    one, entries = balances.account(world.engine, "u001")
    assert one == accounts["u001"]
    assert [(row["kind"], row["batch_id"]) for row in entries] == [("accrued", batch.id), ("held", batch.id)]
    assert all("below the minimum" in row["cause"] for row in entries)


def test_held_balances_are_paid_on_request_whatever_the_minimum(world: World) -> None:
    world.send(world.day().approved(minimum=3 * TAO))
    before = held(world)
    assert set(before) == {"u001", "u002"}
    assert release(world, "u002", approve=False).payout.lines[0].amount == before["u002"]  # type: ignore[attr-defined]
    batch = release(world)
    assert world.send(batch).state == "settled"  # type: ignore[arg-type]
    assert (world.balance(1), world.balance(2)) == (before["u001"], before["u002"])
    assert held(world) == {}
    with pytest.raises(Refused, match="no held balance"):
        release(world)


def test_a_release_neither_claims_a_range_nor_moves_where_the_next_payout_begins(world: World) -> None:
    first = world.day().approved(minimum=3 * TAO)
    world.send(first)
    world.send(release(world))  # type: ignore[arg-type]
    later = world.day().draft()
    assert later.from_block == first.to_block + 1
    users.add(world.engine, "late", [address(90)])
    assert users.get(world.engine, "late").since == first.to_block + 1


def test_who_has_no_address_cannot_be_released_and_is_told_so(world: World) -> None:
    users.add(world.engine, "homeless", [])
    balances.correct(world.engine, "homeless", 5, "a present")
    with pytest.raises(Refused, match="no held balance") as refused:
        release(world, "homeless")
    assert "no address" in refused.value.why


def test_what_was_too_little_comes_with_the_next_payout(world: World) -> None:
    first = world.send(world.day().approved())
    balances.correct(world.engine, "u001", 12_345, "a snapshot was missing", batch_id=first.id)
    second = world.day().approved()
    line = next(line for line in second.payout.lines if line.user == "u001")
    assert line.released == 12_345
    world.send(second)
    assert world.balance(1) == owed(first)["u001"] + line.from_pool + 12_345
    assert held(world) == {}


def test_what_was_too_much_is_taken_back_over_the_next_payouts(world: World) -> None:
    first = world.send(world.day().approved())
    much = owed(first)["u001"]
    balances.correct(world.engine, "u001", -much, "paid for a range twice")
    taken = []
    while held(world).get("u001"):
        batch = world.day().approved(take_back_bps=4_000)
        world.send(batch)
        line = next(line for line in batch.payout.lines if line.user == "u001")
        taken.append(-line.released)
        assert line.amount == line.from_pool - taken[-1]
        assert taken[-1] <= line.from_pool * 4_000 // 10_000
        assert len(taken) < 5
    assert (sum(taken), len(taken)) == (much, 3)
    assert unbalanced(world.engine) == []


@pytest.mark.parametrize(
    ("whom", "units", "reason", "batch", "words"),
    [
        ("u001", 0, "why", None, "amount: nothing"),
        ("u001", 22_000_000 * TAO, "why", None, "more than all TAO"),
        ("u001", 5, "  ", None, "say why"),
        ("nobody", 5, "why", None, "no user 'nobody'"),
        ("everyone", 5, "why", None, "no account of its own"),
        ("u001", 5, "why", 77, "no batch #77"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused_and_nothing_is_booked(
    world: World, whom: str, units: int, reason: str, batch: int | None, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        balances.correct(world.engine, whom, units, reason, batch_id=batch)
    assert balances.accounts(world.engine) == []


def test_a_payment_set_aside_goes_back_to_the_balance_and_never_twice(world: World) -> None:
    batch = world.day().approved()
    assert (
        balances.set_aside(world.engine, world.app.producer, batch.id, "u002", "asked us to wait").held
        == owed(batch)["u002"]
    )
    with pytest.raises(Refused, match="is void"):
        balances.set_aside(world.engine, world.app.producer, batch.id, "u002", "again")
    assert world.send(batch).state == "settled"
    assert set(world.received()) == {"u001", "u003"}
    with pytest.raises(Refused, match="is paid in a batch that is settled"):
        balances.set_aside(world.engine, world.app.producer, batch.id, "u001", "too late")
    world.send(release(world))  # type: ignore[arg-type]
    assert world.balance(2) == owed(batch)["u002"]


def test_a_batch_of_which_all_was_set_aside_is_settled_and_one_that_is_voided_takes_it_back(world: World) -> None:
    batch = world.day().approved()
    balances.set_aside(world.engine, world.app.producer, batch.id, "u001", "wait")
    approvals.void(world.engine, batch.id, "the wrong pool")
    assert held(world) == {}
    again = world.approved()
    for name in owed(again):
        balances.set_aside(world.engine, world.app.producer, again.id, name, "wait")
    with reading(world.engine) as conn:
        assert conn.execute(sa.select(t.batches.c.state).where(t.batches.c.id == again.id)).scalar() == "settled"
    assert held(world) == owed(again)


def test_a_batch_whose_held_balances_were_released_cannot_be_voided(world: World) -> None:
    first = world.day().approved(minimum=100 * TAO)  # all is held
    release(world)
    with pytest.raises(Refused, match="a later batch already releases"):
        approvals.void(world.engine, first.id, "oh no")


def test_a_take_back_that_was_set_aside_stops_no_later_batch_from_being_voided(world: World) -> None:
    balances.correct(world.engine, "u001", -TAO // 2, "too much")
    first = world.day().approved(take_back_bps=5_000)
    balances.set_aside(world.engine, world.app.producer, first.id, "u001", "wait")
    world.send(first)
    second = world.day().approved(take_back_bps=5_000)
    assert approvals.void(world.engine, second.id, "the wrong pool").state == "void"
    assert unbalanced(world.engine) == []


def test_a_debt_is_taken_back_in_a_payout_by_nominators_too_and_only_once(world: World) -> None:
    users.add_address(world.engine, "u001", address(40))
    balances.correct(world.engine, "u001", -1000, "too much")
    batch = world.day().approved(by="nominators", take_back_bps=5_000)
    assert sum(line.released for line in batch.payout.lines) == -1000
    world.send(batch)
    assert held(world) == {}
    assert unbalanced(world.engine) == []


def test_a_policy_about_fees_does_not_stop_a_release(world: World) -> None:
    balances.correct(world.engine, "u001", TAO, "too little")
    policies.put(world.engine, "u001", "fee-payer", "pool")
    assert world.send(release(world)).state == "settled"  # type: ignore[arg-type]
    assert world.balance(1) == TAO


def test_an_address_keeps_its_account_when_a_user_takes_it_over(world: World) -> None:
    balances.correct(world.engine, address(77), TAO, "by hand")
    users.add(world.engine, "new", [address(77)])
    assert balances.account(world.engine, address(77))[0].held == TAO
    assert world.send(release(world, address(77))).state == "settled"  # type: ignore[arg-type]


def test_an_entry_by_other_hands_shows(world: World) -> None:
    world.send(world.day().approved())
    with writing(world.engine) as conn:
        ledger.book(conn, [{"person": "user:1", "kind": "paid", "units": 1, "cause": "somebody's idea"}])
    assert [account.name for account in balances.accounts(world.engine) if not account.whole] == ["u001"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_in_whatever_order_the_books_are_whole(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    world = World(tmp_path, heads=4, quarantine_hours=0).people()
    names = [f"u{number:03}" for number in range(1, 5)]
    open_: list[int] = []

    def act(what: str) -> None:
        if what == "approve":
            batch = world.day(1).approved(
                minimum=chance.choice((500, TAO, 2 * TAO)),
                take_back_bps=5_000,
                fee_policy=chance.choice(("pool", "payee", "owner")),
            )
            open_.append(batch.id)
        elif what == "release":
            open_.append(release(world).id)  # type: ignore[attr-defined]
        elif what == "correct":
            balances.correct(
                world.engine, chance.choice(names), chance.choice((-1, 1)) * chance.randrange(1, TAO), "so"
            )
        elif what == "aside":
            balances.set_aside(world.engine, world.app.producer, chance.choice(open_), chance.choice(names), "so")
        elif what == "void":
            approvals.void(world.engine, chance.choice(open_), "so")
        elif what == "cut":
            policies.put(world.engine, chance.choice(names), "cut", chance.choice(("0", "10%", "100%")))
        else:
            from valtrac.payments import send
            from valtrac.payments.store import batches

            with reading(world.engine) as conn:
                number = batches.get(conn, chance.choice(open_)).id
            send.send(world.door(), world.app.unlock(), number)

    for what in chance.choices(("approve", "release", "correct", "aside", "void", "cut", "send"), k=30):
        with contextlib.suppress(Refused, BadInput, IndexError):  # not every step is possible at every time
            act(what)
        assert unbalanced(world.engine) == []
    accounts = {one.name: one.paid for one in balances.accounts(world.engine)}
    assert {name: units for name, units in accounts.items() if units} == world.received()
