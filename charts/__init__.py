"""The charts: each file here one, which says itself what it is drawn from.

TITLE, NAME, ORDER, WHAT; OF: whose menu draws it, none where it is drawn elsewhere; UNIT: where it is not the record's
own; OF_A_USER: whether somebody has to be named; rows(source) -> rows and what else it takes; draw -> a matplotlib
Figure; sketch -> text.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

PAYOUTS, POOL, KEEPS = "payouts", "pool", "keeps"


def found(of: str | None = None) -> list[ModuleType]:
    """The charts in their order: every file of this folder; what they draw with is in `drawing/`. of: only those of
    one business."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    modules = [importlib.import_module(f"charts.{name}") for name in names]
    chosen = [chart for chart in modules if of in (None, getattr(chart, "OF", None))]
    return sorted(chosen, key=lambda chart: (chart.ORDER, chart.NAME))
