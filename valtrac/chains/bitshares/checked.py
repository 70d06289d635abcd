"""Blocks of a node that are what the chain's witnesses signed, or no answer.

Up to the start (the first roster) a block only has to fit its own header, link to its neighbours and arrive at the
start's id: who signed then cannot be known. After it, a block that is told to be irreversible has to be so by the
signatures of those who are followed from the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

from valtrac.chains.bitshares import answers, bodies
from valtrac.chains.bitshares.bodies import Forged, Sealed
from valtrac.chains.bitshares.rpc import DATABASE, Rpc, RpcError
from valtrac.chains.bitshares.witnesses import Following, as_of
from valtrac.core.chain import Roster
from valtrac.ports import Rosters

WINDOW = 64  # blocks read at once to see whether one is built on; so that many are known then
MOST_KEPT = 4_096
TRIES = 2  # of each node: the newest blocks may be replaced while they are read, which is no lie
MOST_TAIL = 10  # blocks after the last, for each witness, until enough of them have built on it


class CheckedBlocks:
    """The blocks of one chain. true_from: blocks below it are of a rehearsal chain from before its witnesses signed,
    and are taken as they are. store: where rosters are kept; without one the start is taken anew by each process."""

    def __init__(self, rpc: Rpc, *, true_from: int = 0) -> None:
        self.rpc = rpc
        self.true_from = true_from
        self.store: Rosters | None = None
        self.newest = 0  # the highest block that was heard of
        self._rosters: list[Roster] = []
        self._final: dict[int, Sealed] = {}

    @property
    def begun(self) -> bool:
        """Whether the start is known."""
        if not self._rosters and self.store is not None:
            self._rosters = self.store.load()
        return bool(self._rosters)

    def learn(self, roster: Roster) -> None:
        """Take a roster over: the first is the start."""
        self._rosters.append(roster)
        if self.store is not None:
            self.store.save(roster)

    def header(self, block: Any, number: int) -> Sealed:
        """The header of a block that a node sent. Raises Forged; Missing where there is none."""
        if answers.present(block, f"block {number}") and number < self.true_from:
            previous = answers.block_id(block["previous"], number - 1)
            return Sealed(number, "", previous, answers.moment(block["timestamp"]), block["witness"], b"")
        return bodies.sealed(block, number)

    def whole(self, block: Any, number: int) -> Sealed:
        """The header of a block whose body fits it."""
        head = self.header(block, number)
        if number < self.true_from:
            return head
        rekeyed = bodies.fits(block, number, self._hex_of)
        return replace(head, rekeyed=rekeyed) if rekeyed else head

    def final(self, number: int) -> Sealed:
        """The header of an irreversible block. Raises Forged where not enough witnesses have built on it."""
        if number in self._final:
            return self._final[number]
        start = self._rosters[0]
        if number <= start.block or number < self.true_from:
            head = self.header(self.rpc.call(DATABASE, "get_block", number), number)
            return self._is_start(head)
        following = Following(as_of(self._rosters, number))
        last = number + WINDOW - 1
        if self.newest > number:
            last = min(last, self.newest)
        with closing(self.rpc.stream("get_block", ((n,) for n in range(number, last + 1)))) as blocks:
            for block_number, block in zip(count(number), blocks, strict=False):
                if block is None:
                    break
                for done in following.push(self.header(block, block_number)):
                    self._keep(done)
        if number not in self._final:
            raise Forged(f"block {number} is told to be irreversible, and not enough witnesses have built on it")
        return self._final[number]

    def newest_final(self, claimed: int) -> Sealed | None:
        """The newest block, up to the one that a node tells, that enough witnesses have built on; None: none lately."""
        first = max(self._rosters[0].block + 1, self.true_from, claimed - 2 * len(self._rosters[-1].keys))
        following, newest = Following(as_of(self._rosters, first)), None
        last = min(self.newest, claimed + MOST_TAIL * len(following.keys))
        with closing(self.rpc.stream("get_block", ((n,) for n in range(first, last + 1)))) as blocks:
            for number, block in zip(count(first), blocks, strict=False):
                for done in following.push(self.header(block, number)):
                    self._keep(done)
                    newest = done if done.number <= claimed else newest
        return newest

    def catch_up(self, last: int) -> None:
        """Follow the witnesses from what is known of them to that block: so many may have been replaced meanwhile that
        a later block alone cannot be judged."""
        for _ in self.read(self._rosters[-1].block + 1, last, last):
            pass

    def read(self, first: int, last: int, final_to: int) -> Iterator[tuple[Sealed, Any]]:
        """Blocks in order with their headers, each once. final_to: those up to it have to be irreversible.

        A node that sends a block which does not fit is left for the next, which goes on there; Forged, with the name
        of the node, where each was tried in vain. Raises Missing where a block is not there.
        """
        before: Sealed | None = None
        left, next_number = TRIES * len(self.rpc.urls), first
        while next_number <= last:
            try:
                for head, block in self._read(next_number, last, final_to, before):
                    yield head, block
                    before, next_number = head, head.number + 1
            except Forged as error:
                error.node = self.rpc.leave()
                left -= 1
                if not left:
                    raise

    def _read(self, first: int, last: int, final_to: int, before: Sealed | None) -> Iterator[tuple[Sealed, Any]]:
        following, start = Following(as_of(self._rosters, first)), self._rosters[0]
        waiting: deque[tuple[Sealed, Any]] = deque()
        with closing(self.rpc.stream("get_block", ((n,) for n in range(first, last + 1)))) as blocks:
            for number in range(first, last + 1):
                block = next(blocks)
                head = self._is_start(self.whole(block, number))
                if before is not None and (head.previous != (before.id or head.previous) or head.at < before.at):
                    raise Forged(f"block {number} does not follow from the one before")
                before = head
                waiting.append((head, block))
                if number <= start.block or number < self.true_from:
                    yield waiting.popleft()
                    continue
                for _ in following.push(head):
                    yield waiting.popleft()
                self._follow(following)
        for number in range(last + 1, last + 1 + MOST_TAIL * len(following.keys)):
            if not waiting or waiting[0][0].number > final_to:
                break
            block = self.rpc.call(DATABASE, "get_block", number)
            if block is None:
                raise Forged(f"block {last} is told to be irreversible, and not enough witnesses have built on it")
            for done in following.push(self.header(block, number)):
                if done.number <= last:
                    yield waiting.popleft()
        self._follow(following)
        if waiting and waiting[0][0].number <= final_to:
            raise Forged(f"block {last} is told to be irreversible, and not enough witnesses have built on it")
        yield from waiting

    def vouched(self, head: Sealed) -> Sealed:
        """The same header, of an irreversible block. Raises Forged where it is not the one that witnesses built on."""
        if head.number > self._rosters[0].block and head.number >= self.true_from:
            if self.final(head.number).id != head.id:
                raise Forged(f"block {head.number} is another than the one that witnesses have built on")
            return head
        return self._is_start(head)

    def signers(self, trx: Any) -> frozenset[str]:
        """The public keys that signed a transaction of a block that was read."""
        return bodies.signers(trx, self.rpc.chain_id, self._hex_of)

    def _is_start(self, head: Sealed) -> Sealed:
        """The same header, unless it is of the start's height and another block."""
        start = self._rosters[0]
        if head.number == start.block and head.id and start.block_id and head.id != start.block_id:
            raise Forged(f"block {head.number} is another than the one that was begun with")
        return head

    def _follow(self, following: Following) -> None:
        """Remember who signs, where that is news and newer than what is known."""
        roster = following.news()
        if roster is not None and roster.block > self._rosters[-1].block:
            self.learn(roster)

    def _keep(self, head: Sealed) -> None:
        if len(self._final) >= MOST_KEPT:
            self._final.clear()
        self._final[head.number] = head

    def _hex_of(self, trx: Any) -> Any:
        try:
            return self.rpc.call(DATABASE, "get_transaction_hex", trx)
        except RpcError as error:
            raise Forged(f"it does not tell the bytes of a transaction that it tells: {error}") from error
