"""What stands above the main menu: how things stand, in lines that are true at this moment, and nothing where there is
nothing to say."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import menus
from menus import main_menu
from menus.frame.asking import NAME_WIDTH
from menus.frame.chooser import NONE, Choosing
from menus.frame.first_screen import LOOK_EVERY_S, Standing
from menus.groups import EXPLAINED
from tests.contracts_world import World as Custody
from tests.payout_world import HOTKEY, World
from valtrac.database.engine import writing
from valtrac.devnet import bittensor as devnet
from valtrac.loggers.loop import Beat, beat
from valtrac.payouts import wallet_seen
from valtrac.payouts.store import counts as of_payouts
from valtrac.settings import Settings
from valtrac.snapshots import snapshots
from valtrac.snapshots.store import rulings


def rows(world: World) -> dict[str, str]:
    return dict(Standing(world.app.settings).rows())


def test_a_home_with_nothing_says_only_what_to_do_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert list(rows(world)) == ["Next"]
    world.app.close()


def test_what_is_paid_for_and_what_is_not(world: World) -> None:
    batch = world.people().day().approved()
    assert rows(world)["Next"].startswith("a batch is approved and not sent")
    world.send(batch)
    assert rows(world)["Record"].endswith("all of it is paid for")
    assert rows(world)["Next"] == "all that is recorded is paid for; the next payout waits for a snapshot."
    world.day(2)
    assert rows(world)["Record"].endswith("2 snapshots not paid for yet")
    assert rows(world)["Next"].startswith("see what everyone is owed")


def test_snapshots_that_are_missing_are_counted_once_for_each(world: World) -> None:
    world.app = type(world.app)(world.app.settings.model_copy(update={"snapshot_interval": 50}))
    world.people().day(3)
    assert "missing" not in rows(world).get("Record", "")
    devnet.advance(world.node, 150)  # two of them were not taken
    snapshots.take(world.engine, world.app.chain, HOTKEY)
    assert "2 snapshots missing in the last week" in rows(world)["Record"]


def test_the_wallet_as_it_was_seen_last(world: World) -> None:
    assert "Wallet" not in rows(world)
    figures = world.app.liquidity()
    assert rows(world)["Wallet"].startswith("1,000 TAO") or rows(world)["Wallet"].startswith("1000 TAO")
    seen = wallet_seen.last(world.app.settings.data)
    assert seen is not None and (seen.holds, seen.lasts) == (figures.holds, figures.lasts)
    hour = datetime.now(UTC) - timedelta(hours=3)
    wallet_seen.note(world.app.settings.data, wallet_seen.Seen("5x", 10**9, 5 * 10**8, 4, hour))
    assert rows(world)["Wallet"] == "1 TAO · 0.5 TAO missing · seen 3 h ago"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"wallet": 1, "holds": "x"}', "x" * 20_000, '{"at": 5}'])
def test_a_note_that_is_broken_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / wallet_seen.FILE).write_text(text)
    assert wallet_seen.last(tmp_path) is None


def test_jobs_that_run_and_jobs_that_do_not(world: World) -> None:
    logs, now = world.app.settings.logs, datetime.now(UTC)
    beat(logs, Beat("valtrac-stakes-5Hk", now - timedelta(seconds=12), 900, "", 0, os.getpid()))
    beat(logs, Beat("valtrac-alerts", now - timedelta(hours=5), None, "", 0, 2**22 + 1))
    assert rows(world)["Jobs"] == "alerts stopped, 5 h ago · stakes-5Hk runs, 12 s ago"


def test_what_a_custodian_owes_next(tmp_path: Path) -> None:
    world = Custody(tmp_path, custodian=1_000_000)
    world.send("ann", 25_000, "three_months")
    world.listen()
    said = dict(Standing(Settings(home=tmp_path)).rows())
    assert said["Contracts"].startswith("1 contract open")
    assert said["Due"].startswith("1 contract payment ")
    assert max(map(len, said)) < NAME_WIDTH  # a space stands before the words
    world.close()


def test_it_is_looked_at_again_after_some_seconds_and_not_at_each_key(world: World) -> None:
    now = [0.0]
    standing = Standing(world.app.settings, clock=lambda: now[0])
    before = standing.rows()
    world.people()
    assert standing.rows() is before
    now[0] += LOOK_EVERY_S
    assert standing.rows() != before


def test_a_snapshot_that_was_ruled_out_counts_for_nothing_here_either(world: World) -> None:
    world.people().day(1)
    with writing(world.engine) as conn:
        assert rulings.paid_before(conn, HOTKEY) is None
    assert "paid" not in rows(world).get("Record", "")


def test_the_first_eight_are_alone_and_each_group_is_explained_and_leads_to_several() -> None:
    entries = main_menu.entries(menus.found())
    assert [len(entry.menus) for entry in entries[:8]] == [1] * 8
    assert [entry.label.split(". ", 1)[1] for entry in entries[8:]] == list(EXPLAINED)
    assert all(len(entry.menus) > 1 for entry in entries[8:])
    assert len(entries) + 1 <= 13  # with seven lines above, the question and the keys it fits into 24


def test_what_is_in_a_group_is_found_by_its_words_and_goes_before_the_group() -> None:
    titles = ["1. Users", "2. Chains: pool, keeps", "Qtum pool", "3. Exit"]
    choosing = Choosing(titles, back=3, hidden=frozenset({2}))
    assert choosing.shown == [0, 1, 3]
    choosing.type("pool")
    assert (choosing.shown, choosing.at) == ([1, 2], 2)
    choosing.type("2")
    assert choosing.at == 1
    choosing.type("zzz")
    assert (choosing.shown, choosing.at) == ([], NONE)
    choosing.type("")
    assert (choosing.shown, choosing.at) == ([0, 1, 3], 0)


@pytest.mark.parametrize(
    "spoiled", [{"pid": "7"}, {"pid": 10**30}, {"pid": -1}, {"at": "2026-01-01T00:00:00"}, {"at": 1}]
)
def test_a_heartbeat_in_another_shape_is_none(world: World, spoiled: dict[str, object]) -> None:
    logs = world.app.settings.logs
    logs.mkdir(parents=True, exist_ok=True)
    told = {"name": "valtrac-x", "at": "2026-01-01T00:00:00+00:00", "block": 1, "words": "", "failures": 0, "pid": 1}
    (logs / "valtrac-x.heartbeat.json").write_text(json.dumps(told))
    assert rows(world)["Jobs"].startswith("x runs")
    (logs / "valtrac-x.heartbeat.json").write_text(json.dumps({**told, **spoiled}))
    assert "Jobs" not in rows(world)


@pytest.mark.parametrize("at", ["2026-01-01 00:00:00", "\x1b[2J"])
def test_a_time_that_nobody_knows_leaves_its_line_out(world: World, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    world.people().day()
    monkeypatch.setattr(of_payouts, "recorded", lambda *_, **__: of_payouts.Recorded(at, 0, None))
    assert set(rows(world)) == {"Next"}


def test_a_look_that_takes_long_is_seldom_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, time = list[float](), [0.0]

    def slow(*_: object) -> list[tuple[str, str]]:
        looks.append(time[0])
        time[0] += 2.0
        return []

    monkeypatch.setattr(Standing, "_look", slow)
    standing = Standing(world.app.settings, lambda: time[0])
    while time[0] < 100:
        standing.rows()
        time[0] += 1.0
    assert len(looks) == 2
