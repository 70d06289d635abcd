"""Answers of a node are believed only in the one shape that they can have."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.devnet.bittensor.conftest import who
from valtrac.chains.bittensor import answers
from valtrac.chains.untrusted import Untrusted

HOT, OWNER, ANN = who("//Hot"), who("//Owner"), who("//ann")
GOOD = {
    "delegate_ss58": HOT,
    "owner_ss58": OWNER,
    "take": 11_796,
    "nominators": [(ANN, [(0, 5), (1, 2**64 - 1)]), (OWNER, [(0, 7)])],
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **changes}


def test_a_delegate_is_read_by_netuid() -> None:
    assert answers.stakes_by_netuid(GOOD, HOT) == (OWNER, 11_796, {0: {ANN: 5, OWNER: 7}, 1: {ANN: 2**64 - 1}})


@pytest.mark.parametrize(
    "bad",
    [
        [],
        5,
        {},
        changed(delegate_ss58=ANN),
        changed(owner_ss58="5x"),
        changed(owner_ss58=None),
        changed(take=65_536),
        changed(take=-1),
        changed(take=0.18),
        changed(take=True),
        changed(nominators=None),
        changed(nominators=[5]),
        changed(nominators=[(ANN, [(0, -1)])]),
        changed(nominators=[(ANN, [(0, 2**64)])]),
        changed(nominators=[(ANN, [(0, 1.0)])]),
        changed(nominators=[(ANN, [("0", 1)])]),
        changed(nominators=[(ANN, [(70_000, 1)])]),
        changed(nominators=[(ANN[:-1] + "1", [(0, 1)])]),
        changed(nominators=[(ANN, [(0, 1)]), (ANN, [(0, 2)])]),
        changed(nominators=[(ANN, [(0, 1), (0, 1)])]),
        changed(nominators=[("1" + ANN[1:], [(0, 1)])]),
    ],
)
def test_any_other_shape_is_not_believed(bad: object) -> None:
    with pytest.raises(Untrusted):
        answers.stakes_by_netuid(bad, HOT)


@pytest.mark.parametrize("bad", [None, 5, [5], [(0, 1), (0, 2)], [(0, -1)], [("x", 1)], [(0, None)]])
def test_totals_in_another_shape_are_not_believed(bad: object) -> None:
    with pytest.raises(Untrusted):
        answers.totals(bad)


def test_a_subnet_that_only_one_source_knows_is_kept_so_that_the_difference_shows() -> None:
    found = answers.delegate(HOT, OWNER, 1, {0: {ANN: 5, OWNER: 0}}, {3: 9}, {0: 10**9, 3: None})

    assert [(s.netuid, s.stakes, s.total_units) for s in found.subnets] == [(0, {ANN: 5}, 0), (3, {}, 9)]


@pytest.mark.parametrize(
    ("value", "free"),
    [
        ({"nonce": 1, "data": {"free": 9, "frozen": 0}}, 9),
        ({"nonce": 1, "data": {"free": 9, "frozen": 4}}, 5),
        ({"nonce": 1, "data": {"free": 3, "frozen": 4}}, 0),
    ],
)
def test_what_is_frozen_is_not_free(value: dict[str, Any], free: int) -> None:
    assert answers.account(value).free_units == free


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        {"nonce": 1},
        {"nonce": -1, "data": {"free": 1, "frozen": 0}},
        {"nonce": 1, "data": {"free": "1", "frozen": 0}},
    ],
)
def test_an_account_in_another_shape_is_not_believed(bad: object) -> None:
    with pytest.raises(Untrusted):
        answers.account(bad)
