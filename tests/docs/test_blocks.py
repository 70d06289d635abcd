"""Every command of the pages works, from an empty home on the rehearsal chains, and prints what the page shows."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import run as program
from tests.docs import blocks
from tests.docs.blocks import Block
from tests.homes import CHECKOUT, move_in
from valtrac.devnet import qtum
from valtrac.rehearsal import pool as pool_rehearsal
from valtrac.settings import PREFIX, Settings, load

MADE = {path for path in blocks.pages() if "Made by `make reference`" in path.read_text(encoding="utf-8")}
WRITTEN = [path for path in [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *blocks.pages()] if path not in MADE]
FOLLOWERS = {
    path: [other for other in WRITTEN if blocks.goes_on_from(other) == path]
    for path in WRITTEN
    if blocks.goes_on_from(path) is None
}
RUN = [
    path
    for path in FOLLOWERS
    if blocks.name(path) not in blocks.ELSEWHERE and any(block.runs for block in blocks.blocks(path))
]
ASKED = {("users", "import"): "--yes", ("backup", "restore"): "--yes"}  # a person is asked, and says yes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is like a checkout: it has the examples, and a settings file in which nothing is set.

    A day of the Qtum rehearsal is short, and payday is within it: blocks of a whole day take long to look at.
    """
    place = tmp_path / "first"
    shutil.copytree(CHECKOUT / "data" / "examples", place / "data" / "examples")
    (place / ".env").write_text("", encoding="utf-8")
    soon = datetime.now(UTC) + timedelta(minutes=100)
    _enter(monkeypatch, place, str(soon.hour))
    monkeypatch.setattr(pool_rehearsal, "BLOCKS_A_DAY", 230)
    yield place
    for node in tmp_path.glob("*/data/qtum-devnet"):
        qtum.stop(node)


def _enter(monkeypatch: pytest.MonkeyPatch, place: Path, payday_hour: str) -> None:
    settings = {"pool_payday_hour": payday_hour, "qtum_maturity": "10", "qtum_final_blocks": "2"}
    move_in(monkeypatch, place, env_file=str(place / ".env"), **settings)
    monkeypatch.chdir(place)


@pytest.mark.parametrize("page", RUN, ids=blocks.name)
def test_every_command_of_a_page_works_and_prints_what_is_shown(
    page: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _walked(page, capsys) > 0
    hour = os.environ["VALTRAC_POOL_PAYDAY_HOUR"]
    for follower in FOLLOWERS[page]:
        place = home.parent / follower.stem
        shutil.copytree(home, place)
        _enter(monkeypatch, place, hour)
        assert _walked(follower, capsys) > 0


def _walked(page: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run the commands of a page in order; how many. What is shown on it has to be in what they printed."""
    said, shown, count = "", list[str](), 0
    for block in blocks.blocks(page):
        for line in block.lines if block.runs else ():
            words = blocks.arguments(line)
            assert words is not None, f"{blocks.name(page)}: {line!r} is no command of the program; give it a title"
            code = program.main([*words, *filter(None, [ASKED.get((words[0], words[1] if words[1:] else ""))])])
            printed = capsys.readouterr()
            said += printed.out + printed.err
            assert code == 0, (blocks.name(page), line, printed.err)
            count += 1
        shown += block.body.splitlines() if block.kind == "text" else []
    assert [line for line in shown if line.strip(" .─") and _bare(line) not in _bare(said)] == []
    return count


def _bare(text: str) -> str:
    return re.sub(r"[\s─]+", " ", text).strip()


def test_every_block_is_of_a_kind_that_is_looked_at() -> None:
    kinds = {"sh", "text", "ini", "bash", "jinja"}
    for path in blocks.pages():
        for block in blocks.blocks(path):
            assert block.kind in kinds, (blocks.name(path), block)
            assert not block.title or (block.kind == "sh" and block.title in blocks.NOT_RUN), (blocks.name(path), block)
    assert {each.title for path in blocks.pages() for each in blocks.blocks(path) if each.title} == set(blocks.NOT_RUN)


def test_most_commands_are_run_and_all_others_say_why_not() -> None:
    found = [(path, block) for path in WRITTEN for block in blocks.blocks(path) if block.kind == "sh"]
    run = [line for _, block in found if block.runs for line in block.lines]
    titled = [line for _, block in found if block.title for line in block.lines]
    assert len(run) > 2 * len(titled)
    reached = {*RUN, *(other for path in RUN for other in FOLLOWERS[path])}
    reached |= {blocks.DOCS / page for page in blocks.ELSEWHERE}
    assert {blocks.name(path) for path, block in found if block.runs} == {
        blocks.name(path) for path in reached if any(block.runs for block in blocks.blocks(path))
    }
    for page, test in blocks.ELSEWHERE.items():
        assert page in (CHECKOUT / test).read_text(encoding="utf-8")


def test_the_settings_of_a_page_can_be_used(tmp_path: Path) -> None:
    found: list[tuple[Path, Block]] = [
        (path, block) for path in WRITTEN for block in blocks.blocks(path) if block.kind == "ini"
    ]
    assert found
    for number, (path, block) in enumerate(found):
        file = tmp_path / f"{number}.env"
        file.write_text(block.body, encoding="utf-8")
        settings = load({}, file)
        names = {line.partition("=")[0] for line in block.body.splitlines()}
        assert {PREFIX + name.upper() for name in settings.model_fields_set - {"home"}} == names, blocks.name(path)
        assert settings != Settings()


def test_the_readme_says_what_it_is_and_how_to_begin_on_one_screen_and_a_half() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    for words in ("make demo", "make test", "make install", "pipx install .", "docs/reference/commands/index.md"):
        assert words in text
    assert text.count("![") == 1


def test_the_shell_completes_as_the_page_says(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = [block.body for block in blocks.blocks(blocks.DOCS / "how-to" / "install.md") if block.kind == "bash"]
    called = re.fullmatch(r'eval "\$\(\.venv/bin/python run\.py (.+)\)"\n', line)
    assert called is not None
    assert program.main(called[1].split()) == 0
    assert "complete" in capsys.readouterr().out


def test_a_template_of_the_alerts_page_can_be_used() -> None:
    (template,) = [block.body for block in blocks.blocks(blocks.DOCS / "how-to" / "alerts.md") if block.kind == "jinja"]
    names = set(re.findall(r"{{ (\w+)", template)) | set(re.findall(r"in (\w+) %}", template)) - {"tx"}
    told = (blocks.DOCS / "how-to" / "alerts.md").read_text(encoding="utf-8")
    listed = re.search(r"There are `([^`]+)`", told)
    assert listed is not None
    assert names - {"tx"} <= set(listed[1].split())


def test_the_tutorials_show_what_comes_out() -> None:
    shown = {
        name: [block.body for block in blocks.blocks(blocks.DOCS / "tutorial" / name) if block.kind == "text"]
        for name in ("first-payout.md", "first-contract.md", "first-payday.md")
    }
    assert all(shown.values())
    assert len(re.findall(r"\d+\.\d{9}", "".join(shown["first-payout.md"]))) >= 6
    assert "reward 1" in shown["first-contract.md"][0]
    assert "2000.00000 BTS" in shown["first-contract.md"][0]
