"""Importing a sheet of users: the preview is what happens, one wrong row and nothing does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.people_world import A, B, C, D, E, addr, everything, new_engine, paid_up_to, snapshot_at, spans, terms_of
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import writing
from valtrac.people import referrals, users
from valtrac.people.user_import import AddressChange, ImportPreview, NewUser, PayoutChange, apply_import, preview_import

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "users.csv"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return new_engine(tmp_path)


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: str, header: str = "Name,Address1,Address2,Address3") -> Path:
        path = tmp_path / "users.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def run(engine: sa.Engine, path: Path, *, replace: bool = False) -> ImportPreview:
    return apply_import(engine, preview_import(engine, path, replace=replace))


def held(engine: sa.Engine) -> dict[str, tuple[tuple[str, ...], str | None]]:
    return {view.name: (view.addresses, view.payout) for view in users.list_users(engine)}


def refused(engine: sa.Engine, path: Path, *, replace: bool = False) -> BadInput:
    """All findings of an import that changed nothing."""
    before = everything(engine)
    with pytest.raises(BadInput) as caught:
        preview_import(engine, path, replace=replace)
    assert everything(engine) == before
    assert caught.value.fix
    return caught.value


# -- appending --------------------------------------------------------------------------------------


def test_a_preview_changes_nothing(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    before = everything(engine)
    preview_import(engine, sheet(f"ann,{A}"))
    assert everything(engine) == before


def test_new_users_are_paid_at_their_first_address(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    preview = run(engine, sheet(f"ann,{B},{A}", "jon", f"bob,,{C}"))
    assert preview.new_users == tuple(NewUser(name, 0, returns=False) for name in ("ann", "jon", "bob"))
    assert held(engine) == {"ann": ((B, A), B), "bob": ((C,), C), "jon": ((), None)}
    assert preview.lines == [
        "ann: new user, from block 0",
        "jon: new user, from block 0; no address yet",
        "bob: new user, from block 0",
        f"ann: address {B} added, from block 0",
        f"ann: address {A} added, from block 0",
        f"bob: address {C} added, from block 0",
        f"ann: paid at {B}, from block 0",
        f"bob: paid at {C}, from block 0",
        "unchanged users: 0",
    ]


def test_appended_addresses_come_after_those_it_has_and_the_payout_address_stays(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    users.add(engine, "ann", [A, B])
    users.set_payout(engine, "ann", B)
    preview = run(engine, sheet(f"ann,{C},{A},{D}"))
    assert held(engine) == {"ann": ((A, B, C, D), B)}
    assert preview.added == (AddressChange("ann", C, 0), AddressChange("ann", D, 0))
    assert (preview.payouts, preview.orders, preview.unchanged) == ((), (), 0)


def test_a_user_without_address_is_paid_at_the_first_one_it_gets(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "jon", [])
    preview = run(engine, sheet(f"jon,{A}"))
    assert preview.payouts == (PayoutChange("jon", None, A, 0),)
    assert held(engine) == {"jon": ((A,), A)}


def test_appending_leaves_everybody_else(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A, B])
    users.set_payout(engine, "ann", B)
    users.add(engine, "bob", [C])
    before = everything(engine)
    preview = run(engine, sheet(f"ann,{A}"))
    assert not preview.changes
    assert preview.lines[-1] == "unchanged users: 1"
    assert everything(engine) == before


def test_a_first_address_that_is_not_the_paid_one_is_named_with_the_way_to_change_it(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    users.add(engine, "ann b", [A, B])
    users.set_payout(engine, "ann b", B)
    users.add(engine, "bob", [C])
    preview = preview_import(engine, sheet(f"ann b,{A},{B}", f"bob,{C},{D}"))
    (kept,) = preview.kept_payouts
    assert (kept.user, kept.paid, kept.first) == ("ann b", B, A)
    assert f"is paid at {B}, and that stays" in str(kept)
    assert f"run.py users edit 'ann b' --payout {A}" in preview.lines[-2]
    assert preview_import(engine, sheet(f"ann b,{A},{B}", f"bob,{C}"), replace=True).kept_payouts == ()


def test_a_user_who_ended_returns_from_the_next_snapshot_on(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 9)
    users.end(engine, "ann")
    preview = run(engine, sheet(f"ann,{A},{B}"))
    assert preview.new_users == (NewUser("ann", 10, returns=True),)
    assert preview.lines[0] == "ann: returns, from block 10"
    assert held(engine) == {"ann": ((A, B), A)}
    assert len({term.person for term in terms_of(engine).users}) == 1


def test_new_users_hold_from_the_first_unpaid_block(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    paid_up_to(engine, 1_000)
    snapshot_at(engine, 1_500)
    run(engine, sheet(f"ann,{A}"))
    terms = terms_of(engine)
    assert spans(terms.users) == spans(terms.addresses) == spans(terms.payouts) == [(1_001, None)]


# -- replacing ---------------------------------------------------------------------------------------


def test_replacing_ends_who_and_what_is_missing(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A, B])
    users.add(engine, "bob", [C])
    users.add(engine, "cat", [])
    referrals.add(engine, "bob", "ann", 5)
    snapshot_at(engine, 9)
    preview = run(engine, sheet(f"ann,{A}", f"dan,{D}"), replace=True)
    assert held(engine) == {"ann": ((A,), A), "dan": ((D,), D)}
    assert [(found.name, found.block, found.addresses, found.referees) for found in preview.ended_users] == [
        ("bob", 10, (C,), ("ann",)),
        ("cat", 10, (), ()),
    ]
    assert preview.ended == (AddressChange("ann", B, 10),)
    assert "bob ends, from block 10; with 1 address; ann then without referrer" in preview.lines
    assert f"ann: address {B} ended, from block 10" in preview.lines
    assert terms_of(engine).referrals_at(10) == {}
    assert terms_of(engine).owners_at(9) == {A: "ann", B: "ann", C: "bob", D: "dan"}


def test_replacing_takes_order_and_payout_address_from_the_sheet(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A, B, C])
    users.add(engine, "bob", [D])
    snapshot_at(engine, 9)
    preview = run(engine, sheet(f"ann,{C},{B},{A}", f"bob,{D}"), replace=True)
    assert held(engine)["ann"] == ((C, B, A), C)
    assert preview.payouts == (PayoutChange("ann", A, C, 10),)
    assert preview.orders == (("ann", (C, B, A)),)
    assert preview.lines == [
        f"ann: paid at {C} instead of {A}, from block 10",
        "ann: addresses in another order",
        "unchanged users: 1",
    ]
    assert [terms_of(engine).payout_address("ann", block) for block in (9, 10)] == [A, C]


def test_replacing_an_address_by_a_new_one_pays_there(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 9)
    run(engine, sheet(f"ann,{B}"), replace=True)
    assert held(engine) == {"ann": ((B,), B)}
    assert [terms_of(engine).payout_address("ann", block) for block in (9, 10)] == [A, B]


def test_replacing_may_take_all_addresses_away(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    preview = run(engine, sheet("ann"), replace=True)
    assert held(engine) == {"ann": ((), None)}
    assert "ann: paid at no address instead of" in preview.lines[-2]


def test_replacing_can_swap_the_addresses_of_two_users(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    users.add(engine, "bob", [B])
    snapshot_at(engine, 9)
    run(engine, sheet(f"ann,{B}", f"bob,{A}"), replace=True)
    terms = terms_of(engine)
    assert terms.owners_at(9) == {A: "ann", B: "bob"}
    assert terms.owners_at(10) == {B: "ann", A: "bob"}
    assert held(engine) == {"ann": ((B,), B), "bob": ((A,), A)}


def test_replacing_gives_the_address_of_a_user_who_ends_to_another(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 9)
    run(engine, sheet(f"bob,{A}"), replace=True)
    terms = terms_of(engine)
    assert [terms.owners_at(block) for block in (9, 10)] == [{A: "ann"}, {A: "bob"}]


def test_replacing_by_what_is_there_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    users.add(engine, "=cmd()", [A, B, C])
    users.set_payout(engine, "=cmd()", B)
    users.add(engine, "bob [/oops]", [D])
    users.add(engine, "jon", [])
    users.export(engine, tmp_path / "out.csv")
    before = everything(engine)
    for replace in (True, False):
        preview = run(engine, tmp_path / "out.csv", replace=replace)
        assert preview.lines == ["unchanged users: 3"]
        assert everything(engine) == before


def test_the_paid_past_is_left_alone(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    users.add(engine, "bob", [B])
    paid_up_to(engine, 1_000)
    run(engine, sheet(f"ann,{C}"), replace=True)
    terms = terms_of(engine)
    assert terms.owners_at(1_000) == {A: "ann", B: "bob"}
    assert terms.owners_at(1_001) == {C: "ann"}


# -- what is wrong ------------------------------------------------------------------------------------


def test_every_wrong_row_is_named_with_column_reason_and_fix(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    error = refused(engine, sheet(f"bob,{A}", f"Ann,{B}", f"cat,{C},5abc", f"dan,{D}", f"dan,{E}", "\x1b[2J"))
    assert "users.csv has 5 problems; the first: row 2, Address1" in error.what
    assert error.problems == (
        f"row 2, Address1: {A} is ann's already (an address belongs to one user at a time); end it at 'ann' first",
        "row 3, Name: 'Ann' differs from the user 'ann' by capitals only (the two would be mixed up); "
        "write 'ann', or choose another name",
        "row 4, Address2: '5abc' is no address of this network: wrong length; copy it again from the wallet, whole",
        "row 6, Name: 'dan' stands in row 5 already; put all addresses of a user into one row",
        "row 7, Name: '·[2J' holds a control or invisible character (shown as a dot); type the name anew",
    )


def test_one_problem_is_told_as_it_is(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    assert "users.csv: row 2, Address1: '5abc' is no address" in refused(engine, sheet("ann,5abc")).what


def test_appending_an_address_of_someone_else_is_refused_though_both_are_in_the_sheet(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    users.add(engine, "ann", [A])
    assert "row 3, Address1" in refused(engine, sheet(f"ann,{B}", f"bob,{A}")).problems[0]


def test_a_missing_file_is_told(engine: sa.Engine, tmp_path: Path) -> None:
    assert "does not exist" in refused(engine, tmp_path / "no.csv").what


def test_a_folder_is_told(engine: sa.Engine, tmp_path: Path) -> None:
    assert "is a folder" in refused(engine, tmp_path).what


def test_an_unreadable_file_is_told(engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "cannot be read" in refused(engine, tmp_path / "loop.csv").what
    assert "cannot be read" in refused(engine, tmp_path / "a\0b.csv").what
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file on a disk" in refused(engine, tmp_path / "pipe").what


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_rights_is_told(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    path = sheet("ann")
    path.chmod(0)
    assert "cannot be read" in refused(engine, path).what


def test_a_file_of_200_megabytes_is_refused_before_it_is_read(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    error = refused(engine, path)
    assert "is too large: 200,000,000 bytes" in error.what
    assert "at most 10 MB" in error.why


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Name\nann\n", "the column Address1 is missing"),
        (b"Name,Address1\nan\0n\n", "row 2: a NUL byte"),
        (b"Name,Address1\nann\n\xe9,\n", "row 3: not UTF-8"),
        (b"Name,Address1\n", "a header and no users"),
    ],
)
@pytest.mark.parametrize("replace", [True, False])
def test_a_file_that_is_no_sheet_is_told_and_nobody_ends(
    engine: sa.Engine, tmp_path: Path, content: bytes, said: str, replace: bool
) -> None:
    users.add(engine, "ann", [A])
    (tmp_path / "bad.csv").write_bytes(content)
    assert said in refused(engine, tmp_path / "bad.csv", replace=replace).what


# -- between preview and import ---------------------------------------------------------------------------


def stale(engine: sa.Engine, preview: ImportPreview) -> None:
    before = everything(engine)
    with pytest.raises(Refused) as caught:
        apply_import(engine, preview)
    assert everything(engine) == before
    assert "look at the preview once more" in caught.value.fix


def test_a_database_that_changed_since_the_preview_refuses_the_import(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    users.add(engine, "ann", [A])
    preview = preview_import(engine, sheet(f"ann,{B}"), replace=True)
    users.add(engine, "bob", [C])
    stale(engine, preview)


def test_a_payout_since_the_preview_refuses_the_import(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    preview = preview_import(engine, sheet(f"ann,{A}"))
    paid_up_to(engine, 1_000)
    stale(engine, preview)


def test_a_sheet_that_changed_since_the_preview_refuses_the_import(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    preview = preview_import(engine, sheet(f"ann,{A}"))
    sheet(f"ann,{B}")
    stale(engine, preview)


def test_an_address_taken_since_the_preview_is_told(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    preview = preview_import(engine, sheet(f"ann,{A}"))
    users.add(engine, "bob", [A])
    before = everything(engine)
    with pytest.raises(BadInput, match="row 2, Address1"):
        apply_import(engine, preview)
    assert everything(engine) == before


def test_a_change_that_does_not_touch_the_outcome_does_not_matter(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    preview = preview_import(engine, sheet(f"ann,{A}"))
    users.add(engine, "bob", [B])
    snapshot_at(engine, 9)
    apply_import(engine, preview)
    assert set(held(engine)) == {"ann", "bob"}


def test_importing_twice_is_refused_the_second_time_and_nothing_is_doubled(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    preview = preview_import(engine, sheet(f"ann,{A}"))
    apply_import(engine, preview)
    stale(engine, preview)


def test_a_failure_in_the_middle_leaves_nothing_behind(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    users.add(engine, "ann", [A])
    before = everything(engine)
    preview = preview_import(engine, sheet(f"bob,{A}"), replace=True)
    with writing(engine) as conn:
        conn.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON payout_terms BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(sa.exc.DBAPIError, match="disk full"):
        apply_import(engine, preview)
    assert everything(engine) == before


# -- sizes, and the sheet that comes with the program ---------------------------------------------------------


def test_five_thousand_users_are_replaced(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    first = sheet(*(f"u{n},{addr(2 * n + 1)},{addr(2 * n + 2)}" for n in range(5_000)))
    assert len(run(engine, first).new_users) == 5_000
    second = sheet(*(f"u{n},{addr(2 * n + 2)},{addr(2 * n + 1)}" for n in range(1_000, 5_000)))
    preview = run(engine, second, replace=True)
    assert (len(preview.ended_users), len(preview.payouts), preview.unchanged) == (1_000, 4_000, 0)
    assert len(users.list_users(engine)) == 4_000


def test_the_example_sheet_can_be_imported(engine: sa.Engine) -> None:
    run(engine, EXAMPLE)
    views = {view.name: view for view in users.list_users(engine)}
    assert "".join(name[0] for name in views) == "abcdefghijklm"
    assert [len(view.addresses) for view in views.values()] == [2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1]
