"""Coming over from StakeBTS with its list: looked at first, then all or nothing, and once."""

from __future__ import annotations

import pytest

from tests.contracts.stakebts_files import MONTH_MS, look, ms, state
from tests.contracts_world import World
from tests.custody_world import bts, sums
from valtrac.contracts import import_stakebts, listener, overview
from valtrac.core.errors import BadInput


def test_the_documents_list_is_read_with_spaces_and_tabs(world: World) -> None:
    text = '''
        STAKES = """
            ann 1623177720000 25000 12 2
            bob\t1623176546500\t50000\t3\t2

        """
    '''
    ann, bob = import_stakebts.read_text(text, world.settings.contract_terms)
    assert (ann.name, ann.amount, ann.months, ann.months_paid, ms(ann.start_at)) == (
        "ann",
        bts(25_000),
        12,
        2,
        1623177720000,
    )
    assert (bob.name, bob.amount, bob.months, bob.months_paid, ms(bob.start_at)) == (
        "bob",
        bts(50_000),
        3,
        2,
        1623176546500,
    )
    paid = [(row.type, row.number) for row in ann.rows if row.state == "paid"]
    assert paid == [("agreement", 0), ("reward", 1), ("reward", 2)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ann 1623177720000 25000 12", "4 fields"),
        ("ann 1623177720000 25000 12 2 9", "6 fields"),
        ("ann yesterday 25000 12 2", "start_ms"),
        ("ann 1623177720 25000 12 2", "start_ms"),
        ("ann 1623177720000 -25000 12 2", "amount"),
        ("ann 1623177720000 25000.5 12 2", "amount"),
        ("ann 1623177720000 0 12 2", "amount"),
        ("ann 1623177720000 25000 5 2", "months"),
        ("ann 1623177720000 25000 3 4", "months_paid"),
        ("ann 1623177720000 25000 twelve 2", "months"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_field(world: World, line: str, said: str) -> None:
    text = f"bob 1623177720000 25000 12 2\n{line}\n"
    with pytest.raises(BadInput) as error:
        import_stakebts.read_text(text, world.settings.contract_terms)
    (problem,) = error.value.problems
    assert problem.startswith("line 2: ")
    assert said in problem


def test_every_bad_line_is_named_at_once(world: World) -> None:
    with pytest.raises(BadInput) as error:
        import_stakebts.read_text("ann 1 2\nann x 25000 3 0\nbob 1623177720000 1 7 0", world.settings.contract_terms)
    assert [problem.split(":")[0] for problem in error.value.problems] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing"])
def test_an_empty_list_is_refused(world: World, text: str) -> None:
    with pytest.raises(BadInput, match="no contract"):
        import_stakebts.read_text(text, world.settings.contract_terms)


def test_accounts_that_the_chain_does_not_know_are_all_named(world: World) -> None:
    before = state(world)
    with pytest.raises(BadInput) as error:
        look(world, "nobody 1623177720000 25000 3 0\nann 1623177720000 25000 3 0\nnoone 1623177720000 25000 3 0")
    assert [problem.split()[-1] for problem in error.value.problems] == ["nobody", "noone"]
    assert state(world) == before


def test_looking_changes_nothing_and_importing_twice_changes_nothing_more(world: World) -> None:
    start = ms(world.now) - 2 * MONTH_MS - 1_000
    text = f"ann {start} 25000 12 1\nann {start} 25000 12 2\nbob {start} 50000 3 2"
    before = state(world)
    first = look(world, text)
    assert (first.new, first.past_due) == (3, bts(2_000))
    assert state(world) == before
    assert import_stakebts.apply(world.custodian, first) == (3, 0, 0)
    after = state(world)
    assert look(world, text).new == 0
    assert import_stakebts.apply(world.custodian, first) == (0, 0, 0)
    assert import_stakebts.apply(world.custodian, look(world, text)) == (0, 0, 0)
    assert state(world) == after
    world.round()
    assert (sums(world, "ann"), sums(world, "bob")) == ([bts(2_000)], [])


def test_rewards_are_marked_paid_on_a_contract_that_was_found_on_the_chain_already(world: World) -> None:
    """D19: on that one, and on no other of the same name."""
    operation = world.take("ann", 25_000, "six_months")
    world.take("ann", 50_000, "six_months")
    world.round()
    world.days(61)
    world.listen()
    found = look(world, f"ann {ms(operation.at)} 25000 6 2")
    assert [step.what for step in found.steps] == ["mark"]
    assert import_stakebts.apply(world.custodian, found) == (0, 2, 0)
    assert import_stakebts.apply(world.custodian, found) == (0, 0, 0)
    first, second = world.contracts()
    rows = {
        one.id: [row.state for row in world.dues(type_="reward") if row.contract_id == one.id]
        for one in (first, second)
    }
    assert rows == {first.id: ["paid", "paid", *["pending"] * 4], second.id: ["pending"] * 6}
    world.round()
    assert sums(world, "ann") == [bts(1), bts(1), bts(4_000), bts(4_000)]


def test_what_was_paid_here_and_there_is_not_marked_but_told(world: World) -> None:
    operation = world.take("ann", 25_000, "six_months")
    world.days(31)
    world.round()
    found = look(world, f"ann {ms(operation.at)} 25000 6 0")
    assert [step.what for step in found.steps] == ["known"]
    assert any("pending there and paid here" in words for words in found.differences)


def test_the_listener_links_an_imported_contract_in_the_place_of_making_a_second(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    listener.start_from(world.custodian, None)
    start = ms(world.now) - 60_000
    assert import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0")) == (1, 0, 0)
    listener.start_from(world.custodian, 60_700_001)
    world.round()
    assert [one.kind for one in world.operations()] == ["known"]
    (one,) = overview.listed(world.engine)
    assert (one.state, sums(world, "ann")) == ("open", [])
    world.take("ann", 25_000, "three_months")
    assert len(world.contracts()) == 2  # another deposit is another contract
    world.take("ann", 1, "stop")
    world.round()
    assert bts(2 * 21_250) in sums(world, "ann")


def test_a_contract_of_a_list_is_called_by_what_it_is(world: World) -> None:
    start = ms(world.now) - 31 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    world.round()
    (paid,) = world.dues("confirmed")
    assert "stake contract of 25000 BTS since 20" in paid.memo
    assert "list:" not in paid.memo


def test_more_bts_than_there_are_cannot_be_listed(world: World) -> None:
    with pytest.raises(BadInput, match="all there are"):
        look(world, f"ann {ms(world.now)} 3600570503 3 0")
