"""Faults of the pool and of the Qtum adapter: blocks, weights, shares, paydays, the wallet, nodes that lie."""

from __future__ import annotations

from tests.mutations import Mutation

OLD_DEFECTS = "tests/pool/test_old_defects.py"
EXAMPLES = "tests/pool/test_worked_examples.py"
LIARS = "tests/pool/test_nodes_that_lie.py"
PAYER = "tests/chains/qtum/test_payer.py"
BYTES = "tests/chains/qtum/test_bytes.py"
ATTACKS = "tests/pool/test_attacks.py"

MUTATIONS = (
    Mutation(
        "coins spent since a block do not count at that block",
        "valtrac/pool/model/weights.py",
        " and (coin.spent is None or coin.spent >= block)\n",
        " and coin.spent is None\n",
        EXAMPLES,
    ),
    Mutation(
        "a coin counts one block too early",
        "valtrac/pool/model/weights.py",
        "        if coin.satoshi >= least and coin.height <= oldest and",
        "        if coin.satoshi >= least and coin.height <= oldest + 1 and",
        EXAMPLES,
    ),
    Mutation(
        "what rounding leaves is nobody's",
        "valtrac/pool/model/shares.py",
        "    return Shared({who: units for who, units in each.items() if units}, reward - sum(each.values()))\n",
        "    return Shared({who: units for who, units in each.items() if units}, 0)\n",
        "tests/pool/model/test_shares.py",
    ),
    Mutation(
        "a reward without weights is forgotten",
        "valtrac/pool/monitor.py",
        "    book.add(conn, [*entries, Entry(POOL, left, parts.remainder)], block_id=block_id)\n",
        "    book.add(conn, entries, block_id=block_id)\n",
        OLD_DEFECTS,
    ),
    Mutation(
        "what the chain drops stays booked",
        "valtrac/pool/monitor.py",
        "        _undo(pool, newest)\n        undone.append(newest.head.number)\n",
        "        undone.append(newest.head.number)\n        return undone\n",
        OLD_DEFECTS,
    ),
    Mutation(
        "a block whose winner is not told is the pool's own",
        "valtrac/pool/monitor.py",
        "    if reward.won != Won.OTHERS and staked.delegated and not staked.winner:",
        "    if reward.won == Won.DELEGATED and not staked.winner:",
        LIARS,
    ),
    Mutation(
        "a second node is not asked for coins",
        "valtrac/pool/weighing.py",
        "        _same_coins(owned, witness.coins(list(fees), block), block)\n",
        "        pass\n",
        LIARS,
    ),
    Mutation(
        "a second node is not asked for delegations that are over",
        "valtrac/pool/roster.py",
        "            if witness.delegations(self.read_to + 1, block) != fresh:\n",
        "            if False:\n",
        LIARS,
    ),
    Mutation(
        "delegations of a dropped history stay in force",
        "valtrac/pool/roster.py",
        "        if self.read_to and chain.head(self.read_to).hash != self.read_hash:\n            self.forget()\n",
        "",
        LIARS,
    ),
    Mutation(
        "the network's fee is left in the revenue that is told",
        "valtrac/pool/day_log.py",
        '            revenue=payday["revenue"] - sum(attempt.fee or 0 for attempt in landed),\n',
        '            revenue=payday["revenue"],\n',
        OLD_DEFECTS,
    ),
    Mutation(
        "the clock of this machine alone says when it is payday",
        "valtrac/pool/model/schedule.py",
        "    return min(clock, chain + AHEAD)\n",
        "    return clock\n",
        OLD_DEFECTS,
    ),
    Mutation(
        "after a failure the wallet stays open",
        "valtrac/chains/qtum/payer.py",
        "        finally:\n            self._rest()\n",
        "        except MemoryError:\n            self._rest()\n",
        PAYER,
    ),
    Mutation(
        "a node may burn the change",
        "valtrac/chains/qtum/payer.py",
        "        if real != told:\n",
        "        if real > 10 * MOST_FEE:\n",
        PAYER,
    ),
    Mutation(
        "a coin that is spent by whomever makes no payment dead",
        "valtrac/chains/qtum/node.py",
        "return Rival(transaction.tx_id, self.head_of(number, block.header), transaction.raw)\n",
        "return None\n",
        PAYER,
    ),
    Mutation(
        "a block may hold other transactions than its header",
        "valtrac/chains/qtum/blocks.py",
        "    if root != header.merkle:\n",
        "    if False:\n",
        BYTES,
    ),
    Mutation(
        "two lists of transactions have one root",
        "valtrac/chains/qtum/encoding.py",
        "        if any(first == other for first, other in pairs[: len(level) // 2]):\n",
        "        if False:\n",
        BYTES,
    ),
    Mutation(
        "a node that serves another network by now is believed",
        "valtrac/chains/qtum/reading.py",
        '        if info["chain"] != self.of.chain:\n',
        "        if False:\n",
        LIARS,
    ),
    Mutation(
        "a rival that pays a part and something else counts for that part",
        "valtrac/payments/rivals.py",
        "        if line is None:\n            return []\n",
        "        if line is None:\n            continue\n",
        ATTACKS,
    ),
    Mutation(
        "a rival that pays a part counts for all",
        "valtrac/payments/rivals.py",
        "        attempts.open_attempt(conn, attempt.batch_id, paid, twin, head)\n",
        "        attempts.open_attempt(conn, attempt.batch_id, lines, twin, head)\n",
        ATTACKS,
    ),
    Mutation(
        "a rival that pays the same people other amounts is asked about by nobody",
        "valtrac/payments/rivals.py",
        "    if not both or door.sent_by_hand:\n",
        "    if True:\n",
        ATTACKS,
    ),
    Mutation(
        "a payment that stands nowhere is called moved",
        "valtrac/payments/verify.py",
        "        if moved is not None and door.coins:\n            return Moved(attempt, moved)\n",
        "        if door.coins:\n            return Moved(attempt, moved or view.head)\n",
        "tests/pool/test_audit.py",
    ),
)
