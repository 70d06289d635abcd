"""The socket of a chain with named accounts and memos (`valtrac.ports.CustodianChain`) over BitShares nodes.

Nothing is cached but headers and time stamps of irreversible blocks. What a node says of blocks has to fit their
headers, and what it says of irreversible ones the signatures of the chain's witnesses (`checked.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from valtrac.chains.bitshares import answers, marked, slots
from valtrac.chains.bitshares.answers import CORE, Authority, Member
from valtrac.chains.bitshares.bodies import Forged
from valtrac.chains.bitshares.payments import MOST_PAYMENTS, check_accounts, check_payments, decoded, opened
from valtrac.chains.bitshares.reading import NodeReader
from valtrac.chains.bitshares.rpc import DATABASE, Rpc
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import (
    BlockView,
    DecodedTx,
    Head,
    Identity,
    Limits,
    Named,
    Outcome,
    Payment,
    SealedMemo,
    TransferBlock,
)
from valtrac.core.errors import Refused, Unpayable
from valtrac.core.money import BTS
from valtrac.core.text import plain

if TYPE_CHECKING:
    from valtrac.chains.bitshares.keys import Keys
    from valtrac.chains.bitshares.transactions import Move

MOST_DEPTH = 2  # accounts that act for accounts that act for one, as the chain allows it
MOST_FEE_UNITS = 100 * 10**5  # a payment costs less than 1 BTS; a node that asks for more than 100 is not believed


class BitSharesChain(NodeReader):
    """`valtrac.ports.CustodianChain` over the nodes of one chain; addresses are account ids ("1.2.17").

    keys: those that memos are read with, None while locked. Balances are the node's, as of its head with what waits in
    its pool, whatever block was asked for: a node keeps no others. There are no nonces: they are always 0.
    """

    asset = BTS

    def __init__(self, rpc: Rpc, *, network: str, true_from: int = 0) -> None:
        super().__init__(rpc, network, true_from=true_from)
        self.slot_s = slots.length_of(network)
        self.keys: Keys | None = None

    def identity(self) -> Identity:
        """Which chain the node serves, as it says now."""

        def read() -> Identity:
            chain_id = self.rpc.call(DATABASE, "get_chain_properties")["chain_id"]
            if not isinstance(chain_id, str) or len(bytes.fromhex(chain_id)) != 32:
                raise Untrusted("the chain's id is none")
            return Identity(self.network, chain_id.lower(), 0)

        return self.ask("its chain", read)

    def finalized(self) -> Head:
        """The last irreversible block, by the signatures of those who have built on it."""
        return self.ask("the last irreversible block", lambda: self.irreversible()[0])

    def block(self, number: int) -> BlockView:
        """A block with the ids of its transactions; "" for one that holds anything but transfers."""
        from valtrac.chains.bitshares import transactions

        def read() -> BlockView:
            head, block = self.whole_block(number)
            return BlockView(head, tuple(transactions.tx_id_of(trx) for trx in block["transactions"]))

        return self.ask(f"block {number}", read)

    def balance(self, address: str, at: Head) -> int:
        """Satoshi now: at the node's head, not at the block asked for."""
        check_accounts([address])

        def read() -> int:
            return 0 if self.objects_of([address])[0] is None else self.core_balance(address)

        return self.ask("a balance", read)

    def left_between(self, address: str, before: Head, after: Head) -> int | None:
        """None: a node keeps no balances of the past."""
        return None

    def limits(self) -> Limits:
        """What one transaction may hold here; nothing has to stay in an account."""
        return Limits(0, MOST_PAYMENTS)

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """Satoshi of one transaction, exactly: a memo costs by its length, and is only sent where it can be sealed. A
        receiver who does not exist costs what one without memos does."""
        from valtrac.chains.bitshares import transactions

        check_payments(payments)
        check_accounts([signer])

        def read() -> int:
            members = self.members_of([signer, *(payment.address for payment in payments)])
            own = self.present(members, [signer])[signer].memo_key
            moves = []
            for payment in payments:
                other, memo = members.get(payment.address), None
                if payment.mark is not None:
                    memo = marked.placeholder(payment, payment.mark, members[signer], other)
                elif payment.memo and other is not None and other.takes_memos:
                    memo = transactions.placeholder(payment.memo, sender_key=own, receiver_key=other.memo_key)
                moves.append(transactions.Move(signer, payment.address, payment.units, memo))
            if all(payment.mark for payment in payments):
                return sum(slots.fee_of(transactions.size_of(move.memo or {})) for move in moves)
            return sum(self.fees(moves))

        return self.ask("a fee", read)

    def until(self, valid_until: int) -> str:
        """The moment at which a transaction expires, by the chain's clock."""
        return f"{datetime.fromtimestamp(valid_until, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def over(self, valid_until: int, number: int) -> bool:
        """Whether this block is irreversible and stamped after an expiration (seconds since 1970).

        A block may hold what expires at or after the time of the block before it, so the first irreversible block
        stamped later is the last that has to be read.
        """

        def read() -> bool:
            if number > self.last_irreversible and number > self.tip().last:
                return False
            made_at = self.times.get(number) or self.whole_block(number)[0].at
            return made_at.timestamp() > valid_until

        return self.ask(f"the time of block {number}", read)

    def decode(self, raw: bytes) -> DecodedTx:
        """Read back from its bytes alone. Memos are opened where keys are at hand, else their words are "".

        ValueError also where a memo is not sealed for its keys.
        """
        return decoded(raw, self.keys)

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """A transaction that stands in a block was carried out, all of it; that block must be the one named."""
        from valtrac.chains.bitshares import transactions

        def read() -> Outcome | None:
            head, block = self.whole_block(at.number)
            if head != at:
                raise Untrusted("it has another block at that height by now")
            for trx in block["transactions"]:
                if tx_id and transactions.tx_id_of(trx) == tx_id:
                    fees = [answers.core_units(op["fee"], "a fee") for _, op in trx["operations"]]
                    return Outcome((True,) * len(fees), sum(fees))
            return None

        return self.ask(f"block {at.number}", read)

    def named(self, names: Sequence[str]) -> dict[str, Named]:
        """name -> account, as both nodes say now."""
        members = self.agreed(lambda node: node.members_named(names))
        return {name: member.named for name, member in members.items()}

    def accounts(self, ids: Sequence[str]) -> dict[str, Named]:
        """id -> account, as both nodes say now."""
        check_accounts(ids)
        return {id_: member.named for id_, member in self.agreed(lambda node: node.members_of(ids)).items()}

    def transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        """Blocks in order, as fast as the node sends them; only what touches the account is looked into."""
        check_accounts([account])
        return self.read_transfers(first, last, account)

    def holding(self, account: str) -> tuple[int, int]:
        """(the newest block, satoshi that the account held a moment before, with what waits in the pool)."""
        check_accounts([account])

        def read() -> tuple[int, int]:
            units = self.core_balance(account)
            return self.tip().head, units

        return self.ask("a balance", read)

    def may_sign(self, account: str, keys: frozenset[str]) -> bool:
        """Whether these keys satisfy an account's active or owner authority, that of others who act for it included."""
        check_accounts([account])

        def satisfied(authority: Authority, depth: int) -> bool:
            weight = sum(each for key, each in authority.keys if key in keys)
            for other, each in authority.accounts if depth else ():
                (told,) = self.objects_of([other])
                if told is not None and satisfied(answers.authorities(told)[0], depth - 1):
                    weight += each
            return weight >= authority.threshold > 0

        def read() -> bool:
            (told,) = self.objects_of([account])
            return told is not None and any(satisfied(each, MOST_DEPTH) for each in answers.authorities(told))

        return bool(keys) and self.ask("the keys of an account", read)

    def read_memo(self, memo: SealedMemo) -> str:
        """The words, by the keys at hand. Raises NoKey or Unreadable."""
        return opened(memo, self.keys)

    def close(self) -> None:
        """Let go of the keys and the connection. Idempotent."""
        self.keys = None
        self.rpc.close()

    # For the payer on the same node

    def member(self, name: str) -> Member | None:
        """An account by name with its keys, as both nodes say now."""
        return self.agreed(lambda node: node.members_named([name])).get(name)

    def members(self, ids: Sequence[str]) -> Mapping[str, Member]:
        """id -> account. Raises Unpayable with those that do not exist: nothing can be paid to them."""
        return self.present(self.agreed(lambda node: node.members_of(ids)), ids)

    @staticmethod
    def present(members: Mapping[str, Member], ids: Sequence[str]) -> Mapping[str, Member]:
        """The same accounts, where all of these are among them. Raises Unpayable with those that are not."""
        lacking = [id_ for id_ in ids if id_ not in members]
        if lacking:
            raise Unpayable(
                f"the chain has no account {plain(lacking[0], 40)}",
                addresses=lacking,
                why="nothing was signed",
                fix="mend the payment's address",
            )
        return members

    def fees(self, moves: Sequence[Move]) -> list[int]:
        """Satoshi for each transfer, as the node asks for them."""
        from valtrac.chains.bitshares import transactions

        def read() -> list[int]:
            operations = transactions.operations_of(moves, [0] * len(moves))
            answer = self.rpc.call(DATABASE, "get_required_fees", operations, CORE)
            required = answers.listed(answer, len(moves), "fees")
            fees = [answers.core_units(fee, "a fee") for fee in required]
            if max(fees) > MOST_FEE_UNITS:
                raise Untrusted(f"a fee of {max(fees)} satoshi for one transfer")
            return fees

        return self.ask("a fee", read)

    def check_fees(self, moves: Sequence[Move], fees: Sequence[int]) -> None:
        """Raise Refused where the node asks for more than these fees: it would refuse them, too."""
        asked = self.fees(moves)
        if any(required > fee for required, fee in zip(asked, fees, strict=True)):
            raise Refused(
                f"the chain asks for {max(asked)} satoshi for a transfer, and this version pays {max(fees)}",
                why="a fee is the same in every copy of this program, whatever a node says",
                fix="nothing was signed; use a newer version",
            )

    def slot(self, read: Head) -> tuple[Head, int, str]:
        """(the block that a transaction refers to, when it expires in seconds since 1970, the chain's id) in the newest
        slot that may be used once this irreversible block was read. Raises NotYet where that is nearly over."""
        chain_id, began = self.identity().genesis_hash, slots.began(read.at, self.slot_s)

        def time_of(number: int) -> int | None:
            header = self.header_of(number)
            return None if header is None else int(answers.moment(header["timestamp"]).timestamp())

        def find() -> Head:
            slots.check_time_left(began, self.slot_s, self.tip().time)
            number = slots.last_before(began, read.number, time_of)
            ref, after = self.whole_block(number)[0], self.whole_block(number + 1)[0]
            first = ref.at.timestamp() > began and self.header_of(number - 1) is None
            if not (first or ref.at.timestamp() <= began < after.at.timestamp()):
                raise Forged(f"its headers say another time than its block {number}")
            return ref

        return self.ask("the block to refer to", find), began + self.slot_s, chain_id

    def birth(self) -> tuple[Head, datetime, str]:
        """(the last irreversible block, the time of the head block, the chain's id): what a signature stands on."""
        chain_id = self.identity().genesis_hash

        def read() -> tuple[Head, datetime, str]:
            head, tip = self.irreversible()
            if tip.time < head.at:
                raise Untrusted("its head is older than its last irreversible block")
            return head, tip.time, chain_id

        return self.ask("what is needed to sign", read)
