"""Which transaction used a nonce of a wallet, found by bisecting the account's nonce over finalized heights."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.ports import NumberedWallet


@dataclass(frozen=True, slots=True)
class Used:
    """What used a nonce. tx_id: its id; "", and raw None, where the wallet signed several and none tells its nonce."""

    wallet: str
    nonce: int
    head: Head
    tx_id: str
    raw: bytes | None


def who_used(chain: NumberedWallet, wallet: str, nonce: int, low: int, high: int) -> Used:
    """The transaction of the wallet that used a nonce, in a block after `low` and not after `high`.

    The account's nonce must be above it at `high`; it is looked for before `low` where it is so there already: what was
    noted of a wallet may have been told by a node with another history. Raises ChainUnreachable where the block that
    used it shows no transaction of the wallet: then the node hides something.
    """
    step = 1
    while low > 0 and chain.nonce(wallet, chain.block(low).head) > nonce:
        low, high, step = max(0, low - step), low, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        if chain.nonce(wallet, chain.block(middle).head) > nonce:
            high = middle
        else:
            low = middle
    view = chain.block(high)
    ours = [(tx_id, raw) for tx_id, raw in zip(view.tx_ids, view.raw, strict=True) if chain.signer(raw) == wallet]
    for tx_id, raw in ours:
        try:
            its_nonce = chain.outside(raw).nonce
        except ValueError:  # of a kind without an end
            if len(ours) > 1:
                continue
            its_nonce = nonce
        if its_nonce == nonce:
            return Used(wallet, nonce, view.head, tx_id, raw)
    if ours:
        return Used(wallet, nonce, view.head, "", None)
    raise ChainUnreachable(
        f"block {high} used nonce {nonce} of wallet {wallet} and shows no transaction of it",
        why="this node hides what the block holds",
        fix="ask another node, then reconcile again",
    )
