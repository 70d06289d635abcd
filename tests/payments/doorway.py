"""Before the door: an approved batch, and wallets and nodes that meddle with its sending."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.once import Died, Meddling
from tests.payout_world import World
from valtrac.core.errors import OutcomeUnknown
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.payments import send
from valtrac.payments.model.batches import Batch
from valtrac.payments.store import attempts
from valtrac.payouts import approvals, drafts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.ports import Payer

LOG = ("logs", "payout_log.csv")


def ready(world: World, **changes: object) -> PayoutBatch:
    """An approved batch in a world; where nothing is out of the usual, by a copy of one that was approved before."""
    if changes or not world.untouched():
        return world.people().day().approved(**changes)
    template, batch = _approved(world.heads)
    world.become(template)
    return batch


@cache
def _approved(heads: int) -> tuple[Path, PayoutBatch]:
    folder = TemporaryDirectory(prefix="vt-approved-")
    atexit.register(folder.cleanup)
    made = World(Path(folder.name) / "home", heads)
    batch = made.people().day().approved()
    made.app.close()
    return made.home, batch


def states(world: World, batch_id: int) -> list[str]:
    """The states of every attempt of a batch, in order."""
    with reading(world.engine) as conn:
        return [attempt.state for attempt in attempts.of_batch(conn, batch_id)]


def sent_by(world: World, payer: Payer, batch: Batch, **door: object) -> Batch:
    return send.send(world.door(**door), payer, batch.id)


def impatient(world: World, payer: Payer, batch: Batch) -> OutcomeUnknown:
    """Send without letting time pass on the chain; it ends in not knowing."""
    with pytest.raises(OutcomeUnknown) as unknown:
        sent_by(world, payer, batch, sleep=lambda seconds: None, patience_s=1)
    return unknown.value


def dying(world: World, nth: int, *, after: bool) -> Meddling:
    """A wallet whose process dies at the n-th handing over, before or after the node has the bytes."""

    def hand(payer: Payer, raw: bytes) -> None:
        last = len(wallet.handed) == nth
        if after or not last:
            payer.broadcast(raw)
        if last:
            raise Died

    wallet = Meddling(world.app.unlock(), hand)
    return wallet


def handing(payer: Payer, raw: bytes) -> None:
    payer.broadcast(raw)


def failing_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> PayoutBatch:
    """A batch whose first payment is below what a new account must hold, so that the chain fails its chunk."""
    monkeypatch.setattr(drafts, "EXISTENTIAL_UNITS", 1)
    world.people().day()
    draft = drafts.draft(world.engine, world.request(pool=11_200, minimum=1, fee=10**6, fee_policy="owner"), None)
    return approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))


class Answering:
    """A node one of whose answers is another: instead(real answer), once `armed` says so."""

    def __init__(self, real: Any, name: str, instead: Callable[[Any], Any], armed: Callable[[], bool]) -> None:
        self._real, self._name, self._instead, self._armed = real, name, instead, armed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name != self._name:
            return found

        def answer(*args: object, **named: object) -> Any:
            real = found(*args, **named)
            return self._instead(real) if self._armed() else real

        return answer
