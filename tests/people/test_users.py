"""Users: each change is whole or nothing, dated, and never in the paid past."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.people_world import A, B, C, D, everything, new_engine, paid_up_to, snapshot_at, spans, terms_of
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.people import referrals, users


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return new_engine(tmp_path)


def refused(
    engine: sa.Engine, kind: type[ValtracError], call: Callable[..., object], *args: Any, **options: Any
) -> str:
    """The words of a refusal that changed nothing."""
    before = everything(engine)
    with pytest.raises(kind) as caught:
        call(engine, *args, **options)
    assert everything(engine) == before
    assert caught.value.fix
    assert caught.value.moved == "no"
    return f"{caught.value.what} | {caught.value.why} | {caught.value.fix}"


# -- adding ---------------------------------------------------------------------------------------


def test_a_user_is_paid_at_its_first_address(engine: sa.Engine) -> None:
    view = users.add(engine, " ann ", [B, A])
    assert (view.name, view.addresses, view.payout, view.since, view.until) == ("ann", (B, A), B, 0, None)
    assert users.get(engine, "ann") == view


def test_a_user_may_have_no_address_and_get_one_later(engine: sa.Engine) -> None:
    assert users.add(engine, "jon", []).payout is None
    assert terms_of(engine).payout_address("jon", 0) is None
    assert users.add_address(engine, "jon", A).payout == A
    assert terms_of(engine).payout_address("jon", 0) == A


def test_a_new_user_and_a_new_address_hold_from_the_first_unpaid_block(engine: sa.Engine) -> None:
    paid_up_to(engine, 1_000)
    snapshot_at(engine, 1_500)
    assert users.add(engine, "ann", [A]).since == 1_001
    users.add_address(engine, "ann", B)
    assert spans(terms_of(engine).addresses) == [(1_001, None), (1_001, None)]


def test_a_draft_or_a_voided_payout_pays_no_block(engine: sa.Engine) -> None:
    paid_up_to(engine, 1_000, state="void")
    paid_up_to(engine, 1_000, state="draft")
    assert users.add(engine, "ann", []).since == 0


@pytest.mark.parametrize("name", ["bob [/oops]", "=cmd()", "日本"])
def test_a_name_that_looks_like_markup_or_a_formula_is_kept(engine: sa.Engine, name: str) -> None:
    assert users.add(engine, name, []).name == name


@pytest.mark.parametrize("name", ["", "x" * 101, "a\x1b[2J", "a\u202eb", "unassigned", A])
def test_a_name_that_cannot_be_used_is_refused(engine: sa.Engine, name: str) -> None:
    assert refused(engine, BadInput, users.add, name, []).startswith("name: ")


def test_a_known_name_is_refused_also_when_only_capitals_differ(engine: sa.Engine) -> None:
    users.add(engine, "ann", [])
    assert "there is a user 'ann' already" in refused(engine, BadInput, users.add, "ann", [])
    assert "'ANN' differs from the user 'ann' by capitals only" in refused(engine, BadInput, users.add, "ANN", [])


def test_an_address_of_someone_is_refused_and_names_the_owner(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    said = refused(engine, BadInput, users.add, "bob", [B, A])
    assert f"{A} is ann's already" in said
    assert "end it at 'ann' first" in said
    users.add(engine, "cat", [])
    assert "ann's already" in refused(engine, BadInput, users.add_address, "cat", A)
    assert "the user's own already" in refused(engine, BadInput, users.add_address, "ann", A)


@pytest.mark.parametrize("address", ["", "5abc", A[:-1] + ("x" if A[-1] != "x" else "y"), "1" + A])
def test_a_wrong_address_is_refused(engine: sa.Engine, address: str) -> None:
    assert "is no address of this network" in refused(engine, BadInput, users.add, "ann", [B, address])


def test_the_same_address_twice_is_refused(engine: sa.Engine) -> None:
    assert "is written twice" in refused(engine, BadInput, users.add, "ann", [A, A])


# -- the block -----------------------------------------------------------------------------------------


def test_a_paid_block_is_refused_with_both_blocks(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    paid_up_to(engine, 1_000)
    for call, *args in (
        (users.add, "bob", []),
        (users.end, "ann"),
        (users.add_address, "ann", C),
        (users.end_address, "ann", A),
        (users.set_payout, "ann", B),
    ):
        said = refused(engine, Refused, call, *args, from_block=1_000)
        assert "block 1000 is paid already; the first unpaid block is 1001" in said
        assert "the past that was paid is never rewritten" in said


@pytest.mark.parametrize("block", [-1, 2**32, 2**70])
def test_what_is_no_block_number_is_refused(engine: sa.Engine, block: int) -> None:
    said = refused(engine, BadInput, users.add, "ann", [], from_block=block)
    assert f"from block: {block} is no block number" in said


def test_changes_never_begin_below_the_first_unpaid_block(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    snapshot_at(engine, 500)
    paid_up_to(engine, 1_000)
    assert users.end(engine, "ann").block == 1_001


def test_a_given_block_is_where_it_begins(engine: sa.Engine) -> None:
    assert users.add(engine, "ann", [A], from_block=70).since == 70
    assert spans(terms_of(engine).payouts) == [(70, None)]


def test_an_address_cannot_begin_before_its_user(engine: sa.Engine) -> None:
    users.add(engine, "ann", [], from_block=70)
    said = refused(engine, BadInput, users.add_address, "ann", A, from_block=60)
    assert "block 60 is too early | 'ann' takes part from block 70 on | take block 70 or a later one" in said
    users.add_address(engine, "ann", A)
    assert spans(terms_of(engine).addresses) == [(70, None)]


# -- names -------------------------------------------------------------------------------------------


def test_a_new_name_leaves_the_person_as_it_was(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    person = terms_of(engine).person_of("ann")
    assert users.rename(engine, "ann", "Ann").addresses == (A,)
    assert terms_of(engine).person_of("Ann") == person


def test_a_taken_name_is_refused(engine: sa.Engine) -> None:
    users.add(engine, "ann", [])
    users.add(engine, "bob", [])
    users.end(engine, "bob")
    assert "what it earned stays its own" in refused(engine, BadInput, users.rename, "ann", "bob")
    assert "by capitals only" in refused(engine, BadInput, users.rename, "ann", "Bob")
    assert "already" in refused(engine, BadInput, users.rename, "ann", "ann")
    assert "there is no user 'cat'" in refused(engine, BadInput, users.rename, "cat", "dan")


# -- ending and coming back -----------------------------------------------------------------------------


def test_an_end_holds_from_the_block_after_the_last_snapshot(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 1_500)
    users.end(engine, "ann")
    terms = terms_of(engine)
    assert terms.owners_at(1_500) == {A: "ann"}
    assert terms.owners_at(1_501) == {}
    assert terms.payout_address("ann", 9_999) == A  # what it earned before is still paid there


def test_all_that_ends_together_with_a_user_is_told(engine: sa.Engine) -> None:
    for name, addresses in (("ann", []), ("bob", [A, B]), ("cat", []), ("dan", [])):
        users.add(engine, name, addresses)
    referrals.add(engine, "ann", "bob", 1)
    referrals.add(engine, "bob", "cat", 1)
    referrals.add(engine, "bob", "dan")
    snapshot_at(engine, 9)
    found = users.end(engine, "bob")
    assert (found.name, found.block, found.addresses) == ("bob", 10, (A, B))
    assert (found.referrer, found.referees) == ("ann", ("cat", "dan"))
    assert str(found) == (
        "bob ends, from block 10; with 2 addresses; no longer referred by ann; cat, dan then without referrer"
    )
    terms = terms_of(engine)
    assert terms.referrals_at(9) == {"bob": ("ann", 1), "cat": ("bob", 1), "dan": ("bob", 1)}
    assert all(
        term.span.until_block == 10 for group in (terms.referrals, terms.addresses, terms.payouts) for term in group
    )


def test_a_user_who_ended_is_listed_only_when_asked_for_as_it_was(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    users.add(engine, "bob", [])
    snapshot_at(engine, 9)
    users.end(engine, "ann")
    assert [view.name for view in users.list_users(engine)] == ["bob"]
    ann, _ = users.list_users(engine, ended=True)
    assert (ann.name, ann.addresses, ann.payout, ann.until) == ("ann", (A, B), A, 10)


def test_a_user_whose_end_is_still_to_come_is_listed(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.end(engine, "ann", from_block=500)
    (ann,) = users.list_users(engine)
    assert (ann.until, ann.addresses) == (500, (A,))


def test_who_comes_back_is_the_same_person_and_starts_clean(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    person = terms_of(engine).person_of("ann")
    snapshot_at(engine, 9)
    users.end(engine, "ann")
    snapshot_at(engine, 19)
    view = users.add(engine, "ann", [C])
    assert (view.addresses, view.payout, view.since) == ((C,), C, 20)
    terms = terms_of(engine)
    assert {term.person for term in terms.users} == {person}
    assert [terms.users_at(block) for block in (9, 10, 19, 20)] == [{"ann"}, set(), set(), {"ann"}]


def test_who_comes_back_cannot_do_so_before_the_end(engine: sa.Engine) -> None:
    users.add(engine, "ann", [])
    users.end(engine, "ann", from_block=50)
    said = refused(engine, BadInput, users.add, "ann", [], from_block=40)
    assert "'ann' takes part until block 50 already" in said
    assert users.add(engine, "ann", []).since == 50


def test_an_ended_user_cannot_be_changed(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.end(engine, "ann")
    for call, *args in ((users.end, "ann"), (users.add_address, "ann", B), (users.set_payout, "ann", A)):
        assert "add 'ann' again first" in refused(engine, BadInput, call, *args)


def test_an_address_that_someone_had_holds_from_the_next_snapshot_on(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 1_500)
    users.end_address(engine, "ann", A)
    users.add(engine, "bob", [A])
    terms = terms_of(engine)
    assert terms.owners_at(1_500) == {A: "ann"}
    assert terms.owners_at(1_501) == {A: "bob"}


def test_an_address_that_was_nobodys_for_a_while_does_not_fill_that_gap(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    snapshot_at(engine, 9)
    users.end_address(engine, "ann", A)
    snapshot_at(engine, 19)
    users.add(engine, "bob", [A])
    assert spans(terms_of(engine).addresses) == [(0, 10), (20, None)]


def test_an_address_cannot_be_anothers_while_it_was_someones(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.end_address(engine, "ann", A, from_block=500)
    said = refused(engine, BadInput, users.add, "bob", [A], from_block=400)
    assert f"{A} is ann's until block 500" in said
    users.add(engine, "bob", [A])
    assert spans(terms_of(engine).addresses) == [(0, 500), (500, None)]


# -- addresses ---------------------------------------------------------------------------------------------


def test_a_further_address_comes_last_and_changes_no_payout(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    view = users.add_address(engine, "ann", C)
    assert (view.addresses, view.payout) == ((A, B, C), A)


def test_when_the_payout_address_ends_the_next_in_order_follows(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B, C])
    snapshot_at(engine, 9)
    view = users.end_address(engine, "ann", A)
    assert (view.addresses, view.payout) == ((B, C), B)
    terms = terms_of(engine)
    assert [terms.payout_address("ann", block) for block in (9, 10)] == [A, B]


def test_no_address_is_paid_before_it_is_the_users(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.add_address(engine, "ann", B, from_block=70)
    users.end_address(engine, "ann", A, from_block=50)
    assert spans(terms_of(engine).payouts) == [(0, 50), (70, None)]
    assert users.set_payout(engine, "ann", B).payout == B
    said = refused(engine, BadInput, users.set_payout, "ann", B, from_block=60)
    assert f"{B} is ann's from block 70 on" in said


def test_a_first_address_is_paid_only_after_the_one_that_still_ends(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.end_address(engine, "ann", A, from_block=50)
    users.add_address(engine, "ann", B)
    assert spans(terms_of(engine).payouts) == [(0, 50), (50, None)]


def test_when_another_address_ends_the_payout_address_stays(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    assert users.end_address(engine, "ann", B).payout == A


def test_the_last_address_may_end(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    view = users.end_address(engine, "ann", A)
    assert (view.addresses, view.payout) == ((), None)


def test_an_address_of_someone_else_cannot_be_ended_or_paid(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A])
    users.add(engine, "bob", [B])
    assert "it is bob's" in refused(engine, BadInput, users.end_address, "ann", B)
    assert f"take one of {A}" in refused(engine, BadInput, users.set_payout, "ann", B)
    assert "it is nobody's" in refused(engine, BadInput, users.set_payout, "ann", C)


def test_another_payout_address_holds_from_the_next_snapshot_on_and_keeps_the_order(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    snapshot_at(engine, 9)
    view = users.set_payout(engine, "ann", B)
    assert (view.addresses, view.payout) == ((A, B), B)
    terms = terms_of(engine)
    assert [terms.payout_address("ann", block) for block in (9, 10)] == [A, B]


def test_the_same_payout_address_again_changes_nothing(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B])
    before = everything(engine)
    users.set_payout(engine, "ann", A)
    assert everything(engine) == before


def test_an_order_names_each_address_once_and_pays_as_before(engine: sa.Engine) -> None:
    users.add(engine, "ann", [A, B, C])
    view = users.reorder(engine, "ann", [C, A, B])
    assert (view.addresses, view.payout) == ((C, A, B), A)
    assert users.end_address(engine, "ann", A).payout == C
    said = refused(engine, BadInput, users.reorder, "ann", [C, D])
    assert f"{B} is missing; {D} is not ann's" in said


# -- looking, and many at once --------------------------------------------------------------------------------


def test_a_view_tells_referrer_rates_and_referees(engine: sa.Engine) -> None:
    for name in ("ann", "bob", "cat"):
        users.add(engine, name, [])
    referrals.add(engine, "ann", "bob", 2_500)
    referrals.add(engine, "ann", "cat", 100, only_this_referee=True)
    ann, bob, cat = users.list_users(engine)
    assert (ann.rate_bps, ann.referees, ann.referrer) == (2_500, 2, None)
    assert (bob.referrer, bob.referrer_rate_bps, bob.rate_bps, bob.referees) == ("ann", 2_500, None, 0)
    assert cat.referrer_rate_bps == 100


def test_an_unknown_name_is_told_with_the_nearest_one(engine: sa.Engine) -> None:
    users.add(engine, "annabel", [])
    for text in ("Annabel", "anabel"):
        assert f"there is no user '{text}'" in refused(engine, BadInput, users.get, text)
        assert "did you mean 'annabel'?" in refused(engine, BadInput, users.get, text)


def test_two_who_enter_the_same_address_at_once_do_not_both_get_it(engine: sa.Engine) -> None:
    won, lost = [], []

    def enter(name: str) -> None:
        try:
            users.add(engine, name, [A])
            won.append(name)
        except BadInput:
            lost.append(name)

    threads = [threading.Thread(target=enter, args=(f"u{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert [view.name for view in users.list_users(engine)] == won


# -- export -----------------------------------------------------------------------------------------------


def test_an_export_lists_the_payout_address_first_and_escapes_formulas(engine: sa.Engine, tmp_path: Path) -> None:
    users.add(engine, "ann", [A, B, C])
    users.set_payout(engine, "ann", B)
    users.add(engine, "=cmd()", [])
    users.add(engine, "gone", [D])
    users.end(engine, "gone")
    assert users.export(engine, tmp_path / "users.csv") == 2
    assert (tmp_path / "users.csv").read_text() == f"Name,Address1,Address2,Address3\n'=cmd(),,,\nann,{B},{A},{C}\n"
    assert [path.name for path in tmp_path.glob("*users*")] == ["users.csv"]


@pytest.mark.parametrize("place", ["missing/users.csv", ".", "a\0b"])
def test_an_export_that_cannot_be_written_is_told(engine: sa.Engine, tmp_path: Path, place: str) -> None:
    assert "cannot be written" in refused(engine, BadInput, users.export, tmp_path / place)
