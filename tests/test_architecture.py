"""The house: imports run one way, money leaves by one door, heavy things are loaded where they are used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("domain", "store", "chains", "adapters", "devnet", "services", "loggers")
# who may import whom; everyone may import errors
ALLOWED = {
    "errors": set(),
    "domain": {"domain"},
    "ports": {"domain"},
    "store": {"domain", "store"},
    "chains": {"domain", "ports", "chains", "devnet"},
    "adapters": {"domain", "ports", "adapters"},
    "devnet": {"domain", "ports", "devnet"},
    "config_types": {"domain"},
    "config_contracts": {"config_types", "domain"},
    "config": {"config_types", "config_contracts", "domain"},
    "rehearsal_contracts": {"config", "domain", "devnet"},
    "custody": {"config", "store", "chains", "adapters", "devnet", "ports", "domain", "services"},
    "app": {"config", "store", "chains", "adapters", "devnet", "ports", "domain"},
    "services": {"domain", "store", "ports", "config", "services"},
    "loggers": {"services", "app", "custody", "store", "domain", "config", "loggers"},
    "rehearsal": {"app", "config", "services", "store", "domain", "devnet", "ports"},
    "charts": {"domain", "charts"},
    "menus": {
        "app",
        "config",
        "services",
        "charts",
        "domain",
        "loggers",
        "ports",
        "store",
        "devnet",
        "rehearsal",
        "rehearsal_contracts",
        "custody",
        "menus",
    },
    "run": {"app", "config", "menus", "services", "loggers"},
}


def sources() -> list[Path]:
    folders = [ROOT / name for name in ("valtrac", "menus", "charts")]
    return [
        ROOT / "run.py",
        *(path for folder in folders for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts),
    ]


def place(parts: tuple[str, ...]) -> str:
    """The room of the house that a dotted name is in."""
    if parts[0] != "valtrac":
        return parts[0]
    return parts[1] if len(parts) > 1 else "valtrac"


def imported(path: Path) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            base = tuple(node.module.split("."))
            found |= {(*base, alias.name) for alias in node.names} if base == ("valtrac",) else {base}
    return found


def test_imports_run_one_way() -> None:
    wrong = []
    for path in sources():
        parts = path.relative_to(ROOT).with_suffix("").parts
        here = place(parts)
        for name in imported(path):
            there = place(name)
            if (
                name[0] in ("valtrac", "menus", "charts")
                and there not in ("errors", "valtrac")
                and there not in ALLOWED[here]
            ):
                wrong.append(f"{path.relative_to(ROOT)} imports {'.'.join(name)}")
    assert wrong == []


def test_the_domain_knows_only_the_standard_library_and_numpy() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "valtrac"}
    wrong = [
        f"{path.name}: {name[0]}"
        for path in (ROOT / "valtrac" / "domain").glob("*.py")
        for name in imported(path)
        if name[0] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("bittensor", ("valtrac/chains/", "valtrac/devnet/")),
        ("bittensor_core", ("valtrac/chains/", "valtrac/devnet/")),
        ("questionary", ("menus/ui.py",)),
        ("rich", ("menus/ui.py",)),
        ("sqlalchemy", ("valtrac/store/", "valtrac/services/", "valtrac/app.py", "valtrac/custody.py", "menus/")),
        ("bitsharesbase", ("valtrac/chains/", "valtrac/devnet/graphene/")),
        ("bitshares", ("valtrac/chains/",)),
        ("keyring", ("valtrac/adapters/vault.py",)),
        ("matplotlib", ("charts/",)),
        ("ccxt", ("valtrac/adapters/prices.py", "valtrac/adapters/exchange.py")),
        ("subprocess", ("valtrac/loggers/pm2.py",)),
    ],
)
def test_a_library_is_known_in_its_own_place_only(library: str, places: tuple[str, ...]) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name[0] == library for name in imported(path)) and not str(path.relative_to(ROOT)).startswith(places)
    ]
    assert wrong == []


def test_money_leaves_by_one_door() -> None:
    calls = [str(path.relative_to(ROOT)) for path in sources() if ".broadcast(" in path.read_text(encoding="utf-8")]
    assert calls == ["valtrac/services/payouts.py"]


def test_sql_is_written_in_one_package_and_the_rehearsal_chain() -> None:
    statement = re.compile(r"[\"'](SELECT|INSERT|UPDATE|DELETE|CREATE TABLE)\b|sa\.(select|insert|update|delete)\(")
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources()
        if statement.search(path.read_text(encoding="utf-8"))
        and not str(path.relative_to(ROOT)).startswith(("valtrac/store/", "valtrac/devnet/"))
    ]
    assert wrong == []


def test_the_first_screen_loads_nothing_heavy() -> None:
    code = (
        "import menus, menus.first_screen, sys; menus.found(); import valtrac.app, valtrac.config; "
        "heavy = ('sqlalchemy', 'pandas', 'numpy', 'matplotlib', 'bittensor', 'alembic', 'typer', 'ccxt');"
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_requirements_name_no_place_of_this_machine() -> None:
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements.in",
        "requirements-dev.in",
        "package-lock.json",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "file:" not in text
        assert not re.search(r"(^|\s)/\w", text, re.M)


def test_every_requirement_is_pinned_with_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        rows = [
            row
            for row in (ROOT / name).read_text(encoding="utf-8").splitlines()
            if row and not row.startswith((" ", "#"))
        ]
        assert rows
        assert all("==" in row and row.endswith("\\") for row in rows)


def test_the_readme_shows_the_two_commands_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < text.index("make demo") < text.index("make test") < 2000
