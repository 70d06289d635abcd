"""A real distribution, of 18,618 accounts, paid on the embedded chain with every unit accounted for.

The file is read from the folder named by VALTRAC_TEST_DATA; where it is absent this test is skipped.
"""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.payout_world import HOTKEY, TAO
from valtrac.chains.bittensor import connect
from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.money import decimal_text
from valtrac.devnet import bittensor as devnet
from valtrac.devnet.bittensor import state
from valtrac.payments import send
from valtrac.payouts import approvals, drafts
from valtrac.settings import Settings
from valtrac.snapshots import snapshots
from valtrac.wiring.payouts import App

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("VALTRAC_TEST_DATA", ROOT.parent / "shared" / "data")) / "finney-genesis-stakes.json"


@pytest.mark.skipif(
    not DATA.exists(), reason="finney-genesis-stakes.json is not here; name its folder in VALTRAC_TEST_DATA"
)
def test_the_balances_of_a_whole_network_are_planned_and_paid_to_the_unit(tmp_path: Path) -> None:
    balances: dict[str, int] = {a: int(u) for a, u in json.loads(DATA.read_text(encoding="utf-8"))["balances"].items()}
    owner = connect.dev_address("//Owner")
    for account in balances:
        key_of(account)  # raises BadAddress for what is none
    pool = 1_000_000 * TAO
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    node = home / "data" / "devnet.sqlite"
    devnet.seed_world(
        node,
        devnet.World(
            name="real",
            accounts={owner: pool + 1000 * TAO},
            tempo=360,
            hotkeys=(devnet.Hotkey(HOTKEY, owner, 0, (devnet.Subnet(0, balances | {owner: TAO}),)),),
        ),
    )
    devnet.advance(node, 10)
    app = App(Settings(home=home, hotkeys=(HOTKEY,), chunk_size=1500))
    ((snapshot, _),) = snapshots.take(app.engine, app.chain, HOTKEY).stored
    assert len(snapshot.stakes) == len(balances) == 18_618
    batch = drafts.draft(app.engine, drafts.Request(HOTKEY, pool, owner, by="nominators", chunk_size=1500), app.chain)
    approvals.approve(app.engine, app.settings, app.caps, batch.id, decimal_text(batch.total))

    def sleep(_seconds: float) -> None:
        devnet.advance(node, 1)

    door = replace(app.door(), sleep=sleep, log=None)
    assert send.send(door, app.unlock(), batch.id).state == "settled"
    head = app.chain.finalized()
    paid = {line.address: line.amount for line in batch.payout.lines}
    with closing(state.connect(node)) as books:  # the chain's own: asking for one after the other takes its time
        arrived = {account: free for account, free, _ in state.accounts_at(books, head.number)}
    assert {account: arrived.get(account) for account in paid} == paid
    assert all(app.chain.balance(account, head) == paid[account] for account in sorted(paid)[::100])
    held = sum(kept.amount for kept in batch.payout.held)
    assert sum(paid.values()) + held + batch.payout.fee_from_pool + batch.unassigned == pool
    assert set(paid) | {kept.user for kept in batch.payout.held} == {a for a, u in balances.items() if u}
    app.close()


def test_an_address_that_is_none_is_told_apart() -> None:
    with pytest.raises(BadAddress):
        key_of("5" * 48)
