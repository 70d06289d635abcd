"""Ethereum through one group of providers, as the payment door sees it: TBTC is what it counts, and a wallet's numbers
are what its transactions spend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from valtrac.chains.asking import Asker, Errors
from valtrac.chains.ethereum import abi, calls
from valtrac.chains.ethereum.answers import NodeSaid, Reverted, answer_of, bytes_of, hash_of, head_of, result_of, whole
from valtrac.chains.ethereum.providers import Failover
from valtrac.chains.ethereum.transactions import Envelope, opened, signed_bytes
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.chain import BlockView, DecodedTx, Head, Identity, Limits, Outcome, Payment, Rival
from valtrac.core.errors import Refused
from valtrac.core.keeps import GasNow, GasPaid
from valtrac.core.money import TBTC, Asset
from valtrac.core.text import plain

T = TypeVar("T")
FOR_EVER = 2**62
ANOTHER_CALL = -1  # in the place of what a call may take: it is none of ours, which may take nothing
BATCH = 100


class EthereumChain(Asker):
    """`PayingChain`, `NumberedWallet` and `SpentCoins`.

    wallet, token: addresses; chain_id: that every provider has to serve; final_depth: blocks after which one counts as
    final.
    """

    errors_told: ClassVar[Errors] = (NodeSaid,)
    malformed: ClassVar[Errors] = (KeyError, TypeError, IndexError, AttributeError, ValueError)

    def __init__(
        self, failover: Failover, *, network: str, chain_id: int, wallet: str, token: str, final_depth: int
    ) -> None:
        super().__init__(network, failover.timeout_s)
        self.failover = failover
        self.chain_id, self.wallet, self.token = chain_id, wallet.lower(), token.lower()
        self.final_depth = final_depth
        self._genesis = ""

    def distrust(self) -> str:
        """Ask whoever told something last after all others of the group for a while; its name."""
        return self.failover.distrust()

    def distrusted(self, why: str) -> tuple[str, str]:
        """(whoever told it, what happens): the others of the group are asked before it from now on."""
        return self.distrust(), "the next provider is asked from now on; replace this one if it lasts"

    @property
    def asset(self) -> Asset:
        """TBTC."""
        return TBTC

    def ask(self, what: str, read: Callable[[], T]) -> T:
        """Ask, with whatever goes wrong in words. Raises ChainUnreachable."""
        with self.in_words(what):
            return read()

    def rpc(self, method: str, *params: Any) -> Any:
        """One answer. Raises NodeSaid, Reverted, NobodyAnswers."""
        return result_of(self.failover.make_request(method, list(params)))  # type: ignore[arg-type]

    def many(self, questions: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Answers to many questions, a hundred a time; a Reverted in the place of each call that the contract refuses.
        Raises NodeSaid where a node says no to any other."""
        answers: list[Any] = []
        for start in range(0, len(questions), BATCH):
            some = [(method, list(params)) for method, params in questions[start : start + BATCH]]
            for given in self.failover.make_batch_request(some):  # type: ignore[arg-type]
                try:
                    answers.append(result_of(given))
                except Reverted as reverted:
                    answers.append(reverted)
        return answers

    def identity(self) -> Identity:
        """The chain by the hash of its first block. Raises Refused where a provider serves another chain."""

        def read() -> tuple[int, str]:
            genesis = self._genesis or hash_of(self.told(0)["hash"])
            return whole(self.rpc("eth_chainId")), genesis

        chain_id, self._genesis = self.ask("which chain it serves", read)
        if chain_id != self.chain_id:
            raise Refused(
                f"the {self.network} node serves chain {chain_id}, not {self.chain_id}",
                why="a transaction that is signed for one chain is worth nothing on another",
                fix="name another node",
            )
        return Identity(self.network, self._genesis, 0)

    def tip(self) -> Head:
        """The newest block, which may still be undone."""
        return self.ask("its newest block", lambda: head_of(self.told("latest")))

    def finalized(self) -> Head:
        """The newest block that lies deep enough."""

        def read() -> Head:
            newest = whole(self.told("latest")["number"])
            return head_of(self.told(max(0, newest - self.final_depth)))

        return self.ask("its final block", read)

    def block(self, number: int) -> BlockView:
        """A block with the ids of its transactions, and none of their bytes."""

        def read() -> BlockView:
            told = self.told(number)
            return BlockView(head_of(told), tuple(hash_of(each) for each in told["transactions"]))

        return self.ask(f"block {number}", read)

    def head(self, number: int) -> Head:
        """A block by height, as the chain has it now."""
        return self.block(number).head

    def balance(self, address: str, at: Head) -> int:
        """TBTC of an address at a block, in wei."""
        return int(self.ask("a balance", lambda: self.call(self.token, "balanceOf", address, at=at.number)))

    def ether(self, address: str, at: Head) -> int:
        """Ether of an address at a block, in wei."""
        return self.ask("a balance", lambda: whole(self.rpc("eth_getBalance", address, hex(at.number))))

    def allowance(self, owner: str, spender: str, at: Head) -> int:
        """TBTC that a spender may take of an owner, in wei."""
        return int(self.ask("an allowance", lambda: self.call(self.token, "allowance", owner, spender, at=at.number)))

    def left_between(self, address: str, before: Head, after: Head) -> int | None:
        """None: several transactions of a wallet may stand in one block."""
        return None

    def limits(self) -> Limits:
        """One call a transaction; a call may move nothing."""
        return Limits(0, 1, 0)

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """0: what the network takes is ether, and not TBTC."""
        return 0

    def until(self, valid_until: int) -> str:
        """It lives until its number is used."""
        return "its number is used"

    def over(self, valid_until: int, number: int) -> bool:
        """Never: only another transaction with its number ends it."""
        return False

    def decode(self, raw: bytes) -> DecodedTx:
        """The call of a transaction of ours, read back from what was signed. Asks no node."""
        envelope = Envelope.of(raw)
        tx = opened(envelope.signed)
        if tx.chain_id != self.chain_id:
            raise ValueError("a transaction for another chain")
        payment = Payment(tx.to, envelope.units, calls.described(tx.data, tx.value))
        return DecodedTx(tx.tx_id, tx.signer, tx.nonce, 0, 0, (payment,), True, FOR_EVER)

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """What became of a transaction of that block, and the TBTC that left the wallet by it."""

        def read() -> Outcome | None:
            receipt = self.rpc("eth_getTransactionReceipt", tx_id)
            if receipt is None:
                return None
            if hash_of(receipt["blockHash"]) != at.hash or hash_of(receipt["transactionHash"]) != tx_id:
                raise Untrusted("a receipt of another block, or of another transaction")
            status = whole(receipt["status"])
            if status not in (0, 1):
                raise Untrusted(f"a receipt with status {status}")
            if status == 0:
                return Outcome((False,), None, self._why(tx_id, at))
            return Outcome((True,), None, taken=self._taken(receipt["logs"]))

        return self.ask("a receipt", read)

    def gas_paid(self, tx_id: str) -> GasPaid | None:
        """The ether that a transaction took; None while no block holds it."""

        def read() -> GasPaid | None:
            receipt = self.rpc("eth_getTransactionReceipt", tx_id)
            if receipt is None:
                return None
            return GasPaid(whole(receipt["gasUsed"]), whole(receipt["effectiveGasPrice"]))

        return self.ask("a receipt", read)

    def gas(self) -> GasNow:
        """What gas costs now."""

        def read() -> GasNow:
            base = whole(self.told("latest")["baseFeePerGas"])
            return GasNow(base, whole(self.rpc("eth_maxPriorityFeePerGas")))

        return self.ask("the price of gas", read)

    def nonce(self, address: str, at: Head) -> int:
        """How many transactions of an account the chain counts at a block."""
        return self.ask(
            "an account's number", lambda: whole(self.rpc("eth_getTransactionCount", address, hex(at.number)))
        )

    def next_index(self, address: str) -> int:
        """The next number, those that wait counted."""
        return self.ask(
            "an account's next number", lambda: whole(self.rpc("eth_getTransactionCount", address, "pending"))
        )

    def rival(self, raw: bytes, first: int, last: int) -> Rival | None:
        """The transaction that used the number of this one, in a block after `first` up to `last`; where it makes the
        very same call, it is told to pay the same."""
        envelope = Envelope.of(raw)
        ours = opened(envelope.signed)
        if self.nonce(ours.signer, self.head(last)) <= ours.nonce:
            return None
        number = self._block_that_used(ours.signer, ours.nonce, first, last)

        def read() -> Rival | None:
            told = self.told(number, whole_transactions=True)
            for each in told["transactions"]:
                if str(each["from"]).lower() != ours.signer or whole(each["nonce"]) != ours.nonce:
                    continue
                signed = signed_bytes(each)
                other = opened(signed)
                if other.tx_id == ours.tx_id or other.signer != ours.signer:
                    return None
                same = (other.to, other.value, other.data) == (ours.to, ours.value, ours.data)
                return Rival(
                    other.tx_id,
                    head_of(told),
                    Envelope(signed, envelope.units if same else ANOTHER_CALL, envelope.born).packed(),
                )
            raise Untrusted(f"block {number} used the number {ours.nonce} and shows no transaction with it")

        return self.ask(f"the transactions of block {number}", read)

    def _block_that_used(self, wallet: str, nonce: int, first: int, last: int) -> int:
        """The block in which a number was used, found by halves."""
        low, high = first, last
        while high - low > 1:
            middle = (low + high) // 2
            if self.nonce(wallet, self.head(middle)) > nonce:
                high = middle
            else:
                low = middle
        return high

    def paid_by(self, raw: bytes) -> list[tuple[str, int]]:
        """The contract that is called, and the TBTC that may leave by it. Asks no node."""
        envelope = Envelope.of(raw)
        return [(opened(envelope.signed).to, envelope.units)]

    def release(self, raw: bytes) -> None:
        """Nothing: a number that was not used is used by the next one."""

    def call(self, to: str, name: str, *values: Any, at: int | str = "latest") -> Any:
        """What a contract answers. Raises Reverted where it says no, Untrusted where it is no such contract."""
        asked = {"to": to, "data": "0x" + abi.encoded(name, *values).hex()}
        where = hex(at) if isinstance(at, int) else at
        return answer_of(name, self.rpc("eth_call", asked, where))

    def refusal(self, to: str, text: str, *, at: int | str = "latest") -> str:
        """Why a contract would say no to a call by the wallet now, or ""."""
        asked = {"from": self.wallet, "to": to, "data": "0x" + calls.encoded(text).hex(), "gas": hex(3_000_000)}
        asked |= {"value": hex(wei)} if (wei := calls.ether(text)) else {}
        where = hex(at) if isinstance(at, int) else at

        def read() -> str:
            try:
                self.rpc("eth_call", asked, where)
            except Reverted as reverted:
                return plain(reverted) or "without a reason"
            return ""

        return self.ask("what a contract would say", read)

    def close(self) -> None:
        """Let go of the connections."""
        self.failover.close()

    def told(self, number: int | str, *, whole_transactions: bool = False) -> Any:
        """A block as a node tells it. Raises Missing, Untrusted."""
        asked = hex(number) if isinstance(number, int) else number
        told = self.rpc("eth_getBlockByNumber", asked, whole_transactions)
        if told is None:
            raise Missing(f"block {number}")
        if isinstance(number, int) and whole(told["number"]) != number:
            raise Untrusted(f"block {whole(told['number'])} in place of {number}")
        return told

    def _taken(self, logs: Any) -> int:
        """TBTC that left the wallet, less what came back, by the token's own events."""
        left = 0
        for log in logs:
            if str(log["address"]).lower() != self.token or log["topics"][:1] != [abi.topic("Transfer")]:
                continue
            moved = abi.event("Transfer", list(log["topics"]), bytes_of(log["data"]))
            left += moved["value"] * ((moved["from"] == self.wallet) - (moved["to"] == self.wallet))
        return max(0, left)  # where TBTC was minted, some came in

    def _why(self, tx_id: str, at: Head) -> str:
        """Why a transaction failed, as far as the contract says when it is asked once more."""
        told = self.rpc("eth_getTransactionByHash", tx_id)
        asked = {"from": told["from"], "to": told["to"], "data": told["input"], "gas": told["gas"]}
        try:
            self.rpc("eth_call", asked, hex(at.number - 1))
        except (Reverted, NodeSaid) as error:
            return plain(error) or "it was refused without a reason"
        return "it was refused where it stood in its block"
