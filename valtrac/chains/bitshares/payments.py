"""Payments and memos in signed bytes, and the rules that hold for them before a node is asked. Asks no node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from valtrac.chains.bitshares import answers
from valtrac.chains.bitshares.marked import read_open
from valtrac.core.chain import DecodedTx, Head, Payment, SealedMemo, SignedTx
from valtrac.core.text import plain
from valtrac.ports import Locked, NoKey, Unreadable

if TYPE_CHECKING:
    from valtrac.chains.bitshares.keys import Keys

MOST_PAYMENTS = 64


def check_payments(payments: tuple[Payment, ...]) -> None:
    """ValueError: no payment, more than MOST_PAYMENTS, one below 1 satoshi or beyond 63 bits, or to no account's id."""
    if not 0 < len(payments) <= MOST_PAYMENTS or any(not 0 < payment.units < 2**63 for payment in payments):
        raise ValueError(f"a transaction needs 1 to {MOST_PAYMENTS} payments of at least 1 satoshi")
    check_accounts([payment.address for payment in payments])


def check_accounts(ids: Sequence[str]) -> None:
    """ValueError: one of them is not the id of an account."""
    for id_ in ids:
        if not answers.is_account(id_):
            raise ValueError(f"{plain(id_, 40)} is not the id of an account")


def decoded(raw: bytes, keys: Keys | None) -> DecodedTx:
    """Signed bytes read back; memos by these keys. ValueError where they hold anything but payments."""
    from valtrac.chains.bitshares import transactions

    transaction = transactions.read(raw)
    payments = tuple(Payment(move.receiver, move.units, _words(move.memo, keys)) for move in transaction.moves)
    tx_id, signer, expires = transaction.tx_id, transaction.signer, transaction.expires
    return DecodedTx(tx_id, signer, 0, 0, 0, payments, all_or_nothing=True, expires=expires)


def opened(memo: SealedMemo, keys: Keys | None) -> str:
    """The words of a memo. Raises Locked without keys, NoKey where neither of its own is at hand, Unreadable where one
    is and in vain."""
    from valtrac.chains.bitshares import transactions

    if memo.sender_key == memo.receiver_key == answers.NULL_KEY:  # of no keys: it is written in the open
        return read_open(memo.message)
    if keys is None:
        raise Locked("the wallet is locked")
    own = keys.by_public
    for key, other in ((memo.receiver_key, memo.sender_key), (memo.sender_key, memo.receiver_key)):
        if key in own:
            return transactions.unseal(memo, wif=own[key], other_key=other)
    raise NoKey("it is for another key")


def signed_tx(raw: bytes, birth: Head) -> SignedTx:
    """The bytes with what is known of them. ValueError like `decode`."""
    transaction = decoded(raw, None)
    return SignedTx(transaction.tx_id, raw, transaction.signer, 0, birth.number, birth.hash, transaction.expires, 0)


def _words(memo: dict[str, str] | None, keys: Keys | None) -> str:
    sealed_memo = answers.sealed(memo)
    if sealed_memo is None:
        return ""
    try:
        return opened(sealed_memo, keys)
    except NoKey:
        return ""
    except Unreadable as error:
        raise ValueError(f"a memo that cannot be read: {error}") from error
