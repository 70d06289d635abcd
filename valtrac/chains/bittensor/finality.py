"""Which blocks are final by the votes of pinned authorities, and which are only said to be.

Nodes keep the votes for one block in some hundred. From such a block the headers lead back, parent by parent, to every
block before it. The set that votes is pinned once and followed: a change that a header announces is taken over where
the old set agreed to it; one that was forced waits for a person.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from valtrac.chains.bittensor import pinning
from valtrac.chains.bittensor.links import Links
from valtrac.chains.bittensor.node import BittensorChain
from valtrac.chains.bittensor.proofs import Header
from valtrac.core import grandpa
from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.core.finality import Origin, Pin, Proof
from valtrac.core.grandpa import AuthoritySet, Change, Unfounded
from valtrac.core.text import plain
from valtrac.ports import Pins

MOST_HEADERS = 4_096  # from a block with votes back to the one that matters
MOST_SEARCHED = 65_536  # for a change of the set: nine days
_PERIODS = 4
_KEPT = 16_384
Announced = tuple[int, Change]
"""(the block whose header announces it, a change of the authorities)."""


class OtherHistory(ChainUnreachable):
    """A node tells another history than the one that is proven to be final."""


class _Lied(ChainUnreachable):
    """A node keeps votes that are none. node: its name."""

    node = ""


class FinalBlocks:
    """`valtrac.ports.FinalityProofs` over the nodes of one chain. second: another node, which has to agree when a set
    is pinned. anew: how the owner pins a set anew, in words."""

    def __init__(
        self,
        node: BittensorChain,
        pins: Pins,
        second: Callable[[], BittensorChain | None] = lambda: None,
        *,
        anew: str = "pin the set anew",
    ) -> None:
        self._node, self._pins, self._second, self._anew = node, pins, second, anew
        self._links = Links(node)
        self._final: OrderedDict[int, str] = OrderedDict()
        self._begun = 0  # the pin that what is known to be final goes back to
        self._without: set[tuple[str, int]] = set()  # (node, height) without votes
        self._genesis = ""
        self._why = ""
        self._distrust = f"the {node.network} node answered with something that cannot be trusted"

    def pinned(self) -> Pin:
        """The newest pin; made now where there is none yet. Raises Refused or ChainUnreachable where none can be."""
        return self._era()[-1]

    def told(self, words: str) -> Pin:
        """The set that the nodes prove now, to be pinned on the owner's word, which is given; nothing is stored."""
        return replace(pinning.told(self._node, self._second()), origin=Origin.OWNER, words=plain(words, 500))

    def pin(self, pin: Pin) -> None:
        """Pin a set on the owner's word."""
        self._pins.save(pin)

    def proof(self, head: Head) -> Proof:
        """Whether votes of the pinned authorities make a block final, and by which block, or why not.

        Raises OtherHistory where a node contradicts what is proven to be final; that node is left.
        """
        left = set[str]()
        while True:
            try:
                return self._proof(head)
            except OtherHistory:
                raise
            except ValtracError as error:
                words = plain(f"{error.what}: {error.why}" if error.why else error.what, 400)
                if not isinstance(error, _Lied) or self._node.asked in left | {error.node}:
                    return Proof(False, words)
                left.add(error.node)  # another node is asked now

    def keep_up(self) -> str:
        """Pin who votes where nobody is yet, and look at the newest votes, so that a change is followed soon after it.

        Why nothing counts as proven where a person has to decide, else "". What goes wrong is left to those who need a
        proof.
        """
        with suppress(ValtracError):
            first = self._era()[0]
            every = self._node.justifies_every()
            newest = self._node.finalized().number - every - min(every, pinning.PLACES)
            if not self._era()[-1].stopped and newest > first.block:
                self._above(newest, first)
        with suppress(ValtracError):
            newest_pin = self._era()[-1]
            return newest_pin.words if newest_pin.stopped else ""
        return ""

    def _proof(self, head: Head) -> Proof:
        if head.number < self._node.true_from():
            return Proof(False, "the headers of this chain are not made of its blocks")
        newest = self._era()[-1]
        if newest.stopped:
            return Proof(False, newest.words)
        if doubt := self._other_than_told(newest):
            return Proof(False, doubt)
        above = self._above(head.number, self._era()[0])
        if above is None:
            every = self._node.justifies_every()
            return Proof(False, self._why or f"no votes for it or a later block are kept yet: one in {every} has them")
        if above - head.number > MOST_HEADERS:
            return Proof(False, f"the next block that is proven is {above - head.number} blocks on")
        pinned = {pin.block: pin.block_hash for pin in self._era() if pin.origin == Origin.FOLLOWED}
        for header in self._links.back(above, self._final[above], head.number):
            if pinned.get(header.number, header.hash) != header.hash:
                self._other_history(f"block {header.number} is another one than that where authorities are pinned")
            self._remember(header.number, header.hash)
        if self._final[head.number] != head.hash:
            self._other_history(f"block {head.number} is another one than that which leads to block {above}")
        told = " (pinned on one node's word)" if self._era()[0].origin == Origin.ONE_NODE else ""
        return Proof(True, f"the pinned authorities{told} voted for block {above}")

    def _era(self) -> list[Pin]:
        """The pins since a set was last taken on somebody's word, the newest last. What is known is theirs."""
        self._genesis = self._genesis or self._node.identity().genesis_hash
        pins = self._pins.load(self._genesis)
        if not pins:
            self._pins.save(pinning.told(self._node, self._second()))
            pins = self._pins.load(self._genesis)
        if not pins:
            raise Refused("nobody is pinned as deciding what is final", why="the database belongs to another chain")
        start = max(place for place, pin in enumerate(pins) if pin.origin not in (Origin.FOLLOWED, Origin.FORCED))
        era = pins[start:]
        if era[0].id != self._begun:
            self._begun = era[0].id
            self._final.clear()
        for pin in era:
            if pin.origin == Origin.FOLLOWED:  # the block that ended the set before, which voted for it
                self._final[pin.block] = pin.block_hash
            if pin.proven_block > pin.block:  # the first block of all was told, and not voted for
                self._final[pin.proven_block] = pin.proven_hash
        return era

    def _other_than_told(self, pin: Pin) -> str:
        """Why nothing is proven where the node has another block than the one of a set that was pinned on somebody's
        word and was not voted for since, or "". Raises OtherHistory where that block is proven to be final."""
        if self._links.hash_at(pin.proven_block) == pin.proven_hash:
            return ""
        if pin.proven_block > pin.block or pin.origin == Origin.FOLLOWED:
            self._other_history(f"block {pin.proven_block}, which is proven to be final, is another one")
        return (
            f"block {pin.block}, where the authorities are pinned, is another one on this node: it was told and never "
            f"proven; ask other nodes, then pin them anew: {self._anew}"
        )

    def _above(self, number: int, first: Pin) -> int | None:
        """The nearest block from a height on that is known to be final; votes are looked for where none is near, and
        after the first block that was pinned."""
        near = self._nearest(number)
        if near is None or near - number > self._node.justifies_every():
            self._why = ""
            self._look_for_votes(max(number, first.block + 1), near)
        return self._nearest(number)

    def _nearest(self, number: int) -> int | None:
        return min((known for known in self._final if known >= number), default=None)

    def _look_for_votes(self, number: int, near: int | None) -> None:
        """Look for the first block from a height on whose votes the node keeps, before one that is known already."""
        final = self._node.finalized().number if near is None else near - 1
        for place in pinning.places(number, final, self._node.justifies_every(), _PERIODS):
            if (self._node.asked, place) in self._without:
                continue
            hash_, raw = self._links.votes(place)
            if raw is not None:
                self._accept(place, hash_, raw)
                return
            if place + pinning.PLACES < final:  # it may still come for the newest
                self._without.add((self._node.asked, place))

    def _accept(self, place: int, hash_: str, raw: bytes) -> None:
        """Remember a block as final where its votes hold; otherwise say why not."""
        said = self._read(place, hash_, raw)
        while True:
            era = self._era()
            pin = next((pin for pin in reversed(era) if pin.block < place and not pin.stopped), None)
            if pin is None:
                return
            try:
                grandpa.check(said, pin.authorities)
                break
            except Unfounded as error:
                doubt = f"the votes that it keeps for block {place} do not hold: {error}"
            if pin != era[-1] or place <= pin.proven_block:
                self._lie(doubt)
            if not self._followed(pin, place, hash_, doubt) or self._era()[-1].id == pin.id:
                return
        self._remember(place, hash_)
        if place > pin.proven_block:
            self._pins.saw(pin, place, hash_)

    def _read(self, place: int, hash_: str, raw: bytes) -> grandpa.Justification:
        """Votes that are for this block; whose they are is not looked at."""
        try:
            said = grandpa.read_justification(raw)
        except Unfounded as error:
            self._lie(f"block {place}: {error}")
        if (said.number, "0x" + said.hash.hex()) != (place, hash_):
            self._lie(f"the votes that it keeps for block {place} are for another block")
        return said

    def _followed(self, pin: Pin, place: int, hash_: str, doubt: str) -> bool:
        """Whether the set after a pinned one was found, agreed to by that one, and pinned; otherwise it is said why."""
        headers, whole = self._since(pin, place, hash_)
        first_change = self._first_change(pin, headers)
        if first_change is None and whole:
            self._lie(doubt)
        if first_change is None:
            self._why = self._why or f"no change of the authorities was found in {MOST_SEARCHED} blocks: {self._anew}"
            return False
        announced, change = first_change
        end, hashes = announced + change.delay, {header.number: header.hash for header in headers}
        if change.forced:
            self._stop(pin, announced, hashes[announced], change)
            return False
        if end >= place:
            self._lie(doubt)
        if not self._old_set_agreed(pin, end, hashes[end]):
            return False
        self._save(pin, end, hashes[end], change, Origin.FOLLOWED, f"announced in block {announced}")
        return True

    def _since(self, pin: Pin, place: int, hash_: str) -> tuple[list[Header], bool]:
        """(the headers in which a change may stand that ended a pinned set, the newest first; whether it is all)."""
        if place - pin.proven_block > MOST_SEARCHED:
            self._why = f"block {place} is too far from the last proven block {pin.proven_block}: {self._anew}"
            return [], False
        headers = self._links.back(place, hash_, pin.proven_block + 1)
        if headers[-1].parent != pin.proven_hash:
            self._other_history(f"block {pin.proven_block + 1} does not follow from the one before, which is proven")
        lowest = max(pin.block + 1, pin.proven_block - MOST_SEARCHED)
        headers += self._links.back(pin.proven_block, pin.proven_hash, lowest)
        return headers, lowest == pin.block + 1

    def _first_change(self, pin: Pin, headers: list[Header]) -> Announced | None:
        """The first change that ends a set after the last block that it is known to have decided."""
        for header in reversed(headers):
            try:
                change = grandpa.announced(header.logs)
                if change is None or header.number + change.delay < pin.proven_block:
                    continue
                AuthoritySet(pin.number + 1, change.weights)
            except ValueError as error:
                self._why = f"block {header.number} announces authorities that cannot be read ({error}): {self._anew}"
                return None
            return header.number, change
        return None

    def _old_set_agreed(self, pin: Pin, end: int, hash_: str) -> bool:
        """Whether those of a set made the block final with which it ends, and so the announcement before it."""
        told_hash, raw = self._links.votes(end)
        if raw is None or told_hash != hash_:
            self._why = (
                f"the authorities changed after block {end}, and this node keeps no votes of the old ones for it"
            )
            return False
        said = self._read(end, hash_, raw)
        try:
            grandpa.check(said, pin.authorities)
        except Unfounded as error:
            self._lie(f"the votes that it keeps for block {end}, with which a set ends, do not hold: {error}")
        return True

    def _stop(self, pin: Pin, block: int, hash_: str, change: Change) -> None:
        """Write down that a change was forced: nothing counts as proven until the owner has pinned a set.

        Whoever makes up headers can make up such a change: where there is a second node, it has to have that block.
        """
        second = self._second()
        if second is not None and second.block(block).head.hash != hash_:
            self._lie(f"block {block} announces other authorities by force, and the second node has another block")
        words = (
            f"block {block} announces other authorities by force, without the votes of those who are pinned; whether "
            f"that was meant is for a person to say: read what the network announced, then {self._anew}"
        )
        self._save(pin, block, hash_, change, Origin.FORCED, words)
        self._why = words

    def _save(self, old: Pin, block: int, hash_: str, change: Change, origin: Origin, words: str) -> None:
        number, weights = old.number + 1, change.weights
        self._pins.save(Pin(old.genesis, block, hash_, number, weights, origin, words, block, hash_))

    def _remember(self, number: int, hash_: str) -> None:
        self._final[number] = hash_
        while len(self._final) > _KEPT:
            self._final.popitem(last=False)

    def _lie(self, words: str) -> NoReturn:
        """Leave a node that keeps votes which are none."""
        asked, said, fix = self._left(words)
        error = _Lied(self._distrust, why=said, fix=fix)
        error.node = asked
        raise error

    def _other_history(self, words: str) -> NoReturn:
        _, said, fix = self._left(words)
        raise OtherHistory(self._distrust, why=said, fix=fix)

    def _left(self, words: str) -> tuple[str, str, str]:
        """(a node that gave an answer which cannot be so, what is said of it, what happens now); it is left."""
        asked, fix = self._node.distrusted(words)
        return asked, f"asked {asked} what makes blocks final: {words}", fix
