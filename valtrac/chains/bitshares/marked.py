"""The memo of a payment with a mark: the same in every copy of this program. Asks no node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from valtrac.chains.bitshares import curve
from valtrac.chains.bitshares.answers import NULL_KEY, Member
from valtrac.core.chain import Mark, Payment
from valtrac.core.errors import Refused, Unpayable
from valtrac.ports import Unreadable

if TYPE_CHECKING:
    from valtrac.chains.bitshares.keys import Keys


def sealed_with_mark(payment: Payment, mark: Mark, keys: Keys, own: Member, other: Member) -> dict[str, str]:
    """The memo as it stands in the transfer, with the mark's number as its nonce.

    Where the chain's past tells no key of the receiver's, or one that is none, the words are in the open: a key out of
    his account, which he may change between two copies of this program, would make two transactions of one payment.
    Raises Unpayable where only he could make use of the words and has no key for them, Refused without a key of ours.
    """
    from valtrac.chains.bitshares import transactions

    own_key = mark.own_key if mark.own_key in keys.by_public else own.memo_key
    wif = keys.by_public.get(own_key)
    if wif is None:
        raise Refused("the keys do not open the account any more", why="its memo key is missing", fix="unlock it again")
    key = other.memo_key if mark.memo_key is None else mark.memo_key
    if payment.memo and key != NULL_KEY and curve.is_key(key):
        return transactions.seal(payment.memo, wif=wif, sender_key=own_key, receiver_key=key, nonce=mark.number)
    if mark.memo_key is None:
        raise Unpayable(
            f"no words can be sealed for {payment.address}",
            addresses=[payment.address],
            why="its memo key is none, and money without these words would be lost there",
        )
    return in_the_open(payment.memo, mark.number)


def placeholder(payment: Payment, mark: Mark, own: Member, other: Member | None) -> dict[str, str]:
    """A memo of as many bytes."""
    from valtrac.chains.bitshares import transactions

    key = (other.memo_key if other else "") if mark.memo_key is None else mark.memo_key
    if payment.memo and key != NULL_KEY and curve.is_key(key):
        return transactions.placeholder(payment.memo, sender_key=own.memo_key, receiver_key=key)
    return in_the_open(payment.memo, mark.number)


def in_the_open(words: str, nonce: int) -> dict[str, Any]:
    """Words that everybody can read, as they stand in a transfer: of no keys, with a checksum of zeros before them."""
    return {"from": NULL_KEY, "to": NULL_KEY, "nonce": str(nonce), "message": "00" * 4 + words.encode().hex()}


def read_open(message: str) -> str:
    """The words of a memo that is in the open. Raises Unreadable, nothing else."""
    try:
        return bytes.fromhex(message)[4:].decode()
    except ValueError as error:
        raise Unreadable("it is written in the open, and is no text") from error
