"""Faults of stake contracts: the listener, the requests, the payments due, the exchanges, the books."""

from __future__ import annotations

from tests.mutations import Mutation

LISTENER = "tests/services/test_contract_listener.py"
DUES = "tests/services/test_contract_dues.py"
COVER = "tests/services/test_contract_cover.py"
DEFECTS = "tests/services/test_stakebts_defects.py"
ATTACKS = "tests/services/test_contract_attacks.py"
RESTORED = "tests/services/test_contract_restored.py"
EXCHANGES = "tests/services/test_contract_exchanges.py"
ODDITIES = "tests/services/test_contract_oddities.py"
BOOKS = "tests/services/test_contract_books.py"

MUTATIONS = (
    Mutation(
        "a listener with a stale cursor writes all the same",
        "valtrac/services/listener.py",
        "        if not operations.set_cursor(conn, to, expected=expected):\n",
        "        if operations.set_cursor(conn, to, expected=expected) is None:\n",
        LISTENER,
    ),
    Mutation(
        "the cursor moves before the effects, in a transaction of its own",
        "valtrac/services/listener.py",
        "    with writing(house.engine) as conn:\n        new = sum(",
        "    with writing(house.engine) as conn:\n        operations.set_cursor(conn, to, expected=expected)\n"
        "    expected = to\n    with writing(house.engine) as conn:\n        new = sum(",
        LISTENER,
    ),
    Mutation(
        "an operation that was dealt with is dealt with again",
        "valtrac/services/requests.py",
        "    if done is None:\n        return None\n",
        "    if done is None:\n        done = operations.of_transaction(conn, transfer.tx_id)[0]\n",
        DEFECTS,
    ),
    Mutation(
        "a memo for which a key is missing is charged",
        "valtrac/services/requests.py",
        '        return Heard(transfer, at, other, None, unread=str(error) or "the key for its memo is missing")\n',
        "        return Heard(transfer, at, other, None, broken=True)\n",
        LISTENER,
    ),
    Mutation(
        "a newer memo does not wait for an older one of the same account",
        "valtrac/services/requests.py",
        'if state == "waiting" and not heard.unread and not _waits_for_another(conn, done):\n',
        'if state == "waiting" and not heard.unread:\n',
        LISTENER,
    ),
    Mutation(
        "a stop ends contracts that began after it",
        "valtrac/store/contracts.py",
        "    candidates = [one for one in of_account(conn, account) if _began_before(one, before, at)]\n",
        "    candidates = of_account(conn, account)\n",
        DEFECTS,
    ),
    Mutation(
        "a stop costs the penalty after the term too",
        "valtrac/store/contracts.py",
        'if principal is not None and principal.state == "pending" and principal.due_at > at:\n',
        'if principal is not None and principal.state == "pending":\n',
        DUES,
    ),
    Mutation(
        "a stop takes rewards that were due before it",
        "valtrac/services/requests.py",
        "            elif row.type == domain.REWARD and row.due_at > operation.at:\n",
        "            elif row.type == domain.REWARD:\n",
        DUES,
    ),
    Mutation(
        "what is due is taken from whatever state it is in",
        "valtrac/store/contracts.py",
        "            .where(D.id.in_(ids[start : start + 500]), D.state == from_state)\n",
        "            .where(D.id.in_(ids[start : start + 500]))\n",
        DEFECTS,
    ),
    Mutation(
        "the penalty outlives the term",
        "valtrac/services/dues.py",
        "        contracts.end_penalties(conn, ended, head.at)\n",
        "",
        DUES,
    ),
    Mutation(
        "a payment that the journal does not know holds nothing",
        "valtrac/services/house.py",
        '        for one in operations.listed(conn, "unruled")\n',
        '        for one in operations.listed(conn, "never")\n',
        LISTENER,
    ),
    Mutation(
        "a payment that the journal does not know is not seen before it is irreversible",
        "valtrac/services/due_outlook.py",
        "    if strange:\n",
        "    if False:\n",
        ATTACKS,
    ),
    Mutation(
        "a listener that is far behind holds nothing",
        "valtrac/services/due_outlook.py",
        "    if at is None or head.number - at.block > LARGEST_LAG:\n",
        "    if at is None:\n",
        DUES,
    ),
    Mutation(
        "the cap per payment is not looked at",
        "valtrac/services/due_outlook.py",
        "    if one.units > each:\n",
        "    if False:\n",
        DUES,
    ),
    Mutation(
        "the reserve is spent",
        "valtrac/services/dues.py",
        "    left = state.funds - house.settings.contracts_reserve - state.reserved\n",
        "    left = state.funds - state.reserved\n",
        DUES,
    ),
    Mutation(
        "what was reserved by another is paid all the same",
        "valtrac/services/dues.py",
        "            contracts.reserve(conn, one.id, from_state, line.id)\n",
        "            contracts.reserve(conn, one.id, contracts.due(conn, one.id).state, line.id)\n",
        DEFECTS,
    ),
    Mutation(
        "a manager who is no lifetime member may move funds",
        "valtrac/services/requests.py",
        "    if not other.lifetime:\n",
        "    if False:\n",
        COVER,
    ),
    Mutation(
        "a loan is sent back",
        "valtrac/services/requests.py",
        "    elif request.type == memos.LOAN:\n",
        "    elif request.type == memos.LOAN and other.name in settings.contracts_managers:\n",
        DEFECTS,
    ),
    Mutation(
        "an exchange is asked before it is written down",
        "valtrac/services/cover.py",
        "    with writing(house.engine) as conn:\n        moves.note_asked(conn, move, house.now())\n    try:\n",
        "    try:\n",
        COVER,
    ),
    Mutation(
        "a withdrawal that is not listed at once counts as refused",
        "valtrac/services/cover.py",
        "LOST_AFTER = timedelta(minutes=30)",
        "LOST_AFTER = timedelta(minutes=-30)",
        COVER,
    ),
    Mutation(
        "what arrived while it was reckoned is asked for again",
        "valtrac/services/cover.py",
        "    asked = _open(house) if asked is None else asked\n    with",
        "    asked = _open(house)\n    with",
        COVER,
    ),
    Mutation(
        "two payers ask two accounts for the same money",
        "valtrac/services/cover.py",
        "        if any(move.id not in known for move in moves.in_states(conn, *moves.OPEN)):\n",
        "        if False:\n",
        COVER,
    ),
    Mutation(
        "a payment counts as dead when its time is up, before the blocks say so",
        "valtrac/chains/graphene_node.py",
        "            return at.timestamp() > valid_until\n",
        "            return at.timestamp() >= valid_until - 3\n",
        "tests/chains/test_bitshares.py",
    ),
    Mutation(
        "a block that can still be undone ends a payment's time",
        "valtrac/chains/graphene_node.py",
        "            if number > self._last and number > self._tip().last:\n",
        "            if number > self._last and number > self._tip().head:\n",
        "tests/chains/test_bitshares.py",
    ),
    Mutation(
        "what is left of a refund's fee is not looked at",
        "valtrac/domain/contracts.py",
        "    return left if left > terms.least_refund else 0\n",
        "    return max(0, left)\n",
        DEFECTS,
    ),
    Mutation(
        "what waits in a pool is an alarm",
        "valtrac/services/books.py",
        "since, not unexplained or _lasts(",
        "since, True or _lasts(",
        BOOKS,
    ),
    Mutation(
        "what moved without a transfer is no alarm",
        "valtrac/services/books.py",
        "    unexplained = holds - held - sum(",
        "    unexplained = 0 * sum(",
        BOOKS,
    ),
    Mutation(
        "what is sent is sent again while its payment is held",
        "valtrac/services/payouts.py",
        " and not _held_since(door, attempt):",
        ":",
        RESTORED,
    ),
    Mutation(
        "beginning with now passes over what left the account",
        "valtrac/services/listener.py",
        '        to = at if last >= at.block else Cursor(last, "")\n',
        '        to = Cursor(last, "")\n',
        RESTORED,
    ),
    Mutation(
        "what is passed over is carried out",
        "valtrac/services/requests.py",
        " or _is_passed_over(conn, transfer.block)):",
        "):",
        RESTORED,
    ),
    Mutation(
        "two words about one deposit both count",
        "valtrac/services/contracts.py",
        '        if fresh.state == "handled":\n',
        '        if fresh.state == "never":\n',
        ODDITIES,
    ),
    Mutation(
        "another asset may have been the payment",
        "valtrac/services/contracts.py",
        " and one.asset_id == CORE_ASSET\n    if not same",
        "\n    if not same",
        ODDITIES,
    ),
    Mutation(
        "an exchange is believed about any transfer",
        "valtrac/services/cover.py",
        " and may_be(move, one)\n",
        "\n",
        EXCHANGES,
    ),
    Mutation(
        "what a manager asked for is done whenever it can be",
        "valtrac/services/cover.py",
        "STALE = timedelta(hours=12)",
        "STALE = timedelta(days=3650)",
        EXCHANGES,
    ),
    Mutation(
        "what is missing is given up before exchanges are asked",
        "valtrac/services/delinquents.py",
        "        poor = not _coming(house, head)\n",
        "        poor = True\n",
        EXCHANGES,
    ),
    Mutation(
        "a log that was changed by hand counts as whole",
        "valtrac/services/payout_log.py",
        "        if _seen.get(path) == (_digest(file), newest):\n",
        "        if path in _seen and _seen[path][1] == newest:\n",
        ODDITIES,
    ),
)
