"""The house as the imports say it is: rooms, arrows, circles. Read by the tests and by `make map`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWN = ("valtrac", "menus", "charts")
BUSINESSES = ("payouts", "contracts", "pool", "keeps")  # those that pay: each has a Producer
# room -> the rooms that it may import besides itself and core; a room is a folder under valtrac, or one of its files
ARROWS: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "ports": frozenset(),
    "tables": frozenset(),
    "database": frozenset(),
    "secrets": frozenset(),
    "chains": frozenset({"ports", "devnet"}),
    "devnet": frozenset(),
    "exchanges": frozenset(),
    "payments": frozenset({"ports", "database"}),
    "snapshots": frozenset({"ports", "database", "tables"}),
    "people": frozenset({"ports", "database", "tables", "snapshots"}),
    "payouts": frozenset({"ports", "database", "payments", "snapshots", "people"}),
    "contracts": frozenset({"ports", "database", "payments"}),
    "pool": frozenset({"ports", "database", "tables", "payments"}),
    "keeps": frozenset({"ports", "database", "tables", "payments"}),
    "alerts": frozenset({"ports", "database"}),
    "reports": frozenset(
        {"ports", "database", "tables", "payments", "snapshots", "people", "payouts", "pool", "keeps"}
    ),
    "backups": frozenset({"database"}),
    "coming_over": frozenset({"database", "tables", "payments", "payouts", "people", "snapshots", "reports"}),
    "settings": frozenset({*BUSINESSES, "backups", "people", "snapshots", "reports", "alerts"}),
    "wiring": frozenset(
        {
            "ports",
            "database",
            "secrets",
            "chains",
            "devnet",
            "exchanges",
            "settings",
            "payments",
            "snapshots",
            "people",
            "alerts",
            "backups",
            *BUSINESSES,
        }
    ),
    "rehearsal": frozenset(
        {"ports", "database", "devnet", "settings", "wiring", "payments", "snapshots", "people", *BUSINESSES}
    ),
    "loggers": frozenset(
        {
            "database",
            "settings",
            "wiring",
            "snapshots",
            "people",
            "reports",
            "alerts",
            "secrets",
            "contracts",
            "pool",
            "keeps",
        }
    ),
    "doctor": frozenset(
        {
            "ports",
            "database",
            "settings",
            "wiring",
            "loggers",
            "payments",
            "snapshots",
            "alerts",
            "backups",
            *BUSINESSES,
        }
    ),
    "charts": frozenset({"reports"}),
    "menus": frozenset({"*"}),
    "run": frozenset({"menus"}),
}
# what a room may see of another one only in part: (who, whom) -> the places in it
ONLY: dict[tuple[str, str], tuple[str, ...]] = {
    ("charts", "reports"): ("reports.model",),
    ("people", "snapshots"): ("snapshots.store.bounds",),
}


def sources() -> list[Path]:
    """Every file of the program; migrations are data."""
    found = [ROOT / "run.py"]
    for name in OWN:
        found += [path for path in sorted((ROOT / name).rglob("*.py")) if "migrations" not in path.parts]
    return found


def module_of(path: Path) -> str:
    """The dotted name of a file, a package by its own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room that a module is in: `payments` of valtrac.payments.send, `menus` of menus.frame.ui."""
    parts = module.split(".")
    return parts[1] if parts[0] == "valtrac" and len(parts) > 1 else parts[0]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax of a file, read once for all the rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """The modules of our own that a file imports, wherever in it: of `from package import module` that module."""
    return tuple(_imports(parsed(path)))


def _imports(syntax: ast.Module) -> Iterator[str]:
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in OWN)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OWN:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


@cache
def libraries_of(path: Path) -> set[str]:
    """The top names of everything that a file imports."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module.split(".")[0])
    return found


def room_arrows() -> dict[str, set[str]]:
    """room -> the other rooms that its files import."""
    arrows: dict[str, set[str]] = {}
    for path in sources():
        here = room_of(module_of(path))
        if here == "valtrac":
            continue
        there = {room_of(module) for module in imports_of(path)} - {here, "valtrac"}
        arrows[here] = arrows.get(here, set()) | there
    return arrows


def wrong_arrows() -> list[str]:
    """Each import that runs where none may."""
    wrong = []
    for path in sources():
        here = module_of(path)
        for there in set(imports_of(path)):
            said = _forbidden(here, there)
            if said:
                wrong.append(f"{here} imports {there}: {said}")
    return sorted(wrong)


def _forbidden(here: str, there: str) -> str:
    one, other = room_of(here), room_of(there)
    if one == other:
        return _inside(here, there)
    if other in ("core", "valtrac"):
        return ""
    allowed = ARROWS[one]
    if other not in allowed and "*" not in allowed:
        return f"{one} does not know {other}"
    places = ONLY.get((one, other))
    if places and not there.removeprefix("valtrac.").startswith(places):
        return f"{one} knows of {other} only {', '.join(places)}"
    return ""


def _inside(here: str, there: str) -> str:
    """Inside a room: the verbs at its top know its store, that knows its model, and no more."""
    depth = {"model": 0, "store": 1}
    one, other = (name.split(".")[2] if name.count(".") >= 2 else "" for name in (here, there))
    if depth.get(one, 2) < depth.get(other, 2) and room_of(here) not in ("menus", "charts"):
        return f"{one or 'a verb'} does not know {other or 'a verb'}"
    return ""


def circles() -> list[list[str]]:
    """Files that import each other, directly or by way of others."""
    graph = {module_of(path): {to for to in imports_of(path) if to in MODULES} for path in sources()}
    found, number, low = list[list[str]](), dict[str, int](), dict[str, int]()
    stack, on = list[str](), set[str]()

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        on.add(node)
        for to in sorted(graph.get(node, ())):
            if to not in number:
                visit(to)
                low[node] = min(low[node], low[to])
            elif to in on:
                low[node] = min(low[node], number[to])
        if low[node] == number[node]:
            ring = []
            while True:
                ring.append(stack.pop())
                on.discard(ring[-1])
                if ring[-1] == node:
                    break
            if len(ring) > 1 or node in graph.get(node, ()):
                found.append(sorted(ring))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


MODULES = {module_of(path) for path in sources()}
