"""The pages of the documents, and what stands in their fenced blocks."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.homes import CHECKOUT

DOCS = CHECKOUT / "docs"
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>\S*)(?: title=\"(?P<title>[^\"]*)\")?\n(?P<body>.*?)^ *```$", re.M | re.S
)
GOES_ON = re.compile(r"^This goes on from \[[^\]]+\]\((?P<page>[^)#]+)\)", re.M)
# why the commands of a block are not run here, in words for the reader
NOT_RUN = {
    "On a machine of yours": "installs things",
    "With a node and a wallet of yours": "a real network, and jobs under pm2",
    "With the exchanges of your settings": "a real network",
    "With a mailbox of yours": "a mail server, and a job under pm2",
    "With a target named phone": "an address that is typed",
    "With the files of your old program": "files of another program",
    "With a month in which you paid": "payments of a month that is over",
    "With a file of yours": "a file that is not in the repository",
    "You write the secret key down": "asks on a terminal",
    "Examples": "each is held against the parser where examples are tested",
}
PROGRAM = ("run.py ", ".venv/bin/python run.py ")
# pages whose commands another test runs: they take long to start
ELSEWHERE = {"tutorial/first-keep.md": "tests/menus/commands/test_keeps.py"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. kind: sh, text, ini ... title: "" where it has none."""

    kind: str
    title: str
    body: str

    @property
    def runs(self) -> bool:
        """Whether its commands are run by the test."""
        return self.kind == "sh" and not self.title

    @property
    def lines(self) -> list[str]:
        """Its commands without their comments."""
        return [re.split(r"\s+#\s", line)[0].strip() for line in self.body.splitlines() if line.strip()]


def pages() -> list[Path]:
    """Every page of the documents, those that are made too."""
    return sorted(DOCS.rglob("*.md"))


def everything() -> list[Path]:
    """Every Markdown file of the repository."""
    skipped = {"node_modules", ".venv", ".venv-docs", "site", "data", ".git"}
    folders = [path for path in CHECKOUT.iterdir() if path.is_dir() and path.name not in skipped]
    return sorted([*CHECKOUT.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))])


def name(path: Path) -> str:
    """A page as it is called here: its path under docs/, or in the repository."""
    return str(path.relative_to(DOCS if DOCS in path.parents else CHECKOUT))


@cache
def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a file, in order."""
    text = path.read_text(encoding="utf-8")
    return [Block(each["kind"], each["title"] or "", textwrap.dedent(each["body"])) for each in FENCE.finditer(text)]


def prose(path: Path) -> str:
    """A file without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def goes_on_from(path: Path) -> Path | None:
    """The page whose home this one begins with."""
    said = GOES_ON.search(path.read_text(encoding="utf-8"))
    return (path.parent / said["page"]).resolve() if said else None


def arguments(line: str) -> list[str] | None:
    """The words after run.py, or None where the line calls something else."""
    for called in PROGRAM:
        if line.startswith(called):
            return shlex.split(line.removeprefix(called).split(" < ")[0])
    return None
