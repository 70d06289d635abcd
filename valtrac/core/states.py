"""States as types: which there are, and what each may become."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class State(StrEnum):
    """A state of something that is stored by its word; a kind of its own for each thing that has states.

    What it may become stands in `_moves` and nowhere else: the database's triggers are made from it.
    """

    @classmethod
    def _moves(cls) -> Mapping[Self, tuple[Self, ...]]:
        """state -> the states that it may become; what is missing here is the end."""
        return {}

    def may_become(self, other: Self) -> bool:
        """Whether that is a legal move."""
        return other in self._moves().get(self, ())

    @classmethod
    def arcs(cls) -> tuple[str, ...]:
        """The legal moves as the triggers compare them: `from>to`."""
        return tuple(f"{state.value}>{other.value}" for state, others in cls._moves().items() for other in others)
