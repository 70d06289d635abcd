"""Setting and ending policies: what the owner decided about a person, an address, or everyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from valtrac.core.addresses import BadAddress, key_of, shortened
from valtrac.core.errors import BadInput
from valtrac.core.money import parse_bps
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.people.model import policies as domain
from valtrac.people.model.policies import EVERYONE, Kind
from valtrac.people.model.terms import Terms
from valtrac.people.register import Register, changing, named, register
from valtrac.people.store import people, policies
from valtrac.snapshots.store import bounds

ALL = "everyone"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as people read it. whom: a user's name, an address, or `everyone`."""

    whom: str
    person: str
    kind: Kind
    value: str
    words: str
    from_block: int
    until_block: int | None
    created_at: datetime

    @property
    def shown(self) -> str:
        """The value for people."""
        return self.kind.show(self.value)


def put(
    engine: sa.Engine, whom: str, kind: str, value: str, *, words: str = "", from_block: int | None = None
) -> Policy:
    """Let a policy hold from a block on, in the place of the one before.

    whom: a user, an address, or `everyone`. What counts at the end of a range holds from the first unpaid
    block, the rest from the block after the last snapshot, unless from_block says otherwise.
    Raises BadInput naming the field; Refused where the block is paid already.
    """
    known_kind = domain.kind_of(kind)
    stored = known_kind.read(value)
    with changing(engine, from_block) as (conn, terms, known, bound):
        person = person_of(known, terms, whom)
        if person == EVERYONE and not known_kind.for_all:
            raise BadInput(
                f"{known_kind.name} is not for everyone",
                why=known_kind.what,
                fix="name one user, or an address of a nominator",
            )
        block = from_block if from_block is not None else (bound.unpaid if known_kind.at_end else bound.change)
        _check_limits(terms, person, known_kind.name, stored, block)
        policies.end(conn, person, known_kind.name, block)
        policies.begin(conn, person, known_kind.name, stored, block, words.strip()[:500])
    return next(
        policy
        for policy in listed(engine)
        if (policy.person, policy.kind.name) == (person, known_kind.name) and policy.until_block is None
    )


def end(engine: sa.Engine, whom: str, kind: str, *, from_block: int | None = None) -> int:
    """Let a policy hold no more from a block on; return that block. Raises BadInput where there is none."""
    known_kind = domain.kind_of(kind)
    with changing(engine, from_block) as (conn, terms, known, bound):
        person = person_of(known, terms, whom)
        held = [term for term in terms.policies if (term.person, term.kind) == (person, known_kind.name)]
        if not any(term.span.until_block is None for term in held):
            raise BadInput(f"{plain(whom)} has no policy {known_kind.name}", fix="list them: run.py policy list")
        block = from_block if from_block is not None else (bound.unpaid if known_kind.at_end else bound.change)
        policies.end(conn, person, known_kind.name, block)
        return block


def listed(engine: sa.Engine, *, ended: bool = False) -> list[Policy]:
    """The policies that hold now or later, or in what is still to be paid; ended: all that ever held."""
    with reading(engine) as conn:
        unpaid = bounds.first_unpaid(conn)
        names = {term.person: term.name for term in people.terms(conn).users}
        rows = policies.listed(conn)
    return [
        Policy(
            whom_of(row["person"], names),
            row["person"],
            domain.KINDS[row["kind"]],
            row["value"],
            row["words"],
            row["from_block"],
            row["until_block"],
            row["created_at"],
        )
        for row in rows
        if ended or row["until_block"] is None or row["until_block"] > unpaid
    ]


def person_of(known: Register, terms: Terms, whom: str) -> str:
    """The account that a policy, a balance or a correction is about. Raises BadInput, with the nearest name."""
    text = whom.strip()
    if text.lower() in (ALL, EVERYONE):
        return EVERYONE
    try:
        key_of(text)
    except BadAddress:
        return terms.person_of(named(known, text))
    owner = known.owner_of(text)
    if owner is not None:
        raise BadInput(
            f"{shortened(text)} is an address of {plain(owner)}",
            why="a user has one account for all of them",
            fix=f"name the user: {plain(owner)}",
        )
    return f"addr:{text}"


def account(conn: sa.Connection, whom: str) -> str:
    """`person_of`, read from the database; `everyone` is nobody here."""
    terms = people.terms(conn)
    person = person_of(register(terms), terms, whom)
    if person == EVERYONE:
        raise BadInput("everyone has no account of its own", fix="name a user or an address")
    return person


def whom_of(person: str, names: dict[str, str]) -> str:
    """What an account is called on the screen."""
    return ALL if person == EVERYONE else names.get(person, person.removeprefix("addr:"))


def _check_limits(terms: Terms, person: str, kind: str, value: str, block: int) -> None:
    """A least stake above the most that counts would count nothing at all."""
    view = domain.in_force(terms.policies, block)
    limits = {name: view.units(name, person) for name in ("min-stake", "max-stake")} | (
        {kind: int(value)} if kind in ("min-stake", "max-stake") else {}
    )
    least, most = limits["min-stake"], limits["max-stake"]
    if least is not None and most is not None and least > most:
        raise BadInput(
            f"{kind}: the least stake that counts would lie above the most",
            why="nothing would count",
            fix="mend one of them",
        )


def is_everything(kind: Kind, value: str) -> bool:
    """Whether a policy takes somebody's whole share as the owner's: a slip of a percent sign does so."""
    return kind.name == "cut" and parse_bps(value, field="cut") == domain.ALL_BPS
