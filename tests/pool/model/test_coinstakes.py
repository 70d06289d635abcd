"""Who won how much by a block: coinstakes as the chain has them."""

from __future__ import annotations

import pytest

from valtrac.core.staking import Coinstake, Output
from valtrac.pool.model.coinstakes import NoCoinstake, Reward, Won, reward

STAKER, OTHER = "QStaker", "QOther"
MINE, THEIRS, STRANGER = "21aa", "76bb", "76cc"


def sat(qtum: str) -> int:
    whole, _, part = qtum.partition(".")
    return int(whole) * 10**8 + int(part.ljust(8, "0") or 0)


def block(put_in: str, *outputs: tuple[str, str], delegate: str = "", staker: str = STAKER) -> Coinstake:
    made = [Output(sat(amount), script, staker if script == MINE else "") for script, amount in outputs]
    return Coinstake(sat(put_in), made, delegate)


@pytest.mark.parametrize(
    ("coinstake", "found"),
    [
        (
            block("118.4", (MINE, "118.8"), (THEIRS, "3.6"), delegate=THEIRS),
            Reward(Won.DELEGATED, sat("0.4"), sat("3.6"), 10),
        ),
        (
            block("250", (MINE, "250.25"), (STRANGER, "0.0123"), delegate=THEIRS),
            Reward(Won.DELEGATED, sat("0.25"), 0, 100),
        ),
        (block("300", (MINE, "150.125"), (MINE, "150.125"), (STRANGER, "0.05")), Reward(Won.OWN, sat("0.25"))),
        (
            block("110", (MINE, "110.25"), (STRANGER, "110"), delegate=THEIRS),
            Reward(Won.DELEGATED, sat("0.25"), 0, 100),
        ),
        (
            block("110", (MINE, "110.20"), (THEIRS, "0.05"), delegate=THEIRS),
            Reward(Won.DELEGATED, sat("0.2"), sat("0.05"), 80),
        ),
        (block("110", (MINE, "110.25"), delegate=THEIRS, staker=OTHER), Reward(Won.OTHERS, sat("0.25"), 0, 100)),
        (block("150", (MINE, "150.25")), Reward(Won.OWN, sat("0.25"))),
    ],
    ids=["a delegate's own part", "a refund", "split", "a refund as large as a stake", "80 %", "another's", "own"],
)
def test_the_worked_coinstakes(coinstake: Coinstake, found: Reward) -> None:
    assert reward(coinstake, STAKER) == found


@pytest.mark.parametrize(
    "coinstake",
    [block("110", (MINE, "109")), block("0", (MINE, "1")), Coinstake(1, ()), Coinstake(1, (Output(0, ""),))],
)
def test_what_cannot_be_a_coinstake_is_no_reward_of_anybody(coinstake: Coinstake) -> None:
    with pytest.raises(NoCoinstake):
        reward(coinstake, STAKER)
