"""The socket of a chain with named accounts and memos (`valtrac.ports.Custody`) over BitShares nodes.

Nothing is cached but the time stamps of irreversible blocks. What a node says of blocks is only trusted up to its last
irreversible one; `block` reads others twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from valtrac.chains import graphene_answers as answers
from valtrac.chains.answers import Missing, Untrusted
from valtrac.chains.graphene_answers import CORE, Member, Tip
from valtrac.chains.graphene_blocks import touching
from valtrac.chains.graphene_payments import MOST_PAYMENTS, check_accounts, check_payments, decoded, opened
from valtrac.chains.graphene_rpc import DATABASE, Rpc, RpcError
from valtrac.domain.chain import (
    Account,
    BlockView,
    DecodedTx,
    Delegate,
    Head,
    Identity,
    Limits,
    Named,
    Outcome,
    Payment,
    SealedMemo,
    TransferBlock,
)
from valtrac.domain.money import BTS
from valtrac.domain.text import plain
from valtrac.errors import ChainUnreachable, Refused, ValtracError

if TYPE_CHECKING:
    from valtrac.chains.graphene_keys import Keys
    from valtrac.chains.graphene_tx import Move

T = TypeVar("T")
MOST_FEE_UNITS = 100 * 10**5  # a payment costs less than 1 BTS; a node that asks for more than 100 is not believed
_PAGE = 100
_TIMES = 4_096


class BitSharesChain:
    """`valtrac.ports.Custody` over the nodes of one chain; addresses are account ids ("1.2.17").

    keys: those that memos are read with, None while locked. Balances are the node's, as of its head with what waits in
    its pool, whatever block was asked for: a node keeps no others. There are no nonces: they are always 0.
    """

    asset, counts_nonces = BTS, False

    def __init__(self, rpc: Rpc, *, network: str, on_close: Callable[[], None] = lambda: None) -> None:
        self.rpc = rpc
        self.network = network
        self.keys: Keys | None = None
        self._on_close = on_close
        self._last = 0
        self._times: dict[int, datetime] = {}

    def identity(self) -> Identity:
        """Which chain the node serves, as it says now."""

        def read() -> Identity:
            found = self.rpc.call(DATABASE, "get_chain_properties")["chain_id"]
            if not isinstance(found, str) or len(bytes.fromhex(found)) != 32:
                raise Untrusted("the chain's id is none")
            return Identity(self.network, found.lower(), 0)

        return self._ask("its chain", read)

    def finalized(self) -> Head:
        """The last irreversible block; its id stands in the block after it."""

        def read() -> Head:
            tip = self._tip()
            return self._head(tip.last, answers.present(self._header(tip.last), f"block {tip.last}"))

        return self._ask("the last irreversible block", read)

    def block(self, number: int) -> BlockView:
        """A block with the ids of its transactions; "" for one that holds anything but transfers."""
        from valtrac.chains import graphene_tx

        def read() -> BlockView:
            head, found = self._block(number)
            return BlockView(head, tuple(graphene_tx.tx_id_of(trx) for trx in found["transactions"]))

        return self._ask(f"block {number}", read)

    def account(self, address: str, at: Head) -> Account:
        """The balance now: at the node's head, not at the block asked for."""
        check_accounts([address])

        def read() -> Account:
            return Account(0 if self._objects([address])[0] is None else self._balance(address), 0)

        return self._ask("a balance", read)

    def swaps_announced(self, addresses: Sequence[str], at: Head) -> frozenset[str]:
        """Nobody: accounts here have names, and their keys are their own matter."""
        check_accounts(addresses)
        return frozenset()

    def next_index(self, address: str) -> int:
        """Always 0: there are no nonces."""
        return 0

    def limits(self) -> Limits:
        """What one transaction may hold here; nothing has to stay in an account."""
        return Limits(0, MOST_PAYMENTS)

    def delegate(self, hotkey: str, at: Head) -> Delegate | None:
        """Nobody is one here."""
        return None

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """Satoshi of one transaction, exactly: a memo costs by its length, and is only sent where it can be sealed."""
        from valtrac.chains import graphene_tx

        check_payments(payments)
        check_accounts([signer])

        def read() -> int:
            members = self.members([signer, *(payment.address for payment in payments)])
            own = members[signer].memo_key
            moves = []
            for payment in payments:
                other = members[payment.address]
                has = payment.memo and other.takes_memos
                memo = graphene_tx.placeholder(payment.memo, sender_key=own, receiver_key=other.memo_key)
                moves.append(graphene_tx.Move(signer, payment.address, payment.units, memo if has else None))
            return sum(self.fees(moves))

        return self._ask("a fee", read)

    def over(self, valid_until: int, number: int) -> bool:
        """Whether this block is irreversible and stamped after an expiration (seconds since 1970).

        A block may hold what expires at or after the time of the block before it, so the first irreversible block
        stamped later is the last that has to be read.
        """

        def read() -> bool:
            if number > self._last and number > self._tip().last:
                return False
            at = self._times.get(number)
            if at is None:
                at = answers.moment(answers.present(self._header(number), f"block {number}")["timestamp"])
                self._remember(number, at)
            return at.timestamp() > valid_until

        return self._ask(f"the time of block {number}", read)

    def signer(self, raw: bytes) -> str | None:
        """The account that pays in these bytes; None where that cannot be said."""
        from valtrac.chains import graphene_tx

        return graphene_tx.signer_of(raw)

    def decode(self, raw: bytes) -> DecodedTx:
        """Read back from its bytes alone. Memos are opened where keys are at hand, else their words are "".

        ValueError also where a memo is not sealed for its keys.
        """
        return decoded(raw, self.keys)

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """A transaction that stands in a block was carried out, all of it; that block must be the one named."""
        from valtrac.chains import graphene_tx

        def read() -> Outcome | None:
            head, found = self._block(at.number)
            if head != at:
                raise Untrusted("it has another block at that height by now")
            for trx in found["transactions"]:
                if tx_id and graphene_tx.tx_id_of(trx) == tx_id:
                    fees = [answers.core_units(op["fee"], "a fee") for _, op in trx["operations"]]
                    return Outcome((True,) * len(fees), sum(fees))
            return None

        return self._ask(f"block {at.number}", read)

    def named(self, names: Sequence[str]) -> dict[str, Named]:
        """name -> account, as the node says now."""

        def read() -> dict[str, Named]:
            found = dict[str, Named]()
            for page in _pages(names):
                objects = self.rpc.call(DATABASE, "lookup_account_names", page)
                for name, value in zip(page, answers.listed(objects, len(page), "the accounts"), strict=True):
                    if value is not None:
                        found[name] = answers.member(value).named
                        if found[name].name != name:
                            raise Untrusted(f"asked for {plain(name, 40)}, got {plain(found[name].name, 40)}")
            return found

        return self._ask("accounts", read)

    def accounts(self, ids: Sequence[str]) -> dict[str, Named]:
        """id -> account, as the node says now."""
        check_accounts(ids)
        return self._ask("accounts", lambda: {id_: one.named for id_, one in self._members(ids).items()})

    def transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        """Blocks in order, as fast as the node sends them; only what touches the account is looked into."""
        check_accounts([account])
        return self._transfers(first, last, account)

    def holding(self, account: str) -> tuple[int, int]:
        """(the newest block, satoshi that the account held a moment before, with what waits in the pool)."""
        check_accounts([account])

        def read() -> tuple[int, int]:
            units = self._balance(account)
            return self._tip().head, units

        return self._ask("a balance", read)

    def read_memo(self, memo: SealedMemo) -> str:
        """The words, by the keys at hand. Raises NoKey or Unreadable."""
        return opened(memo, self.keys)

    def close(self) -> None:
        """Let go of the connection, and of the rehearsal node where this process serves it. Idempotent."""
        self.keys = None
        self.rpc.close()
        done, self._on_close = self._on_close, lambda: None
        with contextlib.suppress(Exception):
            done()

    # For the payer on the same node

    def member(self, name: str) -> Member | None:
        """An account by name with its keys, as the node says now."""

        def read() -> Member | None:
            (value,) = answers.listed(self.rpc.call(DATABASE, "lookup_account_names", [name]), 1, "the account")
            found = None if value is None else answers.member(value)
            if found is not None and found.named.name != name:
                raise Untrusted(f"asked for {plain(name, 40)}, got {plain(found.named.name, 40)}")
            return found

        return self._ask("an account", read)

    def members(self, ids: Sequence[str]) -> dict[str, Member]:
        """id -> account. Raises Refused where one does not exist: nothing can be paid to it."""
        found = self._ask("accounts", lambda: self._members(ids))
        lacking = [id_ for id_ in ids if id_ not in found]
        if lacking:
            raise Refused(
                f"the chain has no account {plain(lacking[0], 40)}", "nothing was signed", "mend the payment's address"
            )
        return found

    def fees(self, moves: Sequence[Move]) -> list[int]:
        """Satoshi for each transfer, as the node asks for them."""
        from valtrac.chains import graphene_tx

        def read() -> list[int]:
            operations = graphene_tx.operations_of(moves, [0] * len(moves))
            found = answers.listed(self.rpc.call(DATABASE, "get_required_fees", operations, CORE), len(moves), "fees")
            fees = [answers.core_units(fee, "a fee") for fee in found]
            if max(fees) > MOST_FEE_UNITS:
                raise Untrusted(f"a fee of {max(fees)} satoshi for one transfer")
            return fees

        return self._ask("a fee", read)

    def birth(self) -> tuple[Head, datetime, str]:
        """(the last irreversible block, the time of the head block, the chain's id): what a signature stands on."""
        chain_id = self.identity().genesis_hash

        def read() -> tuple[Head, datetime, str]:
            tip = self._tip()
            head = self._head(tip.last, answers.present(self._header(tip.last), f"block {tip.last}"))
            if tip.time < head.at:
                raise Untrusted("its head is older than its last irreversible block")
            return head, tip.time, chain_id

        return self._ask("what is needed to sign", read)

    # Inside

    def _ask(self, what: str, question: Callable[[], T]) -> T:
        """The answer, or ChainUnreachable: no reply, an error of the node's, or an answer that cannot be so."""
        try:
            return question()
        except ValtracError:
            raise
        except RpcError as error:
            raise ChainUnreachable(
                f"the {self.network} node did not tell {what}", str(error), "check the node, then try again"
            ) from error
        except Missing as error:
            raise ChainUnreachable(
                f"the {self.network} node does not have {what}", plain(error), "wait for it, or ask another node"
            ) from error
        except Exception as error:
            raise ChainUnreachable(
                f"the {self.network} node answered with something that cannot be trusted",
                f"asked for {what}: {plain(error)}",
                "ask another node",
            ) from error

    def _tip(self) -> Tip:
        found = answers.tip(self.rpc.call(DATABASE, "get_dynamic_global_properties"))
        self._last = max(self._last, found.last)
        return found

    def _balance(self, account: str) -> int:
        (found,) = answers.listed(self.rpc.call(DATABASE, "get_account_balances", account, [CORE]), 1, "the balances")
        return answers.core_units(found, "a balance")

    def _header(self, number: int) -> Any:
        return self.rpc.call(DATABASE, "get_block_header", number)

    def _head(self, number: int, header: Any) -> Head:
        """A block's own id stands in the one after it, or with the head."""
        after = self._header(number + 1)
        if after is not None:
            own = answers.block_id(after["previous"], number)
        else:
            tip = self._tip()
            if tip.head != number:
                raise Missing(f"it has no block {number + 1}")
            own = tip.head_id
        at = answers.moment(header["timestamp"])
        if number <= self._last:
            self._remember(number, at)
        return Head(number, own, answers.block_id(header["previous"], number - 1), at)

    def _block(self, number: int) -> tuple[Head, Any]:
        """A block with its head, of one branch: one that is not irreversible is read again after its id."""
        if number < 1:
            raise Missing("blocks are counted from 1")
        found = answers.present(self.rpc.call(DATABASE, "get_block", number), f"block {number}")
        if not isinstance(found["transactions"], list):
            raise Untrusted("a block without transactions")
        head = self._head(number, found)
        if number > self._last and self.rpc.call(DATABASE, "get_block", number) != found:
            raise Untrusted(f"block {number} was replaced in between")
        return head, found

    def _remember(self, number: int, at: datetime) -> None:
        if len(self._times) >= _TIMES:
            self._times.clear()
        self._times[number] = at

    def _objects(self, ids: Sequence[str]) -> list[Any]:
        return [
            value
            for page in _pages(ids)
            for value in answers.listed(self.rpc.call(DATABASE, "get_objects", page), len(page), "the objects")
        ]

    def _members(self, ids: Sequence[str]) -> dict[str, Member]:
        wanted = list(dict.fromkeys(ids))
        found = {
            id_: answers.member(value)
            for id_, value in zip(wanted, self._objects(wanted), strict=True)
            if value is not None
        }
        for id_, one in found.items():
            if one.named.id != id_:
                raise Untrusted(f"asked for {id_}, got {one.named.id}")
        return found

    def _transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        before: datetime | None = None
        blocks = self.rpc.stream("get_block", ((number,) for number in range(first, last + 1)))
        try:
            for number in range(first, last + 1):
                block = self._ask(f"block {number}", lambda: next(blocks))
                found = self._ask(f"block {number}", lambda: touching(block, number, account, before))  # noqa: B023
                yield found
                before = found.at
        finally:
            blocks.close()  # type: ignore[attr-defined]  # it is a generator


def _pages(values: Sequence[str]) -> Iterator[list[str]]:
    whole = list(values)
    return (whole[start : start + _PAGE] for start in range(0, len(whole), _PAGE))
