"""The outbox on both kinds of database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.alerts.world import World
from tests.databases import fresh
from valtrac.alerts import targets
from valtrac.alerts.model.rules import Manner
from valtrac.core.events import Event, Severity


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_day_of_alerts(tmp_path: Path, kind: str) -> None:
    world = World(tmp_path, alerts_database_url=fresh(kind, tmp_path))
    world.target("mail")
    world.target("dead")
    world.notifier.down.add("dead")
    kinds = {kind.name: kind for kind in world.source.kinds}
    rule = targets.add_rule(world.engine, kinds, "shop.*", "mail", Severity.INFO, Manner.NEVER)
    targets.end_rule(world.engine, rule.id)
    world.round()
    world.tell(*(f"p{number}" for number in range(60)))
    world.source.holding = [Event("shop.shut:1", "shop.shut", world.now, "The door is shut.")]
    world.rounds(3)
    world.source.holding = []
    world.rounds(3, after=timedelta(minutes=11))
    world.notifier.down.clear()
    world.rounds(3, after=timedelta(hours=1))
    for name in ("mail", "dead"):
        assert "61 alerts at once." in world.bodies(name)
        assert "Open again" in world.bodies(name)
    targets.remove(world.engine, "dead")
    world.target("dead")
    world.engine.dispose()
