from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.database.rows import KINDS
from tests.databases import copies, fresh
from valtrac.database import opening


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture(params=KINDS)
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """What the migrations make of an empty database, here and now; `engine` is a copy of such a one."""
    with copies(False):
        opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()
