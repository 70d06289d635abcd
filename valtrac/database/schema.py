"""The whole schema: the tables of every business, found by themselves."""

from __future__ import annotations

import importlib
from pathlib import Path

import sqlalchemy as sa

from valtrac.database.columns import metadata

PACKAGE = Path(__file__).resolve().parent.parent


def whole() -> sa.MetaData:
    """Every table that a database has, whoever owns it: those of each file `store/tables.py`."""
    for path in sorted(PACKAGE.glob("*/store/tables.py")):
        importlib.import_module(".".join([PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]))
    return metadata
