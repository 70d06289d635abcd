"""The same contract in StakeBTS's list, in its database and on the chain: it is one contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.stakebts_files import database, look, look_at, ms
from tests.contracts_world import World
from valtrac.contracts import import_stakebts, listener, overview


def test_a_contract_of_a_list_is_known_again_in_the_database_whether_or_not_it_was_found_on_the_chain(
    world: World, tmp_path: Path
) -> None:
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    found = look_at(world, database(tmp_path / "old.db", start, changes={("reward", 1): "confirmed"}))
    assert [step.what for step in found.steps] == ["mark"]
    import_stakebts.apply(world.custodian, found)
    assert len(world.contracts()) == 1


def test_a_deposit_that_was_listed_and_read_is_known_again_in_the_database(world: World, tmp_path: Path) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    listener.start_from(world.custodian, None)
    import_stakebts.apply(world.custodian, look(world, f"ann {ms(world.now) - 60_000} 25000 3 0"))
    listener.start_from(world.custodian, 60_700_001)
    world.listen()
    (linked,) = world.operations()
    path = database(tmp_path / "old.db", ms(linked.at), block=linked.block)
    assert [step.what for step in look_at(world, path).steps] == ["known"]


@pytest.mark.parametrize(("shift_ms", "months"), [(1_000, 3), (0, 6), (36 * 3_600_000, 3)])
def test_what_is_much_like_a_contract_that_is_here_is_told(world: World, shift_ms: int, months: int) -> None:
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    found = look(world, f"ann {start + shift_ms} 25000 {months} 0")
    assert found.new == 1
    (words,) = found.differences
    assert "much like contract #1" in words and "for 3 months since" in words


def test_an_old_stop_does_not_end_a_contract_of_a_list_that_began_later(world: World) -> None:
    world.send("ann", 1, "stop")
    world.days(20)
    listener.start_from(world.custodian, None)
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    listener.start_from(world.custodian, 60_700_001)
    world.round()
    assert [one.state for one in overview.listed(world.engine)] == ["open"]
    world.take("ann", 1, "stop")
    assert [one.state for one in overview.listed(world.engine)] == ["ended"]
