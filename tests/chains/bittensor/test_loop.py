"""The loops: what fails in them comes back to whoever asked, and is printed nowhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.homes import CHECKOUT
from valtrac.chains.bittensor.loop import BackgroundLoop, CallersLoop

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


@pytest.fixture(params=[BackgroundLoop, CallersLoop])
def loop(request: pytest.FixtureRequest) -> Iterator[BackgroundLoop | CallersLoop]:
    made = request.param("test")
    yield made
    made.close()
    made.close()
    with pytest.raises(RuntimeError, match="closed"):
        made.run(answers, 5)


async def answers() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


async def fails() -> None:
    raise RuntimeError("the line went dead")


async def hangs() -> None:
    await asyncio.sleep(60)


def test_what_fails_in_the_question_itself_comes_back(loop: BackgroundLoop | CallersLoop) -> None:
    with pytest.raises(RuntimeError, match="went dead"):
        loop.run(fails, 5)
    assert loop.run(answers, 5)


def test_a_question_that_takes_too_long_is_given_up_and_the_next_one_is_answered(
    loop: BackgroundLoop | CallersLoop,
) -> None:
    with pytest.raises(TimeoutError):
        loop.run(hangs, 0.01)
    assert loop.run(answers, 5)


def test_the_callers_loop_answers_on_the_thread_that_asks_and_aside_where_that_one_has_a_loop_running() -> None:
    loop = CallersLoop("aside")

    async def asks() -> str:
        return loop.run(answers, 5)

    assert loop.run(answers, 5) == threading.current_thread().name
    assert asyncio.run(asks()) == "aside"
    loop.close()


def test_an_interrupted_question_does_not_go_on_with_the_next_one() -> None:
    loop, went_on = CallersLoop("test"), list[str]()

    async def interrupted() -> None:
        async def left_over() -> None:
            await asyncio.sleep(0)
            went_on.append("left over")

        asyncio.get_running_loop().create_task(left_over())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.run(interrupted, 5)
    assert loop.run(answers, 5)
    assert went_on == []
    loop.close()


def test_threads_that_ask_at_once_are_answered_one_after_the_other() -> None:
    loop, under_way, most = CallersLoop("test"), set[str](), list[int]()

    async def question() -> None:
        under_way.add(threading.current_thread().name)
        most.append(len(under_way))
        await asyncio.sleep(0.001)
        under_way.discard(threading.current_thread().name)

    threads = [threading.Thread(target=loop.run, args=(question, 30)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20
    loop.close()
