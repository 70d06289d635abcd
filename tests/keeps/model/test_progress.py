"""What may become of a redemption."""

from __future__ import annotations

import pytest

from valtrac.keeps.model.progress import OPEN, RedemptionState

ENDS = (RedemptionState.REDEEMED, RedemptionState.LOST, RedemptionState.FAILED)


@pytest.mark.parametrize("state", list(RedemptionState))
def test_the_open_ones_come_to_an_end_and_an_end_is_one(state: RedemptionState) -> None:
    assert (state in OPEN) == (state not in ENDS)
    assert bool(RedemptionState._moves().get(state)) == (state in OPEN)


def test_what_the_contract_has_taken_never_fails_and_an_increased_fee_is_signed_again() -> None:
    assert not RedemptionState.REQUESTED.may_become(RedemptionState.FAILED)
    assert not RedemptionState.SIGNED.may_become(RedemptionState.FAILED)
    assert RedemptionState.SIGNED.may_become(RedemptionState.REQUESTED)
