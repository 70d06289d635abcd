"""Deposits to an exchange go where they went the first time, whatever it says later, until the owner says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from valtrac.contracts import deposit_accounts
from valtrac.contracts.store import audit_events
from valtrac.core.chain import Named
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import BTS
from valtrac.database.engine import claim_identity, writing
from valtrac.database.opening import open_engine


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_engine(f"sqlite:///{tmp_path}/v.sqlite")
    with writing(made) as conn:
        claim_identity(conn, "11" * 32, "mychain", BTS)
    return made


def named(name: str, number: int = 0) -> Named:
    return Named(f"1.2.{number or len(name)}", name, False)


def test_a_name_that_leads_to_another_account_is_refused(engine: sa.Engine) -> None:
    deposit_accounts.pin(engine, "main", named("exchange", 7), "m1")
    with pytest.raises(Refused, match=r"the account 1\.2\.66; it was 1\.2\.7"):
        deposit_accounts.pin(engine, "main", named("exchange", 66), "m1")
    deposit_accounts.pin(engine, "main", named("exchange", 7), "m1")


def test_a_place_that_was_pinned_without_its_number_gets_it_at_the_next_use(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        audit_events.add(conn, deposit_accounts.KIND, {"account": "exchange", "memo": "m1"}, name="main")
    deposit_accounts.pin(engine, "main", named("exchange", 7), "m1")
    with pytest.raises(Refused, match=r"it was 1\.2\.7"):
        deposit_accounts.pin(engine, "main", named("exchange", 66), "m1")


@pytest.mark.parametrize("other", [("thief", "m1"), ("exchange", "m2"), ("exchange\x1b[2J", "m1")])
def test_another_place_is_refused_and_named(engine: sa.Engine, other: tuple[str, str]) -> None:
    deposit_accounts.pin(engine, "main", named("exchange"), "m1")
    deposit_accounts.pin(engine, "main", named("exchange"), "m1")
    deposit_accounts.pin(engine, "second", named("elsewhere"), "m9")
    with pytest.raises(Refused, match="so far it was exchange with memo m1") as refused:
        deposit_accounts.pin(engine, "main", named(other[0]), other[1])
    assert "\x1b" not in str(refused.value)


def test_the_owners_word_lets_one_more_place_be_named(engine: sa.Engine) -> None:
    with pytest.raises(BadInput, match="is pinned"):
        deposit_accounts.let_go(engine, "main", "their page says so")
    deposit_accounts.pin(engine, "main", named("exchange"), "m1")
    with pytest.raises(BadInput, match="how you know"):
        deposit_accounts.let_go(engine, "main", "")
    assert deposit_accounts.let_go(engine, "main", "their page says so") == ("exchange", "m1")
    deposit_accounts.pin(engine, "main", named("exchange-2"), "m7")
    with pytest.raises(Refused, match="so far it was exchange-2"):
        deposit_accounts.pin(engine, "main", named("exchange"), "m1")
