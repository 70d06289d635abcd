"""The menu of stake contracts, by keys: it says where it stands, and what it does is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import run as program
from tests.menus.conftest import ENTER, line, menu, pick
from valtrac.contracts.store import withdrawals
from valtrac.database.engine import writing
from valtrac.devnet import bitshares
from valtrac.loggers import pm2
from valtrac.loggers.jobs import agreements
from valtrac.settings import load
from valtrac.wiring.contracts import ContractsApp

Press = Callable[..., str]
YES = line("y")
CONTRACTS = menu("Stake contracts (BitShares)")
(
    LIST,
    ROWS,
    AROUND,
    LIVE,
    CLIENTS,
    DUE,
    PAST,
    OWED,
    BOOKS,
    WAITING,
    DELINQUENT,
    START,
    STOP,
    UNLOCK,
    PAY,
    IMPORT,
    EVENTS,
    SETTINGS,
    MOVES,
    REHEARSE,
) = (pick(place) for place in range(1, 21))


def rehearsed(*words: str) -> None:
    assert program.main(["contracts", "rehearse", *words]) == 0


def parked(press: Press, whole: int) -> None:
    """A deposit whose memo is for another key, tried until it waits for the owner."""
    path = load().bitshares_file
    foreign = bitshares.RawMemo("six_months", to_key=bitshares.dev_public("bob", "memo"), declared=True)
    bitshares.transfer(path, "ann", "custodian", whole * 100_000, foreign)
    bitshares.produce(path, 5)
    for _ in range(4):
        press(CONTRACTS, PAY)


def test_without_a_chain_it_says_how_to_make_one(home: Path, press: Press) -> None:
    said = press(CONTRACTS, BOOKS)
    assert "contracts rehearse" in said
    assert "make the rehearsal chain: Rehearse" in " ".join(said.split())


def test_a_newcomer_rehearses_a_contract_from_the_menu_alone(home: Path, press: Press) -> None:
    said = press(CONTRACTS, REHEARSE, pick(1), pick(1), line("25000"), line("three_months"))
    assert "The rehearsal chain is ready" in said
    assert "ann sent 25000 BTS" in said
    assert "1 payment is irreversible" in press(CONTRACTS, PAY, YES)
    assert "91 days went by" in press(CONTRACTS, REHEARSE, pick(2), line("nine"), "\x15" + line("91"))
    assert "4 payments are irreversible" in press(CONTRACTS, PAY, YES)
    assert "completed" in press(CONTRACTS, LIST, pick(1))
    for going_back in (pick(1) + pick(1), pick(2)):
        said = press(CONTRACTS, REHEARSE, going_back, ENTER)
        assert "went by" not in said and "sent" not in said


def test_what_is_due_is_shown_before_it_is_paid_and_who_got_what_after_it(home: Path, press: Press) -> None:
    rehearsed("--client", "ann", "--send", "25000", "--memo", "three_months")
    said = press(CONTRACTS, PAY, line("n"))
    assert "Due now" in said and "ann" in said and "Nothing was sent." in said
    assert "irreversible" not in said and "$ run.py contracts pay" not in said
    said = press(CONTRACTS, PAY, YES)
    assert said.index("Due now") < said.index("Paid") < said.index("1 payment is irreversible")
    assert "$ run.py contracts pay" in said
    assert "Due now" not in press(CONTRACTS, PAY)


def test_an_entry_is_found_by_typing_a_part_of_it(home: Path, press: Press) -> None:
    rehearsed()
    assert "owed in all" in press("stake con", ENTER, "liabil", ENTER)


def test_a_deposit_becomes_a_contract_and_is_paid_from_the_menu(home: Path, press: Press) -> None:
    rehearsed("--client", "ann", "--send", "25000", "--memo", "three_months")
    assert "1 payment is irreversible" in press(CONTRACTS, PAY, YES)
    whole_bts = (1_000_000 - 25_000 + 1) * 100_000
    assert 86_869 <= whole_bts - bitshares.balances(load().bitshares_file)["ann"] < 200_000  # her own fee
    said = press(CONTRACTS, LIST, pick(1))
    assert "Contracts: 1 contract open" in said  # on the first screen
    assert "1 open contract " in said
    assert "25000" in said
    assert "reward 3" in said
    assert "ann" in press(CONTRACTS, CLIENTS)
    assert "owed in all" in press(CONTRACTS, OWED)
    assert "where it was compared before" in " ".join(press(CONTRACTS, BOOKS).split())
    assert "Nothing is due" in press(CONTRACTS, PAST)
    assert "stake_start" in press(CONTRACTS, EVENTS, line("stake_start"))
    assert "8 %" in press(CONTRACTS, SETTINGS)


def test_a_memo_nobody_can_read_is_given_back_from_the_menu(home: Path, press: Press) -> None:
    rehearsed()
    parked(press, 2_000)
    assert "parked" in press(CONTRACTS, WAITING, pick(1), pick(2), line("y"))
    assert "1 payment is irreversible" in press(CONTRACTS, PAY, YES)
    assert "Nothing waits" in press(CONTRACTS, WAITING)


def test_a_list_is_imported_once_it_is_agreed_to(home: Path, press: Press, tmp_path: Path) -> None:
    rehearsed()
    sheet = tmp_path / "old.txt"
    sheet.write_text("ann 1623177720000 25000 12 2\nbob\t1623176546500 50000  3 2\n")
    said = press(CONTRACTS, IMPORT, line(str(sheet)), "y" + ENTER)
    assert "2 contracts imported" in said
    assert "past due" in said
    assert "0 contracts imported" in press(CONTRACTS, IMPORT, line(str(sheet)), "y" + ENTER)


def test_stopping_and_unlocking_what_does_not_run_says_so(home: Path, press: Press) -> None:
    rehearsed()
    assert "does not run" in press(CONTRACTS, STOP)
    assert "start them first" in press(CONTRACTS, UNLOCK)


@pytest.mark.parametrize(
    "entry", [LIST, CLIENTS, DUE, PAST, OWED, WAITING, DELINQUENT, EVENTS + ENTER, SETTINGS, MOVES]
)
def test_every_entry_opens_on_a_chain_where_nothing_happened_yet(home: Path, press: Press, entry: str) -> None:
    rehearsed()
    said = press(CONTRACTS, entry)
    assert "unforeseen" not in said
    assert "error" not in said


def test_a_payment_by_another_wallet_is_ruled_on_from_the_menu_and_going_back_changes_nothing(
    home: Path, press: Press
) -> None:
    rehearsed("--client", "ann", "--send", "25000", "--memo", "three_months")
    press(CONTRACTS, PAY, YES)
    path = load().bitshares_file
    bitshares.transfer(path, "custodian", "ann", 2_000 * 100_000, "by another wallet")
    bitshares.produce(path, 5)
    assert "1 transfer for your word" in press(CONTRACTS, PAY, YES)
    for going_back in (pick(5), pick(4) + ENTER, pick(1) + "n" + ENTER):
        assert "Nothing was changed." in press(CONTRACTS, WAITING, pick(1), going_back)
    assert "reward 1 of 2000 BTS, due" in press(CONTRACTS, WAITING, pick(1), pick(1), "y", ENTER)
    assert "Nothing waits" in press(CONTRACTS, WAITING)
    assert "paid before" not in (said := press(CONTRACTS, LIST, pick(1)))
    assert len([row for row in said.splitlines() if "reward 1" in row and "paid" in row]) == 1


def test_an_empty_memo_typed_by_the_owner_goes_back_and_charges_nobody(home: Path, press: Press) -> None:
    rehearsed()
    parked(press, 25_000)
    assert "Nothing was changed." in press(CONTRACTS, WAITING, pick(1), pick(1), ENTER)
    assert "these words ask for nothing" in press(CONTRACTS, WAITING, pick(1), pick(1), line("three_month"))
    assert "taken for: contract" in press(CONTRACTS, WAITING, pick(1), pick(1), line("three_months"))


def test_terms_and_books_are_records_for_programs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rehearsed("--client", "ann", "--send", "25000", "--memo", "three_months")
    assert program.main(["contracts", "pay"]) == 0
    capsys.readouterr()
    assert program.main(["contracts", "settings", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["reward_bps"], told["fee"], told["cap_day"], told["amounts"][0]) == (
        800,
        "50.00000",
        None,
        "25000.00000",
    )
    for unexplained in ("0.00000", "0.00005"):  # the first payment has begun the reckoning
        assert program.main(["contracts", "verify", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["whole"], told["receipts"], told["not_compared"]) == (True, 1, None)
        assert told["unexplained"] == unexplained
        bitshares.fund(load().bitshares_file, "custodian", 5)


def test_a_listener_that_runs_keeps_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    job = pm2.Job(agreements.NAME, "running", 1, 0, datetime.now(UTC), None, "")
    monkeypatch.setattr(pm2, "jobs", lambda settings: [job])
    for words in (["start", "--from", "now"], ["listen", "--from", "5"]):
        capsys.readouterr()
        assert program.main(["contracts", *words]) == 3
        assert "stop it first" in capsys.readouterr().err
    assert program.main(["contracts", "events", "--kind", "replay", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1  # the one of the rehearsal's beginning


def test_a_withdrawal_that_never_comes_is_given_up_from_the_menu(home: Path, press: Press) -> None:
    rehearsed()
    own = ContractsApp(load())
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    with writing(own.engine) as conn:
        move = withdrawals.plan(conn, exchange="one", cause="cover", units=1_000 * 100_000, memo="loan#1", at=long_ago)
        assert move is not None
        withdrawals.note_asked(conn, move, long_ago)
    own.close()
    assert "loan#1" in press(CONTRACTS, MOVES)
    assert "Nothing" not in press(CONTRACTS, MOVES, pick(1), ENTER)
    said = press(CONTRACTS, MOVES, pick(1), line("the exchange lost it"))
    assert "Withdrawal #1 is given up" in said
    assert "failed" in press(CONTRACTS, MOVES)


def test_everything_is_in_one_table_with_marks_beside_the_statuses(home: Path, press: Press) -> None:
    rehearsed("--client", "ann", "--send", "25000", "--memo", "three_months")
    press(CONTRACTS, PAY, YES)
    rehearsed("--days", "29")
    near = press(CONTRACTS, AROUND)
    assert "reward 1" in near
    assert "reward 2" not in near
    assert "run.py contracts rows --hours 48" in near
    rehearsed("--days", "2", "--client", "cid", "--send", "1000", "--memo", "nonsense")
    said = press(CONTRACTS, ROWS)
    assert "contract, 3 months" in said
    assert [line.split()[0] for line in said.splitlines() if "agreement" in line] == ["✓"]
    assert [line.split()[0] for line in said.splitlines() if "reward 1" in line] == ["!"]
    assert "! late" in " ".join(said.split())
    live = press(CONTRACTS, LIVE)
    assert "UTC of the chain" in " ".join(live.split())
    assert "run.py contracts rows --watch" in live
