"""`make mutants`: break the door on purpose, one way at a time, and see that a test notices.

Each mutation is a replacement in one file of a copy of the tree; the tests named beside it must
fail there. What was caught by which test is listed in `tests/mutations.md`, which this writes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutations import Mutation, alerts, backups, bitshares, contracts, finality, keeps, one_node, payouts, pool

ROOT = Path(__file__).parent.parent
PATIENCE_S = 180
COPIED = ("valtrac", "menus", "charts", "tests", "data/examples", "run.py", "pyproject.toml", "requirements.txt")
MUTATIONS = (
    payouts.MUTATIONS
    + finality.MUTATIONS
    + one_node.MUTATIONS
    + contracts.MUTATIONS
    + bitshares.MUTATIONS
    + alerts.MUTATIONS
    + pool.MUTATIONS
    + keeps.MUTATIONS
    + backups.MUTATIONS
)


def main() -> int:
    """Try every mutation, two at a time; print and write the list; 1 when one survived."""
    wanted = os.environ.get("ONLY", "")
    with ThreadPoolExecutor(2) as workers:
        tried = [mutation for mutation in MUTATIONS if wanted in mutation.name]
        caught = list(workers.map(caught_by, tried))
    rows = []
    for mutation, test in zip(tried, caught, strict=True):
        print(f"{'caught' if test else 'SURVIVED':<9} {mutation.name}: {test or mutation.tests}", flush=True)
        rows.append(f"| {mutation.name} | `{mutation.file}` | {'`' + test + '`' if test else '**survived**'} |")
    if not wanted:
        head = "# Broken on purpose\n\n`make mutants` put each fault into the code, and this test noticed it.\n\n"
        table = "\n".join(["| fault | in | noticed by |", "|---|---|---|", *rows])
        (ROOT / "tests" / "mutations.md").write_text(f"{head}{table}\n", encoding="utf-8")
    print(f"mutants: tried={len(tried)} caught={sum(map(bool, caught))} survived={sum(not test for test in caught)}")
    return 0 if all(caught) else 1


def caught_by(mutation: Mutation) -> str:
    """The first test that fails with the mutation in place; "" when none does."""
    with tempfile.TemporaryDirectory(prefix="vt-mutant-") as folder:
        tree = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, _parent(tree / name))
        if (ROOT / "node_modules").exists():  # where the local Ethereum node is
            (tree / "node_modules").symlink_to(ROOT / "node_modules")
        path = tree / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) < 1:
            raise SystemExit(
                f"mutation {mutation.name!r}: its place in {mutation.file} is gone; mend it in tests/mutations"
            )
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n",
            "0",
            "--no-header",
            "-k",
            "not postgresql",
            mutation.tests,
        ]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=tree, capture_output=True, text=True, timeout=PATIENCE_S, env=environment
            )
        except subprocess.TimeoutExpired:
            return f"{mutation.tests}, which never ends"
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"mutation {mutation.name!r}: its tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return found.group(1) if found else ""


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
