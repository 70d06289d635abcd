"""The weights of delegates at a block: who counts, by which coins, as every node tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.core.staking import OwnedCoin
from valtrac.database.engine import reading
from valtrac.pool.model.delegates import counted, of_staker
from valtrac.pool.model.weights import Rule, that_count
from valtrac.pool.pool import Pool
from valtrac.pool.roster import check_events
from valtrac.pool.store import blocks

HEADS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Weighed:
    """A delegate with the coins that count: coins: mature, large enough, its own just before the block."""

    delegate: str
    fee: int
    weight: int
    coins: tuple[OwnedCoin, ...]


def delegates_of(pool: Pool, block: int) -> dict[str, int]:
    """delegate -> fee, of all who delegated to us just before a block, whatever their fee, the oldest first. Without
    those whose proof is not their own: the contract keeps it, and no block can be won for them."""
    delegations = {who: each for who, each in pool.roster.at(pool.chain, block - 1).items() if each.proven}
    fees = of_staker(delegations, pool.staker)
    return dict(sorted(fees.items(), key=lambda item: (delegations[item[0]].since, item[0])))


def weighed(pool: Pool, block: Head) -> tuple[Weighed, ...]:
    """Weigh everybody who counts for a block, the oldest delegation first.

    Raises ChainUnreachable where nodes, or two answers of one, disagree.
    """
    fees = counted(
        delegates_of(pool, block.number),
        required=pool.settings.pool_required_fee,
        policy=pool.chain.policy(pool.staker),
    )
    delegated = check_events(pool.chain, pool.roster, pool.staker)
    for witness in pool.witnesses:
        _same_delegates(delegated, witness.delegated_now(pool.staker), block)
    owned = pool.chain.coins(list(fees), block)
    staked = _staked(pool, block.number) if pool.settings.pool_rule == Rule.NODE else {}
    for witness in pool.witnesses:
        _same_coins(owned, witness.coins(list(fees), block), block)
    return tuple(
        _weighed(pool, delegate, fee, owned.get(delegate, ()), block, staked) for delegate, fee in fees.items()
    )


def _weighed(
    pool: Pool, delegate: str, fee: int, owned: tuple[OwnedCoin, ...], block: Head, staked: Mapping[str, int]
) -> Weighed:
    coins = that_count(owned, block.number, pool.settings.pool_terms, staked)
    return Weighed(delegate, fee, sum(coin.satoshi for coin in coins), coins)


def _staked(pool: Pool, block: int) -> dict[str, int]:
    """coin -> the newest block before this one that it has won, of those recent enough to matter."""
    first = max(1, block - pool.settings.qtum_maturity + 1)
    with reading(pool.engine) as conn:
        kernels = blocks.kernels(conn, first, block - 1)
    lacking = [height for height in range(first, block) if height not in kernels]
    while lacking:  # the blocks before the pool began
        start = lacking[0]
        end = min(start + HEADS_AT_ONCE - 1, lacking[-1])
        kernels |= {head.number: kernel for head, kernel in pool.chain.heads(start, end)}
        lacking = [height for height in lacking if height > end]
    return {kernel: height for height, kernel in sorted(kernels.items()) if kernel}


def _same_coins(
    ours: Mapping[str, tuple[OwnedCoin, ...]], theirs: Mapping[str, tuple[OwnedCoin, ...]], at: Head
) -> None:
    def before(owned: tuple[OwnedCoin, ...]) -> set[tuple[str, int, int]]:
        return {(coin.outpoint, coin.satoshi, coin.height) for coin in owned}

    differing = [delegate for delegate in ours if before(ours[delegate]) != before(theirs.get(delegate, ()))]
    if differing:
        raise ChainUnreachable(
            f"the nodes tell of different coins of {differing[0]} before block {at.number}",
            why=f"{len(differing)} of {len(ours)} delegates differ",
            fix="nothing is credited until they agree",
        )


def _same_delegates(ours: Mapping[str, int], theirs: Mapping[str, int], block: Head) -> None:
    if theirs != ours:
        raise ChainUnreachable(
            f"the nodes tell of different delegates at block {block.number}",
            fix="nothing is credited until they agree",
        )
