"""Referrals from a sheet: the same as adding them one at a time, all or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.people_world import everything, new_engine, paid_up_to, snapshot_at, terms_of
from valtrac.core.errors import BadInput
from valtrac.people import referral_import, referrals, users
from valtrac.people.referral_import import Imported

NAMES = [f"u{number}" for number in range(8)]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*rows: str, header: str = "referrer,referee,rate") -> Path:
        path = tmp_path / "referrals.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def home(folder: Path) -> sa.Engine:
    """Users, a paid range and a snapshot after it, and somebody who was referred once."""
    engine = new_engine(folder)
    for name in NAMES:
        users.add(engine, name, [])
    snapshot_at(engine, 500)
    referrals.add(engine, "u6", "u7", 4000)
    referrals.remove(engine, "u7")
    paid_up_to(engine, 300)
    snapshot_at(engine, 900)
    return engine


def test_a_sheet_gives_what_adding_one_at_a_time_gives(tmp_path: Path, write: Write) -> None:
    one, other = home(tmp_path / "one"), home(tmp_path / "other")
    told = [("u0", "u1", 2500), ("u1", "u2", 1000), ("u0", "u3", None), ("u6", "u7", None), ("u3", "u4", 10_000)]
    for referrer, referee, rate in told:
        referrals.add(one, referrer, referee, rate)
    rows = [f"{above},{below},{'' if rate is None else rate / 10_000}" for above, below, rate in told]
    assert referral_import.import_file(other, write(*rows)) == Imported(5, 0)
    assert terms_of(other).referrals == terms_of(one).referrals
    assert sorted(map(str, terms_of(other).rates)) == sorted(map(str, terms_of(one).rates))
    assert referral_import.import_file(other, write(*rows)) == Imported(0, 5)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["u0,u1,25%", "u1,u2,5%", "u2,u0,5%"], "close a circle"),
        (["u0,u0,25%"], "close a circle"),
        (["u0,u1,25%", "u2,u1,5%"], "row 3: 'u1' is referred in row 2 too"),
        (["u0,u1,"], "row 2: rate is missing"),
        (["u0,u1,25%", "u0,u2,26%"], "row 3: 'u0' takes 25%, not 26%"),
        (["u0,u1,25%", "u0,nobody,"], "row 3: "),
        (["u0,u1,2500"], "row 2: rate: 2500 is more than everything"),
    ],
)
def test_a_sheet_with_a_wrong_row_stores_nothing(tmp_path: Path, write: Write, rows: list[str], said: str) -> None:
    engine = home(tmp_path)
    before = everything(engine)
    with pytest.raises(BadInput) as caught:
        referral_import.import_file(engine, write(*rows))
    assert said in " | ".join([caught.value.what, *caught.value.problems])
    assert everything(engine) == before


def test_a_circle_that_only_closes_with_an_older_referral_is_seen(tmp_path: Path, write: Write) -> None:
    engine = home(tmp_path)
    referrals.add(engine, "u0", "u1", 2500)
    with pytest.raises(BadInput, match="close a circle: "):
        referral_import.import_file(engine, write("u1,u2,5%", "u2,u0,5%"))


def test_a_sheet_without_its_columns_is_refused(tmp_path: Path, write: Write) -> None:
    with pytest.raises(BadInput, match="has no column referee"):
        referral_import.import_file(home(tmp_path), write("u0,u1", header="referrer,who"))
