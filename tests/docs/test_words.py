"""What the documents name is there: links and anchors, files, commands and their options, settings, tasks of make."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.exceptions import TyperException

from docs.generate.commands import called
from menus import program
from tests.docs import blocks
from tests.homes import CHECKOUT
from valtrac.settings import PREFIX, Settings

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
NAMES = {PREFIX + name.upper() for name in Settings.model_fields} | {"VALTRAC_ENV_FILE"}
SETTING = re.compile(r"\bVALTRAC_[A-Z0-9_]*[A-Z0-9]")
PATH = re.compile(r"(?:valtrac|menus|charts|tests|docs)/[\w/.-]+|data/examples/[\w.-]+")
NO_COMMANDS = {"import": "a word of Python", "verify": "what many commands are called"}  # alone in `...`
OWN = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *blocks.pages()]


def _id(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@cache
def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them of plain words."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", blocks.prose(path), re.M):
        bare = re.sub(r"[^\w\s-]", "", heading.lower()).strip()
        found.add(re.sub(r"\s+", "-", bare))
    return found


def broken_links(path: Path) -> list[str]:
    """The links of a page that lead to nothing in this repository."""
    broken = []
    for target in LINK.findall(blocks.prose(path)):
        file, _, anchor = target.partition("#")
        if "://" in file or file.startswith("mailto:"):
            continue
        there = (path.parent / file).resolve() if file else path
        if not there.is_file() or (anchor and anchor not in _anchors(there)):
            broken.append(target)
    return broken


@cache
def _groups() -> dict[str, Any]:
    return {name: program.commands(name).commands[name] for name in program.found()}


def wrong_in(words: list[str], *, strict: bool) -> str:
    """What of a call does not exist: "" where all of it does. strict: its first word has to be a command, too."""
    command = _groups().get(words[0])
    if command is None:
        return words[0] if strict else ""
    place = 1
    while hasattr(command, "commands") and place < len(words) and words[place] in command.commands:
        command, place = command.commands[words[place]], place + 1
    if hasattr(command, "commands") and place < len(words) and re.fullmatch(r"[a-z][a-z-]+", words[place]):
        return " ".join(words[: place + 1])
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    known |= {"--help", "-h", "--plain", "--json"}
    options = [word.split("=")[0] for word in words[place:] if re.match(r"--?[a-z]", word)]
    return next((f"{' '.join(words[:place])} {option}" for option in options if option not in known), "")


def refused(words: list[str]) -> str:
    """What the parser of the command has against its arguments; that a file of the reader's is not here is nothing."""
    command, place = _groups()[words[0]], 1
    while hasattr(command, "commands") and place < len(words) and words[place] in command.commands:
        command, place = command.commands[words[place]], place + 1
    try:
        given = [word for word in words[place:] if word != "--plain"]
        with called(tuple(words[:place]), command, given):
            return ""
    except TyperException as error:
        told = error.format_message()
        return "" if told.endswith("does not exist.") else f"{' '.join(words)}: {told}"


def _calls(text: str) -> list[list[str]]:
    """The commands that are named within lines of prose."""
    found = []
    for code in CODE.findall(text):
        words = re.split(r"\s+", code.replace("[", " ").replace("]", " ").split("|")[0].strip())
        if words[0] in ("run.py", "valtrac") and words[1:]:
            words = words[1:]
        if words[0] in _groups() and not (len(words) == 1 and words[0] in NO_COMMANDS):
            found.append(words)
    return found


@pytest.mark.parametrize("path", blocks.everything(), ids=_id)
def test_no_link_is_dead(path: Path) -> None:
    assert broken_links(path) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n[a](page.md#one) [b](page.md#two) [c](gone.md) [d](https://example.org)\n", encoding="utf-8"
    )
    assert broken_links(page) == ["page.md#two", "gone.md"]


def test_every_command_and_option_that_is_named_in_prose_exists() -> None:
    wrong = {_id(path): [wrong_in(words, strict=False) for words in _calls(blocks.prose(path))] for path in OWN}
    assert {path: list(filter(None, found)) for path, found in wrong.items() if any(found)} == {}
    assert sum(len(found) for found in wrong.values()) > 100


def test_every_command_of_a_block_exists_also_where_it_is_not_run() -> None:
    wrong: list[str] = []
    seen = 0
    for path in OWN:
        for block in blocks.blocks(path):
            for line in block.lines if block.kind == "sh" else ():
                words = blocks.arguments(line)
                seen += words is not None
                wrong += filter(None, [wrong_in(words, strict=True) or refused(words)] if words else [])
    assert wrong == []
    assert seen > 250


def test_a_command_and_an_option_that_are_gone_are_found() -> None:
    assert wrong_in(["payout", "pay-all"], strict=True) == "payout pay-all"
    assert wrong_in(["payout", "plan", "--pol", "5"], strict=True) == "payout plan --pol"
    assert wrong_in(["alerts", "targets", "forget", "x"], strict=True) == "alerts targets forget"
    assert wrong_in(["payouts"], strict=True) == "payouts"
    assert wrong_in(["payout", "plan", "--pool", "5"], strict=True) == ""
    assert refused(["payout", "plan", "--pool", "5"]) == ""
    assert "batch_id" in refused(["payout", "approve", "--total", "5"])


@pytest.mark.parametrize("path", OWN, ids=_id)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = {name for name in SETTING.findall(path.read_text(encoding="utf-8")) if not name.startswith("VALTRAC_TEST_")}
    assert named - NAMES == set()


@pytest.mark.parametrize("path", OWN, ids=_id)
def test_every_file_that_is_named_is_there(path: Path) -> None:
    named = {each for code in CODE.findall(blocks.prose(path)) for each in PATH.findall(code)}
    assert sorted(each for each in named if not (CHECKOUT / each).exists()) == []


def test_every_task_of_make_that_is_named_exists() -> None:
    tasks = set(re.findall(r"^([a-z][a-z0-9-]*):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.M))
    for path in OWN:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?:^|`)(?:[A-Z_]+=\S+ )*make ([a-z][a-z0-9-]*)", text, re.M)
        assert set(named) <= tasks, path


@pytest.mark.parametrize("path", OWN, ids=_id)
def test_a_list_and_a_table_have_an_empty_line_above_them(path: Path) -> None:
    """GitHub draws them without it, the site does not."""
    lines = blocks.prose(path).splitlines()
    begins, goes_on = re.compile(r"- |\d+\. |\| "), re.compile(r"$|- |\d+\. |\||  ")
    wrong = [now for before, now in pairwise(lines) if begins.match(now) and not goes_on.match(before)]
    assert wrong == []


def test_every_page_is_in_the_sites_menu_once() -> None:
    text = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r": (\S+\.md)$", text.partition("\nnav:\n")[2], re.M)
    assert sorted(listed) == sorted(blocks.name(path) for path in blocks.pages())


def test_the_site_loads_nothing_from_elsewhere() -> None:
    text = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "http" not in text
    assert "font: false" in text
    assert (
        blocks.DOCS / "iframe-worker.js"
    ).is_file()  # the plugin `offline` loads it from elsewhere, where it is not here
    assert "- iframe-worker.js" in text
    for path in (*blocks.DOCS.rglob("*.svg"), *blocks.DOCS.rglob("*.css")):
        assert not re.search(r"(?:href|src|url|@import)[^>]{0,3}https?:", path.read_text(encoding="utf-8")), path
