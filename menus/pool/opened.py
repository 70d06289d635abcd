"""The pool's side, opened for one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from menus.frame.commands import loaded
from valtrac.wiring.pool import PoolApp

T = TypeVar("T")


def with_app(act: Callable[[PoolApp], T]) -> T:
    """Do something with the pool, and close it."""
    own = PoolApp(loaded())
    try:
        return act(own)
    finally:
        own.close()
