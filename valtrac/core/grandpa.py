"""GRANDPA: whether a block is final, by the votes of those who decide it. Pure.

A justification is what the authorities of a set signed: votes for a block or for blocks after it, and the headers that
lead from those back to it. Who holds more than two thirds of the set's weight makes a block final. Layout and rules:
`sp-consensus-grandpa` and `finality-grandpa`; block numbers have 32 bits, as on every chain of this kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from valtrac.core.header import Linked, read_header
from valtrac.core.trie import compact, read_compact

ENGINE = b"FRNK"
MOST_AUTHORITIES = 10_000
_CONSENSUS = b"\x04" + ENGINE
_SCHEDULED, _FORCED = 1, 2
_PRECOMMIT = b"\x01"
_KEY, _SIGNATURE, _HASH = 32, 64, 32
_VOTE = _HASH + 4 + _SIGNATURE + _KEY
_VOTES_OF_ONE = 2  # a second one is an equivocation; who votes a third time only wastes our time

Weights = tuple[tuple[bytes, int], ...]
"""(public key of 32 bytes, weight) of each authority, in the chain's order."""


class Unfounded(ValueError):
    """A justification that does not show what it is there to show."""


@dataclass(frozen=True, slots=True)
class AuthoritySet:
    """Those who decide what is final, from one change of them to the next. number: how many sets there were before.

    ValueError: nobody, somebody twice or without weight, or more than any chain has.
    """

    number: int
    weights: Weights

    def __post_init__(self) -> None:
        keys = {key for key, _ in self.weights}
        if not 0 < len(self.weights) <= MOST_AUTHORITIES or len(keys) != len(self.weights):
            raise ValueError("a set of authorities with nobody in it, too many, or somebody twice")
        if any(len(key) != _KEY or not 0 < weight < 2**64 for key, weight in self.weights):
            raise ValueError("an authority without a key or without weight")

    @property
    def needed(self) -> int:
        """The weight that makes a block final: more than two thirds of it all."""
        total = sum(weight for _, weight in self.weights)
        return total - (total - 1) // 3


@dataclass(frozen=True, slots=True)
class Vote:
    """One authority's signed word for a block."""

    hash: bytes
    number: int
    signature: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Justification:
    """What stands in one. hash, number: the block that it makes final. ancestries: headers that lead from votes for
    later blocks back to that one."""

    round: int
    hash: bytes
    number: int
    votes: tuple[Vote, ...]
    ancestries: tuple[Linked, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A new set that a header announces: in force once the block `delay` further on is final, or, where it is forced,
    without those of the set before."""

    weights: Weights
    delay: int
    forced: bool


def vote_bytes(hash_: bytes, number: int, round_: int, set_number: int) -> bytes:
    """What an authority signs to vote for a block."""
    place = hash_ + number.to_bytes(4, "little")
    return _PRECOMMIT + place + round_.to_bytes(8, "little") + set_number.to_bytes(8, "little")


def read_justification(data: bytes) -> Justification:
    """A justification from its bytes, none too many and none too few. Unfounded: it is none."""
    try:
        head = int.from_bytes(data[:8], "little"), data[8:40], int.from_bytes(data[40:44], "little")
        count, place = read_compact(data, 44)
        if count * _VOTE > len(data) - place:
            raise ValueError("the bytes end too early: they end within the votes")
        votes = tuple(_vote(data, place + number * _VOTE) for number in range(count))
        count, place = read_compact(data, place + count * _VOTE)
        ancestries = list[Linked]()
        for _ in range(count):
            header, place = read_header(data, place)
            ancestries.append(header)
    except (ValueError, IndexError) as error:
        raise Unfounded(f"a justification that is none: {error}") from error
    if place != len(data):
        raise Unfounded("a justification with bytes after its end")
    return Justification(*head, votes, tuple(ancestries))


def justification_bytes(
    round_: int, hash_: bytes, number: int, votes: Sequence[Vote], ancestries: Sequence[bytes] = ()
) -> bytes:
    """A justification in its bytes. ancestries: headers in theirs."""
    head = round_.to_bytes(8, "little") + hash_ + number.to_bytes(4, "little")
    signed = b"".join(v.hash + v.number.to_bytes(4, "little") + v.signature + v.key for v in votes)
    return head + compact(len(votes)) + signed + compact(len(ancestries)) + b"".join(ancestries)


def check(said: Justification, authorities: AuthoritySet) -> None:
    """Raise Unfounded unless those of this set made that block final.

    Every voter is of the set and every signature good; a vote for a later block counts where the headers lead back from
    it; who signs twice counts once; no header is there for nothing.
    """
    weights = dict(authorities.weights)
    parents = {header.hash: header for header in said.ancestries}
    used, have, cast = set[bytes](), 0, dict[bytes, int]()
    for vote in said.votes:
        if vote.key not in weights:
            raise Unfounded("a vote of somebody who is not of the set")
        cast[vote.key] = cast.get(vote.key, 0) + 1
        if cast[vote.key] > _VOTES_OF_ONE:
            raise Unfounded("more than two votes of one authority")
        used |= _way_back(vote, said, parents)
        have += weights[vote.key] if cast[vote.key] == 1 else 0
    if have < authorities.needed:
        raise Unfounded(f"votes of {have}, and {authorities.needed} are needed")
    if used != set(parents):
        raise Unfounded("headers that lead from no vote to the block")
    if not all(signed_by(vote, said.round, authorities.number) for vote in said.votes):
        raise Unfounded("a signature that is not of the voter, or not for this set")


def signed_by(vote: Vote, round_: int, set_number: int) -> bool:
    """Whether a vote was signed with its own key, for this round and set (ed25519)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    message = vote_bytes(vote.hash, vote.number, round_, set_number)
    try:
        Ed25519PublicKey.from_public_bytes(vote.key).verify(vote.signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_weights(data: bytes) -> Weights:
    """A list of authorities, as the state and announcements hold it. ValueError: it is none."""
    weights, place = _weights(data, 0)
    if place != len(data):
        raise ValueError("a list of authorities with bytes after its end")
    return weights


def weights_bytes(weights: Weights) -> bytes:
    """A list of authorities in its bytes."""
    return compact(len(weights)) + b"".join(key + weight.to_bytes(8, "little") for key, weight in weights)


def announced(logs: Iterable[bytes]) -> Change | None:
    """The change of authorities that a header announces, None where it announces none; of several, a forced one.

    logs: the items of its digest. ValueError: something that looks like one and cannot be read.
    """
    changes = [change for log in logs if log.startswith(_CONSENSUS) and (change := _change(log)) is not None]
    return next((change for change in changes if change.forced), changes[0] if changes else None)


def announcement(change: Change, best_finalized: int = 0) -> bytes:
    """The item of a digest that announces a change. best_finalized: of a forced one, the block it counts from."""
    kind = bytes([_FORCED]) + best_finalized.to_bytes(4, "little") if change.forced else bytes([_SCHEDULED])
    body = kind + weights_bytes(change.weights) + change.delay.to_bytes(4, "little")
    return _CONSENSUS + compact(len(body)) + body


def _vote(data: bytes, place: int) -> Vote:
    signed = place + _HASH + 4
    key = signed + _SIGNATURE
    number = int.from_bytes(data[place + _HASH : signed], "little")
    return Vote(data[place : place + _HASH], number, data[signed:key], data[key : key + _KEY])


def _way_back(vote: Vote, said: Justification, parents: Mapping[bytes, Linked]) -> set[bytes]:
    """The headers that lead from what was voted for back to the block. Unfounded: none do."""
    here, way = vote.hash, set[bytes]()
    while here != said.hash:
        header = parents.get(here)
        if header is None or header.number != vote.number - len(way) or header.number <= said.number:
            raise Unfounded("a vote for a block that does not come after this one")
        way.add(here)
        here = header.parent
    if vote.number != said.number + len(way):
        raise Unfounded("a vote for a block of another height")
    return way


def _weights(data: bytes, start: int) -> tuple[Weights, int]:
    count, place = read_compact(data, start)
    size = _KEY + 8
    if count > MOST_AUTHORITIES or place + count * size > len(data):
        raise ValueError("a list of authorities that ends too early")
    rows = [data[place + number * size : place + (number + 1) * size] for number in range(count)]
    weights = tuple((row[:_KEY], int.from_bytes(row[_KEY:], "little")) for row in rows)
    return weights, place + count * size


def _change(log: bytes) -> Change | None:
    """The change in an item of a digest; None: it tells of something else (paused, resumed, somebody disabled)."""
    size, start = read_compact(log, len(_CONSENSUS))
    if start + size != len(log) or not size:
        raise ValueError("an announcement that has not the length that it tells")
    kind = log[start]
    if kind not in (_SCHEDULED, _FORCED):
        return None
    weights, place = _weights(log, start + (5 if kind == _FORCED else 1))
    if place + 4 != len(log):
        raise ValueError("an announcement of authorities that cannot be read")
    return Change(weights, int.from_bytes(log[place:], "little"), kind == _FORCED)
