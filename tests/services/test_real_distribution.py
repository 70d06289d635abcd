"""A real distribution, of 18,618 accounts, paid on the embedded chain with every unit accounted for.

The file is read from the folder named by VALTRAC_TEST_DATA; where it is absent this test is skipped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.payout_world import HOTKEY, TAO
from valtrac import devnet
from valtrac.app import App
from valtrac.chains import bittensor
from valtrac.config import Settings
from valtrac.domain.addresses import BadAddress, key_of
from valtrac.domain.money import decimal_text
from valtrac.services import approvals, payouts, plans, snapshots

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("VALTRAC_TEST_DATA", ROOT.parent / "shared" / "data")) / "finney-genesis-stakes.json"


@pytest.mark.skipif(
    not DATA.exists(), reason="finney-genesis-stakes.json is not here; name its folder in VALTRAC_TEST_DATA"
)
def test_the_balances_of_a_whole_network_are_planned_and_paid_to_the_unit(tmp_path: Path) -> None:
    balances: dict[str, int] = {a: int(u) for a, u in json.loads(DATA.read_text(encoding="utf-8"))["balances"].items()}
    owner = bittensor.dev_address("//Owner")
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
    batch = plans.draft(app.engine, plans.Request(HOTKEY, pool, owner, by="nominators", chunk_size=1500), app.chain)
    approvals.approve(app.engine, app.settings, batch.id, decimal_text(batch.total))
    door = payouts.Door(app.engine, app.chain, app.settings, sleep=lambda s: devnet.advance(node, 1))
    assert payouts.send(door, app.unlock(), batch.id).state == "settled"
    head = app.chain.finalized()
    paid = {line["address"]: line["amount"] for line in batch.plan["lines"]}
    arrived = {account: app.chain.account(account, head).free_units for account in paid}
    assert arrived == paid
    held = sum(kept["amount"] for kept in batch.plan["held"])
    assert sum(paid.values()) + held + batch.plan["fee_from_pool"] + batch.unassigned == pool
    assert set(paid) | {kept["user"] for kept in batch.plan["held"]} == {a for a, u in balances.items() if u}
    app.close()


def test_an_address_that_is_none_is_told_apart() -> None:
    with pytest.raises(BadAddress):
        key_of("5" * 48)
