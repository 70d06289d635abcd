"""Seeds: a few lines make a chain; what is wrong in them is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench, Clock, run, who, world
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet.bittensor import advance, open_substrate, seed, seed_world, status
from valtrac.devnet.bittensor.reader import world_of

EXAMPLE = (Path(__file__).parents[3] / "data" / "examples" / "devnet.toml").read_text()
GOOD = """
name = "small"
[accounts]
Rich = "12.5"
[[hotkeys]]
hotkey = "//Hot"
owner = "//Owner"
take = "10%"
[[hotkeys.subnets]]
netuid = 0
owner_stake = 5
nominators = [{ who = "ann", stake = "0.000000001" }]
generate = 3
[[changes]]
block = 5
netuid = 0
who = "//ann"
add = "1"
"""


def test_the_example_is_a_validator_with_fifteen_nominators_and_a_lively_first_day(tmp_path: Path) -> None:
    made = world_of(EXAMPLE)
    (hotkey,) = made.hotkeys

    assert (hotkey.owner, made.accounts[hotkey.owner], made.tempo) == (who("//Owner"), 1000 * TAO, 360)
    assert [subnet.netuid for subnet in hotkey.subnets] == [0, 1]
    assert len(hotkey.subnets[0].stakes) == 15 + 1
    assert all(50 * TAO <= units <= 5000 * TAO for units in hotkey.subnets[0].stakes.values())
    assert len(made.changes) >= 4
    assert all(change.block < 7200 for change in made.changes)

    seed(tmp_path / "chain.sqlite", EXAMPLE)
    assert advance(tmp_path / "chain.sqlite", 7200) == 7200


def test_a_name_is_the_key_of_that_name_and_an_address_is_itself() -> None:
    made = world_of(GOOD.replace("Rich", who("//Rich")))

    assert made.accounts == {who("//Rich"): 12_500_000_000} == world_of(GOOD).accounts
    assert made.hotkeys[0].subnets[0].stakes[who("//ann")] == 1
    assert made.hotkeys[0].take_raw == 6553


def test_two_seeds_are_two_chains_and_one_seed_is_one(tmp_path: Path) -> None:
    genesis = [
        seed(tmp_path / f"{n}.sqlite", text)
        for n, text in enumerate([GOOD, GOOD, GOOD + "\n# else", GOOD.replace('"small"', '"tall"')])
    ]

    assert genesis[0] == genesis[1]
    assert len(set(genesis)) == 3
    assert seed_world(tmp_path / "w.sqlite", world()) != seed_world(tmp_path / "v.sqlite", world(name="other"))


def test_the_genesis_hash_does_not_hang_on_the_time(tmp_path: Path) -> None:
    early, late = Clock(), Clock()
    late.now += 1e6

    assert seed(tmp_path / "a", GOOD, clock=early) == seed(tmp_path / "b", GOOD, clock=late)


def test_the_first_block_can_be_dated(tmp_path: Path) -> None:
    seed(tmp_path / "a.sqlite", "genesis_at = 2026-01-01T00:00:00Z\n" + GOOD)

    assert run(open_substrate(tmp_path / "a.sqlite").query("Timestamp", "Now")) == 1_767_225_600_000


def test_a_chain_that_is_there_is_not_thrown_away_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    seed(path, GOOD)
    advance(path, 5)
    with pytest.raises(Refused):
        seed(path, GOOD)
    assert status(path)["number"] == 5

    seed(path, GOOD, force=True)
    assert status(path)["number"] == 0


def test_an_open_chain_notices_that_another_one_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    seed(path, GOOD)
    substrate = open_substrate(path)
    advance(path, 5)
    assert run(substrate.block_number()) == 5

    genesis = seed(path, GOOD + "# else", force=True)

    assert (run(substrate.block_number()), run(substrate.block_hash(0))) == (0, genesis)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "small"', "", "name"),
        ('name = "small"', 'name = "small"\ncolour = 1', "colour"),
        ('name = "small"', 'name = "small"\ntempo = "x"', "tempo"),
        ('name = "small"', 'name = "small"\ntempo = 0', "tempo"),
        ('name = "small"', 'name = "small"\nblock_time_s = -1', "block_time_s"),
        ('name = "small"', 'name = "small"\nauto_finalize = 1', "auto_finalize"),
        ('name = "small"', 'name = "small"\ngenesis_at = 5', "genesis_at"),
        ('"12.5"', '"-3"', "accounts.Rich"),
        ('"12.5"', "true", "accounts.Rich"),
        ('"12.5"', '"0.0000000001"', "accounts.Rich"),
        ('take = "10%"', 'take = "101%"', r"hotkeys\[0\].take"),
        ('owner = "//Owner"', "", r"hotkeys\[0\].owner"),
        ('owner = "//Owner"', 'owner = "two words"', r"hotkeys\[0\].owner"),
        ("netuid = 0\nowner_stake", "owner_stake", r"hotkeys\[0\].subnets\[0\].netuid"),
        ('stake = "0.000000001"', 'stake = "much"', r"subnets\[0\].nominators\[0\].stake"),
        ('who = "ann", stake', 'who = "ann", steak = 1, stake', "steak"),
        ('nominators = [{ who = "ann"', 'nominators = [{ who = "Owner"', r"nominators\[0\].who"),
        ("generate = 3", "generate = 1.5", "generate"),
        ('add = "1"', "", r"changes\[0\]"),
        ("block = 5\nnetuid = 0", "block = 5\nnetuid = 7", "netuid 7"),
        ("[[changes]]", "[changes]", "changes"),
        ("[accounts]", "accounts = 3\n[x]", "accounts|x"),
        ('name = "small"', 'name = "small', "TOML"),
    ],
)
def test_what_is_wrong_in_a_seed_is_named_and_leaves_nothing_behind(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as bad:
        seed(tmp_path / "chain.sqlite", GOOD.replace(old, new, 1))

    import re

    assert re.search(named, f"{bad.value.what} {bad.value.why}")
    assert not (tmp_path / "chain.sqlite").exists()


def test_no_file_is_no_chain_and_another_file_is_none_either(tmp_path: Path) -> None:
    with pytest.raises(ChainUnreachable, match="no rehearsal chain"):
        status(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("hello " * 1000)
    with pytest.raises(ChainUnreachable, match="not a rehearsal chain"):
        status(tmp_path / "text.sqlite")


def test_status_tells_where_the_chain_stands(bench: Bench) -> None:
    bench.advance(5)

    assert bench.status == {
        "name": "test",
        "number": 5,
        "finalized": 3,
        "genesis": bench.ask("block_hash", 0),
        "block_time_s": 0,
        "pool": 0,
        "faults": {},
        "hotkeys": [who("//Hot")],
        "swaps": [],
    }
