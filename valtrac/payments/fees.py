"""What the network will take for payments, before any of them is signed."""

from __future__ import annotations

from collections.abc import Sequence

from valtrac.core.chain import Payment
from valtrac.core.errors import ChainUnreachable
from valtrac.ports import PayingChain

FEE_SLACK = 100  # an estimate may be a little below what is charged: a hundredth is kept ready beside it


def estimate(chain: PayingChain, wallet: str, payments: Sequence[Payment], chunk_size: int) -> int:
    """What the chain would take for these payments in chunks, in units."""
    size = min(chunk_size, chain.limits().max_payments)
    chunks = [tuple(payments[start : start + size]) for start in range(0, len(payments), size)]
    known: dict[int, int] = {}
    for chunk in chunks:  # the fee follows from the length, so equal chunks are asked for once
        if len(chunk) not in known:
            known[len(chunk)] = chain.estimate_fee(wallet, chunk)
            if known[len(chunk)] < 0:
                raise ChainUnreachable("the node estimates a negative fee", fix="ask another node")
    return sum(known[len(chunk)] for chunk in chunks)


def with_slack(fee: int) -> int:
    """What has to be at hand for an estimated fee; nothing where the fee is paid in another asset."""
    return fee + fee // FEE_SLACK + 1 if fee else 0
