"""An old log of payments tells up to which block was paid; one that is only half understood tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from menus.frame.ui import Ui
from menus.payouts import begin_after
from menus.program import run
from tests.homes import small_world
from tests.payout_world import HOTKEY
from tests.payouts.test_ranges import imported
from valtrac.core.errors import BadInput
from valtrac.snapshots import paid_before

HEADER = "Username,Address,Amount Paid,Start Block,End Block,Total Payout Pool\n"
ROWS = "ann,5A,1.5,1,10,3.0\nbob,5B,1.5,1,10,3.0\nann,5A,1.5,11,20,3.0\n"


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "payout_log.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_the_highest_end_block_counts_in_whatever_order_the_rows_stand(log: Callable[[str], Path]) -> None:
    backwards = "".join(reversed(ROWS.splitlines(keepends=True)))
    for rows in (ROWS, backwards):
        assert paid_before.read_log(log(HEADER + rows)) == paid_before.OldPayouts(3, 20)
    assert paid_before.read_log(log((HEADER + ROWS).replace(",", ";"))).last_block == 20


def test_a_last_row_without_a_line_end_counts_where_something_stands_behind_its_number(
    log: Callable[[str], Path], tmp_path: Path
) -> None:
    assert paid_before.read_log(log(HEADER + ROWS[:-1])) == paid_before.OldPayouts(3, 20)
    assert paid_before.read_log(log("Username,End Block\rann,300\r")).last_block == 300
    unicode = tmp_path / "unicode.csv"
    unicode.write_bytes("Username,End Block\nann,300\n".encode("utf-16"))
    assert paid_before.read_log(unicode).last_block == 300
    unicode.write_bytes("Username,End Block\nann,300".encode("utf-16"))
    with pytest.raises(BadInput):
        paid_before.read_log(unicode)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "ann,5A,1.5,1,2o,3.0\n", "row 2, End Block: '2o'"),
        (HEADER + ROWS + "ann,5A,1.5,21\n", "row 5: it has 4 cells, the header 6"),
        (HEADER + ROWS + "ann,5A,1.5,21,470", "row 5: it has 5 cells, the header 6"),
        (HEADER + "ann,5A,1.5,1,10\n" + ROWS, "row 2: it has 5 cells, the header 6"),
        (HEADER + ROWS + "ann,5A,1.5,21,470,", "row 5, End Block: the file ends within this row"),
        ("Username,End Block\nann,300\nbob,9", "row 3, End Block: the file ends within this row"),
        (HEADER + "ann,5A,1.5,1,-5,3.0\n", "row 2, End Block"),
        (HEADER, "lists no payment"),
        ("Username,Amount\nann,1\n", "has no column End Block"),
        ("", "is empty"),
    ],
)
def test_a_log_that_is_not_understood_names_the_row(log: Callable[[str], Path], text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        paid_before.read_log(log(text))
    assert said in " ".join([refused.value.what, *refused.value.problems])


def test_the_command_takes_the_block_or_the_log_and_never_both(
    log: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = small_world(monkeypatch, tmp_path)
    world.people()
    imported(world, 10, 20, 30)
    path = log(HEADER + ROWS)
    for both_or_none in ([], ["20", "--log", str(path)]):
        with pytest.raises(BadInput, match="say the block, or the log"):
            run(["payout", "begin-after", *both_or_none, "--hotkey", HOTKEY])
    assert run(["payout", "begin-after", "--log", str(path), "--hotkey", HOTKEY]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "payout_log.csv lists 3 payments, the last up to block 20." in said
    assert world.draft().from_block == 21
    world.app.close()


@pytest.mark.parametrize(
    ("keys", "block"),
    [("\r20\r", 20), ("\x1b[B\r{log}\r", 20), ("\x1b[B\x1b[B\r", 0)],
    ids=["typed", "from the log", "nothing"],
)
def test_the_menu_asks_in_three_ways(log: Callable[[str], Path], keys: str, block: int) -> None:
    path = log(HEADER + ROWS)
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys.format(log=path))
        assert begin_after.ask(Ui())[0] == block
