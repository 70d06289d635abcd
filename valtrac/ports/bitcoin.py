"""What the program asks of Bitcoin: to take a transaction, and to prove what became of it."""

from __future__ import annotations

from typing import Protocol

from valtrac.core.bitcoin import BitcoinEntry, BitcoinProof, SignedRedemption
from valtrac.core.keeps import KeepSignature, RedemptionRequest


class BitcoinNetwork(Protocol):
    """Bitcoin, by whichever servers. Transactions are bytes, ids 64 hex digits. Every method raises ChainUnreachable
    where no server gives an answer that can be believed."""

    @property
    def network(self) -> str:
        """main, test or regtest."""
        ...

    def relay(self, raw: bytes) -> str:
        """Hand a signed transaction over; its id. One that is known already counts as handed over.

        Raises Refused where a server says no and does not have it, OutcomeUnknown where the reply was lost: the same
        bytes may be sent again. ValueError for what is no transaction."""
        ...

    def transaction(self, tx_id: str) -> bytes | None:
        """The bytes of a transaction, which fit its id; None where no server knows it."""
        ...

    def history(self, script: bytes) -> tuple[BitcoinEntry, ...]:
        """The transactions that pay to an output script or spend from it, as one server says: to be looked up, and
        proven before anything depends on them."""
        ...

    def confirmations(self, raw: bytes) -> int | None:
        """How many blocks hold this transaction and follow upon it, each of them proven; the count ends at 100.
        0: known, in no block yet; None: no server knows it."""
        ...

    def proof(self, raw: bytes, least: int) -> BitcoinProof | None:
        """The proof that a block holds this transaction, with the work of `least` blocks of its difficulty; None where
        that is not so yet."""
        ...

    def fee_rate(self, blocks: int) -> int | None:
        """satoshi for 1,000 virtual bytes, to be mined within so many blocks; None where the server has no idea."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class RedemptionTransactions(Protocol):
    """How the Bitcoin transaction of a redemption is put together."""

    def parts(self, raw: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """(version, inputs, outputs, locktime) of a transaction, without its witness. ValueError for what is none."""
        ...

    def paying(self, raw: bytes, script: bytes) -> list[tuple[int, int]]:
        """(place, satoshi) of each output of a transaction that pays to a script."""
        ...

    def keeps_script(self, public_key: bytes) -> bytes:
        """The script of a keep's own address, by its key of 64 bytes."""
        ...

    def keeps_address(self, public_key: bytes, network: str) -> str:
        """A keep's own address on a network: main, test or regtest."""
        ...

    def signed(self, request: RedemptionRequest, public_key: bytes, signature: KeepSignature) -> SignedRedemption:
        """The transaction that a keep has signed. public_key: 64 bytes. ValueError where the digest, the key and the
        signature do not fit together: somebody tells something that is not so."""
        ...
