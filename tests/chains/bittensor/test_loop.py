"""The background loop: what fails in it comes back to whoever asked, and is printed nowhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.homes import CHECKOUT
from valtrac.chains.bittensor.loop import BackgroundLoop

AS_THE_SDK_DOES = """
import asyncio, gc
from valtrac.chains.bittensor.loop import BackgroundLoop

async def fails():
    raise RuntimeError("the line went dead")

async def starts_one():
    asyncio.get_running_loop().create_task(fails())
    asyncio.get_running_loop().create_task(asyncio.sleep(60))
    await asyncio.sleep(0.05)
    gc.collect()

loop = BackgroundLoop("test")
loop.run(starts_one, 5)
loop.close()
gc.collect()
"""


def test_a_task_that_nobody_waits_for_prints_nothing_when_it_fails() -> None:
    said = subprocess.run(
        [sys.executable, "-c", AS_THE_SDK_DOES], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert (said.stdout, said.stderr) == ("", "")


def test_what_fails_in_the_question_itself_comes_back() -> None:
    async def fails() -> None:
        raise RuntimeError("the line went dead")

    loop = BackgroundLoop("test")
    with pytest.raises(RuntimeError, match="went dead"):
        loop.run(fails, 5)
    loop.close()
