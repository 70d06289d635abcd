"""Figures, charts, statements and what-if by command: records for programs, files for people, errors in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from menus.reports import drawing, views
from tests.homes import small_world
from tests.menus.commands.conftest import Call
from tests.payout_world import World, address, owed
from valtrac.core.money import decimal_text
from valtrac.people import referrals
from valtrac.tables import read
from valtrac.tables.records import Record


@pytest.fixture(scope="module")
def paid_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, to copy, in which three people were paid for four days."""
    world = World(tmp_path_factory.mktemp("paid"), heads=3).people()
    referrals.add(world.engine, "u003", "u001", 2_000)
    world.send(world.day(4).approved())
    world.app.close()
    return world.home


@pytest.fixture
def paid(paid_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    shutil.copytree(paid_home, tmp_path, dirs_exist_ok=True)
    made = small_world(monkeypatch, tmp_path)
    yield made
    made.app.close()


@pytest.mark.parametrize("name", [name for name in views.VIEWS if name != "runway"])
def test_every_figure_is_a_record_for_programs_and_words_for_people(call: Call, paid: World, name: str) -> None:
    said = call("stats", name, "--user", "u001", "--json")
    assert said.code == 0
    assert said.record is not None
    assert call("stats", name, "--user", "u001").code == 0


def test_the_figures_of_a_user_are_those_of_the_plan(call: Call, paid: World) -> None:
    found = call("stats", "user", "--user", "u001", "--json").record
    assert found["chain"] == [["u003", 2_000]]
    assert found["adjusted"] == pytest.approx(found["base"] * 0.8)
    assert call("stats", "runway", "--json").record["wallet"] == paid.app.wallet_address


def test_the_glossary_says_what_each_figure_means(call: Call, world: World) -> None:
    rows = call("stats", "glossary", "--json").record
    assert {"APR after take", "base", "adjusted", "Gini", "runway"} <= {row["figure"] for row in rows}
    assert all(row["unit"] and len(row["meaning"]) > 20 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stats", "weather"), "no figure 'weather'"),
        (("stats", "user"), "--user NAME"),
        (("stats", "user", "--user", "u0001"), "did you mean 'u001'"),
        (("stats", "--from", "9999999"), "no snapshot"),
        (("stats", "--from", "200", "--to", "100"), "swap --from and --to"),
        (("stats", "--from", "soon"), "from: 'soon'"),
        (("stats", "--range", "weeks"), "range: 'weeks'"),
        (("chart", "weather"), "no chart 'weather'"),
        (("chart", "user-apr"), "--user NAME"),
        (("chart", "global-apr", "--out", "/proc/no/such.png"), "cannot be written"),
        (("chart", "global-apr", "--out", "x.gif"), "x.gif"),
        (("statement", "u001"), "--period 2026-10"),
        (("statement", "--period", "2026-10"), "--all"),
        (("stats", "--out", "x.pdf"), "x.pdf is no name of a table"),
        (("what-if", "--rate", "u003=0", "--out", "x.pdf"), "x.pdf is no name of a table"),
        (("statement", "u001", "--all", "--period", "2026-10"), "--all"),
        (("statement", "u001", "--period", "soon"), "period: 'soon'"),
        (("statement", "nobody", "--period", "2026-10"), "no user 'nobody'"),
        (("statement", "--all", "--period", "1999"), "nobody was paid in 1999"),
        (("statement", "u001", "--period", "2026", "--format", "pdf"), "format: 'pdf'"),
        (("what-if",), "say what would be other"),
        (("what-if", "--rate", "u003"), "has no '='"),
        (("what-if", "--rate", "u003=200%"), "rate: 200%"),
        (("what-if", "--take", "none"), "take: 'none'"),
        (("what-if", "--method", "guess"), "method: 'guess'"),
        (("what-if", "--referral", "u003=u001"), "above and below"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    call: Call, paid: World, arguments: tuple[str, ...], words: str
) -> None:
    said = call(*arguments)
    assert said.code == 2
    assert words in " ".join(said.err.split())


@pytest.mark.parametrize("name", drawing.names())
def test_every_chart_is_written_in_two_forms_and_drawn(call: Call, paid: World, name: str) -> None:
    said = call("chart", name, "--user", "u001")
    assert said.code == 0
    found = sorted(path.suffix for path in (paid.home / "data" / "charts").glob(f"{name}*"))
    assert found == [".png", ".svg"]
    assert said.out.strip()


def test_a_chart_tells_programs_where_it_was_written(call: Call, paid: World, tmp_path: Path) -> None:
    path = tmp_path / "shares.svg"
    said = call("chart", "shares", "--out", str(path), "--json")
    assert (said.record["chart"], said.record["files"]) == ("shares", [str(path)]) and path.exists()
    assert {row["name"] for row in said.record["rows"]} >= {"u001"}


def test_a_chart_for_a_large_screen_has_as_many_pixels_as_asked_for(call: Call, paid: World, tmp_path: Path) -> None:
    import struct

    path = tmp_path / "large.png"
    assert call("chart", "global-apr", "--out", str(path), "--width", "3840").code == 0
    assert struct.unpack(">I", path.read_bytes()[16:20]) == (3840,)


def test_statements_of_everyone_are_pages_one_csv_and_proofs(call: Call, paid: World) -> None:
    year = paid.app.chain.finalized().at.year
    said = call("statement", "--all", "--period", str(year), "--proofs", "--json")
    files = [Path(text) for text in said.record]
    assert (said.code, len(files)) == (0, 1 + 3)
    assert all(path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>") for path in files)
    page = files[0].read_text(encoding="utf-8")
    proofs = sorted((files[0].parent / "proofs").glob("*.json"))
    assert len(proofs) == 3
    assert all(f'href="proofs/{path.name}"' in page for path in proofs)
    assert call("verify", str(proofs[0])).code == 0
    (whole,) = call("statement", "u002", "--period", str(year), "--format", "csv", "--json").record
    text = Path(whole).read_text(encoding="utf-8")
    assert text.count("\n") == 2
    from tests.payout_world import TAO  # the amount as it was paid

    assert decimal_text(paid.balance(2)) in text
    assert paid.balance(2) < 7 * TAO


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet", "json"])
def test_figures_and_statements_are_tables_too(call: Call, paid: World, tmp_path: Path, ending: str) -> None:
    for name in ("overview", "users", "payouts", "rates", "coverage", "glossary"):
        path = tmp_path / "new" / f"{name}.{ending}"
        said = call("stats", name, "--out", str(path))
        assert (said.code, said.out) == (0, "")
        assert "written to" in said.err
        assert path.stat().st_size > 30
    assert call("what-if", "--rate", "u003=0", "--out", str(tmp_path / f"if.{ending}")).code == 0
    path = tmp_path / f"st.{ending}"
    year = str(paid.app.chain.finalized().at.year)
    for _ in range(2):  # a statement may take the place of a statement
        assert call("statement", "u002", "--period", year, "--out", str(path)).code == 0
    if ending == "json":
        (row,) = json.loads(path.read_text(encoding="utf-8"))
        assert row["Received Amount"] == decimal_text(paid.balance(2))
        return
    names, values = read.records(path)
    assert isinstance(names, Record) and isinstance(values, Record)
    amount = dict(zip(names.cells, values.cells, strict=True))["Received Amount"]
    assert Decimal(amount) == Decimal(decimal_text(paid.balance(2)))
    other = tmp_path / f"mine.{ending}"
    other.write_bytes(b"my own notes")
    assert "is no statement" in call("statement", "u002", "--period", year, "--out", str(other)).err
    assert other.read_bytes() == b"my own notes"


def test_what_if_stores_nothing_and_writes_only_where_it_is_told(call: Call, paid: World, tmp_path: Path) -> None:
    before = call("referrals", "list", "--json").record
    out = tmp_path / "table.csv"
    picture = tmp_path / "table.png"
    found = call("what-if", "--rate", "u003=0", "--out", str(out), "--picture", str(picture), "--json").record
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "What if" in call("what-if", "--rate", "u003=0").out
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["u001"]["would_be"] > rows["u001"]["was"]
    assert found["pool"] == {"was": 7.0, "would_be": 7.0}
    assert out.read_text(encoding="utf-8").splitlines()[0] == "Name,Was (TAO),Would be (TAO)"
    assert call("referrals", "list", "--json").record == before


def test_policies_ledger_and_balances_by_command(call: Call, world: World) -> None:
    world.people().day()
    assert call("policy", "set", "u001", "cut", "5%", "--reason", "agreed", "--json").record[0]["value"] == "5%"
    assert [row["whom"] for row in call("policy", "list", "--json").record] == ["u001"]
    assert call("policy", "end", "u001", "cut", "--json").record["policy"] == "cut"
    batch = world.approved(minimum=3 * 10**9)
    assert call("payout", "set-aside", str(batch.id), "u003", "--reason", "wait", "--json").record["who"] == "u003"
    world.send(batch)
    assert call("ledger", "correct", "u001", "--overpaid", "0.1", "--reason", "so", "--json").record["whole"] is True
    assert call("ledger", "correct", "u001", "--reason", "so").code == 2
    accounts = {row["who"]: row for row in call("ledger", "show", "--json").record}
    assert accounts["u003"]["held"] == decimal_text(owed(batch)["u003"])
    entries = call("ledger", "show", "u001", "--json").record["entries"]
    assert entries[-1]["cause"].startswith("correction: so")
    draft = call("payout", "release", "u003", "--json").record
    assert draft["total"] == decimal_text(owed(batch)["u003"])
    assert call("payout", "liquidity", str(draft["batch"]), "--json").record["missing"] == "0.000000000"
    assert call("audit", "verify", "--json").record["unbalanced"] == []
    assert call("users", "waiting", "--json").record == []
    assert call("users", "confirm", "u001", "--last-six", address(1)[-6:]).code == 2
