from __future__ import annotations

from collections.abc import Iterator

import ccxt  # noqa: F401  loaded before anything is timed
import pytest

from tests.exchanges.exchanges import Exchanges


@pytest.fixture
def exchanges() -> Iterator[Exchanges]:
    made = Exchanges()
    yield made
    made.close()
