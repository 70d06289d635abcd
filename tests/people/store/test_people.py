"""The tables of users: terms are clipped and begun, never deleted, and follow a person through a new name."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.people_world import A, B, new_engine, spans, terms_of
from valtrac.core.money import TAO
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.people.model.terms import RateTerm, ReferralTerm, Span, Terms
from valtrac.people.store import people
from valtrac.people.store import tables as t


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return new_engine(tmp_path)


def test_an_empty_database_has_no_terms(engine: sa.Engine) -> None:
    assert terms_of(engine) == Terms()


def test_every_kind_of_term_is_read_as_it_was_begun(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 5, "bob": 0})
        people.begin_addresses(conn, {("ann", A): 5, ("bob", B): 7})
        people.begin_payouts(conn, {("ann", A): 5})
        people.begin_referral(conn, "bob", "ann", 9)
        people.begin_rates(conn, [RateTerm("ann", None, 100, Span(0, 9)), RateTerm("ann", "bob", 200, Span(9))])
    terms = terms_of(engine)
    assert [(term.name, term.person, term.span) for term in terms.users] == [
        ("ann", "user:1", Span(5)),
        ("bob", "user:2", Span(0)),
    ]
    assert [(term.user, term.address, term.span) for term in terms.addresses] == [
        ("ann", A, Span(5)),
        ("bob", B, Span(7)),
    ]
    assert [(term.user, term.address, term.span) for term in terms.payouts] == [("ann", A, Span(5))]
    assert terms.referrals == (ReferralTerm("bob", "ann", Span(9)),)
    assert terms.rates == (RateTerm("ann", None, 100, Span(0, 9)), RateTerm("ann", "bob", 200, Span(9)))


def test_to_end_a_term_clips_it_at_the_block(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 5, "bob": 5})
        people.end_users(conn, {"ann": 8})
    assert spans(terms_of(engine).users) == [(5, 8), (5, None)]


def test_a_term_that_would_have_begun_later_becomes_empty_and_stays(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 50})
        people.end_users(conn, {"ann": 8})
    (term,) = terms_of(engine).users
    assert term.span == Span(50, 50)
    assert term.span.empty


def test_a_term_that_ends_only_later_is_clipped_too(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 0})
        people.end_users(conn, {"ann": 100})
        people.end_users(conn, {"ann": 40})
        people.end_users(conn, {"ann": 70})
    assert spans(terms_of(engine).users) == [(0, 40)]


def test_nothing_that_was_entered_can_be_deleted_or_moved(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 5})
    for statement in ("DELETE FROM user_terms", "UPDATE user_terms SET from_block = 1"):
        with pytest.raises(sa.exc.DBAPIError, match="refused"), writing(engine) as conn:
            conn.exec_driver_sql(statement)
    assert spans(terms_of(engine).users) == [(5, None)]


def test_addresses_come_in_the_users_order(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 0})
        people.begin_addresses(conn, {("ann", A): 0})
        people.begin_addresses(conn, {("ann", B): 0})
        assert [term.address for term in people.terms(conn).addresses] == [A, B]
        people.place(conn, {"ann": (B, A)})
        assert [term.address for term in people.terms(conn).addresses] == [B, A]


def test_all_terms_follow_a_user_through_a_new_name(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 0, "bob": 0})
        people.begin_addresses(conn, {("ann", A): 0})
        people.begin_referral(conn, "bob", "ann", 0)
        before = people.terms(conn).person_of("ann")
        people.rename(conn, "ann", "anna")
        terms = people.terms(conn)
        assert people.renames(conn) == [("ann", "anna")]
    assert terms.person_of("anna") == before
    assert terms.addresses[0].user == terms.referrals[0].referrer == "anna"


def test_rows_carry_the_chain_that_the_database_belongs_to(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 0})
        claim_identity(conn, "0xabc", "finney", TAO)
        people.begin_users(conn, {"bob": 0})
        people.begin_addresses(conn, {("bob", B): 0})
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.users.c.genesis)).scalars().all() == ["", "0xabc"]
        assert conn.execute(sa.select(t.address_terms.c.genesis)).scalar() == "0xabc"


def test_ending_for_and_by_a_user_takes_both_sides(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        people.begin_users(conn, {"ann": 0, "bob": 0, "cat": 0, "dan": 0})
        for referee, referrer in (("bob", "ann"), ("cat", "bob"), ("dan", "ann")):
            people.begin_referral(conn, referee, referrer, 0)
        people.begin_rates(
            conn,
            [RateTerm("ann", "bob", 1, Span()), RateTerm("ann", None, 2, Span()), RateTerm("bob", None, 3, Span())],
        )
        people.end_referrals(conn, {"bob": 10}, as_referrer=True)
        people.end_all_rates(conn, {"bob": 10})
        terms = people.terms(conn)
    assert spans(terms.referrals) == [(0, 10), (0, 10), (0, None)]
    assert spans(terms.rates) == [(0, 10), (0, None), (0, 10)]
