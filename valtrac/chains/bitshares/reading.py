"""Reading a BitShares node: what it answers, checked, or ChainUnreachable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from valtrac.chains.bitshares import answers
from valtrac.chains.bitshares.answers import CORE, Member, Tip
from valtrac.chains.bitshares.blocks import touching
from valtrac.chains.bitshares.rpc import DATABASE, Rpc, RpcError
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.chain import Head, TransferBlock
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.core.text import plain

T = TypeVar("T")
_PAGE = 100
_TIMES = 4_096


class NodeReader:
    """One node of a network. Nothing is cached but the time stamps of irreversible blocks."""

    def __init__(self, rpc: Rpc, network: str) -> None:
        self.rpc = rpc
        self.network = network
        self.last_irreversible = 0
        self.times: dict[int, datetime] = {}

    def ask(self, what: str, question: Callable[[], T]) -> T:
        """The answer, or ChainUnreachable: no reply, an error of the node's, or an answer that cannot be so."""
        try:
            return question()
        except ValtracError:
            raise
        except RpcError as error:
            raise ChainUnreachable(
                f"the {self.network} node did not tell {what}", why=str(error), fix="check the node, then try again"
            ) from error
        except Missing as error:
            raise ChainUnreachable(
                f"the {self.network} node does not have {what}",
                why=plain(error),
                fix="wait for it, or ask another node",
            ) from error
        except Exception as error:
            raise ChainUnreachable(
                f"the {self.network} node answered with something that cannot be trusted",
                why=f"asked for {what}: {plain(error)}",
                fix="ask another node",
            ) from error

    def tip(self) -> Tip:
        """Where the node stands now."""
        tip = answers.tip(self.rpc.call(DATABASE, "get_dynamic_global_properties"))
        self.last_irreversible = max(self.last_irreversible, tip.last)
        return tip

    def core_balance(self, account: str) -> int:
        """Satoshi of the core asset."""
        (balance,) = answers.listed(self.rpc.call(DATABASE, "get_account_balances", account, [CORE]), 1, "the balances")
        return answers.core_units(balance, "a balance")

    def header_of(self, number: int) -> Any:
        """A block's header as the node sends it, None where it has none."""
        return self.rpc.call(DATABASE, "get_block_header", number)

    def head_of(self, number: int, header: Any) -> Head:
        """A block's own id stands in the one after it, or with the head."""
        after = self.header_of(number + 1)
        if after is not None:
            own = answers.block_id(after["previous"], number)
        else:
            tip = self.tip()
            if tip.head != number:
                raise Missing(f"it has no block {number + 1}")
            own = tip.head_id
        at = answers.moment(header["timestamp"])
        if number <= self.last_irreversible:
            self.remember(number, at)
        return Head(number, own, answers.block_id(header["previous"], number - 1), at)

    def whole_block(self, number: int) -> tuple[Head, Any]:
        """A block with its head, of one branch: one that is not irreversible is read again after its id."""
        if number < 1:
            raise Missing("blocks are counted from 1")
        raw_block = answers.present(self.rpc.call(DATABASE, "get_block", number), f"block {number}")
        if not isinstance(raw_block["transactions"], list):
            raise Untrusted("a block without transactions")
        head = self.head_of(number, raw_block)
        if number > self.last_irreversible and self.rpc.call(DATABASE, "get_block", number) != raw_block:
            raise Untrusted(f"block {number} was replaced in between")
        return head, raw_block

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

    def read_transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        """Blocks in order with the transfers of one account in them."""
        before: datetime | None = None
        blocks = self.rpc.stream("get_block", ((number,) for number in range(first, last + 1)))
        try:
            for number in range(first, last + 1):
                block = self.ask(f"block {number}", lambda: next(blocks))
                transfers = self.ask(f"block {number}", lambda: touching(block, number, account, before))  # noqa: B023
                yield transfers
                before = transfers.at
        finally:
            blocks.close()  # type: ignore[attr-defined]  # it is a generator


def pages(values: Sequence[str]) -> Iterator[list[str]]:
    """The values in parts that a node takes at once."""
    whole = list(values)
    return (whole[start : start + _PAGE] for start in range(0, len(whole), _PAGE))
