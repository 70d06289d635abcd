"""Faults of stake contracts: the listener, the requests, the payments due, the exchanges, the books."""

from __future__ import annotations

from tests.mutations import Mutation

LISTENER = "tests/contracts/test_listener.py"
DUES = "tests/contracts/test_dues.py"
COVER = "tests/contracts/test_exchange_transfers.py"
ATTACKS = "tests/contracts/test_attacks.py"
RESTORED = "tests/contracts/test_restored.py"
EXCHANGES = "tests/contracts/test_exchanges.py"
ODDITIES = "tests/contracts/test_oddities.py"
BOOKS = "tests/contracts/test_audit.py"
MEMOS = "tests/contracts/test_waiting_memos.py"
OTHER_OPERATIONS = "tests/contracts/test_other_operations.py"
ORDER_OF_DUES = "tests/contracts/test_order_of_dues.py"
DUES_THAT_FAIL = "tests/contracts/test_dues_that_fail.py"
DOUBLE_PAYMENTS = "tests/contracts/test_stakebts_double_payments.py"
RUNNING = "tests/contracts/test_stakebts_running.py"

MUTATIONS = (
    Mutation(
        "a listener with a stale cursor writes all the same",
        "valtrac/contracts/listener.py",
        "        if not transfers.set_cursor(conn, to, expected=expected):\n",
        "        if transfers.set_cursor(conn, to, expected=expected) is None:\n",
        LISTENER,
    ),
    Mutation(
        "the cursor moves before the effects, in a transaction of its own",
        "valtrac/contracts/listener.py",
        "    with writing(custodian.engine) as conn:\n        new = sum(",
        "    with writing(custodian.engine) as conn:\n        transfers.set_cursor(conn, to, expected=expected)\n"
        "    expected = to\n    with writing(custodian.engine) as conn:\n        new = sum(",
        LISTENER,
    ),
    Mutation(
        "an operation that was dealt with is dealt with again",
        "valtrac/contracts/requests.py",
        "    if recorded is None:\n        return None\n",
        "    if recorded is None:\n        recorded = transfers.of_transaction(conn, read.transfer.tx_id)[0]\n",
        DOUBLE_PAYMENTS,
    ),
    Mutation(
        "a memo for which a key is missing is charged",
        "valtrac/contracts/requests.py",
        '        return ReadTransfer(transfer, at, other, None, unread=str(error) or "the'
        ' key for its memo is missing")\n',
        "        return ReadTransfer(transfer, at, other, None, broken=True)\n",
        MEMOS,
    ),
    Mutation(
        "a newer memo does not wait for an older one of the same account",
        "valtrac/contracts/requests.py",
        "not read.unread and not _waits_for_another(conn, recorded):",
        "not read.unread:",
        MEMOS,
    ),
    Mutation(
        "a stop ends contracts that began after it",
        "valtrac/contracts/model/requests.py",
        "    if not (began < place if contract.block else contract.start_at < asked_at):\n        return False\n",
        "",
        DOUBLE_PAYMENTS,
    ),
    Mutation(
        "a stop costs the penalty after the term too",
        "valtrac/contracts/model/requests.py",
        "principal.state == DueState.PENDING and principal.due_at > asked_at\n",
        "principal.state == DueState.PENDING\n",
        DUES,
    ),
    Mutation(
        "a stop takes rewards that were due before it",
        "valtrac/contracts/model/requests.py",
        "if row.type == contracts.REWARD and row.due_at > asked_at)",
        "if row.type == contracts.REWARD)",
        DUES,
    ),
    Mutation(
        "what is due is taken from whatever state it is in",
        "valtrac/contracts/store/contracts.py",
        "            .where(D.id.in_(ids[start : start + 500]), D.state == from_state)\n",
        "            .where(D.id.in_(ids[start : start + 500]))\n",
        DOUBLE_PAYMENTS,
    ),
    Mutation(
        "the penalty outlives the term",
        "valtrac/contracts/dues.py",
        "        contracts.end_penalties(conn, ended, head.at)\n",
        "",
        DUES,
    ),
    Mutation(
        "a payment that the journal does not know holds nothing",
        "valtrac/contracts/producer.py",
        "        for transfer in transfers.listed(conn, TransferState.UNRULED)\n",
        "        for transfer in ()\n",
        OTHER_OPERATIONS,
    ),
    Mutation(
        "a payment that the journal does not know is not seen before it is irreversible",
        "valtrac/contracts/forecast.py",
        "    if strange:\n",
        "    if False:\n",
        ATTACKS,
    ),
    Mutation(
        "a listener that is far behind holds nothing",
        "valtrac/contracts/forecast.py",
        "    if cursor is None or head.number - cursor.block > LARGEST_LAG:\n",
        "    if cursor is None:\n",
        DUES_THAT_FAIL,
    ),
    Mutation(
        "the cap per payment is not looked at",
        "valtrac/contracts/forecast.py",
        "    if due.units > each:\n",
        "    if False:\n",
        ORDER_OF_DUES,
    ),
    Mutation(
        "the reserve is spent",
        "valtrac/contracts/dues.py",
        "        left=state.funds - custodian.settings.contracts_reserve - state.reserved,\n",
        "        left=state.funds - state.reserved,\n",
        ORDER_OF_DUES,
    ),
    Mutation(
        "what was reserved by another is paid all the same",
        "valtrac/contracts/dues.py",
        "            contracts.reserve(conn, due.id, from_state, line.id)\n",
        "            contracts.reserve(conn, due.id, contracts.due(conn, due.id).state, line.id)\n",
        DOUBLE_PAYMENTS,
    ),
    Mutation(
        "a manager who is no lifetime member may move funds",
        "valtrac/contracts/model/requests.py",
        "    if not lifetime_member:\n",
        "    if False:\n",
        COVER,
    ),
    Mutation(
        "a loan is sent back",
        "valtrac/contracts/model/requests.py",
        "    lent = request.type == memos.LOAN and (sender.manager or sender.by_owner or known_reference)\n",
        "    lent = False\n",
        DOUBLE_PAYMENTS,
    ),
    Mutation(
        "an exchange is asked before it is written down",
        "valtrac/contracts/exchange_transfers.py",
        "    with writing(custodian.engine) as conn:\n"
        "        withdrawals.note_asked(conn, withdrawal, custodian.now())\n    try:\n",
        "    try:\n",
        COVER,
    ),
    Mutation(
        "a withdrawal that is not listed at once counts as refused",
        "valtrac/contracts/model/withdrawals.py",
        "LOST_AFTER = timedelta(minutes=30)",
        "LOST_AFTER = timedelta(minutes=-30)",
        COVER,
    ),
    Mutation(
        "what arrived while it was reckoned is asked for again",
        "valtrac/contracts/exchange_transfers.py",
        "    asked = _open(custodian) if asked is None else asked\n    with",
        "    asked = _open(custodian)\n    with",
        COVER,
    ),
    Mutation(
        "two payers ask two accounts for the same money",
        "valtrac/contracts/exchange_transfers.py",
        "        if any(withdrawal.id not in known for withdrawal in withdrawals.in_state"
        "s(conn, *withdrawals.OPEN)):\n",
        "        if False:\n",
        COVER,
    ),
    Mutation(
        "a payment counts as dead when its time is up, before the blocks say so",
        "valtrac/chains/bitshares/node.py",
        "            return made_at.timestamp() > valid_until\n",
        "            return made_at.timestamp() >= valid_until - 3\n",
        "tests/chains/bitshares/test_chain.py",
    ),
    Mutation(
        "a block that can still be undone ends a payment's time",
        "valtrac/chains/bitshares/node.py",
        "            if number > self.last_irreversible and number > self.tip().last:\n",
        "            if number > self.last_irreversible and number > self.tip().head:\n",
        "tests/chains/bitshares/test_chain.py",
    ),
    Mutation(
        "what is left of a refund's fee is not looked at",
        "valtrac/contracts/model/contracts.py",
        "    return left if left > terms.least_refund else 0\n",
        "    return max(0, left)\n",
        RUNNING,
    ),
    Mutation(
        "what waits in a pool is an alarm",
        "valtrac/contracts/audit.py",
        "        sure = not unexplained or _lasts(",
        "        sure = True or _lasts(",
        BOOKS,
    ),
    Mutation(
        "what moved without a transfer is no alarm",
        "valtrac/contracts/audit.py",
        "    since, unexplained = wanted[0], holds - wanted[1]\n",
        "    since, unexplained = wanted[0], 0\n",
        BOOKS,
    ),
    Mutation(
        "what is sent is sent again while its payment is held",
        "valtrac/payments/send.py",
        " and not _held_since(door, attempt):",
        ":",
        RESTORED,
    ),
    Mutation(
        "beginning with now passes over what left the account",
        "valtrac/contracts/listener.py",
        '        to = cursor if last >= cursor.block else Cursor(last, "")\n',
        '        to = Cursor(last, "")\n',
        RESTORED,
    ),
    Mutation(
        "what is passed over is carried out",
        "valtrac/contracts/first_states.py",
        " or _is_passed_over(conn, transfer.block):",
        ":",
        RESTORED,
    ),
    Mutation(
        "two words about one deposit both count",
        "valtrac/contracts/rulings.py",
        "        if fresh.state == TransferState.HANDLED:\n",
        '        if fresh.state == "never":\n',
        ODDITIES,
    ),
    Mutation(
        "another asset may have been the payment",
        "valtrac/contracts/rulings.py",
        " and transfer.asset_id == CORE_ASSET\n    if not same",
        "\n    if not same",
        ODDITIES,
    ),
    Mutation(
        "an exchange is believed about any transfer",
        "valtrac/contracts/exchange_transfers.py",
        " and may_be(withdrawal, transfer)\n",
        "\n",
        EXCHANGES,
    ),
    Mutation(
        "what a manager asked for is done whenever it can be",
        "valtrac/contracts/model/withdrawals.py",
        "STALE = timedelta(hours=12)",
        "STALE = timedelta(days=3650)",
        EXCHANGES,
    ),
    Mutation(
        "what is missing is given up before exchanges are asked",
        "valtrac/contracts/delinquents.py",
        "        poor = not _coming(custodian, head)\n",
        "        poor = True\n",
        EXCHANGES,
    ),
    Mutation(
        "a log that was changed by hand counts as whole",
        "valtrac/payments/payment_log.py",
        "        known = mark is not None and mark.digest == digest.digest()\n",
        "        known = mark is not None\n",
        ODDITIES,
    ),
    Mutation(
        "caps without an end are let through",
        "valtrac/payments/endless_caps.py",
        "    if not lacking:\n",
        "    if True:\n",
        "tests/contracts/test_caps.py",
    ),
    Mutation(
        "a fault ends the job that holds the keys",
        "valtrac/loggers/locked.py",
        "    except Exception as error:\n        words",
        "    except KeyError as error:\n        words",
        "tests/loggers/test_custody_jobs.py",
    ),
)
