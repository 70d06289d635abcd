from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import small_world
from tests.payout_world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = small_world(monkeypatch, tmp_path)
    yield made
    made.app.close()
