"""Opening a network: one group of providers as a chain and its contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.chains.ethereum.node import EthereumChain
from valtrac.chains.ethereum.numbered import NumberedBlocks
from valtrac.chains.ethereum.providers import Failover
from valtrac.chains.ethereum.reading import Contracts


@dataclass(frozen=True, slots=True)
class Opened:
    """A group of providers, as the door and as the watch see it."""

    chain: EthereumChain
    contracts: Contracts
    numbers: NumberedBlocks


def open_group(
    urls: Sequence[str],
    *,
    network: str,
    chain_id: int,
    addresses: dict[str, str],
    wallet: str,
    final_depth: int,
    timeout_s: float,
    stale_s: float | None,
) -> Opened:
    """Providers of one group, asked in their order. addresses: factory, system, token, machine, deposit_token."""
    failover = Failover(urls, timeout_s=timeout_s, stale_s=stale_s)
    chain = EthereumChain(
        failover,
        network=network,
        chain_id=chain_id,
        wallet=wallet,
        token=addresses["token"],
        final_depth=final_depth,
    )
    contracts = Contracts(
        chain, **{name: addresses[name] for name in ("factory", "system", "machine", "deposit_token")}
    )
    return Opened(chain, contracts, NumberedBlocks(chain))


def groups(urls: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Providers in two groups that share none: every second one is in the other."""
    return tuple(urls[0::2]), tuple(urls[1::2])
