"""Settings of the pool that would cost money are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from valtrac.core.errors import BadInput, Refused
from valtrac.settings import load
from valtrac.wiring.pool import PoolApp

NOTHING = Path("/nonexistent")
MAIN = {"VALTRAC_QTUM_NETWORK": "main", "VALTRAC_QTUM_STAKER": "QPooLGGp2FodAN1PpqvB7iLNK7kD3gSeko"}


def test_on_the_main_network_a_payment_is_final_after_a_few_blocks_and_not_after_one() -> None:
    with pytest.raises(BadInput, match="at least 5") as refused:
        load({**MAIN, "VALTRAC_QTUM_FINAL_BLOCKS": "4"}, NOTHING)
    assert "VALTRAC_QTUM_FINAL_BLOCKS" in str(refused.value)
    assert load({**MAIN, "VALTRAC_QTUM_FINAL_BLOCKS": "5"}, NOTHING).qtum_final_blocks == 5


def test_the_password_goes_to_no_other_machine_in_the_clear(tmp_path: Path) -> None:
    named = {**MAIN, "VALTRAC_HOME": str(tmp_path), "VALTRAC_QTUM_NODE": "http://192.0.2.7:3889"}
    app = PoolApp(load(named, NOTHING))
    with pytest.raises(Refused, match="over the network"):
        app.unlock("correct-horse")
    assert app.locked
    app.close()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("POOL_FEE", "101", "10000"),
        ("POOL_FEE", "12.345", "finer than a hundredth"),
        ("POOL_FEE", "twelve", "is no percentage"),
        ("POOL_PAYDAY_WEEKDAY", "someday", "monday"),
        ("POOL_TIME_ZONE", "Mars/Olympus", "no time zone"),
        ("QTUM_NODE", "http://user:secret@127.0.0.1:3889", "without a login"),
        ("POOL_LEAST_COIN", "-1", "not an amount"),
    ],
)
def test_what_cannot_be_is_told_by_its_name(name: str, value: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        load({f"VALTRAC_{name}": value}, NOTHING)
    said = " ".join([str(refused.value), *refused.value.problems])
    assert f"VALTRAC_{name}" in said and words in said
    assert "secret" not in said
