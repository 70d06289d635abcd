"""Faults of the watch over keeps, of payments side by side, and of the Ethereum adapter."""

from __future__ import annotations

from tests.mutations import Mutation

DECISIONS = "tests/keeps/test_decisions.py"
PROVIDERS = "tests/keeps/test_providers.py"
GAS = "tests/keeps/test_gas_and_blocks.py"
HANDS = "tests/keeps/test_other_hands.py"
REDEEMED = "tests/keeps/test_to_redeemed.py"
DISCOVERY = "tests/keeps/test_discovery.py"
LINES = "tests/keeps/model/test_lines.py"

MUTATIONS = (
    Mutation(
        "a second approval replaces the sum of the first",
        "valtrac/keeps/model/funds.py",
        "    wanted = [Allowance(machine, through)] if through else []\n",
        "    wanted = [Allowance(machine, cost) for _, route, cost in redemptions if route is Route.MACHINE]\n",
        LINES,
    ),
    Mutation(
        "an approval of any token counts",
        "valtrac/keeps/model/lines.py",
        "    if any(to != token for to, _, text in lines if _APPROVE.fullmatch(text)):",
        "    if any(to != to for to, _, text in lines if _APPROVE.fullmatch(text)):",
        LINES,
    ),
    Mutation(
        "the stored script is believed where Bitcoin is paid to",
        "valtrac/keeps/producer.py",
        "                script=self.script,\n",
        '                script=batch.plan["script"],\n',
        HANDS,
    ),
    Mutation(
        "what only the old cache tells is redeemed",
        "valtrac/keeps/deciding.py",
        "    if not each.keep.confirmed:",
        "    if False:",
        DISCOVERY,
    ),
    Mutation(
        "the cap of the day is met by the payments, and not by the decision",
        "valtrac/keeps/deciding.py",
        "    allowed = min(tbtc, _left_today(watching, look))\n",
        "    allowed = tbtc\n",
        DECISIONS,
    ),
    Mutation(
        "TBTC that has just come is counted on",
        "valtrac/keeps/deciding.py",
        "    return min(newest[0], final[0]), min(newest[1], final[1])\n",
        "    return newest\n",
        DECISIONS,
    ),
    Mutation(
        "what was allowed and not used stays open",
        "valtrac/keeps/carrying_out.py",
        "    if not left or too_dear(watching):\n        return\n",
        "    return\n",
        DECISIONS,
    ),
    Mutation(
        "a keep that somebody else redeemed counts as failed",
        "valtrac/keeps/carrying_out.py",
        "    _note_saved(watching, failed)\n",
        "",
        REDEEMED,
    ),
    Mutation(
        "batches are made while gas is too dear",
        "valtrac/keeps/cycle.py",
        '    dear = too_dear(watching) if this.to_be_sent else ""\n',
        '    dear = ""\n',
        GAS,
    ),
    Mutation(
        "what is stuck hides the keeps from their owner",
        "valtrac/keeps/cycle.py",
        "    except ChainUnreachable:\n        raise\n    except ValtracError as error:\n        return error\n",
        "    except ChainUnreachable:\n        raise\n    except ValtracError as error:\n        raise error\n",
        GAS,
    ),
    Mutation(
        "states are believed of one group of providers",
        "valtrac/keeps/watching.py",
        "        return self._same([side.contracts.states(deposits, at) for side in self.sides], "
        '"the states of deposits")\n',
        "        return self.first.contracts.states(deposits, at)\n",
        PROVIDERS,
    ),
    Mutation(
        "the end of a redemption is believed of the newest block",
        "valtrac/keeps/steps.py",
        "        if state in (DepositState.REDEEMED, *DEPOSIT_LOST) and settled[each.deposit][0] != state:\n",
        "        if False:\n",
        REDEEMED,
    ),
    Mutation(
        "only the newest transaction of a redemption is looked for on Bitcoin",
        "valtrac/keeps/steps.py",
        ", transaction) for transaction in signed]\n",
        ", transaction) for transaction in signed[-1:]]\n",
        REDEEMED,
    ),
    Mutation(
        "a fee is increased by any step",
        "valtrac/keeps/steps.py",
        "    after = before - first\n",
        "    after = before - first - 1\n",
        REDEEMED,
    ),
    Mutation(
        "the block after the last one that was read is where reading goes on",
        "valtrac/keeps/discovery.py",
        "    new, read_from = 0, max(first, position + 1 - OVERLAP)\n",
        "    new, read_from = 0, position + 2\n",
        DISCOVERY,
    ),
    Mutation(
        "a chain that was begun anew is taken for the old one",
        "valtrac/keeps/discovery.py",
        "        _refuse_a_chain_begun_anew(watching, position)\n",
        "",
        DISCOVERY,
    ),
    Mutation(
        "a foreign call with our number counts as one of ours that takes nothing",
        "valtrac/chains/ethereum/node.py",
        "                    Envelope(signed, envelope.units if same else ANOTHER_CALL, envelope.born).packed(),\n",
        "                    Envelope(signed, envelope.units if same else 0, envelope.born).packed(),\n",
        HANDS,
    ),
    Mutation(
        "states that no deposit has are stored",
        "valtrac/chains/ethereum/reading.py",
        "    return _answer(answer, STATES)\n",
        "    return _answer(answer)\n",
        PROVIDERS,
    ),
    Mutation(
        "what a node tells of a transaction is not held against its id",
        "valtrac/chains/ethereum/transactions.py",
        '    if "0x" + keccak(made).hex() != told.get("hash"):',
        '    if "0x" + keccak(made).hex() == "":',
        "tests/chains/ethereum/test_transactions.py",
    ),
    Mutation(
        "bytes behind a call are passed over",
        "valtrac/chains/ethereum/abi.py",
        "    if encoded(name, *values) != data:",
        "    if not data:",
        "tests/chains/ethereum/test_calls.py",
    ),
    Mutation(
        "a provider that asks to be left alone is asked again",
        "valtrac/chains/ethereum/providers.py",
        "    wanted = failed.rest_s if failed.rest_s is not None else REST_S",
        "    wanted = 0.0 if failed.rest_s is not None else REST_S",
        "tests/chains/ethereum/test_providers.py",
    ),
    Mutation(
        "what waits is signed anew with the next number",
        "valtrac/chains/ethereum/payer.py",
        '        "nonce": tx.nonce,\n        "to": tx.to,\n',
        '        "nonce": tx.nonce + 1,\n        "to": tx.to,\n',
        GAS,
    ),
    Mutation(
        "a price that was raised is not written down",
        "valtrac/payments/side_by_side.py",
        "            if not is_open or not replacements.add(conn, attempt.id, tx):\n",
        "            if not is_open:\n",
        GAS,
    ),
    Mutation(
        "what was not handed over stays owed",
        "valtrac/payments/side_by_side.py",
        "        batches.move_lines(conn, [line.id for line in owed], LineState.OWED, LineState.VOID)\n",
        "",
        REDEEMED,
    ),
    Mutation(
        "those who are low come before those in danger",
        "valtrac/keeps/deciding.py",
        "    for group in Group:\n",
        "    for group in reversed(Group):\n",
        DECISIONS,
    ),
    Mutation(
        "a deposit is asked for without the fee of the VendingMachine",
        "valtrac/chains/ethereum/reading.py",
        "                machine = None if isinstance(owner, Reverted) else _answer(lot) * 10**10 + _answer(owner)\n",
        "                machine = None if isinstance(owner, Reverted) else _answer(lot) * 10**10\n",
        "tests/simulation_keeps/test_crash.py",
    ),
)
