"""The rehearsal: the whole job in a home of its own, and a chain that begins anew beside its old ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.payout_world import World, owed
from valtrac.core.errors import Refused, ValtracError
from valtrac.rehearsal import payouts

EXAMPLE = (payouts.EXAMPLES / "devnet.toml").read_text(encoding="utf-8")


def test_the_demo_pays_everyone_and_the_chain_agrees(tmp_path: Path) -> None:
    app = payouts.fresh_home(tmp_path / "demo")
    payouts.load_people(app)
    payouts.record_a_day(app, lambda done, total, words: None)
    draft = payouts.plan(app)
    summary = payouts.pay(app, draft, lambda words: None)
    app.close()
    assert summary.chain_agrees
    assert (summary.payees, summary.chunks, summary.lost_replies) == (12, 3, 1)
    assert summary.paid_rao == sum(owed(draft).values())
    assert summary.pool_rao == (
        summary.paid_rao + summary.held_rao + summary.unassigned_rao + draft.payout.fee_from_pool
    )
    assert json.loads(payouts.write_summary(tmp_path, summary).read_text())["paid_rao"] == summary.paid_rao


def test_a_folder_that_holds_something_else_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(ValtracError, match="no rehearsal"):
        payouts.fresh_home(tmp_path)
    assert (tmp_path / "precious").exists()


def test_a_new_chain_does_not_get_the_ledger_of_the_old_one(world: World) -> None:
    batch = world.people().day().approved()
    world.send(batch)
    settings = world.app.settings
    world.app.close()
    with pytest.raises(Refused, match="earlier rehearsal chain"):
        payouts.begin(settings, EXAMPLE)
    _, aside = payouts.begin(settings, EXAMPLE, force=True)
    assert aside is not None
    assert aside.exists()
    assert not (settings.data / "valtrac-devnet.sqlite").exists()


def test_users_entered_before_the_first_block_stay(tmp_path: Path) -> None:
    world = World(tmp_path).people()
    world.app.close()
    world.node.unlink()
    _, aside = payouts.begin(world.app.settings, EXAMPLE)
    assert aside is None
    assert (world.app.settings.data / "valtrac-devnet.sqlite").exists()
