"""BitShares: nodes, the rehearsal chain, the payer. The library is loaded where it is used, not with this file.

The socket itself is in `node.py`; keys and wallets are in `keys.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from valtrac.chains.bitshares import slots
from valtrac.chains.bitshares.link import OWN_PREFIX
from valtrac.chains.bitshares.marked import sealed_with_mark
from valtrac.chains.bitshares.node import BitSharesChain
from valtrac.chains.bitshares.payments import check_payments, decoded, signed_tx
from valtrac.chains.bitshares.rpc import Rpc
from valtrac.core.chain import Head, Payment, SignedTx
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain

if TYPE_CHECKING:
    from valtrac.chains.bitshares.answers import Member
    from valtrac.chains.bitshares.keys import Keys
    from valtrac.chains.bitshares.transactions import Move

MOST_PERIOD_S = 86_400
__all__ = ["BitSharesChain", "BitSharesPayer", "open_devnet", "open_node", "payer"]

MAINNET = "4018d7844c78f6a6c41c6a552b898022310fc5dec06da467ee7905a8dad512c8"
CHAIN_IDS = {"mainnet": MAINNET, "bitshares": MAINNET}


def open_node(urls: Sequence[str], *, network: str, timeout_s: float, key_prefix: str = OWN_PREFIX) -> BitSharesChain:
    """A chain served by nodes over websockets; connects with the first question.

    Only these nodes are used, the next one where one fails. A network called mainnet or bitshares must be the real
    one; any other is what its first node says. key_prefix: what the chain writes before its public keys, TEST on the
    public test chain. Raises BadInput for anything but ws:// and wss://, and for another prefix on the real one.
    """
    for url in urls:
        if not url.startswith(("ws://", "wss://")):
            raise BadInput(
                f"{plain(url, 80)} is not the address of a node",
                why="nodes are reached by ws:// or wss://",
                fix="write it like wss://example.org:443/ws",
            )
    if not urls:
        raise BadInput("no BitShares node is set", fix="name one, like wss://example.org:443/ws")
    expected = CHAIN_IDS.get(network)
    if expected and key_prefix != OWN_PREFIX:
        raise BadInput(
            f"the keys of {network} begin with {OWN_PREFIX}, not with {plain(key_prefix, 20)}",
            why="VALTRAC_BITSHARES_KEY_PREFIX is for other chains",
            fix="leave it out, or name the network otherwise",
        )
    return BitSharesChain(Rpc(urls, timeout_s, expect_chain_id=expected, key_prefix=key_prefix), network=network)


def open_devnet(path: Path, *, timeout_s: float) -> BitSharesChain:
    """The rehearsal chain in that file, within this process. Raises ChainUnreachable where there is none."""
    from valtrac.devnet.bitshares import LocalConnection, status

    rpc = Rpc(["rehearsal://chain"], timeout_s, connect=lambda _url, _until: LocalConnection(path))
    return BitSharesChain(rpc, network="devnet", true_from=status(path)["true_from"])


def payer(chain: BitSharesChain, account_name: str, keys: Keys) -> BitSharesPayer:
    """The account, unlocked. Only those of the keys sign that its active authority needs.

    Raises BadInput where there is no such account, Refused where the keys do not satisfy its active authority by
    themselves, or where its memo key is not among them.
    """
    member = chain.member(account_name)
    if member is None:
        raise BadInput(f"the chain has no account {plain(account_name, 70)}", fix="check its name in the settings")
    if not all(key.startswith(OWN_PREFIX) for key, _ in member.keys):
        raise Refused(
            f"the keys of this chain do not begin with {OWN_PREFIX}",
            why=f"{plain(member.keys[0][0], 8)}... is one of {plain(account_name, 70)}",
            fix="set VALTRAC_BITSHARES_KEY_PREFIX to what they begin with",
        )
    if not _signing(member, keys):
        raise Refused(
            f"the keys do not open the account {plain(account_name, 70)}",
            why="they do not satisfy its active authority",
            fix="use the wallet that holds its active key",
        )
    if member.memo_key not in keys.by_public:
        raise Refused(
            f"the memo key of {plain(account_name, 70)} is missing",
            why="without it no memo can be read or written",
            fix="use the wallet that holds its memo key, too",
        )
    return BitSharesPayer(chain, member.named.id, keys)


class BitSharesPayer:
    """`valtrac.ports.Payer` with keys in memory. The account's authority is asked for at every signature.

    A receiver whose memo key is missing, the null key or no point of the curve cannot get a memo: it is paid without
    one, and the payments read back from the bytes show it.
    """

    def __init__(self, chain: BitSharesChain, account_id: str, keys: Keys) -> None:
        self._chain = chain
        self._id = account_id
        self._keys = keys

    @property
    def address(self) -> str:
        """The account's id."""
        return self._id

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        """All payments in one transaction, valid until `period` seconds after the time of the head block.

        Its birth is the last irreversible block. A payment with a mark is signed alone, in its slot (`slots.py`), and
        the period is not asked. ValueError: no proper payments, a nonce other than 0, a period outside 1..86400, a
        mark among several. Raises Refused where the keys do not open the account any more, and where the bytes read
        back differ from what was asked for; Unpayable where a receiver does not exist; NotYet where a slot is nearly
        over.
        """
        from valtrac.chains.bitshares import transactions

        if any(payment.mark for payment in payments):
            return self._sign_in_slot(payments)
        check_payments(payments)
        if nonce != 0:
            raise ValueError(f"{nonce} is no nonce: BitShares has none")
        if not 0 < period <= MOST_PERIOD_S:
            raise ValueError(f"a period of {period} s: it must be from 1 to {MOST_PERIOD_S}")
        members = self._chain.members([self._id, *(payment.address for payment in payments)])
        own = members[self._id]
        wifs = _signing(own, self._keys)
        wif = self._keys.by_public.get(own.memo_key)
        if not wifs or wif is None:
            raise Refused(
                "the keys do not open the account any more", why="its keys were changed", fix="unlock it again"
            )
        memos = [_sealed(payment, wif, own, members[payment.address]) for payment in payments]
        moves = [
            transactions.Move(self._id, payment.address, payment.units, memo)
            for payment, memo in zip(payments, memos, strict=True)
        ]
        expected = [
            payment if memo else replace(payment, memo="") for payment, memo in zip(payments, memos, strict=True)
        ]
        fees = self._chain.fees(moves)
        birth, now, chain_id = self._chain.birth()
        expires = int(now.timestamp()) + period
        return self._signed(moves, fees, expected, birth, expires, wifs, chain_id)

    def _sign_in_slot(self, payments: tuple[Payment, ...]) -> SignedTx:
        """The one transaction that every copy of this program signs for this payment in this slot.

        Nothing that the node says about the present is in it: its state only says whether to sign at all.
        """
        from valtrac.chains.bitshares import transactions

        check_payments(payments)
        payment, mark = payments[0], payments[0].mark
        if len(payments) != 1 or mark is None or not 0 < mark.number < 2**64:
            raise ValueError("a payment with a mark is signed alone")
        members = self._chain.members([self._id, payment.address])
        own, wifs = members[self._id], _signing(members[self._id], self._keys)
        if not wifs:
            raise Refused(
                "the keys do not open the account any more", why="its keys were changed", fix="unlock it again"
            )
        memo = sealed_with_mark(payment, mark, self._keys, own, members[payment.address])
        moves = [transactions.Move(self._id, payment.address, payment.units, memo)]
        fees = [slots.fee_of(transactions.size_of(memo))]
        self._chain.check_fees(moves, fees)
        ref, ends_at, chain_id = self._chain.slot(mark.read)
        return self._signed(moves, fees, [payment], ref, ends_at, wifs, chain_id)

    def _signed(
        self,
        moves: list[Move],
        fees: list[int],
        expected: list[Payment],
        birth: Head,
        expires: int,
        wifs: dict[str, str],
        chain_id: str,
    ) -> SignedTx:
        """Signed bytes, read back. Raises Refused where they differ from what was meant."""
        from valtrac.chains.bitshares import transactions

        try:
            raw = transactions.signed(moves, fees, ref_id=birth.hash, expires=expires, wifs=wifs, chain_id=chain_id)
            back = decoded(raw, self._keys)
        except ValueError as error:
            raise Refused("the signed bytes cannot be read back", why=plain(error), fix="nothing was sent") from error
        if (back.payments, back.signer, back.expires) != (tuple(expected), self._id, expires):
            raise Refused("the signed bytes differ from what was to be signed", fix="nothing was sent")
        return signed_tx(raw, birth)

    def broadcast(self, raw: bytes) -> None:
        """Hand signed bytes to the node as they are, once, without waiting for inclusion."""
        from valtrac.chains.bitshares import transactions

        try:
            transactions.read(raw)
        except ValueError as error:
            raise Refused("these bytes are no payment", why=plain(error), fix="nothing was sent") from error
        self._chain.rpc.call_once("network_broadcast", "broadcast_transaction", raw)


def _sealed(payment: Payment, wif: str, own: Member, other: Member) -> dict[str, str] | None:
    """The memo of a payment, sealed for both sides; None where it has none, or none can be sealed for its receiver:
    money is not kept from him for the sake of words."""
    from valtrac.chains.bitshares import transactions

    if not payment.memo or not other.takes_memos:
        return None
    try:
        return transactions.seal(payment.memo, wif=wif, sender_key=own.memo_key, receiver_key=other.memo_key)
    except ValueError:
        return None


def _signing(member: Member, keys: Keys) -> dict[str, str]:
    """public key -> private key of as few keys as satisfy the active authority; empty where they do not.

    A signature that is not needed would be refused.
    """
    weighed = sorted(((weight, key) for key, weight in member.keys if key in keys.by_public and weight), reverse=True)
    taken, weight = dict[str, str](), 0
    for weight_of_key, key in weighed:
        if weight >= member.threshold:
            break
        taken[key] = keys.by_public[key]
        weight += weight_of_key
    return taken if weight >= member.threshold > 0 else {}
