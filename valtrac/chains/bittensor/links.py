"""Headers that lead back from a block, parent by parent, and the votes that a node keeps with a block."""

from __future__ import annotations

import asyncio

from valtrac.chains.bittensor import proofs
from valtrac.chains.bittensor.proofs import Header
from valtrac.chains.bittensor.reading import NodeReader
from valtrac.chains.untrusted import Missing, Untrusted

_AT_ONCE = 32


class Links:
    """What one node shows of the way between blocks. Each header is held against its hash."""

    def __init__(self, node: NodeReader) -> None:
        self._node = node

    def back(self, number: int, hash_: str, to: int) -> list[Header]:
        """The headers of a block and of those before it down to another height, the newest first.

        Raises ChainUnreachable where one lacks, or does not lead to the one after it.
        """
        headers = list[Header]()
        while number >= to:
            first = max(to, number - _AT_ONCE + 1)
            part = self._node.ask(f"the headers to block {number}", lambda: self._part(first, number, hash_))  # noqa: B023
            headers += part
            number, hash_ = first - 1, part[-1].parent
        return headers

    def votes(self, number: int) -> tuple[str, bytes | None]:
        """(the hash of a block, the votes that the node keeps with it, None where it keeps none)."""

        async def read() -> tuple[str, bytes | None]:
            hash_ = await self._node.hash_at(number)
            answer = await self._node.request("chain_getBlock", [hash_])
            if answer is None:
                raise Missing(f"it has no block {hash_}")
            header = proofs.header_of(answer["block"]["header"])
            if (header.number, header.hash) != (number, hash_):
                raise Untrusted(f"the header of block {number} has another hash than the block")
            return hash_, proofs.justification_in(answer)

        return self._node.ask(f"the votes for block {number}", read)

    def hash_at(self, number: int) -> str:
        """The hash that the node has for a height."""
        return self._node.ask(f"the hash of block {number}", lambda: self._node.hash_at(number))

    async def _part(self, first: int, last: int, hash_: str) -> list[Header]:
        """Some headers, asked for all at once by the hashes that the node tells, and then held against each other."""
        told = await asyncio.gather(*(self._node.hash_at(number) for number in range(last - 1, first - 1, -1)))
        headers = await asyncio.gather(*(self._node.header(block_hash) for block_hash in (hash_, *told)))
        for place, header in enumerate(headers):
            if header.number != last - place or (place and headers[place - 1].parent != header.hash):
                raise Untrusted(f"block {last - place} does not lead to the block after it")
        return headers
