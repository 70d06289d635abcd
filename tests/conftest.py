from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The tests start some hundred processes, and each worker loads everything once more: with the compiled modules kept,
# as Python does untold, that takes half the time. A switch of the shell against it would slow them down for nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Every store waits for the disk at each commit. What a killed process leaves is the same in memory, where there is
# room for it.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 6 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# These take long, and mostly they wait for other processes. Whoever gets them begins with them, so that others work
# meanwhile, and what is left at the end of a run is short and can be shared.
LONG = (
    "tests/loggers/test_pm2.py",
    "tests/loggers/test_custody_jobs.py",
    "tests/loggers/test_loop.py",
    "tests/test_secrets.py",
    "tests/payouts/test_real_distribution.py",
    "tests/contracts/test_two_copies.py",
    "tests/simulation/test_year.py",
    "tests/simulation_qtum/test_month.py",
    "tests/chains/qtum/test_litecoind.py",
    "tests/alerts/test_crash.py",
    "tests/crash/test_crash.py",
    "tests/payments/test_processes.py",
    "tests/payments/test_outages.py",
    "tests/menus/test_terminal.py",
    "tests/menus/frame/test_streams.py",
)

# How long an example takes says how busy the machine is, and nothing about the program.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

from tests.databases import compiled_once, copies  # noqa: E402
from tests.payout_world import World  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONG)))


def pytest_collection_finish() -> None:
    """What was loaded stays to the end: looking through all of it for garbage again and again takes a twentieth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """New databases are copies of one that was migrated once, not so in tests/database; so are compiled statements."""
    with copies(True), compiled_once():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.app.close()
