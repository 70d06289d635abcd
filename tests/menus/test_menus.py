"""The menus, by keys: every entry opens, says the next step where it is empty, and Ctrl-C goes one level back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import menus
from tests.menus.conftest import CTRL_C, DOWN, ENTER, line, menu, pick
from tests.payout_world import World, address
from tests.payouts.test_ranges import imported
from valtrac.devnet import bittensor as devnet
from valtrac.people import referrals, users

Press = Callable[..., str]
(
    LOG,
    BY_REFERRAL,
    BY_NOMINATOR,
    ADD_USERS,
    EDIT_USERS,
    ADD_REFERRAL,
    EDIT_REFERRALS,
    CHARTS,
    POLICIES,
    HISTORY,
    BALANCES,
    CONTRACTS,
    POOL,
    KEEPS,
    LOGGERS,
    ALERTS,
    BACKUPS,
    NETWORK,
    DOCTOR,
) = (menu(found.TITLE) for found in menus.found())


def names(world: World) -> list[str]:
    return [view.name for view in users.list_users(world.engine)]


def test_the_entries_are_those_of_valtrac_in_its_order() -> None:
    assert [menu.TITLE for menu in menus.found()] == [
        "Begin logging delegate info",
        "Send payout by referral structure",
        "Full payout by nominator",
        "Add users",
        "Edit users",
        "Add referral",
        "Edit referrals",
        "Charts and statistics",
        "Policies and waiting addresses",
        "Payout history and batches",
        "Balances and corrections",
        "Stake contracts (BitShares)",
        "Qtum pool",
        "tBTC keeps",
        "Background loggers",
        "Alerts",
        "Backups",
        "Network and wallet",
        "Check everything (doctor)",
    ]
    assert len({menu.ORDER for menu in menus.found()}) == len(menus.found())


@pytest.mark.parametrize(
    ("keys", "next_step"),
    [
        (LOG, "begin it under Network and wallet"),
        (BY_REFERRAL, "begin it under Network and wallet"),
        (BY_NOMINATOR, "begin it under Network and wallet"),
        (EDIT_USERS, "Load some under Add users"),
        (ADD_REFERRAL, "Next: Add users"),
        (EDIT_REFERRALS, "Add one under Add referral"),
        (POLICIES, "No policies: everyone earns by stake"),
        (BALANCES, "approving a batch books the first entries"),
        (CHARTS + ENTER, "begin it under Network and wallet"),
        (HISTORY, "Make one under Send payout by referral"),
        (POOL, "Next: Rehearse makes one"),
        (ALERTS + pick(6), "No targets yet. Next: Add a target"),
        (KEEPS, "tBTC does not run here yet. Next: Rehearse starts it."),
        (LOGGERS, "Start one under Begin logging"),
        (NETWORK, "make it: run.py devnet seed"),
        (DOCTOR, "begin with a rehearsal: run.py devnet seed"),
    ],
)
def test_an_empty_home_is_told_the_next_step_by_every_entry(
    home: Path, press: Press, keys: str, next_step: str
) -> None:
    said = press(keys)
    assert next_step in " ".join(said.split())
    assert said.count("What would you") == 0  # questions are drawn elsewhere; only words are captured here
    assert said.rstrip().endswith("Goodbye.")


def test_the_first_screen_says_what_to_do_first(home: Path, press: Press) -> None:
    assert "Next: begin the rehearsal chain under Network and wallet." in press("")


def test_a_payout_without_snapshots_says_how_to_begin_the_record(world: World, press: Press) -> None:
    assert "There are no snapshots yet. Start the record under Begin logging" in press(BY_REFERRAL)


def test_ctrl_c_goes_back_one_level_and_the_last_one_leaves(world: World, press: Press) -> None:
    world.people()
    # user -> action -> question; then three times back: to the actions, to the users, to the main menu
    said = press(EDIT_USERS, pick(1), pick(1), "5nonsense", CTRL_C, pick(4), CTRL_C, CTRL_C, CTRL_C, NETWORK)
    assert said.count("Back.") >= 2
    assert "wallet address" in said  # the main menu was reached again, and another entry opened
    assert names(world) == ["u001", "u002", "u003"]


def test_ctrl_c_while_something_is_done_leads_back_to_the_menu(
    world: World, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    world.people()
    monkeypatch.setattr(devnet, "advance", interrupted)
    said = press(NETWORK, pick(1), CTRL_C, EDIT_USERS)
    assert "Stopped." in said
    assert "u001" in said


def test_a_fault_nobody_thought_of_shows_no_traceback_and_goes_to_a_file(
    world: World, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by [/zero] \x1b[2J")

    monkeypatch.setattr(devnet, "advance", broken)
    said = press(NETWORK, pick(1), EDIT_USERS)
    assert "something unforeseen: ZeroDivisionError: by [/zero] ·[2J" in said
    assert "Traceback" not in said
    assert "Traceback" in (world.home / "logs" / "errors.log").read_text(encoding="utf-8")


def test_users_come_from_a_sheet_once_the_preview_is_agreed_to(world: World, press: Press, tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_text(f"Name,Address1\nbob [/oops],{address(1)}\n", encoding="utf-8")
    said = press(ADD_USERS, pick(1), line(str(sheet)), ENTER)  # Enter alone means no
    assert "bob [/oops]: new from block 0, 1 address, paid at" in said
    assert "Nothing was changed." in said
    assert names(world) == []
    assert "Done. Next: Add referral, or Begin logging." in press(ADD_USERS, pick(1), line(str(sheet)), "y", ENTER)
    assert names(world) == ["bob [/oops]"]


def test_a_bad_sheet_is_told_by_row_and_the_menu_goes_on(world: World, press: Press, tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    rows = [f"u{n},{address(n)}" for n in range(1, 6)] + [f"mallory,{address(6)[:-1]}x"]
    sheet.write_text("Name,Address1\n" + "\n".join(rows) + "\n", encoding="utf-8")
    said = press(ADD_USERS, pick(1), line(str(sheet)), CTRL_C, NETWORK)
    assert "row 7" in said
    assert "checksum" in said
    assert "wallet address" in said
    assert names(world) == []


def test_the_preview_of_a_long_sheet_shows_twenty_and_counts_the_rest(
    world: World, press: Press, tmp_path: Path
) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_text("Name,Address1\n" + "".join(f"p{n:03},{address(n)}\n" for n in range(1, 46)), encoding="utf-8")
    said = press(ADD_USERS, pick(1), line(str(sheet)))
    assert "p020: new" in said
    assert "p021: new" not in said
    assert "and 25 more" in said
    assert "45 new users, 0 ended, 0 changed, 0 unchanged." in said


def test_a_user_is_added_by_hand_with_several_addresses(world: World, press: Press) -> None:
    press(ADD_USERS, pick(2), line("zoe"), line(address(1)), line(address(2)), ENTER)
    view = users.get(world.engine, "zoe")
    assert (view.addresses, view.payout) == ((address(1), address(2)), address(1))


def test_a_user_is_edited_address_by_address_renamed_and_ended(world: World, press: Press) -> None:
    world.people()
    press(EDIT_USERS, pick(1), pick(1), line(address(9)), pick(3), pick(2))
    assert users.get(world.engine, "u001").payout == address(9)
    press(EDIT_USERS, pick(1), pick(4), "\x15" + line("ann"))  # Ctrl-U: away with the old name
    assert "ann" in names(world)
    press(EDIT_USERS, pick(1), pick(5), "y", ENTER)
    assert names(world) == ["u002", "u003"]


def test_a_referral_is_saved_or_discarded_as_the_owner_says(world: World, press: Press) -> None:
    world.people()
    said = press(ADD_REFERRAL, pick(1), pick(1), line("0.25"), "n", ENTER)
    assert "Discarded; nothing was saved." in said
    assert referrals.list_referrals(world.engine) == []
    press(ADD_REFERRAL, pick(1), pick(1), line("25%"), "y", ENTER)
    (view,) = referrals.list_referrals(world.engine)
    assert (view.referrer, view.referee, view.rate_bps) == ("u001", "u002", 2500)


def test_a_rate_is_changed_and_a_referee_removed(world: World, press: Press) -> None:
    world.people()
    referrals.add(world.engine, "u001", "u002", 2500)
    press(EDIT_REFERRALS, pick(1), pick(1), line("0.1"))
    assert referrals.list_referrals(world.engine)[0].rate_bps == 1000
    press(EDIT_REFERRALS, pick(3), pick(1), "y", ENTER)
    assert referrals.list_referrals(world.engine) == []


def test_a_whole_payout_goes_through_by_keys_and_pays_on_the_chain(world: World, press: Press) -> None:
    world.people().day()
    said = press(BY_REFERRAL, ENTER, line("7"), "y", ENTER)
    total = next(words.split()[-1] for words in said.splitlines() if words.startswith("total"))
    said = press(HISTORY, pick(1), pick(1), line(total), "y", ENTER)
    assert "is settled" in said
    assert sum(world.received().values()) == round(float(total) * 10**9)


def test_a_total_typed_wrong_approves_nothing(world: World, press: Press) -> None:
    world.people().day()
    said = press(BY_NOMINATOR, ENTER, line("7"), "y", ENTER, line("7"), ENTER)
    assert "Not approved. Batch #1 stays a draft" in said
    assert "a draft waits for your approval" in " ".join(said.split())
    assert world.received() == {}


def test_an_approved_batch_can_be_left_unsent_and_taken_back_with_a_reason(world: World, press: Press) -> None:
    batch = world.people().day().approved()
    said = press(HISTORY, pick(1), pick(1), ENTER)  # send it? Enter alone means no
    assert "Not sent. It stays approved" in said
    said = press(HISTORY, pick(1), pick(3), line("typed the wrong pool"))
    assert f"Batch #{batch.id} is void; its range is free again." in said
    assert world.received() == {}


def test_a_payout_is_planned_while_the_node_is_away_and_sending_says_why_not(world: World, press: Press) -> None:
    world.people().day()
    devnet.misbehave(world.node, down=1000)
    said = press(BY_REFERRAL, ENTER, line("7"), "y", ENTER)
    assert "Planning without a node" in said
    assert "Batch #1: draft" in said


def test_charts_are_drawn_in_the_terminal_and_as_files(world: World, press: Press) -> None:
    world.people().day()
    said = press(CHARTS, pick(2), pick(5), pick(1), pick(4), pick(1))
    assert "Stake over time" in said
    assert "Balance of one user" in said
    folder = world.home / "data" / "charts"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{form}" for name in ("stake-over-time", "user-balance-u001") for form in ("png", "svg")
    }


def test_figures_are_shown_for_the_time_that_was_chosen_and_explained_under_a_question_mark(
    world: World, press: Press
) -> None:
    world.people()
    referrals.add(world.engine, "u002", "u001", 2_500)
    world.day()
    said = press(CHARTS, pick(1), pick(6), line(""), line("100"), pick(1), pick(2), pick(1), CTRL_C, pick(6))
    assert "2 snapshots" in " ".join(said.split())
    assert "25% to u002" in said
    assert "the median growth of the nominators" in " ".join(said.split())


def test_what_if_asks_what_would_be_other_and_stores_nothing(world: World, press: Press) -> None:
    world.people()
    referrals.add(world.engine, "u002", "u001", 2_500)
    world.day()
    said = press(CHARTS, pick(5), pick(5), pick(2), pick(2), line("50%"))
    assert "Nothing was stored" in said
    assert [view.rate_bps for view in referrals.tree_view(world.engine) if view.name == "u002"] in ([2_500], [None], [])


def test_a_statement_is_a_page_or_a_file_for_tax_tools(world: World, press: Press) -> None:
    world.people()
    world.send(world.day().approved())
    year = str(world.app.chain.finalized().at.year)
    press(CHARTS, pick(3), pick(1), "\x15" + line(year), pick(1))
    press(CHARTS, pick(4), "\x15" + line(year), pick(2))
    names = {path.name for path in (world.home / "data" / "statements" / year).iterdir()}
    assert {"u001.html", "all.csv"} <= names


def test_policies_and_corrections_are_entered_by_keys(world: World, press: Press) -> None:
    world.people().day()
    said = press(POLICIES, pick(1), pick(1), pick(2), line("5%"), line("agreed"))
    assert "the owner's cut of the share: 5%" in said
    said = press(POLICIES, pick(4), pick(1), "y")
    assert "It ends at block" in said
    said = press(BALANCES, pick(1), pick(1), line("0.5"), line("a snapshot was missing"))
    assert "0.500000000 TAO coming with the next payout" in " ".join(said.split())
    said = press(BALANCES, pick(1), pick(1), CTRL_C, BALANCES, pick(3), pick(1), line("0.500000000"), "y", ENTER)
    assert "0.500000000 TAO to 1 payee" in " ".join(said.split())
    assert world.balance(1) == 5 * 10**8


def test_the_rehearsal_chain_is_begun_moved_on_and_recorded_from_the_menu(home: Path, press: Press) -> None:
    said = press(NETWORK, pick(1), pick(1), pick(2))
    assert "It begins." in said
    assert "It is at block 300." in said
    assert re.search(r"Block 298: \d+ readings on 2 subnets\.", said)


def test_one_of_many_users_is_found_by_typing(world: World, press: Press) -> None:
    for number in range(1, 20):
        users.add(world.engine, f"n{number:02}", [address(100 + number)])
    press(EDIT_USERS, line("n07"), pick(1), line(address(9)))
    assert users.get(world.engine, "n07").addresses == (address(107), address(9))


def test_without_node_the_loggers_say_how_to_get_one(
    world: World, press: Press, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from valtrac.loggers import pm2_home

    monkeypatch.setattr(pm2_home, "node_folder", lambda: None)
    said = press(LOG, "y", ENTER)
    assert "node is missing" in said
    assert "make install" in said


def test_going_back_is_the_last_entry_of_every_list(world: World, press: Press) -> None:
    said = press(ADD_USERS, DOWN * 2 + ENTER, NETWORK, DOWN * 2 + ENTER, pick(18))
    assert said.rstrip().endswith("Goodbye.")


def test_a_record_from_elsewhere_asks_up_to_which_block_it_was_paid(world: World, press: Press) -> None:
    world.people()
    imported(world, 10, 20)
    said = press(BY_REFERRAL, ENTER, line("7"), "y" + ENTER, ENTER, line("10"), CTRL_C)
    assert "up to which block were they paid?" in " ".join(said.split())
    assert "Blocks 11 to 20" in said
