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
class PolicyTerm:
    """What the owner decided about an account, or ("*") about everyone. value: as `domain.policies` reads it."""

    person: str
    kind: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms that ever were; the plan asks what was in force at a block."""

    users: tuple[UserTerm, ...] = ()
    addresses: tuple[AddressTerm, ...] = ()
    payouts: tuple[PayoutTerm, ...] = ()
    referrals: tuple[ReferralTerm, ...] = ()
    rates: tuple[RateTerm, ...] = ()
    policies: tuple[PolicyTerm, ...] = ()

    def edges(self) -> list[int]:
        """The blocks at which anything changes, sorted: between two of them nothing does."""
        spans: Iterable[Span] = (
            term.span
            for group in (self.users, self.addresses, self.referrals, self.rates, self.policies)
            for term in group
        )
        edges = {edge for span in spans if not span.empty for edge in (span.from_block, span.until_block)}
        return sorted(edge for edge in edges if edge is not None)

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

    def payout_addresses(self, block: int) -> dict[str, str]:
        """user -> where the user is paid at a block: what is in force then. Who has no address is left out.

        Who takes no part any more is still paid what was earned before, where it was last paid; who
        takes part and has no address is not: that is held.
        """
        active, chosen = self.users_at(block), dict[str, tuple[tuple[bool, int, int], str]]()
        for term in self.payouts:
            span, holds = term.span, term.span.holds(block)
            if span.empty or span.from_block > block or (not holds and term.user in active):
                continue
            rank = (holds, span.from_block, span.until_block or 0)
            if term.user not in chosen or rank > chosen[term.user][0]:
                chosen[term.user] = (rank, term.address)
        return {user: address for user, (_, address) in chosen.items()}

    def payout_address(self, user: str, block: int) -> str | None:
        """Where one user is paid at a block; None: nowhere."""
        return self.payout_addresses(block).get(user)

    def person_of(self, user: str) -> str:
        """The key of a user's balance."""
        return next(term.person for term in self.users if term.name == user)
