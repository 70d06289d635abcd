"""People and their terms, each in force over blocks [from_block, until_block)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks from_block <= b < until_block; None: no end. Empty where the end is not above the start."""

    from_block: int = 0
    until_block: int | None = None

    def holds(self, block: int) -> bool:
        """Whether the term is in force at a block."""
        return self.from_block <= block and (self.until_block is None or block < self.until_block)

    @property
    def empty(self) -> bool:
        """Whether the term was never in force: a change that came before it began."""
        return self.until_block is not None and self.until_block <= self.from_block


@dataclass(frozen=True, slots=True)
class UserTerm:
    """A person takes part. person: the key of its balance, the same for ever; name: as shown."""

    name: str
    person: str
    span: Span


@dataclass(frozen=True, slots=True)
class AddressTerm:
    """An address belongs to a user."""

    user: str
    address: str
    span: Span


@dataclass(frozen=True, slots=True)
class PayoutTerm:
    """Where a user is paid."""

    user: str
    address: str
    span: Span


@dataclass(frozen=True, slots=True)
class ReferralTerm:
    """A referee was brought by a referrer."""

    referee: str
    referrer: str
    span: Span


@dataclass(frozen=True, slots=True)
class RateTerm:
    """What a referrer takes, in basis points: of one referee, or (None) of each that has no own rate."""

    referrer: str
    referee: str | None
    rate_bps: int
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms that ever were; the plan asks what was in force at a block."""

    users: tuple[UserTerm, ...] = ()
    addresses: tuple[AddressTerm, ...] = ()
    payouts: tuple[PayoutTerm, ...] = ()
    referrals: tuple[ReferralTerm, ...] = ()
    rates: tuple[RateTerm, ...] = ()

    def edges(self) -> list[int]:
        """The blocks at which anything changes, sorted: between two of them nothing does."""
        spans: Iterable[Span] = (
            term.span for group in (self.users, self.addresses, self.referrals, self.rates) for term in group
        )
        found = {edge for span in spans if not span.empty for edge in (span.from_block, span.until_block)}
        return sorted(edge for edge in found if edge is not None)

    def users_at(self, block: int) -> set[str]:
        """The names of the users in force at a block."""
        return {term.name for term in self.users if term.span.holds(block)}

    def owners_at(self, block: int) -> dict[str, str]:
        """address -> user at a block; only of users who are in force themselves."""
        users = self.users_at(block)
        return {term.address: term.user for term in self.addresses if term.span.holds(block) and term.user in users}

    def referrals_at(self, block: int) -> dict[str, tuple[str, int]]:
        """referee -> (referrer, rate in basis points) at a block, where both ends are in force.

        A referrer without any rate in force takes nothing.
        """
        users = self.users_at(block)
        rates = {(term.referrer, term.referee): term.rate_bps for term in self.rates if term.span.holds(block)}
        return {
            term.referee: (term.referrer, rates.get((term.referrer, term.referee), rates.get((term.referrer, None), 0)))
            for term in self.referrals
            if term.span.holds(block) and term.referee in users and term.referrer in users
        }

    def payout_address(self, user: str, block: int) -> str | None:
        """Where a user is paid at a block: what is in force then.

        Who takes no part any more is still paid what was earned before, where it was last paid; who
        takes part and has no address is not: that is held.
        """
        known = [
            term for term in self.payouts if term.user == user and not term.span.empty and term.span.from_block <= block
        ]
        in_force = [term for term in known if term.span.holds(block)]
        if not in_force and user in self.users_at(block):
            return None
        chosen = max(
            in_force or known, key=lambda term: (term.span.from_block, term.span.until_block or 0), default=None
        )
        return chosen.address if chosen else None

    def person_of(self, user: str) -> str:
        """The key of a user's balance."""
        return next(term.person for term in self.users if term.name == user)
