"""Faults of the votes that prove a block to be final, and of the pin they are held against."""

from __future__ import annotations

from tests.mutations import Mutation

VOTES = "tests/core/test_grandpa.py"
FINAL = "tests/chains/bittensor/test_finality.py"

MUTATIONS = (
    Mutation(
        "votes need no good signature",
        "valtrac/core/grandpa.py",
        "    if not all(signed_by(vote, said.round, authorities.number) for vote in said.votes):\n",
        "    if False:\n",
        VOTES,
    ),
    Mutation(
        "votes of a few are enough",
        "valtrac/core/grandpa.py",
        "    if have < authorities.needed:\n",
        "    if False:\n",
        VOTES,
    ),
    Mutation(
        "votes of one authority count twice",
        "valtrac/core/grandpa.py",
        "        have += weights[vote.key] if cast[vote.key] == 1 else 0\n",
        "        have += weights[vote.key]\n",
        VOTES,
    ),
    Mutation(
        "votes of the old set are not needed to follow a change",
        "valtrac/chains/bittensor/finality.py",
        "        if not self._old_set_agreed(pin, end, hashes[end]):\n",
        "        if False:\n",
        FINAL,
    ),
    Mutation(
        "votes of a set that came by force count",
        "valtrac/chains/bittensor/finality.py",
        "        if change.forced:\n",
        "        if False:\n",
        FINAL,
    ),
    Mutation(
        "votes are not held against the history that was proven before",
        "valtrac/chains/bittensor/finality.py",
        "        if self._links.hash_at(pin.proven_block) == pin.proven_hash:\n",
        "        if True:\n",
        FINAL,
    ),
    Mutation(
        "votes are not needed for the block that was pinned",
        "valtrac/chains/bittensor/finality.py",
        "            if pin.proven_block > pin.block:  # the first block of all was told, and not voted for\n",
        "            if True:\n",
        FINAL,
    ),
)
