"""Faults of the payment door, the arithmetic, the snapshots and the database."""

from __future__ import annotations

from tests.mutations import Mutation

DOOR = "tests/payments/test_send.py"
HOSTILE = "tests/payments/test_hostile_world.py"
SCHEMA = "tests/database/test_schema.py"
PLANS = "tests/payouts/model/test_plans.py"
SNAPSHOTS = "tests/snapshots/test_snapshots.py"
EVIDENCE = "tests/payments/test_evidence.py"
FOREIGN = "tests/payments/test_foreign.py"
LIES = "tests/chains/bittensor/test_lies.py"
APPROVED = "tests/payments/test_what_was_approved.py"
DOUBTFUL = "tests/payments/test_doubtful_outcomes.py"
OPENING = "tests/database/test_opening.py"

MUTATIONS = (
    Mutation(
        "broadcast before the journal",
        "valtrac/payments/handover.py",
        "        checks.compare(door.chain, tx, payments, payer.address, nonce)\n",
        "        checks.compare(door.chain, tx, payments, payer.address, nonce)\n        payer.broadcast(tx.raw)\n",
        "tests/crash/test_order.py",
    ),
    Mutation(
        "the bytes are not read back",
        "valtrac/payments/checks.py",
        "    wrong = [name for name, (got, meant) in said.items() if got != meant]\n",
        "    wrong = []\n",
        DOOR,
    ),
    Mutation(
        "a lost reply is taken for failed",
        "valtrac/payments/handover.py",
        "        attempts.mark_sent(conn, attempt.id, words)\n",
        "        attempts.mark_sent(conn, attempt.id, words)\n"
        "        if words and attempts.resolve(conn, attempt, 'dead'):\n"
        "            chunk = attempts.lines_of_chunk(conn, attempt.chunk_id)\n"
        "            batches.move_lines(conn, [line.id for line in chunk], 'chunked', 'owed')\n",
        DOOR,
    ),
    Mutation(
        "not found is taken for dead",
        "valtrac/payments/reconcile.py",
        "    if not door.chain.over(attempt.valid_until, seen_to):\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "blocks need not link",
        "valtrac/payments/scanning.py",
        "        if view.head.parent_hash != block_hash or view.head.number != number + 1:\n",
        "        if False:\n",
        "tests/payments/test_reconcile.py",
    ),
    Mutation(
        "the second node is not asked",
        "valtrac/payments/reconcile.py",
        "    for witness in door.witnesses:\n",
        "    for witness in ():\n",
        HOSTILE,
    ),
    Mutation(
        "a failure on chain is taken for landed",
        "valtrac/payments/reconcile.py",
        "    state = AttemptState.LANDED if outcome.ok else AttemptState.FAILED\n",
        "    state = AttemptState.LANDED\n",
        DOOR,
    ),
    Mutation(
        "one unresolved attempt per wallet: index dropped",
        "valtrac/database/migrations/versions/0001_first_tables.py",
        "sqlite_where=sa.text(\"state IN ('signed', 'sent')\")",
        "sqlite_where=sa.text(\"state IN ('never')\")",
        SCHEMA,
    ),
    Mutation(
        "one live chunk per line: index dropped",
        "valtrac/database/migrations/versions/0001_first_tables.py",
        'sqlite_where=sa.text("live")',
        'sqlite_where=sa.text("live AND chunk_id < 0")',
        SCHEMA,
    ),
    Mutation(
        "deleting is allowed",
        "valtrac/database/triggers.py",
        'refusals = [(f"{table.name}_no_delete", "DELETE", "1=1")]',
        'refusals = [(f"{table.name}_no_delete", "DELETE", "1=0")]',
        SCHEMA,
    ),
    Mutation(
        "the nonce need not be the journal's",
        "valtrac/payments/wallets.py",
        "    if counted > expected:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "the pool's nonce is not looked at",
        "valtrac/payments/wallets.py",
        "    if waiting > expected or (door.parallel == 1 and waiting != counted):\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "inputs are not checked at the approval",
        "valtrac/payouts/approvals.py",
        "        check_unchanged(conn, batch)\n        lines",
        "        lines",
        APPROVED,
    ),
    Mutation(
        "inputs are not checked before the first signature",
        "valtrac/payments/checks.py",
        "    if changed is not None:\n",
        "    if False:\n",
        APPROVED,
    ),
    Mutation(
        "sums are not checked before signing",
        "valtrac/payments/checks.py",
        "        check_sums(batch, lines, least=min(1, door.chain.limits().least_payment))\n        changed",
        "        changed",
        APPROVED,
    ),
    Mutation(
        "the typed total is not compared",
        "valtrac/payouts/approvals.py",
        "!= batch.total:\n        raise BadInput",
        "< 0:\n        raise BadInput",
        APPROVED,
    ),
    Mutation(
        "the wallet need not hold everything",
        "valtrac/payments/checks.py",
        "    if holds < needs:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "the cap per day is not summed",
        "valtrac/payments/checks.py",
        "    if by_day > caps.day.units:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "a database may change its chain",
        "valtrac/database/engine.py",
        "    elif row.genesis != genesis:\n",
        "    elif False:\n",
        OPENING,
    ),
    Mutation(
        "a range may be claimed twice",
        "valtrac/payouts/approvals.py",
        "    if met and not overlap_reason:\n",
        "    if False:\n",
        HOSTILE,
    ),
    Mutation(
        "a held balance is not reserved",
        "valtrac/payouts/approvals.py",
        '"kind": "reserved", "units": sign * line.released',
        '"kind": "reserved", "units": 0',
        APPROVED,
    ),
    Mutation(
        "the remainder goes to the first names",
        "valtrac/core/money.py",
        "sorted(by_name, key=rests.__getitem__, reverse=True)[:left]",
        "by_name[:left]",
        PLANS,
    ),
    Mutation(
        "the stakes need not sum up to the hotkey's total",
        "valtrac/snapshots/snapshots.py",
        "    return dust if 0 <= dust <= len(subnet.stakes) + 1 else None\n",
        "    return dust\n",
        SNAPSHOTS,
    ),
    Mutation(
        "a SQLite writer begins without the lock",
        "valtrac/database/opening.py",
        '"BEGIN IMMEDIATE" if writes else "BEGIN"',
        '"BEGIN"',
        OPENING,
    ),
    Mutation(
        "results that do not fit the payments are believed",
        "valtrac/payments/reconcile.py",
        "    if len(outcome.items) != payments or any(type(item) is not bool for item in outcome.items):\n",
        "    if False:\n",
        DOUBTFUL,
    ),
    Mutation(
        "dead is booked although the nonce was used",
        "valtrac/payments/reconcile.py",
        "    if door.numbers.nonce(attempt.wallet, head) <= attempt.nonce:\n        return None\n",
        "    if True:\n        return None\n",
        DOUBTFUL,
    ),
    Mutation(
        "a nonce that was used while signing is written down",
        "valtrac/payments/handover.py",
        "        if door.numbers is not None and wallets.next_nonce(conn, tx.signer) != tx.nonce:\n",
        "        if False:\n",
        DOUBTFUL,
    ),
    Mutation(
        "one node's word is enough for what became of a payment",
        "valtrac/payments/reconcile.py",
        "    for witness in door.witnesses:\n        _same_chain(witness, attempt)\n        other = ",
        "    for witness in ():\n        _same_chain(witness, attempt)\n        other = ",
        EVIDENCE,
    ),
    Mutation(
        "what moved need not be what was to be paid",
        "valtrac/payments/evidence.py",
        "    if outcome.ok and moved != meant:\n",
        "    if False:\n",
        EVIDENCE,
    ),
    Mutation(
        "a failure is believed though money moved",
        "valtrac/payments/evidence.py",
        "    if spent is None or fee is None or spent <= fee:\n",
        "    if True:\n",
        EVIDENCE,
    ),
    Mutation(
        "a payment is dead though its money is gone",
        "valtrac/payments/evidence.py",
        "    if spent is None or spent < attempt.units:\n",
        "    if True:\n",
        EVIDENCE,
    ),
    Mutation(
        "what was ruled dead and lives stops nobody",
        "valtrac/payments/scanning.py",
        "        if alive is not None:\n",
        "        if False:\n",
        EVIDENCE,
    ),
    Mutation(
        "one node is enough to bury what was signed in another history",
        "valtrac/payments/reconcile.py",
        "    if not agreed or not all(agreed):\n",
        "    if False:\n",
        "tests/payments/test_reconcile.py",
    ),
    Mutation(
        "a foreign transaction that cannot be read is taken for harmless",
        "valtrac/payments/foreign.py",
        "    if foreign.payments is None:\n        raise",
        "    if False:\n        raise",
        FOREIGN,
    ),
    Mutation(
        "what stopped half way is taken over whole",
        "valtrac/payments/foreign.py",
        "    if not foreign.payments or not foreign.whole:\n",
        "    if not foreign.payments:\n",
        FOREIGN,
    ),
    Mutation(
        "the plan is not made again before it is signed",
        "valtrac/payouts/approvals.py",
        "    if _figures(plan) != _figures(batch.payout):\n",
        "    if False:\n",
        APPROVED,
    ),
    Mutation(
        "a body need not fit its header",
        "valtrac/chains/bittensor/proofs.py",
        "    if header.extrinsics_root not in trie.body_roots(extrinsics):\n",
        "    if False:\n",
        LIES,
    ),
    Mutation(
        "a header need not have the hash of its block",
        "valtrac/chains/bittensor/reading.py",
        "        if header.hash != hash_ and self._is_bound(header):\n",
        "        if False:\n",
        LIES,
    ),
    Mutation(
        "a node that lied is asked on",
        "valtrac/chains/bittensor/reading.py",
        "        before, self.substrate = self.substrate, self._nodes.open(following)\n",
        "        before = self.substrate\n",
        LIES,
    ),
    Mutation(
        "a proof of storage proves whatever it holds",
        "valtrac/core/trie.py",
        '            raise Unproven("the proof lacks a node")\n',
        "            return b''\n",
        "tests/core/test_trie.py",
    ),
    Mutation(
        "another call is taken for a payment",
        "valtrac/chains/bittensor/extrinsics.py",
        '        if _bytes(call, place, 3) != TRANSFER_KEEP_ALIVE + b"\\x00":\n',
        "        if False:\n",
        LIES,
    ),
    Mutation(
        "stakes are recorded beside another history",
        "valtrac/snapshots/snapshots.py",
        "    if chain.block(number).head.hash != block_hash:\n",
        "    if False:\n",
        SNAPSHOTS,
    ),
    Mutation(
        "what the blocks keep in quarantine is not listed",
        "valtrac/people/destinations.py",
        '            why = new.why(now, block) if new else ""\n',
        '            why = new.why(now, None) if new else ""\n',
        "tests/people/test_destinations.py",
    ),
    Mutation(
        "a clock that is behind shortens a quarantine",
        "valtrac/people/model/quarantine.py",
        "        if block is not None and block < self.block:\n",
        "        if False:\n",
        "tests/people/test_destinations.py",
    ),
    Mutation(
        "a replaced or new address is paid at once",
        "valtrac/payments/send.py",
        "            if line.id in held:\n",
        "            if False:\n",
        "tests/people/test_destinations.py",
    ),
    Mutation(
        "an address is not looked at again when the attempt is written",
        "valtrac/payments/handover.py",
        "        if door.producer.waits(conn, lines, head):\n",
        "        if False:\n",
        "tests/people/test_destinations.py",
    ),
    Mutation(
        "a payment that is set aside keeps its claim on the batch",
        "valtrac/payouts/balances.py",
        "        batches.move_lines(conn, [line.id], LineState.OWED, LineState.VOID)\n",
        "",
        "tests/payouts/test_balances.py",
    ),
    Mutation(
        "an unusual draft needs no words",
        "valtrac/payouts/approvals.py",
        "    if grave and not despite.strip():\n",
        "    if False:\n",
        "tests/payouts/test_liquidity.py",
    ),
)
