"""Two running copies of one home, or of one backup, pay nobody twice: real processes, one chain, every kind of trouble.

200 worlds are run by hand: python -m tests.contracts.two_copies
"""

from __future__ import annotations

import pytest

from tests.contracts.two_copies import run
from valtrac.contracts.model import marks

SEEDS = (0,)  # ten seconds; 200 by hand


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_of_the_same_books_pay_everybody_once(seed: int) -> None:
    verdict = run(seed)
    assert verdict.good, verdict
    assert verdict.booked == (8,) * verdict.copies  # each copy knows of all, whoever paid


def test_a_number_is_of_one_payment_on_one_chain_alone() -> None:
    identities = [
        marks.of_contract("5:0:0", "reward", 1),
        marks.of_contract("5:0:0", "reward", 2),
        marks.of_contract("5:0:0", "principal", 0),
        marks.of_contract("5:0:1", "reward", 1),
        marks.of_request("5:0:0", "refund"),
        marks.about(marks.of_request("5:0:0", "refund"), "support"),
    ]
    numbers = {marks.number(chain, identity) for chain in ("aa", "bb") for identity in identities}
    assert len(numbers) == 12 and all(0 < number < 2**64 for number in numbers)
    assert marks.number("aa", identities[0]) == marks.number("aa", "contract 5:0:0 reward 1")
