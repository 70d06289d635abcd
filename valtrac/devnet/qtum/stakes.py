"""Which coins may win the next block, and the draw among them, kept up block by block so that a draw costs no scan."""

from __future__ import annotations

import hashlib
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from valtrac.devnet.qtum import contract, state
from valtrac.devnet.qtum.contract import Event
from valtrac.devnet.qtum.ledger import Coin, spent_by
from valtrac.devnet.qtum.rules import COIN, SUPERSTAKER_MINIMUM

Place = tuple[bytes, int]
_TRIES = 64


def again(ticket: int) -> int:
    """The random number itself while it is large, another one that follows from it when it is used up."""
    if ticket >> 128:
        return ticket
    return int.from_bytes(hashlib.sha512(ticket.to_bytes(16, "big")).digest(), "big")


class Urn:
    """The coins of one key that may win. total: satoshi; small: those that an own block combines."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.values: list[int] = []
        self.index: dict[Place, int] = {}
        self.small: dict[Place, int] = {}
        self.total = self.largest = 0

    def add(self, place: Place, value: int) -> None:
        if place in self.index:
            return
        self.index[place] = len(self.places)
        self.places.append(place)
        self.values.append(value)
        self.total += value
        self.largest = max(self.largest, value)
        if value < SUPERSTAKER_MINIMUM:
            self.small[place] = value

    def remove(self, place: Place) -> None:
        index = self.index.pop(place, None)
        if index is None:
            return
        self.total -= self.values[index]
        self.small.pop(place, None)
        last, value = self.places.pop(), self.values.pop()
        if last != place:
            self.places[index], self.values[index] = last, value
            self.index[last] = index

    def draw(self, ticket: int, barred: set[Place], least: int) -> Place | None:
        """A coin by weight, out of those of at least `least` that are not barred. ticket: a large random number."""
        count = len(self.places)
        for _ in range(_TRIES if count else 0):
            ticket, index = divmod(ticket, count)
            ticket, level = divmod(ticket, self.largest or 1)
            place, value = self.places[index], self.values[index]
            if level < value and value >= least and place not in barred:
                return place
            ticket = again(ticket)
        fit = [(place, value) for place, value in self if value >= least and place not in barred]
        left = ticket % (sum(value for _, value in fit) or 1)
        for place, value in fit:
            left -= value
            if left < 0:
                return place
        return None

    def first(self, least: int, barred: set[Place]) -> Place | None:
        """The first coin of at least `least` that is not barred."""
        return next((place for place, value in self if value >= least and place not in barred), None)

    def __iter__(self) -> Iterator[tuple[Place, int]]:
        return zip(self.places, self.values, strict=True)


class Party(NamedTuple):
    """Who may win a block: a key with coins of its own, or the delegate of a super staker."""

    staker: bytes
    owner: bytes
    delegation: Event | None
    least: int


class Group(NamedTuple):
    """Parties of one staker, with their coins in the same order."""

    staker: bytes
    parties: list[Party]
    urns: list[Urn]


class Stakes:
    """The coins that may win the block after `tip`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.tip = state.tip(db).hash
        self.version = state.setting(db, "stakers_version", "")
        self.delegations = contract.delegations(db)
        self.parties = _parties(db, self.delegations)
        owners = {party.staker for party in self.parties} | set(self.delegations)
        self.urns: dict[bytes, Urn] = {owner: Urn() for owner in owners}
        self.groups = {
            (staker, delegated): self.group(
                staker,
                [
                    party
                    for party in self.parties
                    if (party.staker, party.delegation is not None) == (staker, delegated)
                ],
            )
            for staker, delegated in dict.fromkeys(
                (party.staker, party.delegation is not None) for party in self.parties
            )
        }
        height = state.tip(db).height + 1
        rest = state.maturity(db, height)
        tired = set(_kernels(db, height - rest + 1, height - 1))
        for owner, urn in self.urns.items():
            rows = db.execute(
                "SELECT id, n, value FROM coins WHERE owner = ? AND height <= ? ORDER BY height, position, n",
                (owner, height - rest),
            )
            for txid, n, value in rows:
                if (txid, n) not in tired:
                    urn.add((txid, n), value)

    def follow(self, db: sqlite3.Connection, block: state.Block, gone: list[Coin]) -> None:
        """Take in a block that was just put on top."""
        for coin in gone:
            if coin.owner in self.urns:
                self.urns[coin.owner].remove(coin.place)
        if block.delegate is not None and block.kernel is not None and block.kernel_n is not None:
            self.urns[block.delegate].remove((block.kernel, block.kernel_n))
        height = block.height + 1
        ripe = height - state.maturity(db, height)
        for txid, n, value, owner in db.execute("SELECT id, n, value, owner FROM coins WHERE height = ?", (ripe,)):
            if owner in self.urns:
                self.urns[owner].add((txid, n), value)
        for place in _kernels(db, ripe, ripe):
            row = db.execute("SELECT value, owner FROM coins WHERE id = ? AND n = ?", place).fetchone()
            if row is not None and row[1] in self.urns:
                self.urns[row[1]].add(place, row[0])
        self.tip = block.hash

    def catch_up(self, db: sqlite3.Connection) -> bool:
        """Take in the blocks that others put on top since; False where the branch or who may stake has changed."""
        block = state.block_by_hash(db, self.tip)
        if block is None or not block.active or self.version != state.setting(db, "stakers_version", ""):
            return False
        wrote = "SELECT 1 FROM events e JOIN blocks b ON b.id = e.block AND b.active WHERE e.height > ? LIMIT 1"
        if db.execute(wrote, (block.height,)).fetchone() is not None:
            return False
        while (above := state.block_at(db, block.height + 1)) is not None:
            self.follow(
                db, above, [coin for position in range(1, above.txs) for coin in spent_by(db, above.id, position)]
            )
            block = above
        return True

    def group(self, staker: bytes, parties: list[Party]) -> Group:
        """Parties that win under the same conditions: a staker's own coins, or all its delegates."""
        return Group(staker, parties, [self.urns[party.owner] for party in parties])

    def can(self, group: Group, barred: set[Place]) -> bool:
        """Whether a staker has what winning takes for these."""
        if not group.parties or group.parties[0].delegation is None:
            return group.staker not in self.delegations
        return self.urns[group.staker].first(SUPERSTAKER_MINIMUM, barred) is not None

    def draw(
        self, groups: list[Group], ticket: int, barred: set[Place], barred_parties: set[Party]
    ) -> tuple[Party, Place] | None:
        """A party and its kernel, by weight; None where nobody can win."""
        able = [group for group in groups if self.can(group, barred)]
        parties = [party for group in able for party in group.parties]
        weights = [urn.total for group in able for urn in group.urns]
        for party in barred_parties:
            weights[parties.index(party)] = 0
        while any(weights):
            sums = list(accumulate(weights))
            ticket, point = divmod(ticket, sums[-1])
            index = bisect_right(sums, point)
            ticket = again(ticket)
            kernel = self.urns[parties[index].owner].draw(ticket, barred, parties[index].least)
            if kernel is not None:
                return parties[index], kernel
            weights[index] = 0
        return None


def _kernels(db: sqlite3.Connection, low: int, high: int) -> list[Place]:
    rows = db.execute(
        "SELECT kernel, kernel_n FROM blocks WHERE active AND height BETWEEN ? AND ? AND kernel NOT NULL", (low, high)
    )
    return [(kernel, n) for kernel, n in rows]


def _parties(db: sqlite3.Connection, delegations: dict[bytes, Event]) -> list[Party]:
    """Everybody who may win: the named stakers, the wallet's keys, and the delegates that a staker accepts."""
    own = [bytes.fromhex(text) for text in state.setting(db, "stakers", [])]
    own += [hashed for (hashed,) in db.execute("SELECT hash FROM keys WHERE wallet NOT NULL AND change = 0")]
    parties = [Party(owner, owner, None, 0) for owner in dict.fromkeys(own)]
    known = {hashed for (hashed,) in db.execute("SELECT hash FROM keys")}
    for delegate, event in delegations.items():
        if event.staker in known and contract.verified(event):
            asked = asked_of(db, event.staker)
            if event.fee >= asked["fee"] and _admitted(db, asked, delegate):
                parties.append(Party(event.staker, delegate, event, asked["utxo"]))
    return parties


def asked_of(db: sqlite3.Connection, staker: bytes) -> dict[str, Any]:
    """What a super staker asks of its delegates: fee (percent), utxo (satoshi), allow, exclude (addresses or None)."""
    row = db.execute("SELECT wallet FROM keys WHERE hash = ?", (staker,)).fetchone()
    if row is None or row[0] is None:
        return {"fee": 0, "utxo": 100 * COIN, "allow": None, "exclude": None}
    own = state.setting_of_staker(db, staker)
    if own is not None:
        return own
    flags = state.flags(db)
    return {"fee": flags["stakingminfee"], "utxo": flags["stakingminutxovalue"], "allow": None, "exclude": None}


def _admitted(db: sqlite3.Connection, asked: dict[str, Any], delegate: bytes) -> bool:
    if asked["allow"] is None and asked["exclude"] is None:
        return True
    named = state.network(db).address(delegate)
    return named in asked["allow"] if asked["allow"] is not None else named not in asked["exclude"]


def weights(db: sqlite3.Connection, owners: list[bytes]) -> dict[bytes, int]:
    """Satoshi of each key's coins that may win the next block, as the node counts the weight of delegates: without
    those that won not so long ago."""
    height = state.tip(db).height + 1
    ripe = height - state.maturity(db, height)
    query = "SELECT COALESCE(SUM(value), 0) FROM coins WHERE owner = ? AND height <= ?"
    weight_of = {owner: int(db.execute(query, (owner, ripe)).fetchone()[0]) for owner in owners}
    for place in set(_kernels(db, ripe + 1, height - 1)):
        row = db.execute("SELECT owner, value FROM coins WHERE id = ? AND n = ? AND height <= ?", (*place, ripe))
        owner, value = row.fetchone() or (None, 0)
        if owner in weight_of:
            weight_of[owner] -= value
    return weight_of
