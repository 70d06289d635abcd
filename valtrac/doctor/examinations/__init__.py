"""The examinations, one file a subject, found by themselves, in their ORDER."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType


def found() -> list[ModuleType]:
    """Every examination: ORDER, and examine(patient)."""
    modules = [import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return sorted(modules, key=lambda module: (module.ORDER, module.__name__))
