"""Event loops for SDKs that only speak async: one on a thread of its own, and one on the thread that asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines on its own thread. The thread starts with the first call and never outlives the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def run(self, question: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """The coroutine's result. TimeoutError after timeout_s; RuntimeError once closed."""
        loop = self._started()
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(question(), timeout_s), loop)
        try:
            # The margin covers work that blocks the loop itself, which wait_for cannot interrupt.
            return future.result(timeout_s + 30)
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the thread. Idempotent."""
        with self._lock:
            loop, self._loop, self._closed = self._loop, None, True
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the connection was closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run_until_stopped, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop


class CallersLoop:
    """Runs coroutines on the thread that asks, one question at a time: for a chain inside this process, which waits for
    no network. Changing threads twice for each question would take longer than its answer."""

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._aside = BackgroundLoop(name)
        self._closed = False

    def run(self, question: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """The coroutine's result. TimeoutError after timeout_s, RuntimeError once closed."""
        if not self._lock.acquire(timeout=timeout_s):
            raise TimeoutError
        try:
            if self._closed:
                raise RuntimeError("the connection was closed")
            if _inside_a_loop():  # a thread runs one loop at a time
                return self._aside.run(question, timeout_s)
            return self._run_here(question, timeout_s)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the loop, once the question under way is answered. Idempotent."""
        with self._lock:
            self._closed = True
            self._drop()
        self._aside.close()

    def _run_here(self, question: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(timeout_s):
                return await question()

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        try:
            return self._loop.run_until_complete(bounded())
        except Exception:
            raise
        except BaseException:  # what an interrupt leaves half done must not go on with the next question
            self._drop()
            raise

    def _drop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    # what fails in a task of the SDK's own is heard of where its answer is missing; asyncio would print it
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()
