"""`make recordings`: drive the program in a terminal on the rehearsal chains, and draw what it showed.

Nothing in a picture is written by hand but the keys and commands; each step waits for words that the program has to
show.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from docs.cast import COLUMNS, LINES, Cell, Frame, Row, drawn
from tests.menus.conftest import CTRL_C, ENTER, line, pick
from tests.menus.terminal import Terminal
from valtrac.devnet import qtum
from valtrac.rehearsal.payouts import EXAMPLES
from valtrac.settings import load

PICTURES = Path(__file__).parent / "pictures"
MAIN = "What would you like to do?"
READ = "on to the menu"
LONG = "Enter: on"  # under an answer that is longer than the screen
GO_ON = "to go on (empty"  # under a plan, where its total is asked for
PATIENCE_S = 60.0
HOME = Path("/tmp/valtrac")  # noqa: S108 - the same on every machine: it is seen in what the program writes
PEOPLE = str(HOME / "people.csv")
QUIET_S = 0.6  # nothing more comes after so long
PAYDAY = (
    ("pool rehearse", "delegate to it"),
    ("pool look", "blocks looked at"),
    ("pool rehearse --win 2", "was won for a delegate"),
    ("pool look", "12 blocks looked at"),
    ("pool delegates", "4 with weight"),
    ("pool rehearse --days 1", "A day went by"),
    ("pool pay", "4 payments final"),
    ("pool verify", "Everything adds up, to the satoshi."),
)
DEMO = (
    "Referral tree",
    "2. A day of snapshots",
    "3. The plan",
    "Held: owed, paid later",
    "4. Approve and send",
    "Done ──",
)
# what is pressed in the menus, and the words that answer it
PAYOUT: tuple[tuple[str, str], ...] = (
    (pick(11), "Check everything (doctor)"),
    (pick(4), "Begin the rehearsal chain"),
    (ENTER, "Let an hour pass"),
    (ENTER, "It is at block 300."),
    (pick(2), "Block 298:"),
    (CTRL_C, MAIN),
    (pick(4), "How?"),
    (ENTER, "Path of the CSV file"),
    (line(PEOPLE), "Save these users as shown?"),
    ("y" + ENTER, "Next: Add referral"),
    (CTRL_C, MAIN),
    (pick(2), "Whose stake counts?"),
    (ENTER, "How does stake become a share?"),
    (ENTER, "How much is shared out"),
    (line("12.5"), "Pay for everything since the last payout?"),
    ("y" + ENTER, LONG),
    (ENTER, GO_ON),
)


def demo(home: Path) -> list[Frame]:
    """The demo, uncovered part by part."""
    rows = [*_typed("demo"), *_said(home, "demo", "Your own ledger was not touched.")]
    text = ["".join(cell.text for cell in row) for row in rows]
    ends = [next(place for place, words in enumerate(text) if mark in words) for mark in DEMO]
    frames = [_frame(rows[:end], 3.0) for end in ends]
    return [_frame(rows[:1], 1.0), *frames, _frame(rows, 7.0)]


def payday(home: Path) -> list[Frame]:
    """A pool's payday, command by command."""
    rows: list[Row] = []
    frames = []
    for words, answer in PAYDAY:
        rows += _typed(words)
        frames.append(_frame(rows, 0.8))
        rows += _said(home, words, answer)
        frames.append(_frame(rows, 3.0))
    return [*frames[:-1], _frame(rows, 6.0)]


def payout(home: Path) -> list[Frame]:
    """A first payout in the menus, from an empty home."""
    shutil.copy(EXAMPLES / "users.csv", PEOPLE)
    terminal = Terminal(sys.executable, home, lines=LINES)
    frames = [_frame(_seen(terminal, MAIN), 2.5)]
    for keys, answer in PAYOUT:
        frames.append(_frame(_pressed(terminal, keys, answer), 2.5))
    total = next(words.split()[1] for words in terminal.lines if words.startswith("total "))
    for keys, answer in ((line(total), "now?"), ("y" + ENTER, LONG), ("G", "each exactly once.")):
        frames.append(_frame(_pressed(terminal, keys, answer), 4.0))
    for keys, answer in ((ENTER, MAIN), (CTRL_C, "Goodbye.")):
        _pressed(terminal, keys, answer)
    terminal.ended()
    return [*frames[:-1], Frame(frames[-1].rows, 7.0)]


STORIES: dict[str, tuple[str, Callable[[Path], list[Frame]]]] = {
    "demo": ("The demo: a payout is planned, sent while the node loses a reply, and every balance is checked", demo),
    "payout": ("A first payout in the menus of ValTrac", payout),
    "payday": ("The payday of a pool, command by command", payday),
}


def _typed(words: str) -> list[Row]:
    return [[Cell("$", ink="green"), Cell(), *(Cell(letter, bold=True) for letter in f"run.py {words}")]]


def _said(home: Path, words: str, answer: str) -> list[Row]:
    """All lines that a command wrote. Raises AssertionError where the answer is not among them, or it failed."""
    terminal = Terminal(sys.executable, home, *words.split(), columns=COLUMNS)
    code = terminal.ended()
    text = " ".join(" ".join(terminal.lines).split())
    if code != 0 or answer not in text:
        raise AssertionError(f"{words}: exit code {code}, and {answer!r} was waited for in {text!r}")
    return _rows(terminal)


def _pressed(terminal: Terminal, keys: str, answer: str) -> list[Row]:
    """The screen once the words have come in answer to the keys, and nothing more comes."""
    before = "\n".join(terminal.lines).count(answer)
    os.write(terminal.fd, keys.encode())
    return _seen(terminal, answer, before + 1)


def _seen(terminal: Terminal, answer: str, times: int = 1) -> list[Row]:
    """The screen once the words are on it so many times, scrolled-off lines included, and nothing more comes. Where
    the program first lets what is there be read, it goes on."""
    until = time.monotonic() + PATIENCE_S
    while "\n".join(terminal.lines).count(answer) < times:
        if time.monotonic() > until:
            raise AssertionError(f"{answer!r} did not appear:\n" + "\n".join(terminal.lines))
        terminal.read()
        if answer == MAIN and any(READ in shown for shown in terminal.screen.display):
            os.write(terminal.fd, ENTER.encode())
            terminal.read(QUIET_S)
    size = -1
    while size != len(terminal.raw):
        size = len(terminal.raw)
        terminal.read(QUIET_S)
    return _rows(terminal)


def _rows(terminal: Terminal) -> list[Row]:
    """Everything on the screen and above it, as cells, without the empty lines at the end."""
    screen = terminal.screen
    lines = [*screen.history.top, *(screen.buffer[place] for place in range(screen.lines))]
    rows: list[Row] = [
        [
            Cell(char.data, char.fg, char.bg, char.bold, char.reverse, char.underscore)
            for char in (each[x] for x in range(screen.columns))
        ]
        for each in lines
    ]
    while rows and not "".join(cell.text for cell in rows[-1]).strip():
        rows.pop()
    return rows


def _frame(rows: list[Row], seconds: float) -> Frame:
    return Frame(tuple(rows[-LINES:]), seconds)


@contextmanager
def _home() -> Iterator[Path]:
    """The folder to record in, new and empty. A node that was started in it has ended afterwards."""
    HOME.mkdir()  # where somebody has one of that name, nothing of it is touched
    try:
        yield HOME
    finally:
        qtum.stop(load({"VALTRAC_HOME": str(HOME)}, Path(os.devnull)).qtum_folder)
        shutil.rmtree(HOME)


def main(names: list[str]) -> None:
    """Record the stories of these names, or all."""
    for name in names or STORIES:
        title, story = STORIES[name]
        with _home() as home:
            frames = story(home)
        path = PICTURES / f"{name}.svg"
        path.write_text(drawn(title, frames), encoding="utf-8")
        sys.stdout.write(f"recorded: {path.name}, {len(frames)} screens, {path.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
