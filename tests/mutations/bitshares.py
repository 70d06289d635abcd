"""Faults of the BitShares adapter and of what keeps two copies from paying twice."""

from __future__ import annotations

from tests.mutations import Mutation

FORGED = "tests/chains/bitshares/test_forged.py"
BODIES = "tests/chains/bitshares/test_bodies.py"
SLOTS = "tests/chains/bitshares/test_slots.py"
ROSTERS = "tests/contracts/test_rosters.py"
RESTORED = "tests/contracts/test_restored.py"
ONE_PAYEE = "tests/contracts/test_one_payee.py"

MUTATIONS = (
    Mutation(
        "a body need not fit the root in its header",
        "valtrac/chains/bitshares/bodies.py",
        'if root != block["transaction_merkle_root"]:',
        "if False:",
        FORGED,
    ),
    Mutation(
        "a transaction of 64 bytes is one",
        "valtrac/chains/bitshares/bodies.py",
        "    if len(whole) == 64:\n",
        "    if False:\n",
        BODIES,
    ),
    Mutation(
        "bytes that were asked for may say something else",
        "valtrac/chains/bitshares/bodies.py",
        "        _agrees(signed, head, trx, signatures, write)\n",
        "",
        BODIES,
    ),
    Mutation(
        "whoever signs counts as the witness",
        "valtrac/chains/bitshares/witnesses.py",
        "            self._newest[block.witness, block.key] = block.number\n",
        "            self._newest[block.witness, self.keys.get(block.witness, block.key)] = block.number\n",
        FORGED,
    ),
    Mutation(
        "a third of the witnesses is enough",
        "valtrac/chains/bitshares/witnesses.py",
        "return newest[len(newest) * 30 // 100]",
        "return newest[len(newest) * 70 // 100]",
        FORGED,
    ),
    Mutation(
        "a block that nobody built on changes keys",
        "valtrac/chains/bitshares/witnesses.py",
        "        self._pending.append(block)\n",
        "        self._pending.append(block)\n        self.keys.update(dict(block.rekeyed))\n",
        FORGED,
    ),
    Mutation(
        "a history need not arrive at the start",
        "valtrac/chains/bitshares/checked.py",
        "if head.number == start.block and head.id and start.block_id and head.id != start.block_id:",
        "if False:",
        FORGED,
    ),
    Mutation(
        "the second node is not asked who signs blocks",
        "valtrac/chains/bitshares/reading.py",
        "        if self.second is not None:\n",
        "        if False:\n",
        FORGED,
    ),
    Mutation(
        "a node that lied is asked again",
        "valtrac/chains/bitshares/rpc.py",
        "            self._drop()\n            self._at = (self._at + 1) % len(self.urls)\n            return name\n",
        "            self._drop()\n            return name\n",
        FORGED,
    ),
    Mutation(
        "a slot is used one block early",
        "valtrac/chains/bitshares/slots.py",
        "return (int(read_at.timestamp()) - 1) // length_s * length_s",
        "return int(read_at.timestamp()) // length_s * length_s",
        SLOTS,
    ),
    Mutation(
        "the nonce of a memo is any",
        "valtrac/chains/bitshares/marked.py",
        "receiver_key=key, nonce=mark.number)",
        "receiver_key=key)",
        SLOTS,
    ),
    Mutation(
        "words are sealed for the key of now",
        "valtrac/chains/bitshares/marked.py",
        "    key = other.memo_key if mark.memo_key is None else mark.memo_key\n    if payment.memo and key != NULL_KEY"
        " and curve.is_key(key):\n        return transactions.seal",
        "    key = other.memo_key\n    if payment.memo and key != NULL_KEY and curve.is_key(key):\n"
        "        return transactions.seal",
        SLOTS,
    ),
    Mutation(
        "what another copy paid is not known by its number",
        "valtrac/contracts/adopting.py",
        "    rulings.adopt(conn, custodian, fresh, due)\n",
        "    return False\n",
        RESTORED,
    ),
    Mutation(
        "a transaction that was ruled dead is ours when it is seen alive",
        "valtrac/contracts/first_states.py",
        "attempts.known(conn, ours) - attempts.ruled_dead(conn, ours)",
        "attempts.known(conn, ours)",
        RESTORED,
    ),
    Mutation(
        "what comes in counts where one of two nodes tells it",
        "valtrac/contracts/listener.py",
        "    for witness in custodian.witnesses:\n",
        "    for witness in ():\n",
        ROSTERS,
    ),
    Mutation(
        "a deposit need not be signed by its sender",
        "valtrac/contracts/doubts.py",
        'return "" if custodian.chain.may_sign(transfer.sender, transfer.signers) else NOT_SIGNED',
        'return ""',
        "tests/contracts/test_doubts.py",
    ),
    Mutation(
        "one payee stops the others",
        "valtrac/payments/send.py",
        "        if not _put_aside(door, lines, error):\n            raise\n",
        "        raise\n",
        ONE_PAYEE,
    ),
)
