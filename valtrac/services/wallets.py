"""A wallet's history: from which nonce on this ledger answers for it, and whether it is whole."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.domain.chain import Head
from valtrac.errors import BadInput, ChainUnreachable, Refused
from valtrac.ports import Chain
from valtrac.store import attempts
from valtrac.store.engine import claim_identity, reading, writing


def adopt(engine: sa.Engine, chain: Chain, wallet: str, *, accept_history: bool = False) -> None:
    """Begin to answer for a wallet, once: note its nonce at a finalized block.

    Raises Refused when it has sent transactions that this ledger knows nothing of, unless the
    owner accepts that in words (accept_history), and when the node serves another chain.
    """
    identity, head = chain.identity(), chain.finalized()
    account = chain.account(wallet, head)
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network)
        if attempts.baseline(conn, wallet) is not None:
            return
        if account.nonce and not accept_history:
            raise Refused(
                f"wallet {wallet} has sent {account.nonce} transactions that this ledger does not know",
                "if some of them were payouts, their ranges would be paid again",
                "bring the old database or payout log over first, or say that none of them matters: --accept-history",
            )
        attempts.set_baseline(conn, wallet, head, account.nonce)


def nonce_to_sign(engine: sa.Engine, chain: Chain, wallet: str, head: Head) -> int:
    """The nonce for the next transaction: the chain's, the journal's and the pool's, all the same.

    Raises Refused when a transaction that is not ours used a nonce or is waiting in the pool, and
    ChainUnreachable when the node is behind what the journal knows.
    """
    with reading(engine) as conn:
        start = attempts.baseline(conn, wallet)
        used = attempts.nonces_used(conn, wallet)
    if start is None:
        raise Refused(f"wallet {wallet} is not known to this ledger yet", "", "unlock it first: run.py payout send")
    expected, account = start[1] + used, chain.account(wallet, head)
    if account.nonce < expected:
        raise ChainUnreachable(
            f"the node is behind: it counts {account.nonce} transactions of the wallet, the journal {expected}",
            "",
            "wait until it has caught up, or use another node",
        )
    if account.nonce > expected:
        raise Refused(
            f"nonce {expected} of wallet {wallet} was used by a transaction that is not in the journal",
            "someone else signs with this key, or another database of ValTrac does",
            'find out what it was; then: run.py payout rule-foreign --words "WHAT IT WAS"',
        )
    waiting = chain.next_index(wallet)
    if waiting != account.nonce:
        raise Refused(
            f"a transaction of wallet {wallet} that is not in the journal waits in the node's pool",
            f"the finalized chain counts {account.nonce}, the pool {waiting}",
            "wait until it has landed or died, then look again",
        )
    return account.nonce


def find_foreign(engine: sa.Engine, chain: Chain, wallet: str) -> tuple[int, Head]:
    """(nonce, block) of the first transaction of the wallet that the journal cannot account for.

    Found by bisecting the account's nonce over finalized heights. Raises BadInput when there is none.
    """
    head = chain.finalized()
    with reading(engine) as conn:
        start = attempts.baseline(conn, wallet)
        used = attempts.nonces_used(conn, wallet)
    if start is None or chain.account(wallet, head).nonce <= start[1] + used:
        raise BadInput(f"every finalized transaction of wallet {wallet} is accounted for", "", "nothing to rule on")
    low, high, nonce = start[0], head.number, start[1] + used
    while high - low > 1:
        middle = (low + high) // 2
        if chain.account(wallet, chain.block(middle).head).nonce > nonce:
            high = middle
        else:
            low = middle
    return nonce, chain.block(high).head


def rule_foreign(engine: sa.Engine, chain: Chain, wallet: str, words: str) -> tuple[int, Head]:
    """Record that the first unexplained transaction is not a payment of ours; return its nonce and block.

    words: what it was, kept for ever. Raises BadInput without them.
    """
    if len(words.strip()) < 5:
        raise BadInput(
            "say in a few words what that transaction was",
            "the ledger keeps them for ever",
            '--words "moved the stake by hand"',
        )
    nonce, head = find_foreign(engine, chain, wallet)
    with writing(engine) as conn:
        attempts.lock_wallet(conn, wallet)
        if attempts.unresolved(conn, wallet):
            raise Refused("a payment of this wallet is still on its way", "", "run.py payout reconcile, then rule")
        attempts.rule(conn, wallet, nonce, tx_id="", block=head.number, words=words.strip())
    return nonce, head
