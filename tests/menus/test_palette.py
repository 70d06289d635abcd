"""The palette: everything that can be done is found with at most four letters, and gone to from anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest

import menus
from menus import actions
from menus.frame.palette import WORD, Action, fitting, joined
from menus.glossary import TERMS
from tests.menus.conftest import CTRL_C, DOWN, ENTER, line, pick
from tests.payout_world import World
from valtrac.people import users

Press = Callable[..., str]
MOST_LETTERS = 4
CTRL_P = "\x10"
KNOWN = list(actions.known(menus.found()))


def tried(action: Action) -> Iterator[str]:
    """What somebody may type: the beginning of a word, or of several words that follow each other."""
    words = [*WORD.findall(action.title.casefold()), *WORD.findall(action.also.casefold())]
    here = [*(WORD.findall(action.menu.casefold()) if action.path else ()), *WORD.findall(action.title.casefold())]
    for word in words:
        yield from (word[:size] for size in range(1, MOST_LETTERS + 1))
    for one, other in combinations(here, 2):
        yield from (one[:size] + other[: MOST_LETTERS - size] for size in range(1, MOST_LETTERS))
    for three in combinations(here, 3):
        yield three[0][:2] + three[1][:1] + three[2][:1]
        yield three[0][:1] + three[1][:1] + three[2][:2]
        yield "".join(word[:1] for word in three)
    for four in combinations(here, 4):
        yield "".join(word[:1] for word in four)


@pytest.mark.parametrize("action", KNOWN, ids=lambda action: action.label)
def test_every_action_is_found_with_at_most_four_letters(action: Action) -> None:
    place = KNOWN.index(action)
    letters = next(
        (typed for typed in tried(action) if (found := fitting(KNOWN, typed)) and found[0][1] == place), None
    )
    assert letters is not None
    assert 1 <= len(letters) <= MOST_LETTERS


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("begin", "Begin logging delegate info"),
        ("delegate_info", "Begin logging delegate info"),
        ("referral st", "Send payout by referral structure"),
        ("fpbn", "Full payout by nominator"),
        ("payout_log", "Payout history and batches"),
        ("user_data", "Add users"),
        ("referral_layers", "Edit referrals"),
        ("doct", "Check everything (doctor)"),
        ("why", "Explain a payment"),
        ("glob", "Rate of return, all nominators"),
        ("stakebts", "Stake contracts (BitShares)"),
        ("ppm", "Qtum pool"),
        ("stop pool", "Stop the background job"),
        ("liqu", "Is there enough in the payout wallet?"),
    ],
)
def test_words_other_names_and_the_names_of_old_lead_there(typed: str, found: str) -> None:
    assert KNOWN[fitting(KNOWN, typed)[0][1]].title == found


def test_what_nothing_is_called_finds_nothing() -> None:
    assert fitting(KNOWN, "zzzz") == []


def test_letters_are_the_beginnings_of_words_in_their_order() -> None:
    assert joined("stco", ["stake", "contracts"])
    assert joined("sc", ["stake", "of", "contracts"])
    assert not joined("cs", ["stake", "contracts"])
    assert not joined("stax", ["stake", "contracts"])


def test_every_other_name_is_of_something_that_there_is() -> None:
    titles = {action.title for action in KNOWN}
    stale = {name for menu in menus.found() for name in actions.other_names(menu) if name not in titles}
    assert stale == set()


def test_what_a_screen_offers_is_a_constant_of_its_file() -> None:
    """So that the palette finds it. A list of texts that is written out where it is asked for holds answers only."""
    for menu in menus.found():
        text = Path(menu.__file__ or "").read_text(encoding="utf-8")
        assert re.findall(r"(?:repeat|acts = |by_word = )\([^)]*\[\s*\"", text) == [], menu.__name__
    assert all(len(set(map(str, pair))) == 2 for pair in pairwise(KNOWN))


def test_every_screen_explains_itself_and_every_term_stands_somewhere() -> None:
    abouts = [menu.__doc__ or "" for menu in menus.found()]
    assert [about for about in abouts if len(about) < 20] == []
    written = [path for path in Path(menus.__file__ or "").parent.rglob("*.py") if path.stem != "glossary"]
    everywhere = " ".join(path.read_text(encoding="utf-8") for path in written).casefold()
    assert [term for term in TERMS if term not in everywhere] == []


def test_the_palette_goes_there_from_the_main_menu(world: World, press: Press) -> None:
    said = press("/", "enou", ENTER)
    assert "The payout wallet" in said


def test_it_opens_from_any_menu_and_from_a_line_of_text(world: World, press: Press) -> None:
    world.people()
    from_a_list = press(pick(5), pick(1), CTRL_P, "doct", ENTER)
    assert "checks:" in from_a_list
    from_a_line = press(pick(4), pick(2), "zoe", CTRL_P, "doct", ENTER)
    assert "checks:" in from_a_line
    assert [view.name for view in users.list_users(world.engine)] == ["u001", "u002", "u003"]


def test_what_is_asked_on_the_way_is_asked_and_the_rest_is_chosen(world: World, press: Press) -> None:
    world.people()
    press("/", "rena", ENTER, pick(2), "\x15", line("ann"))
    assert sorted(view.name for view in users.list_users(world.engine)) == ["ann", "u001", "u003"]


def test_esc_in_the_palette_leads_back_to_where_it_was_opened(world: World, press: Press) -> None:
    world.people()
    said = press(pick(5), pick(1), "/", "zzzz", ENTER, CTRL_C, pick(5), "y", ENTER)
    assert "u001" not in [view.name for view in users.list_users(world.engine)]
    assert "Back." in said


def test_what_cannot_be_done_now_is_said_and_the_menu_shows_what_there_is(world: World, press: Press) -> None:
    said = " ".join(press("/", "release", ENTER, DOWN).split())
    assert "Pay out all held balances: not offered now" in said
    assert "No account yet" in said
