"""The charts: each file here one, with TITLE, NAME, ORDER, WHAT, draw -> matplotlib Figure and sketch -> text."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def found() -> list[ModuleType]:
    """The charts in their order: every file of this folder; what they draw with is in `drawing/`."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    return sorted(
        (importlib.import_module(f"charts.{name}") for name in names), key=lambda chart: (chart.ORDER, chart.NAME)
    )
