"""Faults of what is not believed of one node alone: accounts, swaps, movements without a proof, balances, told pins."""

from __future__ import annotations

from tests.mutations import Mutation

MUTATIONS = (
    Mutation(
        "one node is believed about whose account a name is",
        "valtrac/chains/bitshares/reading.py",
        "        differing = sorted(key for key in told.keys() | other.keys() if told.get(key) != other.get(key))\n",
        "        differing = list[str]()\n",
        "tests/chains/bitshares/test_accounts_of_two_nodes.py",
    ),
    Mutation(
        "the number of an exchange's account may change",
        "valtrac/contracts/deposit_accounts.py",
        "    if number != named.id:\n",
        "    if False:\n",
        "tests/contracts/test_deposit_accounts.py",
    ),
    Mutation(
        "one node that keeps a swap to itself hides it",
        "valtrac/people/destinations.py",
        "        announced |= other.swaps_announced(looked, other.finalized())\n",
        "        pass\n",
        "tests/people/test_destinations.py",
    ),
    Mutation(
        "what a foreign transaction moved is believed of one node",
        "valtrac/payments/foreign.py",
        "    if outcome is None or outcome.moved is None or not _is_sure(door, used, outcome):\n",
        "    if outcome is None or outcome.moved is None:\n",
        "tests/payments/test_foreign.py",
    ),
    Mutation(
        "a block that was only told makes another history a lie",
        "valtrac/chains/bittensor/finality.py",
        "        if pin.proven_block > pin.block or pin.origin == Origin.FOLLOWED:\n",
        "        if True:\n",
        "tests/chains/bittensor/test_finality.py",
    ),
    Mutation(
        "a set is pinned though no proof says that no change is on its way",
        "valtrac/chains/bittensor/pinning.py",
        "    if not all(is_proven for is_proven, _ in answers):\n",
        "    if not answers[0][0]:\n",
        "tests/chains/bittensor/test_finality.py",
    ),
    Mutation(
        "one node is paid on though the account lacks what came in",
        "valtrac/contracts/dues.py",
        "        audit.see_that_it_is_there(custodian)\n",
        "        pass\n",
        "tests/contracts/test_doubts.py",
    ),
    Mutation(
        "dust in the pool stops every payment",
        "valtrac/contracts/audit.py",
        "        if rest == last or (enough and wanted is not None and rest >= wanted):\n",
        "        if rest == last:\n",
        "tests/contracts/test_doubts.py",
    ),
    Mutation(
        "money that goes on leaving stops payments for ever",
        "valtrac/contracts/audit.py",
        '    return len(run) >= OFTEN and block - int(run[-1].msg["block_num"]) >= LASTS\n',
        "    return False\n",
        "tests/contracts/test_doubts.py",
    ),
    Mutation(
        "a transaction is not looked for before the block that was noted",
        "valtrac/payments/nonces.py",
        "    while low > 0 and chain.nonce(wallet, chain.block(low).head) > nonce:\n",
        "    while False:\n",
        "tests/payments/test_foreign.py",
    ),
    Mutation(
        "the second node may be one of the first",
        "valtrac/payouts/settings.py",
        "            and any(same_node(self.second_endpoint, it) for it in first)\n",
        "            and False\n",
        "tests/menus/frame/test_second_node.py",
    ),
)
