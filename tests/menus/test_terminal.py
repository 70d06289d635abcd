"""The real thing in a real terminal: a newcomer's first payout by keys alone."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.menus.conftest import CTRL_C, ENTER, line, menu, pick
from tests.menus.terminal import Terminal
from valtrac.chains.bittensor import connect

MAIN = "What would you like to do?"
READ = "on to the menu"
ASKED = "Esc: back"  # under a question: now single keys are taken


def rao_of(text: str) -> int:
    return int(text.replace(".", ""))


@pytest.mark.parametrize("columns", [80, 120])
def test_a_first_payout_by_keys_alone(tmp_path: Path, columns: int) -> None:
    sheet = tmp_path / "people.csv"
    people = {
        "dan [/oops]": connect.dev_address("//Nominator/dan"),
        "[red]cat": connect.dev_address("//Nominator/cat"),
    }
    rows = [f"{name},{address}" for name, address in people.items()]
    sheet.write_text("Name,Address1\n" + "\n".join(rows) + "\n", encoding="utf-8")

    terminal = Terminal(sys.executable, tmp_path, columns=columns)
    terminal.wait_for(MAIN)
    terminal.press(pick(11), "Network and wallet")
    terminal.press(pick(4), "Begin the rehearsal chain")
    terminal.press(ENTER, "Let an hour pass")
    terminal.press(ENTER, "It is at block 300.")
    terminal.press(pick(2), "Block 298:")
    terminal.wait_for(ASKED)
    terminal.press(CTRL_C, MAIN)
    terminal.press(pick(4), "How?")
    terminal.press(ENTER, "Path of the CSV file")
    terminal.press(line(str(sheet)), "Save these users as shown?")
    terminal.press("y" + ENTER, "Next: Add referral")
    terminal.wait_for(ASKED)
    terminal.press(CTRL_C, MAIN)
    terminal.press(pick(2), "Whose stake counts?")
    terminal.press(ENTER, "How does stake become a share?")
    terminal.press(ENTER, "How much is shared out")
    terminal.press(line("7"), "Pay for everything since the last payout?")
    shown = terminal.press("y" + ENTER, "to go on (empty")
    assert "dan [/oops]" in shown
    assert "[red]cat" in shown
    total = re.search(r"^total +(\d+\.\d{9})$", shown, re.M)
    assert total is not None, shown
    terminal.press(line(total[1]), "now?")
    shown = terminal.press("y" + ENTER, "each exactly once.")
    assert f"{total[1]} TAO to 2 payees" in " ".join(shown.split())
    terminal.wait_for(READ)
    terminal.press(ENTER, MAIN)
    shown = terminal.press(menu("Payout history and batches"), "Which batch?")
    assert re.search(r"#1 +settled", shown)
    terminal.press(CTRL_C, MAIN)
    terminal.press(CTRL_C, "Goodbye.")

    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.raw
    with closing(connect.open_devnet(tmp_path / "data" / "devnet.sqlite")) as chain:
        head = chain.finalized()
        assert sum(chain.balance(address, head) for address in people.values()) == rao_of(total[1])


def test_the_first_screen_opens_fast_and_ctrl_c_leaves(tmp_path: Path) -> None:
    terminal = Terminal(sys.executable, tmp_path)
    terminal.wait_for("12. Exit")
    assert 0 < terminal.worked_s < 5  # about one second
    terminal.press(CTRL_C, "Goodbye.")
    assert terminal.ended() == 0


def test_an_interrupt_that_comes_as_a_signal_leads_back_too(tmp_path: Path) -> None:
    terminal = Terminal(sys.executable, tmp_path)
    terminal.wait_for(ASKED)
    terminal.press(pick(4), "How?")
    terminal.wait_for(ASKED)
    terminal.interrupt(MAIN)
    terminal.wait_for(ASKED)
    terminal.interrupt("Goodbye.")
    assert terminal.ended() == 0


@pytest.mark.parametrize(("columns", "lines"), [(30, 12), (45, 40)])
def test_a_small_terminal_is_still_a_terminal(tmp_path: Path, columns: int, lines: int) -> None:
    terminal = Terminal(sys.executable, tmp_path, columns=columns, lines=lines)
    terminal.wait_for("1. Begin logging")
    terminal.press(pick(5), "No users yet.")
    if lines < 40:  # the menu would push it away
        terminal.wait_for("Enter")
        terminal.press(ENTER, "1. Begin logging")
    terminal.press(CTRL_C, "Goodbye.")
    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.raw
