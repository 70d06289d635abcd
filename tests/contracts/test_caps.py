"""An unattended payer has caps with an end, and is told which would fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from valtrac.contracts import caps
from valtrac.contracts.model.contracts import WHOLE, Due
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import contracts
from valtrac.core.errors import Refused
from valtrac.core.money import BTS
from valtrac.database.engine import claim_identity, writing
from valtrac.database.opening import open_engine
from valtrac.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_engine(f"sqlite:///{tmp_path}/v.sqlite")
    with writing(made) as conn:
        claim_identity(conn, "11" * 32, "mychain", BTS)
    return made


def settings(**given: object) -> Settings:
    return Settings(bitshares_network="mychain", bitshares_nodes=("wss://a.example",), **given)  # type: ignore[arg-type]


def owe(engine: sa.Engine, units: int, at: datetime) -> None:
    with writing(engine) as conn:
        contracts.add_due(conn, type_="refund", account="1.2.7", name="ann", units=units, memo="x", at=at)


def due(units: int, hours: float) -> Due:
    at = NOON + timedelta(hours=hours)
    return Due(
        1,
        None,
        None,
        None,
        "reward",
        0,
        "1.2.7",
        "ann",
        units,
        "",
        NOON,
        at,
        DueState.PENDING,
        None,
        None,
        "",
        None,
        "",
    )


def test_without_an_end_to_its_caps_the_payer_gets_no_keys_and_is_told_which_would_fit(engine: sa.Engine) -> None:
    for units, hours in ((25_000 * WHOLE, 0), (8_000 * WHOLE, 23), (50_000 * WHOLE, 80)):
        owe(engine, units, NOON + timedelta(hours=hours))
    with pytest.raises(Refused) as refused:
        caps.refuse_without_end(engine, settings())
    assert "VALTRAC_CONTRACTS_CAP_PAYMENT=60000" in refused.value.fix
    assert "VALTRAC_CONTRACTS_CAP_DAY=60000" in refused.value.fix
    with pytest.raises(Refused, match="VALTRAC_CONTRACTS_CAP_DAY has no value"):
        caps.refuse_without_end(engine, settings(contracts_cap_payment="60000"))
    caps.refuse_without_end(engine, settings(contracts_cap_payment="60000", contracts_cap_day="100000"))


def test_a_rehearsal_needs_no_caps_where_a_real_chain_does(engine: sa.Engine) -> None:
    lacking = Settings()
    caps.refuse_without_end(engine, lacking)
    with pytest.raises(Refused, match="no value"):
        caps.refuse_without_end(engine, lacking.model_copy(update={"bitshares_network": "mychain"}))


@pytest.mark.parametrize(
    ("owed", "fit"),
    [
        ([], (1_000_000, 1_000_000)),
        ([due(100 * WHOLE, 0)], (120, 120)),
        ([due(100 * WHOLE, 0), due(100 * WHOLE, 23.9)], (120, 240)),
        ([due(100 * WHOLE, 0), due(100 * WHOLE, 24)], (120, 120)),
        ([due(1, 0)], (1, 1)),
    ],
)
def test_what_is_suggested_lets_through_what_is_owed(owed: list[Due], fit: tuple[int, int]) -> None:
    assert caps.suggested(owed) == fit
