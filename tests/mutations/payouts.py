"""Faults of the payment door, the arithmetic, the snapshots and the database."""

from __future__ import annotations

from tests.mutations import Mutation

DOOR = "tests/services/test_payouts.py"
HOSTILE = "tests/services/test_hostile_world.py"
SCHEMA = "tests/store/test_schema.py"
PLANS = "tests/domain/test_plans.py"
SNAPSHOTS = "tests/services/test_snapshots.py"

MUTATIONS = (
    Mutation(
        "broadcast before the journal",
        "valtrac/services/payouts.py",
        "    preflight.compare(door.chain, tx, payments, payer.address, nonce)\n",
        "    preflight.compare(door.chain, tx, payments, payer.address, nonce)\n    payer.broadcast(tx.raw)\n",
        "tests/crash/test_order.py",
    ),
    Mutation(
        "the bytes are not read back",
        "valtrac/services/preflight.py",
        "    wrong = [name for name, (got, meant) in said.items() if got != meant]\n",
        "    wrong = []\n",
        DOOR,
    ),
    Mutation(
        "a lost reply is taken for failed",
        "valtrac/services/payouts.py",
        "        attempts.mark_sent(conn, attempt.id, words)\n",
        "        attempts.mark_sent(conn, attempt.id, words)\n"
        "        if words and attempts.resolve(conn, attempt, 'dead'):\n"
        "            chunk = attempts.lines_of_chunk(conn, attempt.chunk_id)\n"
        "            batches.move_lines(conn, [line.id for line in chunk], 'chunked', 'owed')\n",
        DOOR,
    ),
    Mutation(
        "not found is taken for dead",
        "valtrac/services/reconcile.py",
        "    if not chain.over(attempt.valid_until, seen_to) or "
        "(nonces and chain.finalized().number <= attempt.valid_until):\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "blocks need not link",
        "valtrac/services/reconcile.py",
        "        if view.head.parent_hash != block_hash or view.head.number != number + 1:\n",
        "        if False:\n",
        "tests/services/test_reconcile.py",
    ),
    Mutation(
        "the second node is not asked",
        "valtrac/services/reconcile.py",
        "    for witness in witnesses:\n",
        "    for witness in ():\n",
        HOSTILE,
    ),
    Mutation(
        "a failure on chain is taken for landed",
        "valtrac/services/reconcile.py",
        '    state = "landed" if outcome.ok else "failed"\n',
        '    state = "landed"\n',
        DOOR,
    ),
    Mutation(
        "one unresolved attempt per wallet: index dropped",
        "valtrac/store/migrations/versions/0001_first_tables.py",
        "sqlite_where=sa.text(\"state IN ('signed', 'sent')\")",
        "sqlite_where=sa.text(\"state IN ('never')\")",
        SCHEMA,
    ),
    Mutation(
        "one live chunk per line: index dropped",
        "valtrac/store/migrations/versions/0001_first_tables.py",
        'sqlite_where=sa.text("live")',
        'sqlite_where=sa.text("live AND chunk_id < 0")',
        SCHEMA,
    ),
    Mutation(
        "deleting is allowed",
        "valtrac/store/triggers.py",
        "if table in t.NEVER_DELETED else []",
        'if table == "none" else []',
        SCHEMA,
    ),
    Mutation(
        "the nonce need not be the journal's",
        "valtrac/services/wallets.py",
        "    if account.nonce > expected:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "the pool's nonce is not looked at",
        "valtrac/services/wallets.py",
        "    if waiting != account.nonce:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "inputs are not checked at the approval",
        "valtrac/services/approvals.py",
        "        check_unchanged(conn, batch)\n        lines",
        "        lines",
        DOOR,
    ),
    Mutation(
        "inputs are not checked before the first signature",
        "valtrac/services/preflight.py",
        "        _void_if_changed(door, batch)\n",
        "        pass\n",
        DOOR,
    ),
    Mutation(
        "sums are not checked before signing",
        "valtrac/services/preflight.py",
        "        approvals.check_sums(batch, batches.lines_of(conn, batch_id))\n",
        "",
        DOOR,
    ),
    Mutation(
        "the typed total is not compared",
        "valtrac/services/approvals.py",
        "!= batch.total:\n        raise BadInput",
        "< 0:\n        raise BadInput",
        DOOR,
    ),
    Mutation(
        "the wallet need not hold everything",
        "valtrac/services/preflight.py",
        "    if holds < needs:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "the cap per day is not summed",
        "valtrac/services/preflight.py",
        "    if by_day > caps.day:\n",
        "    if False:\n",
        DOOR,
    ),
    Mutation(
        "a database may change its chain",
        "valtrac/store/engine.py",
        "    elif row.genesis != genesis:\n",
        "    elif False:\n",
        SCHEMA,
    ),
    Mutation(
        "a range may be claimed twice",
        "valtrac/store/batches.py",
        "    if overlapping and not overlap_reason:\n",
        "    if False:\n",
        HOSTILE,
    ),
    Mutation(
        "a held balance is not reserved",
        "valtrac/services/approvals.py",
        '"kind": "reserved", "units": sign * line.released',
        '"kind": "reserved", "units": 0',
        DOOR,
    ),
    Mutation(
        "the remainder goes to the first names",
        "valtrac/domain/money.py",
        "(-(total_units * weights[key] % whole), key == last, key)",
        "(key == last, key)",
        PLANS,
    ),
    Mutation(
        "the owner's stake need not sum up",
        "valtrac/services/snapshots.py",
        "    if held != subnet.total_units:\n",
        "    if False:\n",
        SNAPSHOTS,
    ),
    Mutation(
        "a SQLite writer begins without the lock",
        "valtrac/store/engine.py",
        '"BEGIN IMMEDIATE" if writes else "BEGIN"',
        '"BEGIN"',
        SCHEMA,
    ),
    Mutation(
        "results that do not fit the payments are believed",
        "valtrac/services/reconcile.py",
        "    if len(outcome.items) != payments or any(type(item) is not bool for item in outcome.items):\n",
        "    if False:\n",
        "tests/services/test_hostile_door.py",
    ),
    Mutation(
        "dead is booked although the nonce was used",
        "valtrac/services/reconcile.py",
        "    elif chain.account(attempt.wallet, head).nonce > attempt.nonce:\n",
        "    elif False:\n",
        "tests/services/test_hostile_door.py",
    ),
    Mutation(
        "a nonce that was used while signing is written down",
        "valtrac/services/payouts.py",
        "        if door.chain.counts_nonces and wallets.next_nonce(conn, payer.address) != nonce:\n",
        "        if False:\n",
        "tests/services/test_hostile_door.py",
    ),
    Mutation(
        "one node's word is enough for a failure",
        "valtrac/services/reconcile.py",
        "    for witness in witnesses if not outcome.ok else ():\n",
        "    for witness in ():\n",
        "tests/services/test_hostile_door.py",
    ),
    Mutation(
        "a replaced or new address is paid at once",
        "valtrac/services/payouts.py",
        "    owed = [line for line in owed if line.id not in held]\n",
        "",
        "tests/services/test_destinations.py",
    ),
    Mutation(
        "an address is not looked at again when the attempt is written",
        "valtrac/services/payouts.py",
        "        if destinations.entered(conn, door.settings, lines, head) or door.waits(conn, lines):\n",
        "        if False:\n",
        "tests/services/test_destinations.py",
    ),
    Mutation(
        "a payment that is set aside keeps its claim on the batch",
        "valtrac/services/balances.py",
        '        batches.move_lines(conn, [line.id], "owed", "void")\n',
        "",
        "tests/services/test_balances.py",
    ),
    Mutation(
        "an unusual draft needs no words",
        "valtrac/services/approvals.py",
        "    if grave and not despite.strip():\n",
        "    if False:\n",
        "tests/services/test_liquidity.py",
    ),
)
