"""A clock of this machine that is wrong, or jumps: no verdict, and nobody is paid twice."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from tests.once import assert_paid_once
from tests.payments.doorway import Answering, ready, sent_by
from tests.payout_world import TAO, World
from valtrac.core.chain import Head
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.database import engine
from valtrac.devnet import bittensor as devnet
from valtrac.payments import reconcile as reconciling
from valtrac.payments import send as payouts
from valtrac.payments.store import attempts, batches, ledger
from valtrac.payouts import approvals


def _set_clock(monkeypatch: pytest.MonkeyPatch, shift: timedelta) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + shift

    for module in (attempts, batches, ledger, engine, approvals, reconciling):
        monkeypatch.setattr(module, "datetime", Shifted)


@pytest.mark.parametrize("hours", [-25, -1, 1, 25])
def test_a_clock_that_is_wrong_changes_nothing_about_who_is_paid(
    world: World, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    _set_clock(monkeypatch, timedelta(hours=hours))
    batch = ready(world)
    devnet.misbehave(world.node, lose_reply=1, lose_request=0)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_while_it_waits_is_no_verdict(world: World, jump_s: int) -> None:
    batch = ready(world)
    devnet.misbehave(world.node, hold_pool=True)
    minutes = itertools.count()

    def clock() -> float:
        minute = next(minutes)
        return 60.0 * minute + (jump_s if minute > 5 else 0)

    with pytest.raises(OutcomeUnknown):
        sent_by(world, world.app.unlock(), batch, clock=clock, patience_s=600, sleep=lambda seconds: None)
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize("hours", [-25, -1, 1, 25])
def test_the_cap_per_day_counts_the_days_of_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    world = World(tmp_path, cap_day=10 * TAO)
    first = ready(world)
    world.send(first)
    _set_clock(monkeypatch, timedelta(hours=hours))
    second = world.day(1).approved()
    with pytest.raises(Refused, match="within 24 hours"):
        world.send(second)
    now = world.app.chain.finalized().at
    chain = Answering(world.app.chain, "finalized", lambda head: _later(head, now), lambda: True)
    payouts.send(replace(world.door(), chain=chain), world.app.unlock(), second.id)
    assert_paid_once(world, first, second)
    world.app.close()


def _later(head: Head, now: datetime) -> Head:
    return replace(head, at=max(head.at, now + timedelta(hours=24)))
