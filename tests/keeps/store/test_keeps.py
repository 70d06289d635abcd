"""Keeps, sightings, redemptions, actions and states that last, as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import Refused
from valtrac.core.keeps import CreatedKeep, DepositReading
from valtrac.core.money import TBTC
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.database.opening import open_engine
from valtrac.keeps.model.old_cache import CachedKeep
from valtrac.keeps.model.progress import Action
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import episodes, keeps, redemptions
from valtrac.keeps.store import tables as t
from valtrac.keeps.store.keeps import Seen

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GENESIS = "0x" + "00" * 32


def at(number: int) -> Head:
    return Head(number, f"0x{number:064x}", f"0x{number - 1:064x}", NOON)


def created(number: int, *, deposit: int | None = None) -> CreatedKeep:
    made = 0x100 + number if deposit is None else deposit
    return CreatedKeep(f"0x{number:040x}", f"0x{made:040x}", (f"0x{7:040x}",) * 3, number, at(number).hash)


def hinted(number: int, *, deposit: int | None = None) -> CachedKeep:
    each = created(number, deposit=deposit)
    return CachedKeep(each.keep, each.deposit, 1, 10**8, each.members, DepositState.ACTIVE, 150)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(tmp_path / "keeps.sqlite")
    with writing(made) as conn:
        claim_identity(conn, GENESIS, "devnet", TBTC)
    yield made
    made.dispose()


def test_a_keep_is_new_once_and_one_of_the_old_cache_is_confirmed(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        assert keeps.hint(conn, [hinted(1), hinted(1)]) == 1
        assert [keep.confirmed for keep in keeps.listed(conn)] == [False]
        assert keeps.add(conn, [created(1), created(2)]) == 1
        assert keeps.add(conn, [created(1), created(2)]) == 0
        assert keeps.hint(conn, [hinted(2)]) == 0
        assert [(keep.confirmed, keep.block) for keep in keeps.listed(conn)] == [(True, 1), (True, 2)]


@pytest.mark.parametrize("false", [hinted(1, deposit=5), hinted(9, deposit=0x101)])
def test_a_cache_that_contradicts_the_factory_is_refused_and_no_keep_is_lost_unsaid(
    engine: sa.Engine, false: CachedKeep
) -> None:
    with writing(engine) as conn:
        keeps.hint(conn, [false])
    with pytest.raises(Refused, match="the old cache said otherwise"), writing(engine) as conn:
        keeps.add(conn, [created(1)])


def test_only_changes_are_kept_and_what_is_over_is_not_listed(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        keeps.add(conn, [created(1)])
        seen = [(4, 150), (4, 150), (4, 124), (8, 124), (7, 0)]
        changed = []
        for number, (state, percent) in enumerate(seen):
            [keep] = keeps.listed(conn, over=True)
            changed.append(bool(keeps.see(conn, [Seen(keep, state, percent)], at(number))))
        assert changed == [True, False, True, True, True]
        assert [(each.block, each.percent) for each in keeps.history(conn, 1)] == [(0, 150), (2, 124), (3, 124), (4, 0)]
        assert len(keeps.history(conn, 1, most=2)) == 2
        assert keeps.listed(conn) == [] and len(keeps.listed(conn, over=True)) == 1


def test_all_that_is_decided_by_is_stored_whole(engine: sa.Engine) -> None:
    told = DepositReading(created(1).deposit, 8, 124, 75 * 10**18 + 1, 126, 111, "0x" + "0a" * 20, 9, 10**9)
    with writing(engine) as conn:
        keeps.add(conn, [created(1)])
        [keep] = keeps.listed(conn)
        keeps.read(conn, [(keep, told, 77)])
        [keep] = keeps.listed(conn)
    assert (keep.bond, keep.courtesy, keep.severe, keep.lot) == (75 * 10**18 + 1, 126, 111, 10**9)
    assert (keep.holder, keep.left_s, keep.called_at) == ("0x" + "0a" * 20, 9, 77)


def test_a_name_finds_keep_or_deposit_and_no_pattern_is_taken_for_all(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        keeps.add(conn, [created(1), created(2)])
    with reading(engine) as conn:
        assert [keep.block for keep in keeps.named(conn, created(2).deposit.upper().replace("X", "x"))] == [2]
        assert len(keeps.named(conn, "0x00")) == 2
        assert keeps.named(conn, "0x%1") == keeps.named(conn, "0x_1") == []


def test_how_far_was_read_is_one_row_whose_beginning_stays(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        assert keeps.read_to(conn) is None
        keeps.note_read(conn, 5, at(9))
        keeps.note_read(conn, 5, at(20))
        assert keeps.read_to(conn) == (5, 20, at(20).hash)


@pytest.mark.parametrize("statement", ["DELETE FROM keeps_keeps", "UPDATE keeps_keeps SET deposit = 'x'"])
def test_no_keep_is_removed_and_none_becomes_another(engine: sa.Engine, statement: str) -> None:
    with writing(engine) as conn:
        keeps.add(conn, [created(1)])
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as conn:
        conn.execute(sa.text(statement))


def test_the_audit_log_is_in_order_and_keeps_its_figures(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        keeps.add(conn, [created(1)])
        redemptions.act(conn, Action.REDEEM, "a" * 600, keep_id=1, tbtc=10**19, ether=3, tx_id="0xabc", block=4)
        redemptions.act(conn, Action.SEEN, "b")
        log = redemptions.actions(conn)
    assert [(each.words[:1], len(each.words), each.tbtc, each.deposit) for each in log] == [
        ("a", 500, 10**19, created(1).deposit),
        ("b", 1, 0, ""),
    ]
    with reading(engine) as conn:
        assert [each.words for each in redemptions.actions(conn, most=1)] == ["b"]
        assert redemptions.actions(conn, since=datetime.now(UTC) + timedelta(hours=1)) == []
        assert redemptions.last_words(conn, 1, Action.REDEEM)[:1] == "a"
        assert redemptions.last_words(conn, 1, Action.LEFT) == ""
    for statement in ("DELETE FROM keeps_actions", "UPDATE keeps_actions SET words = 'c'"):
        with pytest.raises(sa.exc.IntegrityError), writing(engine) as conn:
            conn.execute(sa.text(statement))


def test_a_state_that_lasts_begins_once_bears_its_newest_words_and_ends(engine: sa.Engine) -> None:
    later = NOON + timedelta(hours=1)
    with writing(engine) as conn:
        assert episodes.note(conn, "danger", "a", "at 124", NOON)
        assert not episodes.note(conn, "danger", "a", "at 111", later)
        assert episodes.note(conn, "danger", "b", "at 120", NOON)
        assert [(each["subject"], each["words"], each["began_at"]) for each in episodes.lasting(conn)] == [
            ("a", "at 111", NOON),
            ("b", "at 120", NOON),
        ]
        assert episodes.over(conn, "danger", but={"b"}, now=later) == 1
        assert episodes.note(conn, "danger", "a", "again", later)
        assert episodes.over(conn, "other", now=later) == 0
        assert episodes.over(conn, "danger", now=later) == 2
        assert episodes.lasting(conn) == []
        assert conn.execute(sa.select(sa.func.count()).select_from(t.episodes)).scalar_one() == 3
