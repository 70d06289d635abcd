"""The networks of Qtum: their first blocks, their addresses, how long coins rest."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.chains.qtum.encoding import Prefixes

DEVNET = "devnet"


@dataclass(frozen=True, slots=True)
class Network:
    """chain: as the node calls it. genesis: the hash of its first block, "" where each node makes its own. delegations:
    the first block that may be staked with delegated coins. staked: whether headers are those of a staked chain."""

    name: str
    chain: str
    genesis: str
    prefixes: Prefixes
    delegations: int = 1
    staked: bool = True


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "main",
            "main",
            "000075aef83cf2853580f8ae8ce6f8c3096cfa21d98334d6e3f95e5582ed986c",
            Prefixes(58, 50),
            delegations=680_000,
        ),
        Network(
            "test",
            "test",
            "0000e803ee215c0684ca0d2f9220594d3f828617972aad66feb2ba51f5e14222",
            Prefixes(120, 110),
            delegations=625_000,
        ),
        Network(
            "regtest",
            "regtest",
            "665ed5b402ac0b44efc37d8926332994363e8a7278b7ee9a58fb972efadae943",
            Prefixes(120, 110),
        ),
        Network(DEVNET, "regtest", "", Prefixes(120, 110)),
    )
}
