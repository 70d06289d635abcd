"""What the owner decided about a person, or about everyone, in force over blocks. Pure.

`exclude` and `cut` act on what a person has after the referral cascade, so that nobody else's share
depends on them; `min-stake` and `max-stake` act on the stake of each snapshot, before anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from valtrac.core.addresses import BadAddress, key_of, shortened
from valtrac.core.errors import BadInput
from valtrac.core.money import bps_text, decimal_text, parse_bps, parse_units
from valtrac.core.text import plain
from valtrac.people.model.terms import PolicyTerm, Terms

Destination = Literal["pool", "owner", "everyone"]
EVERYONE = "*"
ALL_BPS = 10_000
MARK = "\x00"  # no name and no address holds it: what is not its owner's any more is kept under name + MARK + reason
CUT, EXCLUDED, NOT_COUNTED = "the owner's cut", "excluded", "stake that does not count"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of policy. read: text of the owner -> as stored (BadInput otherwise); show: as stored -> for people.

    at_end: looked up at the end of a range; else at each snapshot. for_all: may be set for everyone.
    """

    name: str
    what: str
    example: str
    read: Callable[[str], str]
    show: Callable[[str], str]
    at_end: bool
    for_all: bool


def _word(field: str, *allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.strip().lower() not in allowed:
            raise BadInput(f"{field}: {plain(text, 40)!r} is none of {', '.join(allowed)}", fix=f"write {allowed[0]}")
        return text.strip().lower()

    return read


def _amount(field: str) -> Callable[[str], str]:
    return lambda text: str(parse_units(text, field=field))


def _address(text: str) -> str:
    try:
        key_of(text.strip())
    except BadAddress as error:
        raise BadInput(
            f"redirect: {plain(text, 60)!r} is no address of this network", why=str(error), fix="copy it once more"
        ) from error
    return text.strip()


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("exclude", "earns nothing", "yes", _word("exclude", "yes", "no"), str, False, False),
        Kind(
            "cut",
            "the owner's cut of the share",
            "5%",
            lambda text: str(parse_bps(text, field="cut")),
            lambda value: bps_text(int(value)),
            False,
            True,
        ),
        Kind(
            "min-stake",
            "less stake than this does not count",
            "10",
            _amount("min-stake"),
            lambda value: decimal_text(int(value)),
            False,
            True,
        ),
        Kind(
            "max-stake",
            "stake above this does not count",
            "5000",
            _amount("max-stake"),
            lambda value: decimal_text(int(value)),
            False,
            True,
        ),
        Kind(
            "forfeits",
            "where goes what is excluded or does not count",
            "pool",
            _word("forfeits", "pool", "owner", "everyone"),
            str,
            False,
            True,
        ),
        Kind("redirect", "is paid at another address", "5F...", _address, shortened, True, False),
        Kind(
            "minimum",
            "is paid from this amount on",
            "0.1",
            _amount("minimum"),
            lambda value: decimal_text(int(value)),
            True,
            False,
        ),
        Kind(
            "fee-payer",
            "who bears the part of the network fee",
            "payee",
            _word("fee-payer", "pool", "payee", "owner"),
            str,
            True,
            False,
        ),
    )
}


def kind_of(text: str) -> Kind:
    """A kind by its name. Raises BadInput."""
    kind = KINDS.get(text.strip().lower())
    if kind is None:
        raise BadInput(f"kind: {plain(text, 40)!r} is no policy", fix=f"one of {', '.join(KINDS)}")
    return kind


@dataclass(frozen=True, slots=True)
class InForce:
    """The policies that hold at one block: (person, kind) -> value."""

    values: Mapping[tuple[str, str], str]

    def of(self, kind: str, *persons: str) -> str | None:
        """The value for the first of these accounts that has one, else everyone's, else None."""
        if not self.values:
            return None
        for person in (*persons, EVERYONE):
            if (person, kind) in self.values:
                return self.values[person, kind]
        return None

    def units(self, kind: str, *persons: str) -> int | None:
        """The same as whole units (or basis points)."""
        value = self.of(kind, *persons)
        return None if value is None else int(value)

    def excluded(self, *persons: str) -> bool:
        """Whether the person earns nothing."""
        return self.of("exclude", *persons) == "yes"

    def kept_bps(self, *persons: str) -> int:
        """How much of a share is not the person's, in basis points."""
        return ALL_BPS if self.excluded(*persons) else self.units("cut", *persons) or 0

    def goes_to(self, *persons: str) -> Destination:
        """Where goes what the person forfeits."""
        return self.of("forfeits", *persons) or "pool"  # type: ignore[return-value]

    @property
    def limit_stake(self) -> bool:
        """Whether any policy says which stake counts."""
        return any(kind in ("min-stake", "max-stake") for _, kind in self.values)

    def limits(self, *persons: str) -> tuple[int, int | None] | None:
        """(least, most) stake that counts, in the smallest unit; None: all of it does."""
        least, most = self.units("min-stake", *persons) or 0, self.units("max-stake", *persons)
        return None if not least and most is None else (least, most)


def in_force(terms: Iterable[PolicyTerm], block: int) -> InForce:
    """The policies that hold at a block."""
    return InForce({(term.person, term.kind): term.value for term in terms if term.span.holds(block)})


def reason_key(name: str, reason: str, goes_to: Destination) -> str:
    """The key under which weight that is not `name`'s any more is kept."""
    return f"{name}{MARK}{reason}{MARK}{goes_to}"


def of_key(key: str) -> tuple[str, str, Destination] | None:
    """(name, reason, destination) of such a key; None: a plain name."""
    name, _, rest = key.partition(MARK)
    reason, _, goes_to = rest.partition(MARK)
    return (name, reason, goes_to) if rest else None  # type: ignore[return-value]


def withhold(names: Mapping[str, int], view: InForce, persons: Callable[[str], tuple[str, ...]]) -> dict[str, int]:
    """Weights after `exclude`, `cut` and what does not count; they sum to the same.

    names: name -> weight, and name + MARK -> weight of stake that does not count.
    """
    sums: dict[str, int] = {}

    def add(key: str, weight: int) -> None:
        sums[key] = sums.get(key, 0) + weight

    for key, weight in names.items():
        name = key.removesuffix(MARK)
        whose = persons(name)
        goes_to = view.goes_to(*whose)
        bps = view.kept_bps(*whose)
        if key != name:
            add(reason_key(name, NOT_COUNTED, goes_to), weight)
            continue
        kept = weight * bps // ALL_BPS
        add(name, weight - kept)
        if kept and view.excluded(*whose):
            add(reason_key(name, EXCLUDED, goes_to), kept)
        elif kept:
            add(reason_key(name, CUT, "owner"), kept)
    return sums


By = Literal["users", "nominators", "balances"]


def accounts(by: By, terms: Terms, block: int) -> Callable[[str], tuple[str, ...]]:
    """A name's accounts, the nearest first: what policies are looked up by.

    By users: the user's. By nominators: the address' own, then that of the user who owns it at the block.
    """
    persons = {term.name: term.person for term in terms.users}
    if by != "nominators":
        return lambda name: (persons[name],) if name in persons else ()
    owners = terms.owners_at(block)
    return lambda name: (f"addr:{name}", *((persons[owners[name]],) if name in owners else ()))
