"""Reading a BitShares node: what it answers, checked, or ChainUnreachable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from valtrac.chains.asking import Asker, Errors
from valtrac.chains.bitshares import answers, curve
from valtrac.chains.bitshares.answers import CORE, Member, Tip
from valtrac.chains.bitshares.blocks import touching
from valtrac.chains.bitshares.bodies import Forged, Sealed
from valtrac.chains.bitshares.checked import TRIES, CheckedBlocks
from valtrac.chains.bitshares.rpc import DATABASE, Rpc, RpcError
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.chain import Head, Roster, TransferBlock
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.core.text import plain

T = TypeVar("T")
_PAGE = 100
_TIMES = 4_096


class NodeReader(Asker):
    """One node of a network. Nothing is cached but the headers and the time stamps of irreversible blocks.

    second: another node, which has to agree about accounts, and when it is written down for the first time who signs
    blocks.
    """

    passing: ClassVar[Errors] = (ValtracError, Forged)
    errors_told: ClassVar[Errors] = (RpcError,)
    malformed: ClassVar[Errors] = (Exception,)

    def __init__(self, rpc: Rpc, network: str, *, true_from: int = 0) -> None:
        super().__init__(network, rpc.timeout_s)
        self.rpc = rpc
        self.blocks = CheckedBlocks(rpc, true_from=true_from)
        self.second: NodeReader | None = None
        self.final_to = 0  # the newest block that enough witnesses have built on: it may be one below what a node tells
        self.last_irreversible = 0
        self.times: dict[int, datetime] = {}

    def ask(self, what: str, question: Callable[[], T]) -> T:
        """The answer, or ChainUnreachable: no reply, an error of the node's, or an answer that cannot be so.

        A node whose blocks do not fit is left, and the question goes to the next.
        """
        lied: list[str] = []
        while True:
            try:
                with self.in_words(what):
                    return question()
            except Forged as error:
                lied.append(f"{error.node or self.rpc.leave()}: {error}")
                if error.node or len(lied) >= TRIES * len(self.rpc.urls):
                    raise ChainUnreachable(
                        f"what the {self.network} node {lied[-1].partition(':')[0]} says cannot be trusted",
                        why=plain(f"asked for {what}: {'; '.join(lied)}", 400),
                        fix="ask another node: name several in VALTRAC_BITSHARES_NODES",
                    ) from error

    def tip(self) -> Tip:
        """Where the node stands now."""
        tip = answers.tip(self.rpc.call(DATABASE, "get_dynamic_global_properties"))
        self.last_irreversible = max(self.last_irreversible, tip.last)
        self.blocks.newest = tip.head
        return tip

    def core_balance(self, account: str) -> int:
        """Satoshi of the core asset."""
        (balance,) = answers.listed(self.rpc.call(DATABASE, "get_account_balances", account, [CORE]), 1, "the balances")
        return answers.core_units(balance, "a balance")

    def header_of(self, number: int) -> Any:
        """A block's header as the node sends it, None where it has none."""
        return self.rpc.call(DATABASE, "get_block_header", number)

    def irreversible(self) -> tuple[Head, Tip]:
        """The last block that can no longer be undone, and where the node stands.

        It is the one that the node tells, or one before it where fewer witnesses have built on that than the chain
        asks for. Raises Forged where there is none, or where the node contradicts itself about it.
        """
        tip = self.tip()
        told = answers.present(self.header_of(tip.last), f"block {tip.last}")
        self.begin()
        try:
            head = self.blocks.final(tip.last)
        except Forged:
            earlier = self.blocks.newest_final(tip.last)
            if earlier is None:
                self.blocks.catch_up(tip.last)
            head = earlier or self.blocks.final(tip.last)
        if head.number == tip.last and (told["previous"], answers.moment(told["timestamp"])) != (
            head.previous,
            head.at,
        ):
            raise Forged(f"it tells two different blocks {tip.last}")
        self.final_to = max(self.final_to, head.number)
        return self._head(head), tip

    def begin(self) -> None:
        """See to it that the start is known: the witnesses and their keys as of the last irreversible block.

        Raises Untrusted where the second node tells others, or another block.
        """
        if self.blocks.begun:
            return
        tip = self.tip()
        keys = self.signing_keys()
        number = tip.last
        own = "" if number < self.blocks.true_from else self.blocks.header(self._raw(number), number).id
        if self.second is not None:
            other = self.second.blocks.header(self.second._raw(number), number).id
            if (keys, own) != (self.second.signing_keys(), other):
                raise Untrusted("the second node tells others who sign blocks, or another irreversible block")
        self.blocks.learn(Roster(number, own, keys))

    def signing_keys(self) -> dict[str, str]:
        """1.6.x -> signing key (66 hex digits) of the witnesses that are elected, as the node says now."""
        active = self.rpc.call(DATABASE, "get_global_properties")["active_witnesses"]
        objects = zip(active, self.objects_of(active), strict=True)
        return {witness: curve.key(witness_object["signing_key"]).hex() for witness, witness_object in objects}

    def whole_block(self, number: int) -> tuple[Head, Any]:
        """A block that fits its header, with its head; of an irreversible one, that witnesses have built on."""
        if number < 1:
            raise Missing("blocks are counted from 1")
        raw_block = self._raw(number)
        self.begin()
        head = self.blocks.whole(raw_block, number)
        if self.final_to < number <= self.last_irreversible:
            self.irreversible()
        if number <= self.final_to:
            self.blocks.vouched(head)
        return self._head(head), raw_block

    def _raw(self, number: int) -> Any:
        return answers.present(self.rpc.call(DATABASE, "get_block", number), f"block {number}")

    def _head(self, head: Sealed) -> Head:
        """As others know a block. The id of one from before witnesses signed stands in the block after it."""
        own = head.id
        if not own:
            after = answers.present(self.header_of(head.number + 1), f"block {head.number + 1}")
            own = answers.block_id(after["previous"], head.number)
        if head.number <= self.last_irreversible:
            self.remember(head.number, head.at)
        return Head(head.number, own, head.previous, head.at)

    def remember(self, number: int, at: datetime) -> None:
        """Keep the time of an irreversible block."""
        if len(self.times) >= _TIMES:
            self.times.clear()
        self.times[number] = at

    def objects_of(self, ids: Sequence[str]) -> list[Any]:
        """Objects by their ids, None for those that do not exist."""
        return [
            value
            for page in pages(ids)
            for value in answers.listed(self.rpc.call(DATABASE, "get_objects", page), len(page), "the objects")
        ]

    def members_of(self, ids: Sequence[str]) -> dict[str, Member]:
        """id -> account, of those that exist."""
        wanted = list(dict.fromkeys(ids))
        members = {
            id_: answers.member(value)
            for id_, value in zip(wanted, self.objects_of(wanted), strict=True)
            if value is not None
        }
        for id_, member in members.items():
            if member.named.id != id_:
                raise Untrusted(f"asked for {id_}, got {member.named.id}")
        return members

    def members_named(self, names: Sequence[str]) -> dict[str, Member]:
        """name -> account, of those that exist."""
        members = dict[str, Member]()
        for page in pages(names):
            objects = self.rpc.call(DATABASE, "lookup_account_names", page)
            for name, value in zip(page, answers.listed(objects, len(page), "the accounts"), strict=True):
                if value is not None:
                    members[name] = answers.member(value)
                    told = members[name].named.name
                    if told != name:
                        raise Untrusted(f"asked for {plain(name, 40)}, got {plain(told, 40)}")
        return members

    def agreed(self, question: Callable[[NodeReader], dict[str, Member]]) -> dict[str, Member]:
        """Accounts as this node tells them, and the second one, too: no block shows whose account a name is, and which
        keys it has. Raises ChainUnreachable where they differ."""
        told = self.ask("accounts", lambda: question(self))
        second = self.second
        if second is None:
            return told
        other = second.ask("accounts", lambda: question(second))
        differing = sorted(key for key in told.keys() | other.keys() if told.get(key) != other.get(key))
        if differing:
            raise ChainUnreachable(
                f"two nodes tell different things of the account {plain(differing[0], 70)}",
                why="its number, its membership or its keys: one of the two lies or is behind",
                fix="wait a minute; if they still differ, find out which, and take the other out of the settings",
            )
        return told

    def read_transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        """Blocks in order with the transfers of one account in them."""
        self.ask("who signs blocks", self.begin)
        if self.final_to < last:
            self.ask("the last irreversible block", self.irreversible)
        blocks = self.blocks.read(first, last, self.final_to)
        by = self.blocks.signers
        for number in range(first, last + 1):
            head, block = self.ask(f"block {number}", lambda: next(blocks))
            yield self.ask(f"block {number}", lambda: touching(block, head, account, by))  # noqa: B023


def pages(values: Sequence[str]) -> Iterator[list[str]]:
    """The values in parts that a node takes at once."""
    whole = list(values)
    return (whole[start : start + _PAGE] for start in range(0, len(whole), _PAGE))
