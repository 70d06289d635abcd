"""The rehearsal as a process: started twice, killed, moved by who has read its note, and by nobody else."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devnet.tbtc.fixtures import NO_ANVIL
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.tbtc import anvil, control, process, world
from valtrac.devnet.tbtc.node import Node

pytestmark = pytest.mark.skipif(anvil.found() is None, reason=NO_ANVIL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("rehearsal") / "keeps"
    process.start(made, interval_s=0.5)
    yield made
    process.stop(made)


def genesis(note: dict[str, object]) -> str:
    return str(Node(str(note["ethereum_url"])).call("eth_getBlockByNumber", "0x0", False)["hash"])


def test_started_twice_it_runs_once(folder: Path) -> None:
    first = process.start(folder)
    assert process.start(folder)["pid"] == first["pid"]
    assert control.ask(first, "blocks", ethereum=1) > 0


def test_what_is_asked_with_a_wrong_word_is_not_done(folder: Path) -> None:
    note = process.start(folder)
    height = control.ask(note, "blocks")
    with pytest.raises(BadInput, match="another rehearsal runs here"):
        control.ask({**note, "control_word": "x"}, "blocks", ethereum=1)
    assert control.ask(note, "blocks") == height


def test_what_cannot_be_done_is_said_in_words(folder: Path) -> None:
    note = process.start(folder)
    for do, what, words in (
        ("dance", {}, "cannot dance"),
        ("deposits", {"lots": []}, "0 deposits at once"),
        ("deposits", {"lots": [10**6] * 61}, "61 deposits at once"),
        ("deposits", {"lots": ["x"]}, "it cannot be done"),
        ("price", {}, "it cannot be done"),
        ("call", {"deposit": "0x" + "11" * 20, "call": "notifyCourtesyCall"}, "it cannot be done"),
    ):
        with pytest.raises(BadInput, match=words):
            control.ask(note, do, **what)


def test_nothing_is_moved_where_nobody_listens_or_the_note_is_half_written(folder: Path) -> None:
    note = process.start(folder)
    with pytest.raises(ChainUnreachable, match="does not answer"):
        control.ask({**note, "control_url": "http://127.0.0.1:1"}, "blocks")
    with pytest.raises(ChainUnreachable, match="does not answer"):
        control.ask({}, "blocks")


def test_the_note_is_its_owners_alone(folder: Path) -> None:
    process.start(folder)
    assert (folder / world.NOTE).stat().st_mode & 0o077 == 0


def test_a_killed_one_does_not_run_and_goes_on_as_the_same_chain(folder: Path) -> None:
    note = process.start(folder)
    control.ask(note, "blocks", ethereum=5)
    height, first = control.ask(note, "blocks"), genesis(note)
    os.kill(note["pid"], signal.SIGKILL)
    until = time.monotonic() + 30
    while world.where(folder) is not None:  # though its parent, this process, has not taken notice
        assert time.monotonic() < until
        time.sleep(0.02)
    for _ in range(2):
        again = process.start(folder)
        assert again["pid"] != note["pid"]
        assert genesis(again) == first
        assert control.ask(again, "blocks") >= height
        assert process.stop(folder)
    assert not process.stop(folder)


def test_a_note_of_a_process_that_ended_is_not_taken_for_another_of_its_number(tmp_path: Path) -> None:
    (tmp_path / world.NOTE).write_text(json.dumps({"pid": os.getpid(), "anvil_pid": 1, "born": "1"}), encoding="utf-8")
    assert world.where(tmp_path) is None
    assert not process.stop(tmp_path)  # which would have ended these tests


def test_another_folder_is_another_rehearsal(folder: Path, tmp_path: Path) -> None:
    process.start(folder)
    assert world.where(tmp_path) is None
    (tmp_path / world.NOTE).write_text("{", encoding="utf-8")
    assert world.where(tmp_path) is None


def test_without_the_program_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil, "found", lambda: None)
    with pytest.raises(BadInput, match="no anvil") as told:
        process.start(tmp_path)
    assert told.value.fix == "install it: make tools"
