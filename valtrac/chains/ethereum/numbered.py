"""Ethereum as a chain that numbers the transactions of each wallet: with the bytes of the wallet's own ones."""

from __future__ import annotations

from valtrac.chains.ethereum.answers import hash_of, head_of
from valtrac.chains.ethereum.node import FOR_EVER, EthereumChain
from valtrac.chains.ethereum.transactions import Envelope, opened, signed_bytes
from valtrac.core.chain import BlockView, DecodedTx, Head


class NumberedBlocks:
    """`NumberedWallet`: the same chain, with the bytes of a wallet's own transactions in each block."""

    def __init__(self, chain: EthereumChain) -> None:
        self._chain = chain

    def block(self, number: int) -> BlockView:
        """A block; the bytes of what others sent are left out."""
        chain = self._chain

        def read() -> BlockView:
            told = chain.told(number, whole_transactions=True)
            mine = [str(each["from"]).lower() == chain.wallet for each in told["transactions"]]
            raw = tuple(
                Envelope(signed_bytes(each)).packed() if ours else b""
                for each, ours in zip(told["transactions"], mine, strict=True)
            )
            return BlockView(head_of(told), tuple(hash_of(each["hash"]) for each in told["transactions"]), raw)

        return chain.ask(f"the transactions of block {number}", read)

    def outside(self, raw: bytes) -> DecodedTx:
        """Number and signer of any transaction."""
        tx = opened(Envelope.of(raw).signed)
        return DecodedTx(tx.tx_id, tx.signer, tx.nonce, 0, 0, (), True, FOR_EVER)

    def nonce(self, address: str, at: Head) -> int:
        """As of the chain."""
        return self._chain.nonce(address, at)

    def next_index(self, address: str) -> int:
        """As of the chain."""
        return self._chain.next_index(address)

    def signer(self, raw: bytes) -> str | None:
        """Who signed one; None where its bytes were left out."""
        try:
            return opened(Envelope.of(raw).signed).signer if raw else None
        except ValueError:
            return None
