"""The custodian's side, opened for one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from menus.frame.commands import loaded
from valtrac.wiring.contracts import ContractsApp

T = TypeVar("T")


def with_app(act: Callable[[ContractsApp], T]) -> T:
    """Do something with the custodian's side, and close it."""
    own = ContractsApp(loaded())
    try:
        return act(own)
    finally:
        own.close()
