"""The networks of Bitcoin: their first blocks, their addresses, the least work that a block can have."""

from __future__ import annotations

from dataclasses import dataclass

from valtrac.chains.qtum.encoding import Prefixes
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

TARGET_ONE = 0xFFFF << 208  # the target of difficulty 1


@dataclass(frozen=True, slots=True)
class Network:
    """genesis: the hash of the first block, "" where each chain may have its own. hrp: what segwit addresses begin
    with. easiest: the largest target that a block may have; what is easier is taken for forged."""

    name: str
    genesis: str
    prefixes: Prefixes
    hrp: str
    easiest: int


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "main",
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            Prefixes(0, 5),
            "bc",
            # no block since the end of 2019 was that easy, and tBTC v1 is younger: headers of the first years, which
            # anybody can make on a laptop, prove nothing
            TARGET_ONE // 10**13,
        ),
        Network(
            "test",
            "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            Prefixes(111, 196),
            "tb",
            TARGET_ONE,
        ),
        Network("regtest", "", Prefixes(111, 196), "bcrt", 0x7FFFFF << 232),
    )
}


def network_named(name: str) -> Network:
    """A network by its name. Raises BadInput."""
    if name not in NETWORKS:
        raise BadInput(f"{plain(name)} is no network of Bitcoin", fix=f"name one of {', '.join(NETWORKS)}")
    return NETWORKS[name]
