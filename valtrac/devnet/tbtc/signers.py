"""The members of the keeps: they sign what a redemption asks of them, or stay silent.

Real members have shares of a key and sign together. Here all of a keep have the same whole key, which follows from the
keep's address, so that any process can sign for any keep.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.evm import Contract, Reverted, Tx, topic
from valtrac.devnet.tbtc.witness import Unlocked

_log = logging.getLogger(__name__)


def signing_key(keep: str) -> Unlocked:
    """The key of a keep."""
    return Unlocked(hashlib.sha256(b"a keep of the rehearsal: " + bytes.fromhex(keep[2:])).digest())


class Signers:
    """All members of all keeps.

    silent: True while nobody signs; or keeps whose members do not, by their addresses.
    """

    def __init__(self, chains: Chains) -> None:
        self.silent: bool | set[str] = False
        self._chains = chains
        self._next_block = 0
        self._asked: dict[tuple[str, bytes], None] = {}

    def tick(self) -> int:
        """Sign what was asked for and is not signed yet; how many signatures that were."""
        self._look()
        waiting = [asked for asked in self._asked if not self._is_silent(asked[0])]
        txs = []
        for keep, digest in waiting:
            contract = Contract("BondedECDSAKeep", keep)
            # a chain that was set back, or another process of signers, may have taken the request away
            if contract.read(self._chains.ethereum, "isAwaitingSignature", digest):
                txs.append(self._submission(contract, digest))
            del self._asked[keep, digest]
        try:
            self._chains.send_all(txs)
        except Reverted as error:  # another process was faster
            _log.info("a signature was not taken: %s", error.reason)
        return len(txs)

    def _is_silent(self, keep: str) -> bool:
        if isinstance(self.silent, bool):
            return self.silent
        return keep.lower() in {one.lower() for one in self.silent}

    def _look(self) -> None:
        """Read the requests of the blocks since the last look; all of them once a chain was set back."""
        node, system = self._chains.ethereum, self._chains.system.at("TBTCSystem")
        head = node.height()
        if head < self._next_block - 1:
            self._next_block = 0
            self._asked.clear()
        if head < self._next_block:
            return
        logs = system.logs(node, "RedemptionRequested", first=self._next_block, last=head)
        for told in system.events("RedemptionRequested", logs):
            keep = Contract("Deposit", told["_depositContractAddress"]).read(node, "keepAddress")
            self._asked[keep, told["_digest"]] = None
        self._next_block = head + 1

    def _submission(self, keep: Contract, digest: bytes) -> Tx:
        r, s, recovery = signing_key(keep.address).sign(digest)
        member = keep.read(self._chains.ethereum, "getMembers")[0]
        return keep.tx("submitSignature", r.to_bytes(32, "big"), s.to_bytes(32, "big"), recovery, sender=member)


def signature(chains: Chains, keep: str, digest: bytes) -> dict[str, Any] | None:
    """What a keep published as its signature of a digest: digest, r, s, recoveryID; None before it did."""
    contract = Contract("BondedECDSAKeep", keep)
    logs = chains.ethereum.call(
        "eth_getLogs",
        {
            "address": keep,
            "fromBlock": "0x0",
            "toBlock": "latest",
            "topics": [topic("BondedECDSAKeep", "SignatureSubmitted"), "0x" + digest.hex()],
        },
    )
    found = contract.events("SignatureSubmitted", logs)
    return found[-1] if found else None
