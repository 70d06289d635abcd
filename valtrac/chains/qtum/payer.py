"""The wallet of a node as a payer: opened for the moment of a signature, and left to stake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from valtrac.chains.qtum.encoding import read_transaction
from valtrac.chains.qtum.node import FOR_EVER, NO_FUNDS, QtumChain
from valtrac.chains.qtum.reading import parts
from valtrac.chains.qtum.rpc import NodeError, StartingUp, satoshi
from valtrac.core.chain import Payment, SignedTx
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, Unpayable, ValtracError
from valtrac.core.money import Amount
from valtrac.core.text import plain

OPEN_S = 10  # a program that dies in between leaves the wallet open for no longer
STAKING_S = 99_999_999
WRONG_PASSWORD, NO_PASSWORD = -14, -15
IN_A_BLOCK = -27
MOST_FEE = 10**8  # the node's own limit, -maxtxfee: 1 coin


class QtumPayer:
    """`valtrac.ports.Payer` over the wallet in a node. password: of that wallet, "" where it has none.

    stakes: whether the wallet is to stake again afterwards; without, it is only locked.
    """

    def __init__(self, chain: QtumChain, password: str = "", *, stakes: bool = True) -> None:
        self._chain, self._password, self._stakes = chain, password, stakes

    @property
    def address(self) -> str:
        """The address that stakes and pays."""
        return self._chain.wallet

    def try_password(self) -> None:
        """Open the wallet for staking. Raises Refused where the password does not, ChainUnreachable."""
        with self._chain.in_words("to open the wallet"):
            self._rest()

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        """All payments in one transaction, signed, and tried on the node's own rules without being sent.

        The coins that it spends are locked in the wallet, so that the node does not stake them. ValueError: no proper
        payments. Raises Unpayable for addresses that are none, Refused where the wallet is locked, holds too little, or
        the node would not take the transaction. period: of no use, it does not expire.
        """
        self._check(payments, nonce)
        chain = self._chain
        with chain.in_words("a signature"):
            birth = chain.finalized()
            try:
                funded = chain.funded(payments, lock=True)
            except NodeError as error:
                if error.code in NO_FUNDS:
                    raise Refused(
                        "the wallet cannot pay for this transaction",
                        why=str(error),
                        fix="wait until its coins have rested, or send it some",
                    ) from error
                raise
            spent = read_transaction(bytes.fromhex(funded["hex"])).inputs
            try:
                self._see_fee(satoshi(funded["fee"]))
                raw = self._signed(funded["hex"])
                self._same_fee(satoshi(funded["fee"]), chain.real_fee(read_transaction(raw)))
                self._try(raw)
            except BaseException:
                self._let_go(spent)
                raise
        return SignedTx(read_transaction(raw).tx_id, raw, self.address, 0, birth.number, birth.hash, FOR_EVER, 0)

    def broadcast(self, raw: bytes) -> None:
        """Hand signed bytes to the node, as often as one likes: it takes them once."""
        tx_id = read_transaction(raw).tx_id
        chain = self._chain
        with suppress(ValtracError), chain.in_words("to lock coins"), suppress(NodeError):
            chain.rpc.call("lockunspent", False, _outpoints(read_transaction(raw).inputs), True)
        try:
            said = chain.rpc.call("sendrawtransaction", raw.hex())
        except NodeError as error:
            if error.code == IN_A_BLOCK:
                return
            raise Refused("the node does not take the transaction", why=str(error)) from error
        except StartingUp as error:
            raise OutcomeUnknown("the node was starting when the transaction was handed over", why=error.why) from error
        except Exception as error:
            raise OutcomeUnknown("the node's reply was lost", why=plain(error)) from error
        if said != tx_id:
            raise OutcomeUnknown("the node calls the transaction by another name", why=plain(str(said), 80))

    def _check(self, payments: tuple[Payment, ...], nonce: int) -> None:
        most = self._chain.limits().max_payments
        if not 0 < len(payments) <= most or any(not 0 < payment.units < 2**63 for payment in payments):
            raise ValueError(f"a transaction needs 1 to {most} payments of at least 1 satoshi")
        if nonce != 0:
            raise ValueError(f"{nonce} is no nonce: Qtum has none")
        addresses = [payment.address for payment in payments]
        if len(set(addresses)) != len(addresses):
            raise ValueError("an address twice in one transaction")
        wrong = [address for address in addresses if address == self.address or not self._chain.is_payable(address)]
        if wrong:
            raise Unpayable(f"{plain(wrong[0], 60)} is no address that can be paid here", addresses=wrong)
        least = self._chain.limits().least_payment
        small = [payment.address for payment in payments if payment.units < least]
        if small:
            raise Unpayable(f"no node takes a payment of less than {Amount(least, self._chain.asset)}", addresses=small)

    def _see_fee(self, fee: int) -> None:
        if not 0 < fee <= MOST_FEE:
            asset = self._chain.asset
            raise Refused(
                f"the network fee would be {Amount(fee, asset)}",
                why=f"more than {Amount(MOST_FEE, asset)} is not paid",
                fix="pay fewer at once: VALTRAC_POOL_CHUNK",
            )

    def _same_fee(self, told: int, real: int) -> None:
        if real != told:
            asset = self._chain.asset
            raise Refused(
                f"the network fee would be {Amount(real, asset)}, and the node told {Amount(told, asset)}",
                why="what goes missing is taken from the change",
                fix="nothing was sent; ask another node for a while, and look into this one",
            )

    def _signed(self, unsigned: str) -> bytes:
        with self._open():
            done = self._chain.rpc.call("signrawtransactionwithwallet", unsigned)
        if done.get("complete") is not True:
            raise Refused("the wallet could not sign for all of its coins", fix="nothing was sent; please report this")
        return bytes.fromhex(done["hex"])

    def _try(self, raw: bytes) -> None:
        """Raise Refused where the node would not take it: such a transaction is never journaled."""
        (verdict,) = self._chain.rpc.call("testmempoolaccept", [raw.hex()])
        if verdict.get("allowed") is not True:
            raise Refused(
                "the node would not take the transaction",
                why=plain(str(verdict.get("reject-reason", "without a reason")), 200),
                fix="nothing was sent; it is tried again with other coins",
            )

    @contextmanager
    def _open(self) -> Iterator[None]:
        """The wallet open for sending, for a moment; whatever happens, it goes back to staking."""
        if not self._password:
            yield
            return
        try:
            self._unlock(OPEN_S)
            yield
        finally:
            self._rest()

    def _unlock(self, seconds: int, *more: bool) -> None:
        try:
            self._chain.rpc.call("walletpassphrase", self._password, seconds, *more)
        except NodeError as error:
            if error.code == WRONG_PASSWORD:
                raise Refused("the password does not open the node's wallet", fix="type it again") from error
            if error.code != NO_PASSWORD:
                raise

    def _rest(self) -> None:
        """Open for staking alone; locked where the node cannot do that, or it is not to stake."""
        if not self._password:
            return
        if self._stakes:
            self._unlock(STAKING_S, True)
        else:
            self._chain.rpc.call("walletlock")

    def _let_go(self, spent: Sequence[str]) -> None:
        """Unlock coins of a transaction that is not to be."""
        with suppress(ChainUnreachable, NodeError, OSError, TimeoutError):
            self._chain.rpc.call("lockunspent", True, _outpoints(spent))


def _outpoints(spent: Sequence[str]) -> list[dict[str, object]]:
    return [{"txid": tx_id, "vout": place} for tx_id, place in map(parts, spent)]
