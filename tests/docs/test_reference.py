"""What is written from the program is as the program is now: the reference, the licences, the recordings."""

from __future__ import annotations

import re
import time
import tomllib
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs import cast, generate, record
from docs.cast import Cell, Frame
from docs.generate import commands, licences, settings
from menus import program
from tests.docs import blocks
from tests.homes import CHECKOUT
from valtrac.devnet import qtum
from valtrac.settings import PREFIX, Settings

ROFF = ('.\\"', ".TH", ".SH", ".SS", ".TP", ".B", ".RI", ".I")
SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 150_000
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return generate.pages()


def test_the_pages_of_the_reference_are_those_that_the_program_makes(made: dict[str, str]) -> None:
    stale = [path for path, text in made.items() if _text(path) != text]
    assert stale == [], "run: make reference"
    there = {blocks.name(path) for path in (blocks.DOCS / "reference" / "commands").glob("*.md")}
    assert there == {path for path in made if path.startswith("reference/commands/")}


def _text(path: str) -> str:
    file = blocks.DOCS / path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def test_the_menu_of_the_site_has_the_commands_that_there_are(made: dict[str, str]) -> None:
    text = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8")
    assert generate.menu(text, list(made)) == text, "run: make reference"
    assert "- gone:" not in generate.menu(
        text.replace("- keeps: reference/commands/keeps", "- gone: reference/commands/gone"), list(made)
    )


def test_no_page_says_where_it_was_made(made: dict[str, str]) -> None:
    assert [path for path, text in made.items() if str(CHECKOUT) in text] == []


def test_every_command_with_all_its_options_is_in_the_reference(made: dict[str, str]) -> None:
    count = 0
    for name in program.found():
        page = made[f"reference/commands/{name}.md"]
        assert f"({name}.md)" in made["reference/commands/index.md"]
        for words, command in commands.walked((name,), program.commands(name).commands[name]):
            chapter = (page.split(f"\n## {' '.join(words)}\n", 1)[-1]).split("\n## ", 1)[0]
            assert f"run.py {' '.join(words)}" in chapter
            options = [option for each in command.params for option in each.opts if option.startswith("--")]
            assert [option for option in options if option not in chapter and option != "--help"] == [], words
            count += 1
    assert count > 150


def test_every_setting_is_in_the_reference_with_what_it_takes(made: dict[str, str]) -> None:
    page = made["reference/settings.md"]
    rows = dict(re.findall(r"^\| `(VALTRAC_\w+)` \| [^|]* \| ([^|]*) \|", page, re.M))
    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields} | {"VALTRAC_ENV_FILE"}
    assert rows["VALTRAC_CHUNK_SIZE"].strip() == "a whole number from 1 to 1500"
    assert rows["VALTRAC_CAP_DAY"].strip() == "TAO"
    assert rows["VALTRAC_FEE_POLICY"].strip() == "pool, payee or owner"
    assert rows["VALTRAC_POOL_RULE"].strip() == "ppmu or node"
    assert rows["VALTRAC_DEVELOPMENT_NODE"].strip() == "yes or no"


def test_settings_that_are_explained_together_keep_their_words_and_chapters() -> None:
    text = "# -- Of pools. Read this. ----\n\n# What is\n# paid.\n#VALTRAC_A=1\n#VALTRAC_B=\n"
    (chapter,) = settings.chapters(text).items()
    assert chapter[0] == "Of pools"
    introduction, paragraph = chapter[1]
    assert introduction == settings.Paragraph("Read this.", ())
    assert paragraph.words == "What is paid."
    assert paragraph.settings == (("VALTRAC_A", "1"), ("VALTRAC_B", ""))


def test_every_package_of_the_locks_is_listed_with_a_licence(made: dict[str, str]) -> None:
    page = made["reference/licences.md"]
    rows = {
        (name, version): licence for name, version, licence in re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", page, re.M)
    }
    locked = re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)", (CHECKOUT / "requirements.txt").read_text(), re.M)
    assert len(locked) > 100
    for name, version in [*locked, *((name, version) for name, version, _ in licences.of_node())]:
        assert re.search(r"[A-Z]", rows[name.replace("_", "\\_"), version]), name
    assert rows["pm2", "7.0.4"] == "AGPL-3.0"


def test_every_file_that_others_made_is_listed(made: dict[str, str]) -> None:
    """What is in the repository and is no text of ours: packed, binary, or a script in the pages."""
    suffixes = {".xz", ".gz", ".hex", ".js", ".ttf", ".otf", ".woff", ".woff2", ".whl", ".bin", ".png", ".jpg"}
    own = {"tests/data/homes-of-revision-0006.tar.xz"}  # homes that this program made
    folders = [CHECKOUT / name for name in ("valtrac", "menus", "charts", "docs", "tests")]
    found = {
        str(path.relative_to(CHECKOUT))
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in suffixes and path.is_file()
    }
    assert found - own == {path for path in {**licences.SHIPPED, **licences.BESIDE_IT} if Path(path).suffix in suffixes}
    for path in {**licences.SHIPPED, **licences.BESIDE_IT}:
        assert (CHECKOUT / path).is_file()
        assert f"`{path}`" in made["reference/licences.md"]


def test_a_package_that_does_not_say_its_licence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "metadata", lambda name: _Silent())
    with pytest.raises(LookupError, match="somebody does not say what licence it has"):
        licences.licence_of("somebody")


class _Silent(dict[str, str]):
    def get_all(self, name: str) -> list[str]:
        return []


def test_the_project_says_its_own_licence() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "MIT"
    assert project["license-files"] == ["LICENSE"]
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n")
    assert "2026 the ValTrac developers" in text


@pytest.mark.parametrize("name", record.STORIES)
def test_a_recording_is_small_and_shows_what_the_program_was_waited_for(name: str) -> None:
    path = record.PICTURES / f"{name}.svg"
    assert 5_000 < path.stat().st_size < MOST_BYTES
    picture = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    said = [
        " ".join("".join(text.itertext()) for text in frame.iter(f"{SVG}text")) for frame in picture.iter(f"{SVG}g")
    ]
    steps = {
        "demo": record.DEMO[:-1],
        "payday": [f"run.py {words}" for words, _ in record.PAYDAY],
        "payout": [answer for _, answer in record.PAYOUT if answer not in (record.GO_ON, record.LONG)],
    }[name]
    joined = " ".join(" ".join(said).split())
    assert str(CHECKOUT) not in path.read_text(encoding="utf-8")  # a picture says nothing of whose machine it is from
    assert "/home/" not in joined
    assert "/root" not in joined
    assert [words for words in steps if words not in joined] == []
    end = {"demo": "exactly once", "payday": "Everything adds up", "payout": "each exactly once."}[name]
    assert end in " ".join(said[-1].split())
    assert f"docs/pictures/{name}.svg" in _all_pages() or f"pictures/{name}.svg" in _all_pages()


def _all_pages() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in [CHECKOUT / "README.md", *blocks.pages()])


def test_a_screen_is_drawn_cell_by_cell_and_markup_on_it_stays_words() -> None:
    words = [Cell(letter) for letter in "a <b> & "]
    row = [*words, *(Cell(letter, ink="green", bold=True) for letter in "ok")]
    drawn = cast.drawn("a & b", [Frame((row,), 1.0), Frame(([Cell("x", reverse=True)],), 2.0)])
    picture = ElementTree.fromstring(drawn)
    first, second = picture.iter(f"{SVG}g")
    assert [text.text for text in first.iter(f"{SVG}text")] == ["a <b> &", "ok"]
    assert [text.get("class") for text in first.iter(f"{SVG}text")] == [None, "b"]
    assert [float(text.get("x", "")) for text in first.iter(f"{SVG}text")] == [12, 12 + 8 * cast.WIDE]
    assert len(list(second.iter(f"{SVG}rect"))) == 1
    assert cast.drawn("a & b", [Frame((row,), 1.0)]) == cast.drawn("a & b", [Frame((row,), 1.0)])


def test_each_screen_is_seen_in_its_own_part_of_the_time_and_the_last_one_stays() -> None:
    drawn = cast.drawn("t", [Frame(([Cell("a")],), 1.0), Frame(([Cell("b")],), 3.0)])
    assert "@keyframes k0{0.000%{visibility:visible}25.000%,100%{visibility:hidden}}" in drawn
    assert "@keyframes k1{0%{visibility:hidden}25.000%{visibility:visible}}" in drawn
    assert ".f1{visibility:visible}" in drawn
    assert "prefers-reduced-motion" in drawn


def test_a_recording_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "HOME", tmp_path / "home")
    with record._home() as home:
        record._said(home, "pool rehearse", "delegate to it")
        node = home / "data" / "qtum-devnet"
        assert qtum.running(node) is not None
        assert _runs_in(node)
    assert not home.exists()
    until = time.monotonic() + PATIENCE_S
    while _runs_in(node):  # it has let go of the folder, and is about to end
        assert time.monotonic() < until
        time.sleep(0.05)


def _runs_in(folder: Path) -> bool:
    return any(str(folder).encode() in _read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def test_a_command_is_recorded_with_all_that_it_wrote(tmp_path: Path) -> None:
    rows = record._said(tmp_path, "--version", "ValTrac")
    assert "".join(cell.text for cell in rows[0]).startswith("ValTrac ")
    with pytest.raises(AssertionError, match="what nobody says"):
        record._said(tmp_path, "--version", "what nobody says")


def test_the_manual_page_has_every_command_and_is_what_man_understands(made: dict[str, str]) -> None:
    page = made["reference/valtrac.1"]
    assert page.startswith('.\\" Made by')
    for name in program.found():
        assert f".SS {name.replace('-', chr(92) + '-')}" in page, name
    wrong = [line for line in page.splitlines() if line.startswith(("'", ".")) and line.split()[0] not in ROFF]
    assert wrong == []
    assert str(CHECKOUT) not in page
