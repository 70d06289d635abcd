"""The audit log, alerts and states: what people read, and spreadsheets open."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.keeps.places import BTC, COIN, Place, Places, faster
from valtrac.devnet.tbtc import market
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps import audit_log
from valtrac.keeps.events import KINDS, KeepsEvents
from valtrac.keeps.model.progress import Action
from valtrac.keeps.store.redemptions import Acted

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def acted(**changed: object) -> Acted:
    usual = Acted(1, NOON, "0x" + "ab" * 20, Action.REDEEM, "why", 3, "0xfe", COIN + 1, 10**15, 7)
    return replace(usual, **changed)  # type: ignore[arg-type]


def names(place: Place) -> list[str]:
    """The kinds of what is told now, without those that were told before."""
    events = KeepsEvents(place.watching.engine)
    return sorted({event.kind for event in (*events.facts(LONG_AGO), *events.states(datetime.now(UTC)))})


def test_a_row_has_time_block_reason_cost_in_both_assets_and_transaction() -> None:
    [row] = csv.DictReader(io.StringIO(audit_log.text_of([acted()])))
    assert row == {
        "at": "2026-01-01T12:00:00+00:00",
        "block": "7",
        "action": "redeem",
        "deposit": "0x" + "ab" * 20,
        "reason": "why",
        "tbtc": "1.000000000000000001",
        "eth": "0.001000000000000000",
        "batch": "3",
        "transaction": "0xfe",
    }


@pytest.mark.parametrize(
    "words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", ";=1", "a\r\n=1,b", '"=1"\n=2', "\x1b[2J"]
)
def test_no_cell_runs_in_a_spreadsheet_and_no_row_becomes_two(words: str) -> None:
    rows = list(csv.reader(io.StringIO(audit_log.text_of([acted(words=words)]))))
    assert len(rows) == 2 and len(rows[1]) == len(audit_log.COLUMNS)
    cell = rows[1][4]
    assert not cell.lstrip(";,|\t ").startswith(("=", "+", "-", "@"))
    assert "\x1b" not in cell and "\n" not in cell


def test_the_log_of_a_day_is_written_where_it_has_changed_and_each_day_has_its_own(place: Place) -> None:
    place.percent(124)
    place.settle()
    place.round()
    [path] = audit_log.write(place.watching)
    assert path == audit_log.file_of(place.settings.logs, place.watching.now().date())
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["action"] for row in rows] == ["approve", "redeem"]
    assert audit_log.write(place.watching) == []
    path.write_text("other hands", encoding="utf-8")
    assert audit_log.write(place.watching) == [path]
    tomorrow = replace(place.watching, now=lambda: datetime.now(UTC) + timedelta(days=1))
    assert audit_log.write(tomorrow) == []
    assert audit_log.write(replace(place.watching, now=lambda: datetime.now(UTC) + timedelta(days=5))) == []


def test_what_is_to_be_told_follows_a_keep_from_low_to_danger_call_and_redemption(
    places: Places, one: LocalDeposit
) -> None:
    place = places.new()
    seen = []
    for percent in (150, 129, 124):
        place.percent(percent)
        place.settle()
        place.round()
        seen.append([kind for kind in names(place) if kind not in ("keeps.left",)])
    market.courtesy_call(place.chains, one.deposit)
    place.settle()
    place.round()
    seen.append(names(place))
    assert seen[0] == []
    assert seen[1] == ["keeps.low", "keeps.out-of-tbtc"]
    assert seen[2] == ["keeps.danger", "keeps.out-of-tbtc"]
    assert seen[3] == ["keeps.courtesy-call", "keeps.left", "keeps.out-of-tbtc"]
    place.fund(2 * COIN)
    place.settle()
    place.round()
    assert names(place) == ["keeps.asked", "keeps.left"]
    events = KeepsEvents(place.watching.engine)
    asked = next(event for event in events.facts(LONG_AGO) if event.kind == "keeps.asked")
    assert asked.fix == f"run.py keeps show {one.deposit.lower()}" and "75" in asked.words
    status = events.status(datetime.now(UTC))
    assert status is not None and "1 keeps known and not over" in status.words and "1 being redeemed" in status.words


def test_a_keep_that_another_saved_is_told_as_saved_and_a_loss_as_lost(place: Place, one: LocalDeposit) -> None:
    place.percent(124)
    place.settle()
    faster(place, one)
    place.round()
    place.chains.ethereum.automine(True)
    assert "keeps.saved" in names(place) and "keeps.failed" not in names(place)

    place.percent(150)
    [other] = place.deposit(BTC)
    place.percent(109)
    place.settle()
    market.liquidate(place.chains, other.deposit)
    place.settle()
    place.round()
    assert "keeps.liquidation" in names(place)
    words = place.lasting()["liquidation"]
    assert "in liquidation" in words and "come back" in words


def test_every_kind_is_known_by_its_name(tmp_path: Path) -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.name.startswith("keeps.") for kind in KINDS)
