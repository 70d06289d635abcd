"""What Bitcoin really has: the first headers of its main network, a block of four transactions, and how to mine."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from valtrac.chains.bitcoin.networks import NETWORKS, TARGET_ONE, Network
from valtrac.chains.qtum.encoding import hash256, shown, unshown

REGTEST, TEST, MAIN = NETWORKS["regtest"], NETWORKS["test"], NETWORKS["main"]
# the main network of its first years, whose headers had less work than the program believes today
EARLY = Network("main", MAIN.genesis, MAIN.prefixes, MAIN.hrp, TARGET_ONE)
GENESIS_ROOT = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


def header_bytes(version: int, previous: bytes, root: bytes, at: int, bits: int, nonce: int) -> bytes:
    return struct.pack("<I", version) + previous + root + struct.pack("<III", at, bits, nonce)


FIRST_HEADERS = (
    header_bytes(1, bytes(32), unshown(GENESIS_ROOT), 1231006505, 0x1D00FFFF, 2083236893),
    header_bytes(
        1,
        unshown("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        unshown("0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098"),
        1231469665,
        0x1D00FFFF,
        2573394689,
    ),
    header_bytes(
        1,
        unshown("00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"),
        unshown("9b0fc92260312ce44e74ef369f5c66bbb85848f2eddd5a7a1cde251e54ccfdd5"),
        1231469744,
        0x1D00FFFF,
        1639830024,
    ),
)
BLOCK_100000 = header_bytes(
    1,
    unshown("000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250"),
    unshown("f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"),
    1293623863,
    0x1B04864C,
    274148111,
)
TRANSACTIONS_OF_100000 = (
    "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
    "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
    "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
    "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
)


def tree(tx_ids: Sequence[str], index: int) -> tuple[bytes, list[str]]:
    """(root, branch of one transaction) of a block with these transactions, as servers write the branch."""
    level, place, siblings = [unshown(tx_id) for tx_id in tx_ids], index, list[str]()
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        siblings.append(shown(level[place ^ 1]))
        level = [hash256(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
        place //= 2
    return level[0], siblings


def mined(previous: bytes, root: bytes, at: int = 1_600_000_000, bits: int = 0x207FFFFF) -> bytes:
    """A header of a rehearsal chain, with its little work."""
    for nonce in range(1 << 32):
        raw = header_bytes(0x20000000, previous, root, at, bits, nonce)
        if int.from_bytes(hash256(raw), "little") <= 0x7FFFFF << 232:
            return raw
    raise AssertionError
