"""Referrals: who brought whom, and what part of a referee's due goes up to the referrer.

A rate belongs to the referrer and holds for each of its referees; an override holds for one referee.
Where no block is given, a referee's first referral holds from the first unpaid block, and changes from
the block after the last snapshot. A block that is paid already is Refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.money import bps_text
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.people.model import referrals
from valtrac.people.model.referrals import TreeRow
from valtrac.people.model.terms import RateTerm, ReferralTerm, Span, Terms
from valtrac.people.register import Blocks, Register, blocks, changing, current, last_end, register, start
from valtrac.people.store import people

Rates = dict[tuple[str, str | None], list[RateTerm]]


@dataclass(frozen=True, slots=True)
class ReferralView:
    """A referral. rate_bps: what the referrer takes; own_rate: whether only of this referee."""

    referrer: str
    referee: str
    rate_bps: int
    own_rate: bool
    since: int
    until: int | None


# -- looking ---------------------------------------------------------------------------------


def list_referrals(engine: sa.Engine, *, ended: bool = False) -> list[ReferralView]:
    """The referrals by referrer and referee, with the rate at the next snapshot (an ended one: its last).

    With `ended`, also those that are over.
    """
    with reading(engine) as conn:
        terms, bound = people.terms(conn), blocks(conn)
    rates = _rates(terms)
    views = [_view(rates, bound, term) for term in terms.referrals if not term.span.empty]
    return sorted(
        (view for view in views if ended or view.until is None or view.until > bound.change),
        key=lambda view: (view.referrer, view.referee, view.since),
    )


def tree_view(engine: sa.Engine, *, pool_units: int = 100_000_000_000, at_block: int | None = None) -> list[TreeRow]:
    """What the cascade does to everyone in the tree when each brings `pool_units` (100 TAO by default).

    Depth first and by name, in exact units, at a block or, by default, as at the next snapshot.
    """
    with reading(engine) as conn:
        terms, bound = people.terms(conn), blocks(conn)
    return referrals.tree_rows(terms.referrals_at(bound.change if at_block is None else at_block), pool_units)


# -- changing --------------------------------------------------------------------------------


def add(
    engine: sa.Engine,
    referrer: str,
    referee: str,
    rate_bps: int | None = None,
    *,
    only_this_referee: bool = False,
    from_block: int | None = None,
) -> ReferralView:
    """Let a referrer take its rate of a referee, whatever is above or below either of them.

    rate_bps: given with the referrer's first referee, known afterwards; with `only_this_referee` it is an
    override. Raises BadInput: either is no user, the referee has a referrer, the rate is missing, wrong or
    another than the referrer's, or someone would refer himself in the end, at any block from there on (the
    path is shown). Refused: the block is paid already.
    """
    _check_rate(rate_bps)
    with changing(engine, from_block) as (conn, terms, known, bound):
        referrer, referee = current(known, referrer), current(known, referee)
        block = _referral_start(terms, known, bound, referee, from_block)
        _check_circle(terms, referrer, referee, block)
        people.begin_referral(conn, referee, referrer, block)
        rate = _rate_to_take(terms, referrer, rate_bps, only_this_referee=only_this_referee)
        if only_this_referee:
            _set_rate(conn, RateTerm(referrer, referee, rate, Span(block)))
        else:
            # where the referrer has a rate already, that one stays; elsewhere it would take nothing
            spans = [term.span for term in terms.rates if (term.referrer, term.referee) == (referrer, None)]
            people.begin_rates(conn, [RateTerm(referrer, None, rate, gap) for gap in referrals.uncovered(spans, block)])
        terms = people.terms(conn)
        return _view(_rates(terms), bound, register(terms).referrers[referee])


def edit_rate(
    engine: sa.Engine, referrer: str, rate_bps: int, *, referee: str | None = None, from_block: int | None = None
) -> list[ReferralView]:
    """Let a referrer take another rate: of all its referees without an override, or of one referee.

    Returns the referrer's referrals. Raises BadInput: no such user or referral, or no rate. Refused: the
    block is paid already.
    """
    _check_rate(rate_bps)
    with changing(engine, from_block) as (conn, terms, known, bound):
        referrer = current(known, referrer)
        if referee is not None:
            referee = current(known, referee)
        referees = known.referees.get(referrer, ())
        if referee is None and not referees and _open_rate(terms, referrer) is None:
            raise BadInput(f"{plain(referrer)!r} does not refer anyone", fix="add a referral first")
        if referee is not None and referee not in referees:
            raise BadInput(f"{plain(referrer)!r} does not refer {plain(referee)!r}", fix="add the referral first")
        _set_rate(conn, RateTerm(referrer, referee, rate_bps, Span(start(from_block, bound.change))))
        terms = people.terms(conn)
        rates, referrers = _rates(terms), register(terms).referrers
        return [_view(rates, bound, referrers[name]) for name in referees]


def remove(engine: sa.Engine, referee: str, *, from_block: int | None = None) -> ReferralView:
    """End a referee's referral, and the override for it; the referrer's own rate stays known.

    Raises BadInput: no such user, or it has no referrer. Refused: the block is paid already.
    """
    with changing(engine, from_block) as (conn, terms, known, bound):
        referee = current(known, referee)
        term = known.referrers.get(referee)
        if term is None:
            raise BadInput(f"{plain(referee)!r} has no referrer", fix="list the referrals: run.py referrals list")
        block = start(from_block, bound.change)
        view = _view(_rates(terms), bound, term)
        people.end_referrals(conn, {referee: block})
        people.end_rates(conn, {(term.referrer, referee): block})
        return ReferralView(view.referrer, referee, view.rate_bps, view.own_rate, view.since, max(view.since, block))


def _check_rate(rate_bps: int | None) -> None:
    if rate_bps is not None and (type(rate_bps) is not int or not 0 <= rate_bps <= 10_000):
        raise BadInput(
            f"rate: {plain(rate_bps, 40)} is no rate",
            why="a rate is 0 to 10000 whole basis points",
            fix="write a fraction like 0.25, or 25%",
        )


def _referral_start(terms: Terms, known: Register, bound: Blocks, referee: str, from_block: int | None) -> int:
    present = known.referrers.get(referee)
    if present is not None:
        raise BadInput(
            f"{plain(referee)!r} is referred by {plain(present.referrer)!r} already",
            why="a referee has one referrer",
            fix=f"remove the referral of {plain(referee)!r} first",
        )
    spans = [term.span for term in terms.referrals if term.referee == referee and not term.span.empty]
    until = last_end(spans)
    return start(
        from_block,
        bound.change if spans else bound.unpaid,
        floor=until,
        why=f"{plain(referee)!r} has a referrer until block {until}",
    )


def _check_circle(terms: Terms, referrer: str, referee: str, block: int) -> None:
    circle = referrals.cycle_with(terms.referrals, referrer=referrer, referee=referee, from_block=block)
    if circle is None:
        return
    path = " -> ".join(map(plain, circle[1]))
    if referrer == referee:
        raise BadInput(f"{plain(referrer)!r} cannot refer the same user: {path}", fix="name two users")
    raise BadInput(
        f"this would close a circle: {path}",
        why=f"at block {circle[0]} each of them would refer the next",
        fix="remove one referral on that path first",
    )


def _rate_to_take(terms: Terms, referrer: str, rate_bps: int | None, *, only_this_referee: bool) -> int:
    """The rate of a new referral: the given one, or the referrer's."""
    own = _open_rate(terms, referrer)
    if only_this_referee:
        if rate_bps is None:
            raise BadInput("rate: missing", why="an override for one referee is a rate of its own", fix="give the rate")
        return rate_bps
    if own is None:
        if rate_bps is None:
            raise BadInput("rate: missing", why=f"{plain(referrer)!r} has no rate yet", fix="give the rate")
        return rate_bps
    if rate_bps not in (None, own):
        raise BadInput(
            f"{plain(referrer)!r} takes {bps_text(own)} already, not {bps_text(rate_bps or 0)}",
            why="a rate belongs to the referrer, whatever the referee",
            fix="leave the rate away, edit it for all referees, or set it for this referee only",
        )
    return own


def _open_rate(terms: Terms, referrer: str) -> int | None:
    return next(
        (
            term.rate_bps
            for term in terms.rates
            if (term.referrer, term.referee) == (referrer, None) and term.span.until_block is None
        ),
        None,
    )


def _set_rate(conn: sa.Connection, rate: RateTerm) -> None:
    people.end_rates(conn, {(rate.referrer, rate.referee): rate.span.from_block})
    people.begin_rates(conn, [rate])


def _rates(terms: Terms) -> Rates:
    rates: Rates = {}
    for term in terms.rates:
        rates.setdefault((term.referrer, term.referee), []).append(term)
    return rates


def _view(rates: Rates, bound: Blocks, term: ReferralTerm) -> ReferralView:
    """A referral with its rate at the next snapshot, or at the nearest block at which it holds."""
    span = term.span
    from_block = max(bound.change, span.from_block)
    from_block = from_block if span.until_block is None else min(from_block, span.until_block - 1)
    override, general = (
        next((rate.rate_bps for rate in rates.get((term.referrer, whose), ()) if rate.span.holds(from_block)), None)
        for whose in (term.referee, None)
    )
    return ReferralView(
        term.referrer,
        term.referee,
        override if override is not None else general or 0,
        override is not None,
        span.from_block,
        span.until_block,
    )
