"""Bitcoin by Electrum servers: `valtrac.ports.bitcoin.BitcoinNetwork`.

What money depends on is proven: bytes fit their id, a transaction that counts as mined leads to the root of a header
with its work, and where several servers are named two of them have the same block at the end. A server can keep
something back; it cannot make up a block.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence

from valtrac.chains.bitcoin import answers, proofs, transactions
from valtrac.chains.bitcoin.lines import Broken
from valtrac.chains.bitcoin.networks import network_named
from valtrac.chains.bitcoin.peers import TROUBLE, Peer, Peers
from valtrac.chains.bitcoin.servers import servers
from valtrac.chains.bitcoin.session import ServerError, Session
from valtrac.chains.bitcoin.transactions import Transaction
from valtrac.chains.untrusted import Untrusted
from valtrac.core.bitcoin import BitcoinEntry, BitcoinProof
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused, ValtracError

MOST_CONFIRMATIONS = 100  # more than that nobody counts
MOST_OUTPUTS = 8  # in whose histories a transaction is looked for
_LOOK_FOR_IT = "look for the transaction by its id; sending the same bytes again does no harm"


class ElectrumNetwork:
    """Bitcoin, by the servers that are named. Safe for several threads: one asks at a time.

    urls: in the order in which they are asked, `ssl://host:50002` and the like; network: main, test or regtest;
    timeout_s: for each question; rest_s: how long a server that failed is asked last. Connects when it is first asked.
    Raises BadInput: a network or a server that is none.
    """

    def __init__(
        self,
        urls: Sequence[str],
        network: str,
        *,
        timeout_s: float = 20.0,
        rest_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network = network_named(network)
        self._peers = Peers(servers(list(urls)), self._network, timeout_s=timeout_s, rest_s=rest_s, clock=clock)
        self._one_at_a_time = threading.RLock()

    @property
    def network(self) -> str:
        """main, test or regtest."""
        return self._network.name

    def relay(self, raw: bytes) -> str:
        """Hand a signed transaction to every server, so that one of them alone holds it back from nobody; its id. See
        the port.

        It is sent where one server takes it, whatever the others say. OutcomeUnknown comes before Refused: whoever did
        not say may have taken it."""
        tx_id = transactions.read(raw).tx_id
        taken, troubles, said = False, list[ValtracError](), list[str]()
        with self._one_at_a_time:
            for peer in self._peers.in_order():
                try:
                    session, until = peer.fresh()
                    self._handed_over(peer, session, until, raw, tx_id)
                    taken = True
                except TROUBLE as error:
                    self._peers.failed(peer, error)
                    said.append(f"{peer.name}: {error}")
                except (OutcomeUnknown, Refused) as error:
                    troubles.append(error)
        if taken:
            return tx_id
        if not troubles:
            raise self._peers.nobody("that it takes a transaction", said)
        raise min(troubles, key=lambda error: not isinstance(error, OutcomeUnknown))

    def transaction(self, tx_id: str) -> bytes | None:
        """The bytes of a transaction. See the port. Every server that answers is asked, until one has it."""
        wanted, unknown = _asked_id(tx_id), list[Peer]()

        def ask(peer: Peer) -> bytes:
            found = _transaction(peer, wanted)
            if found is None:
                unknown.append(peer)
                raise ServerError(0, "it does not know the transaction")
            return found

        with self._one_at_a_time:
            try:
                return self._peers.first(f"the transaction {wanted}", ask)
            except ChainUnreachable:
                if unknown:
                    return None
                raise

    def history(self, script: bytes) -> tuple[BitcoinEntry, ...]:
        """The transactions of an output script, as one server says. See the port."""
        with self._one_at_a_time:
            return self._peers.first("the history of an address", lambda peer: _history(peer, script))

    def confirmations(self, raw: bytes) -> int | None:
        """How many blocks hold a transaction and follow upon it, at most 100. See the port."""
        transaction = transactions.read(raw)

        def ask(peer: Peer, top: int) -> tuple[int | None, int]:
            height = _height(peer, transaction)
            if height is None or height == 0 or height > top:
                return (None if height is None else 0), top
            count = min(top - height + 1, MOST_CONFIRMATIONS)
            self._proven(peer, transaction, height, count)
            return count, height + count - 1

        with self._one_at_a_time:
            return self._peers.agreed(f"the confirmations of {transaction.tx_id}", ask)

    def proof(self, raw: bytes, least: int) -> BitcoinProof | None:
        """The proof that a block holds a transaction, with the work of `least` blocks. See the port."""
        transaction = transactions.read(raw)

        def ask(peer: Peer, top: int) -> tuple[BitcoinProof | None, int]:
            height = _height(peer, transaction)
            if not height or top - height + 1 < least:
                return None, top
            count = min(top - height + 1, max(MOST_CONFIRMATIONS, least))
            headers, siblings, index = self._proven(peer, transaction, height, count)
            needed = proofs.enough(headers, least)
            if needed is None:
                return None, top
            made = proofs.proven(transaction.tx_id, height, index, siblings, needed)
            return made, height + len(needed) - 1

        with self._one_at_a_time:
            return self._peers.agreed(f"the proof of {transaction.tx_id}", ask)

    def tip(self) -> int:
        """The height of the newest block that two servers have, where two are named. Raises ChainUnreachable."""
        with self._one_at_a_time:
            return self._peers.agreed("its newest block", lambda _, top: (top, top))

    def fee_rate(self, blocks: int) -> int | None:
        """satoshi for 1,000 virtual bytes, as one server says. See the port."""
        with self._one_at_a_time:
            return self._peers.first(
                "a fee", lambda peer: answers.fee_rate(peer.call("blockchain.estimatefee", blocks))
            )

    def close(self) -> None:
        """Let go of the connections."""
        with self._one_at_a_time:
            self._peers.close()

    def _proven(
        self, peer: Peer, transaction: Transaction, height: int, count: int
    ) -> tuple[tuple[proofs.Header, ...], list[str], int]:
        """(so many headers from the block of a transaction on, its branch, its index), all of it checked."""
        answer = peer.call("blockchain.transaction.get_merkle", transaction.tx_id, height)
        siblings, index = answers.merkle(answer, height)
        headers = proofs.chain(peer.headers(height, count), self._network)
        proofs.branch(transaction.tx_id, siblings, index, headers[0].root)
        return headers, siblings, index

    def _handed_over(self, peer: Peer, session: Session, until: float, raw: bytes, tx_id: str) -> str:
        """Its id. Raises OutcomeUnknown, Refused."""
        try:
            answer = session.call("blockchain.transaction.broadcast", raw.hex(), until=until)
        except ServerError as error:
            return self._judged(peer, tx_id, error)
        except Broken as error:
            self._peers.failed(peer, error)
            raise self._unknown(tx_id, peer, str(error)) from error
        if answer != tx_id:
            self._peers.failed(peer, Untrusted("another id"))
            raise self._unknown(tx_id, peer, "it answered with another id than the transaction has")
        return tx_id

    def _judged(self, peer: Peer, tx_id: str, error: ServerError) -> str:
        """What a no to a transaction means: it is known already, or refused, or nobody knows."""
        if answers.is_known_already(error.words):
            return tx_id
        if not answers.is_refusal(error.code):
            raise self._unknown(tx_id, peer, str(error)) from error
        # a node whose coin is spent by this very transaction says only that the coin is gone
        try:
            known = _transaction(peer, tx_id) is not None
        except TROUBLE as trouble:
            self._peers.failed(peer, trouble)
            raise self._unknown(tx_id, peer, f"{error}; then {trouble}") from error
        if known:
            return tx_id
        raise Refused(
            f"{peer.name} does not take the Bitcoin transaction {tx_id}",
            why=str(error),
            fix="see whether its coin was spent by another transaction, and whether its fee is enough",
        ) from error

    def _unknown(self, tx_id: str, peer: Peer, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the Bitcoin transaction {tx_id} was sent, and {peer.name} did not say what became of it",
            why=why,
            fix=_LOOK_FOR_IT,
        )


def _asked_id(tx_id: str) -> str:
    try:
        return answers.tx_id(tx_id.lower())
    except Untrusted:
        raise BadInput("no id of a Bitcoin transaction", fix="give its 64 hex digits") from None


def _transaction(peer: Peer, tx_id: str) -> bytes | None:
    """The bytes that fit an id; None where a server says that it does not know them."""
    try:
        answer = peer.call("blockchain.transaction.get", tx_id)
    except ServerError as error:
        if answers.is_unknown(error.words):
            return None
        raise
    raw = answers.octets(answer, "a transaction")
    try:
        found = transactions.read(raw)
    except ValueError as error:
        raise Untrusted(f"a transaction that is none: {error}") from error
    if found.tx_id != tx_id:
        raise Untrusted(f"another transaction than {tx_id}")
    return raw


def _history(peer: Peer, script: bytes) -> tuple[BitcoinEntry, ...]:
    """Electrum knows a script by its sha256, written like an id."""
    name = hashlib.sha256(script).digest()[::-1].hex()
    return answers.entries(peer.call("blockchain.scripthash.get_history", name))


def _height(peer: Peer, transaction: Transaction) -> int | None:
    """The height of the block that a server says has a transaction; 0: none yet; None: it does not know it."""
    for script in dict.fromkeys(output.script for output in transaction.outputs[:MOST_OUTPUTS]):
        for entry in _history(peer, script):
            if entry.tx_id == transaction.tx_id:
                return entry.height
    return None
