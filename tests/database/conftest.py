from __future__ import annotations

import pytest

from tests.database.rows import KINDS
from tests.databases import copies, fresh
from valtrac.database import opening


@pytest.fixture(params=KINDS)
def engine(request, tmp_path):
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture(params=KINDS)
def migrated(request, tmp_path):
    """What the migrations make of an empty database, here and now; `engine` is a copy of such a one."""
    with copies(False):
        opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()
