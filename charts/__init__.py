"""The charts: each file one, with TITLE, NAME, ORDER, WHAT, draw -> matplotlib Figure and sketch -> text."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

HELPERS = ("paint", "sheets", "lines", "rates", "trees", "words", "braille", "blocks", "pages")


def found() -> list[ModuleType]:
    """The charts in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in HELPERS]
    return sorted((importlib.import_module(f"charts.{name}") for name in names), key=lambda chart: chart.ORDER)
