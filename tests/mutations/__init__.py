"""Ways to break the code on purpose, for `make mutants`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break the code. tests: where the fault must be noticed."""

    name: str
    file: str
    old: str
    new: str
    tests: str
