"""What comes out of a file: records of text, and what is wrong with single cells, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from valtrac.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a row. line: as an editor counts it, from 1; column: the header of the cell, or ""."""

    line: int
    column: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"row {self.line}{', ' + self.column if self.column else ''}: {self.reason}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why a cell cannot be taken for what was entered, and what to do; both safe to show."""

    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Record:
    """A row that is not blank. line: as an editor or a spreadsheet counts it, of its beginning.

    cells: text without blanks around it. unclear: place in `cells` -> why that one cannot be used; it is "" there.
    """

    line: int
    cells: tuple[str, ...]
    unclear: Mapping[int, Unclear] = field(default_factory=dict)

    def problems(self, columns: Sequence[str], places: Iterable[int] | None = None) -> list[Problem]:
        """The unclear cells as problems. columns: the header; places: those that are used, or None for all."""
        used = set(self.unclear if places is None else places)
        return [
            Problem(self.line, columns[place] if place < len(columns) else f"column {place + 1}", cell.reason, cell.fix)
            for place, cell in sorted(self.unclear.items())
            if place in used
        ]


def header_of(records: Iterator[Record | Problem], source: str, fix: str) -> Record:
    """The first record, taken from `records`. source, fix: the file's name and what a header is, for errors.

    Raises BadInput: there is none, or it cannot be read.
    """
    header = next(records, None)
    if header is None:
        raise BadInput(f"{source} is empty", fix=fix)
    problems = [header] if isinstance(header, Problem) else header.problems(())
    if isinstance(header, Problem) or problems:
        first = problems[0]
        raise BadInput(f"{source}: {first}", fix=first.fix, problems=[str(problem) for problem in problems])
    return header
