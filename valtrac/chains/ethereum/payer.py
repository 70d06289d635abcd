"""An unlocked wallet on Ethereum: signs one call a transaction, at a price that its owner allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from valtrac.chains.ethereum import calls
from valtrac.chains.ethereum.answers import NodeSaid, Reverted
from valtrac.chains.ethereum.node import FOR_EVER, EthereumChain
from valtrac.chains.ethereum.providers import NobodyAnswers
from valtrac.chains.ethereum.transactions import Envelope, Opened, opened
from valtrac.core.chain import Payment, SignedTx
from valtrac.core.errors import NotYet, OutcomeUnknown, Refused, Unpayable, ValtracError
from valtrac.core.text import plain

GWEI = 10**9
KNOWN = ("already known", "already imported", "known transaction", "alreadyknown", "already exists")
USED = ("nonce too low", "nonce is too low", "oldnonce")
# a node takes another one with the same number only for a tenth more, and some want an eighth
STEP_NUM, STEP_DEN = 9, 8
# what a call may use of gas; measured on the contracts, with room: redeeming takes up to 505,000, a proof 409,000
GAS_LIMITS = {
    "approve": 60_000,
    "notifyCourtesyCall": 200_000,
    "exitCourtesyCall": 200_000,
    "provideRedemptionSignature": 250_000,
    "increaseRedemptionFee": 400_000,
    "createDeposit": 2_000_000,
    "retrieveSignerPubkey": 250_000,
}
USUAL_LIMIT = 800_000


class Signer(Protocol):
    """A key in memory."""

    @property
    def address(self) -> str:
        """Whose transactions it signs."""
        ...

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The bytes of a signed transaction."""
        ...


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """What may be paid for gas. cap: the most, in wei; stuck_blocks: after how many blocks one that waits is signed
    anew at a higher price."""

    cap: int
    stuck_blocks: int = 10


def gas_limit(text: str) -> int:
    """What a call may use of gas, by its text."""
    return GAS_LIMITS.get(text.partition("(")[0], USUAL_LIMIT)


class EthereumPayer:
    """`valtrac.ports.ReplacingPayer`."""

    def __init__(self, chain: EthereumChain, key: Signer, gas: GasPolicy, others: Sequence[EthereumChain] = ()) -> None:
        """others: groups of providers that are asked what gas costs, and get what is signed, beside the first."""
        self._chain, self._key, self._gas, self._others = chain, key, gas, tuple(others)

    @property
    def address(self) -> str:
        """The wallet, in lower case."""
        return self._key.address.lower()

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        """One call. Raises Unpayable for what is none, NotYet where gas costs more than is allowed. period: of no use,
        it does not expire."""
        if len(payments) != 1 or payments[0].units < 0:
            raise ValueError("a transaction makes one call")
        (payment,) = payments
        try:
            data, wei = calls.encoded(payment.memo), calls.ether(payment.memo)
        except ValueError as error:
            raise Unpayable(plain(error), addresses=[payment.address]) from error
        price, tip = self._price()
        transaction = {
            "type": 2,
            "chainId": self._chain.chain_id,
            "nonce": nonce,
            "to": payment.address,
            "value": wei,
            "data": data,
            "gas": gas_limit(payment.memo),
            "maxFeePerGas": price,
            "maxPriorityFeePerGas": tip,
        }
        return self._signed(transaction, payment.units)

    def replace(self, waiting: Mapping[int, bytes]) -> dict[int, SignedTx]:
        """The same calls with the same numbers at a higher price, of those whose price is too low, or that have waited
        long."""
        newest = self._chain.tip()
        counted = self._chain.nonce(self.address, newest)
        unmined = {name: Envelope.of(raw) for name, raw in waiting.items()}
        unmined = {name: each for name, each in unmined.items() if opened(each.signed).nonce >= counted}
        if not unmined:
            return {}  # each stands in a block already, or another one does
        base = self._chain.gas().base
        replaced = dict[int, SignedTx]()
        for name, envelope in unmined.items():
            waited = newest.number - envelope.born >= self._gas.stuck_blocks
            if base > opened(envelope.signed).price or waited:
                tx = self._dearer(envelope)
                replaced |= {} if tx is None else {name: tx}
        return replaced

    def _dearer(self, envelope: Envelope) -> SignedTx | None:
        """The same at a higher price; None where nothing higher may be paid."""
        old = opened(envelope.signed)
        try:
            price, tip = self._price()
        except NotYet:
            return None
        price, tip = max(price, _step(old.price)), max(tip, _step(old.tip))
        if price > self._gas.cap:
            return None
        return self._signed(_fields(old) | {"maxFeePerGas": price, "maxPriorityFeePerGas": tip}, envelope.units)

    def broadcast(self, raw: bytes) -> None:
        """Hand signed bytes over to every group of providers: one alone could keep them to itself. Nothing happens
        where the chain has them already. Raises Refused and OutcomeUnknown where none takes them."""
        signed, troubles = Envelope.of(raw).signed, list[ValtracError]()
        for chain in (self._chain, *self._others):
            try:
                self._hand_over(chain, signed)
            except (OutcomeUnknown, Refused) as error:
                troubles.append(error)
        if len(troubles) > len(self._others):
            raise min(troubles, key=lambda error: not isinstance(error, OutcomeUnknown))

    def _hand_over(self, chain: EthereumChain, signed: bytes) -> None:
        tx = opened(signed)
        try:
            told = chain.rpc("eth_sendRawTransaction", "0x" + signed.hex())
        except (NodeSaid, Reverted) as error:
            words = plain(error).lower()
            if any(each in words for each in KNOWN) or (
                any(each in words for each in USED) and self._is_there(chain, tx)
            ):
                return
            raise Refused("the node does not take the transaction", why=plain(error)) from error
        except NobodyAnswers as error:
            raise OutcomeUnknown("the node's reply was lost", why=plain(error)) from error
        except Exception as error:
            raise OutcomeUnknown("the node's reply cannot be read", why=plain(error)) from error
        if told != tx.tx_id:
            raise OutcomeUnknown("the node calls the transaction by another name", why=plain(str(told), 80))

    def _is_there(self, chain: EthereumChain, tx: Opened) -> bool:
        try:
            return chain.rpc("eth_getTransactionByHash", tx.tx_id) is not None
        except (NodeSaid, NobodyAnswers):
            return False

    def _price(self) -> tuple[int, int]:
        """(the most for gas, what of it goes to the maker of the block), in wei. Raises NotYet above the cap."""
        told, cap = [chain.gas() for chain in (self._chain, *self._others)], self._gas.cap
        # what is paid for the block is the chain's to say, whoever tells it; of the tip all that is told is paid
        base, wanted = max(gas.base for gas in told), min(gas.tip for gas in told)
        if base >= cap:
            raise NotYet(
                f"gas costs {base / GWEI:,.1f} gwei",
                why=f"no more than {cap / GWEI:,.1f} gwei is paid",
                fix="it is tried again with every round",
            )
        tip = max(1, min(wanted, cap - base))
        return min(2 * base + tip, cap), tip

    def _signed(self, transaction: dict[str, Any], units: int) -> SignedTx:
        from eth_utils.address import to_checksum_address

        chain = self._chain
        birth, newest = chain.finalized(), chain.tip()
        to = to_checksum_address(transaction["to"])
        signed = self._key.sign_transaction({**transaction, "to": to})
        try:
            tx = opened(signed)
        except ValueError as error:
            raise Refused("the wallet signs something that cannot be read", why=plain(error)) from error
        if tx.signer != self.address:
            raise Refused("the wallet signs for another address", fix="nothing was sent; please report this")
        raw = Envelope(signed, units, newest.number).packed()
        return SignedTx(tx.tx_id, raw, self.address, tx.nonce, birth.number, birth.hash, FOR_EVER, 0, lane=tx.nonce)


def _step(wei: int) -> int:
    return -(-wei * STEP_NUM // STEP_DEN) + 1


def _fields(tx: Opened) -> dict[str, Any]:
    return {
        "type": 2,
        "chainId": tx.chain_id,
        "nonce": tx.nonce,
        "to": tx.to,
        "value": tx.value,
        "data": tx.data,
        "gas": tx.gas,
    }
