"""The pages of the reference that are made from the program itself: commands, settings, licences (`make reference`)."""

from __future__ import annotations

import re
from pathlib import Path

from docs.generate import commands, licences, man, settings

DOCS = Path(__file__).parent.parent
SITE = DOCS.parent / "mkdocs.yml"
MADE = "<!-- Made by `make reference`. Do not edit: change the program, and make it again. -->\n\n"
MADE_ROFF = '.\\" Made by `make reference`. Do not edit: change the program, and make it again.\n'


def pages() -> dict[str, str]:
    """path under docs/ -> its text, of every page that is made; the same program always gives the same text."""
    made = {f"reference/commands/{name}.md": text for name, text in commands.pages().items()}
    made["reference/settings.md"] = settings.page()
    made["reference/licences.md"] = licences.page()
    return {path: MADE + text for path, text in made.items()} | {"reference/valtrac.1": MADE_ROFF + man.page()}


def write() -> int:
    """Write them all, and the menu of the site; how many there are. A page of a command that is gone is removed."""
    made = pages()
    for old in DOCS.glob("reference/commands/*.md"):
        if str(old.relative_to(DOCS)) not in made:
            old.unlink()
    for path, text in made.items():
        DOCS.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        DOCS.joinpath(path).write_text(text, encoding="utf-8")
    SITE.write_text(menu(SITE.read_text(encoding="utf-8"), list(made)), encoding="utf-8")
    return len(made)


def menu(text: str, paths: list[str]) -> str:
    """The text of mkdocs.yml with the pages of commands in its menu."""
    names = sorted(Path(path).stem for path in paths if path.startswith("reference/commands/"))
    rows = [f"          - {name}: reference/commands/{name}.md\n" for name in names if name != "index"]
    return re.sub(r"(          - [a-z-]+: reference/commands/\S+\n)+", "".join(rows), text)
