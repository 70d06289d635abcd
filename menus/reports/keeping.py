"""Figures for a file instead of the screen: what a view would give to a program, as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.tables import write
from valtrac.tables.write import Cell


class Keeping(Ui):
    """A screen that keeps the records of a view, to be written as a table."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.kept: list[dict[str, Any]] = []

    def records(self, value: Any) -> None:
        """Keep records: a list of them, or a single one."""
        self.kept = value if isinstance(value, list) else [value]

    def write(self, path: Path) -> int:
        """Write what was kept, in the format of the name's ending; return how many rows.

        A value that is a list, such as a chain of referrers, is a cell of JSON. Raises BadInput where the file cannot
        be written, or there is nothing to write.
        """
        if not self.kept:
            raise BadInput("there is nothing to write", why="no such figure in this range", fix="choose another range")
        columns = list(dict.fromkeys(name for record in self.kept for name in record))
        rows = [[_cell(record.get(name)) for name in columns] for record in self.kept]
        return write.table(path, columns, rows)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False)
