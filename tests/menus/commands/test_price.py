"""`run.py price`: what TAO costs, and an unknown that is called so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas
import pytest

from tests.exchanges.exchanges import Exchanges
from tests.menus.commands.conftest import Call
from tests.payout_world import World
from valtrac.exchanges import prices as adapter


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchanges]:
    made = Exchanges()
    monkeypatch.setenv("VALTRAC_PRICE_SOURCES", "kraken,gate")
    monkeypatch.setattr(adapter, "opened", made.make)
    yield made
    made.close()


UNKNOWN = {"currency": "USD", "price": None, "price_nano": None, "at": None, "source": None, "words": None}


def test_nothing_yet_is_an_unknown_with_the_next_step(call: Call, home: Path) -> None:
    said = call("price", "show")
    assert said.code == 0
    assert "unknown" in said.out
    assert "price enter" in said.err
    assert "0.00" not in said.out
    assert call("price", "show", "--json").record == {**UNKNOWN, "age_s": None}
    assert call("price", "list", "--json").record == []


def test_asking_shows_the_median_and_keeps_it(call: Call, home: Path, exchanges: Exchanges) -> None:
    exchanges.said |= {"kraken": "411", "gate": "412"}
    said = call("price", "refresh", "--json")
    assert (said.code, said.record["price"], said.record["reasons"]) == (0, "411.50", [])
    assert said.record["source"] == "median of kraken TAO/USD, gate TAO/USDT"
    assert call("price", "show", "--json").record["price_nano"] == "411500000000"
    assert "411.50" in call("price", "show").out
    assert "kraken TAO/USD" in call("price", "list").out


def test_no_answer_is_an_unknown_with_the_reasons_and_an_exit_code(
    call: Call, home: Path, exchanges: Exchanges
) -> None:
    exchanges.said |= {"kraken": "0", "gate": "NaN"}
    said = call("price", "refresh", "--json")
    assert (said.code, said.record) == (
        4,
        {**UNKNOWN, "reasons": said.record["reasons"]},
    )
    assert len(said.record["reasons"]) == 2
    words = call("price", "refresh").err
    assert "unknown" in words
    assert "kraken" in words


def test_a_rehearsal_says_that_it_asks_nobody(call: Call, home: Path) -> None:
    said = call("price", "refresh")
    assert said.code == 4
    assert "a rehearsal asks nobody unless VALTRAC_PRICE_SOURCES is set" in " ".join(said.err.split())


def test_entering_and_looking_back(call: Call, home: Path) -> None:
    assert call("price", "enter", "412.50", "--at", "2026-01-05", "--words", "from [/oops]", "--json").record == {
        "currency": "USD",
        "price": "412.50",
        "price_nano": "412500000000",
        "at": "2026-01-05T00:00:00+00:00",
        "source": "manual",
        "words": "from [/oops]",
    }
    assert call("price", "show", "--at", "2026-01-05 23:59", "--json").record["age_s"] == 86_340
    assert call("price", "show", "--at", "2026-01-07", "--json").record["price"] is None
    assert "from [/oops]" in call("price", "list").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("enter", "0"), "a price of zero"),
        (("enter", "abc"), "is not a price"),
        (("enter", "1", "--at", "31.1.2026"), "is not a date"),
        (("enter", "1", "--at", "2999-01-01"), "has not come yet"),
        (("show", "--at", "soon"), "is not a date"),
        (("import", "nope.csv"), "does not exist"),
    ],
)
def test_bad_input_is_two_and_names_the_fix(call: Call, home: Path, arguments: tuple[str, ...], said: str) -> None:
    told = call("price", *arguments, "--json")
    assert (told.code, told.out) == (2, "")
    assert said in told.problem["error"]
    assert told.problem["fix"]


def test_importing_a_sheet(call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALTRAC_CURRENCY", "eur")
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Date,Price\n2026-01-01,400\n2026-01-02,x\n", encoding="utf-8")
    assert "row 3, Price: 'x' is not a price" in call("price", "import", str(sheet), "--json").problem["problems"][0]
    sheet.write_text("Date,Price\n2026-01-01,400\n", encoding="utf-8")
    assert call("price", "import", str(sheet), "--json").record == {"new": 1, "known": 0}
    assert [(one["currency"], one["price"]) for one in call("price", "list", "--json").record] == [("EUR", "400.00")]


@pytest.mark.parametrize("ending", ["xlsx", "ods", "parquet"])
def test_importing_a_workbook_with_dates_and_numbers(call: Call, home: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"prices.{ending}"
    days = [pandas.Timestamp("2026-01-01"), pandas.Timestamp("2026-01-02 14:30")]
    # what a column that is passed over holds does not matter
    frame = pandas.DataFrame({"Date": days, "Volume": [1 / 3, 2 / 3], "Price": [412.1, 400.0]})
    frame.to_parquet(path) if ending == "parquet" else frame.to_excel(
        path, index=False, engine={"xlsx": "openpyxl", "ods": "odf"}[ending]
    )
    assert call("price", "import", str(path), "--json").record == {"new": 2, "known": 0}
    assert [(price["at"], price["price"]) for price in call("price", "list", "--json").record] == [
        ("2026-01-02T14:30:00+00:00", "400.00"),
        ("2026-01-01T00:00:00+00:00", "412.10"),
    ]


def test_a_price_that_is_not_exact_is_named_and_nothing_is_stored(call: Call, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "prices.xlsx"
    pandas.DataFrame({"Date": ["2026-01-01", "2026-01-02"], "Price": [400, 1 / 3]}).to_excel(path, index=False)
    (problem,) = call("price", "import", str(path), "--json").problem["problems"]
    assert problem.startswith("row 3, Price: 0.33333333333333")
    assert call("price", "list", "--json").record == []


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_list_of_prices_in_a_file_can_be_imported(call: Call, home: Path, tmp_path: Path, ending: str) -> None:
    call("price", "enter", "0.000000001", "--at", "2026-01-05", "--words", "=1+1")
    call("price", "enter", "9123456789.123456789", "--at", "2026-01-06 12:30")
    path = str(tmp_path / f"prices.{ending}")
    assert "2 prices written" in call("price", "list", "--out", path).err
    assert call("price", "import", path, "--json").record == {"new": 0, "known": 2}


def test_a_snapshot_taken_by_hand_keeps_the_price_of_its_time(
    call: Call, world: World, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call("snapshot", "take", "--json")
    assert (said.code, "price 412.50 USD" in said.err) == (0, True)
    at = call("snapshot", "list", "--json").record[0]["at"]
    assert [(one["at"], one["price"]) for one in call("price", "list", "--json").record] == [(at, "412.50")]


def test_a_snapshot_is_taken_when_no_exchange_answers(call: Call, world: World, exchanges: Exchanges) -> None:
    exchanges.close()
    said = call("snapshot", "take", "--json")
    assert (said.code, said.record[0]["new"]) == (0, True)
    assert "price unknown: kraken" in " ".join(said.err.split())
