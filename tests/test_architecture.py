"""The house: imports run one way, money leaves by one door, heavy things are loaded where they are used."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.architecture import (
    ARROWS,
    BUSINESSES,
    ROOT,
    circles,
    libraries_of,
    parsed,
    room_arrows,
    sources,
    wrong_arrows,
)

LONGEST_MODULE, LONGEST_FUNCTION = 350, 45
SQL = re.compile(r"[\"'](SELECT|INSERT|UPDATE|DELETE|CREATE TABLE)\b|sa\.(select|insert|update|delete)\(")
FORMATTER_OFF = re.compile("fmt: ?" + "(skip|off)")  # in two parts, or this line would be one
# what the payment door must not know: businesses, assets, commands and their options, settings
NOT_AT_THE_DOOR = re.compile(
    rf"\b(TAO|BTS|QTUM|rao|satoshi|hotkey|netuid|coldkey|custodian|stake|contracts?|valtrac\.({'|'.join(BUSINESSES)}))\b"
    r"|run\.py|VALTRAC_|[ \"']--[a-z]"
)


def inside(*folders: str) -> Iterator[tuple[str, str]]:
    """(name, text) of the files in some folders."""
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name.startswith(folders):
            yield name, path.read_text(encoding="utf-8")


def test_imports_run_one_way() -> None:
    assert wrong_arrows() == []


def test_no_arrow_is_allowed_that_nobody_needs() -> None:
    used = room_arrows()
    unused = {room: allowed - used[room] for room, allowed in ARROWS.items() if room != "menus"}
    assert {room: rooms - {"core"} for room, rooms in unused.items() if rooms} == {}


def test_the_picture_of_the_house_is_of_these_imports() -> None:
    spec = importlib.util.spec_from_file_location("draw_house", ROOT / "docs" / "draw_house.py")
    assert spec is not None and spec.loader is not None
    draw_house = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw_house)
    assert draw_house.PICTURE.read_text(encoding="utf-8") == draw_house.drawn(), "run: make map"


def test_no_two_files_import_each_other() -> None:
    assert circles() == []


def test_the_door_names_no_business_no_asset_and_no_command() -> None:
    named = {
        name: found.group(0) for name, text in inside("valtrac/payments/") if (found := NOT_AT_THE_DOOR.search(text))
    }
    assert named == {}


def test_money_leaves_by_one_door() -> None:
    assert [name for name, text in inside("") if ".broadcast(" in text] == ["valtrac/payments/handover.py"]


def test_sql_is_written_in_stores_the_database_and_the_rehearsal_chains() -> None:
    places = re.compile(r"valtrac/(\w+/store|database|devnet)/")
    assert [name for name, text in inside("") if SQL.search(text) and not places.match(name)] == []


def test_models_know_neither_clock_nor_database_nor_file() -> None:
    forbidden = {"sqlalchemy", "sqlite3", "pathlib", "os", "time", "socket", "subprocess", "httpx", "pandas", "random"}
    reads_clock = re.compile(r"\b(datetime\.now|time\.time|time\.monotonic|open)\(")
    wrong = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        if "/model/" in name or (name.startswith("valtrac/core/") and name != "valtrac/core/home.py"):
            bad = libraries_of(path) & forbidden
            if name.endswith("model/verify_proof.py"):  # the script that a payee runs alone reads its own file
                continue
            if bad or reads_clock.search(path.read_text(encoding="utf-8")):
                wrong.append(f"{name}: {sorted(bad) or 'the clock or a file'}")
    assert wrong == []


def test_models_know_only_the_standard_library_and_numpy() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "valtrac"}
    wrong = {
        str(path.relative_to(ROOT)): sorted(libraries_of(path) - allowed)
        for path in sources()
        if "/model/" in str(path) and libraries_of(path) - allowed
    }
    assert wrong == {}


def test_no_command_is_named_below_the_verbs_of_a_business() -> None:
    below = re.compile(
        r"valtrac/(core|database|secrets|exchanges|chains|devnet|payments|tables)/|valtrac/\w+/(model|store)/"
    )
    assert [name for name, text in inside("valtrac/") if below.match(name) and "run.py" in text] == []


def test_the_formatter_alone_formats() -> None:
    files = [path for folder in ("valtrac", "menus", "charts", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in files if FORMATTER_OFF.search(path.read_text(encoding="utf-8"))] == []


def test_no_module_and_no_function_is_too_long_to_be_read_at_once() -> None:
    long = []
    for path in sources():
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
        if text.count("\n") >= LONGEST_MODULE:
            long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{name}: {node.name} has {size} lines"] if size >= LONGEST_FUNCTION else []
    assert long == []


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("bittensor", ("valtrac/chains/bittensor/", "valtrac/devnet/bittensor/")),
        ("bittensor_core", ("valtrac/chains/bittensor/", "valtrac/devnet/bittensor/")),
        ("bitsharesbase", ("valtrac/chains/bitshares/", "valtrac/devnet/bitshares/")),
        ("bitshares", ("valtrac/chains/bitshares/",)),
        ("questionary", ("menus/frame/",)),
        ("rich", ("menus/frame/",)),
        ("keyring", ("valtrac/secrets/keyring.py",)),
        ("matplotlib", ("charts/",)),
        ("jinja2", ("charts/drawing/pages.py", "valtrac/alerts/templates.py")),
        ("apprise", ("valtrac/alerts/delivery.py",)),
        (
            "httpx",
            (
                "valtrac/alerts/dead_man.py",
                "valtrac/chains/qtum/rpc.py",
                "valtrac/chains/ethereum/providers.py",
                "valtrac/devnet/tbtc/",
            ),
        ),
        ("pandas", ("valtrac/tables/",)),
        ("ccxt", ("valtrac/exchanges/",)),
        (
            "cryptography",
            (
                "valtrac/backups/sealing.py",
                "valtrac/core/grandpa.py",
                "valtrac/devnet/bittensor/authorities.py",
                "valtrac/devnet/tbtc/",
            ),
        ),
        (
            "websockets",
            (
                "valtrac/chains/bitshares/",
                "valtrac/chains/bitcoin/",
                "valtrac/devnet/bitshares/",
                "valtrac/devnet/tbtc/",
            ),
        ),
        (
            "eth_keys",
            ("valtrac/chains/bitcoin/signatures.py", "valtrac/chains/bitcoin/transactions.py", "valtrac/devnet/tbtc/"),
        ),
        ("web3", ("valtrac/chains/ethereum/", "valtrac/devnet/tbtc/")),
        ("subprocess", ("valtrac/loggers/pm2.py", "valtrac/devnet/qtum/process.py", "valtrac/devnet/tbtc/")),
    ],
)
def test_a_library_is_known_in_its_own_place_only(library: str, places: tuple[str, ...]) -> None:
    users = [str(path.relative_to(ROOT)) for path in sources() if library in libraries_of(path)]
    assert [name for name in users if not name.startswith(places)] == []


def test_the_first_screen_loads_nothing_heavy() -> None:
    code = (
        "import menus, menus.frame.first_screen, sys; menus.found(); import valtrac.wiring.payouts, valtrac.settings; "
        "heavy = ('sqlalchemy', 'pandas', 'numpy', 'matplotlib', 'bittensor', 'alembic', 'typer', 'ccxt', 'jinja2', "
        "'apprise', 'httpx');"
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_requirements_name_no_place_of_this_machine() -> None:
    for name in (
        "requirements-build.txt",
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-docs.txt",
        "requirements.in",
        "requirements-dev.in",
        "requirements-docs.in",
        "package-lock.json",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "file:" not in text
        assert not re.search(r"(^|\s)/\w", text, re.M)


def test_every_requirement_is_pinned_with_hashes() -> None:
    for name in ("requirements-build.txt", "requirements.txt", "requirements-dev.txt", "requirements-docs.txt"):
        rows = [
            row
            for row in (ROOT / name).read_text(encoding="utf-8").splitlines()
            if row and not row.startswith((" ", "#"))
        ]
        assert rows
        assert all("==" in row and row.endswith("\\") for row in rows)


def test_no_build_of_a_package_fetches_what_it_is_built_with() -> None:
    installs = re.findall(r"pip install .*-r (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert installs[0] == "requirements-build.txt"
    for line in re.findall(r"pip install .*", (ROOT / "Makefile").read_text(encoding="utf-8")):
        assert "--require-hashes" in line
        assert "--no-build-isolation" in line or "requirements-build.txt" in line or "node.txt" in line


def test_the_readme_shows_the_two_commands_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < text.index("make demo") < text.index("make test") < 2000
