"""Listener and payer under the real pm2: they start locked, say so, take the keys over a socket, and pay once."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import run as program
from tests.contracts_world import World
from tests.homes import CHECKOUT, move_in
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet import bitshares
from valtrac.loggers import loop, pm2, pm2_home
from valtrac.loggers.jobs import agreements, payments
from valtrac.loggers.locked import a_round, socket_of
from valtrac.secrets.unlock_socket import Keyhole, hand_in
from valtrac.settings import load

needs_pm2 = pytest.mark.skipif(
    not (CHECKOUT / "node_modules" / "pm2").exists() or pm2_home.node_folder() is None,
    reason="pm2 is not installed beside the project: make install",
)
MARKER = "hunter2-not-to-be-written-down"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield move_in(monkeypatch, tmp_path)
    pm2.shut_down(load())


def until(true: Callable[[], bool], patience_s: float = 120) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)


def said(name: str) -> str:
    told = loop.last_beat(load().logs, name)
    return told.words if told else ""


def written(name: str) -> str:
    path = load().logs / f"{name}.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


@needs_pm2
def test_they_start_locked_are_unlocked_over_the_socket_and_pay_once(home: Path) -> None:
    assert program.main(["contracts", "rehearse", "--client", "ann", "--send", "25000", "--memo", "three_months"]) == 0
    path = load().bitshares_file
    before = bitshares.balances(path)["ann"]
    assert program.main(["contracts", "start"]) == 0
    until(lambda: "locked" in said(payments.NAME) and "not read: locked" in written(agreements.NAME))
    assert bitshares.balances(path)["ann"] == before
    for job in pm2.jobs(load()):
        assert job.state == "running"
    assert program.main(["contracts", "unlock"]) == 0
    until(lambda: bitshares.balances(path)["ann"] == before + 100_000)
    assert program.main(["contracts", "stop"]) == 0
    assert program.main(["contracts", "pay"]) == 0
    assert bitshares.balances(path)["ann"] == before + 100_000


def test_a_keyhole_is_its_owners_alone_and_answers_without_repeating_what_it_got(tmp_path: Path) -> None:
    path = tmp_path / "k.sock"

    def take(given: dict[str, Any]) -> str:
        if given.get("password") != MARKER:
            raise Refused("a wrong password", fix="try again")
        return "unlocked"

    hole = Keyhole(path, take)
    try:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert hand_in(path, {"password": MARKER}) == "unlocked"
        with pytest.raises(Refused, match="wrong password"):
            hand_in(path, {"password": "other"})
        with pytest.raises(Refused) as error:
            hand_in(path, {"password": MARKER * 5_000})
        assert MARKER not in json.dumps(error.value.as_dict())
        assert hand_in(path, {"password": MARKER}) == "unlocked"
    finally:
        hole.close()
    assert not path.exists()
    with pytest.raises(BadInput, match="does not listen"):
        hand_in(path, {"password": MARKER})


def test_a_job_that_fails_inside_says_no_more_than_that(tmp_path: Path) -> None:
    def take(given: dict[str, Any]) -> str:
        raise ValueError(f"cannot use {given['password']}")

    hole = Keyhole(tmp_path / "k.sock", take)
    try:
        with pytest.raises(Refused) as error:
            hand_in(tmp_path / "k.sock", {"password": MARKER})
        assert MARKER not in json.dumps(error.value.as_dict())
    finally:
        hole.close()


def test_whoever_connects_and_says_nothing_does_not_keep_the_owner_out(tmp_path: Path) -> None:
    path = tmp_path / "k.sock"
    with Keyhole(path, lambda given: "unlocked"), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.connect(str(path))
        assert hand_in(path, {"password": MARKER}) == "unlocked"


def test_a_second_payer_leaves_the_first_ones_keyhole_alone(home: Path) -> None:
    assert program.main(["contracts", "rehearse"]) == 0
    path = socket_of(load(), payments.NAME)
    with loop.alone(load().logs, payments.NAME), Keyhole(path, lambda given: "unlocked"):
        assert program.main(["logger", "run", "payments"]) == 3
        assert hand_in(path, {"password": MARKER}) == "unlocked"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ValueError("is no amount"), "something unforeseen, please report it: ValueError: is no amount"),
        (ZeroDivisionError("by \x1b[2J"), "ZeroDivisionError"),
        (Refused("not now", why="a reason"), "not now: a reason"),
    ],
)
def test_a_fault_ends_the_round_and_never_the_job_that_holds_the_keys(fault: Exception, words: str) -> None:
    def tick() -> loop.Tick:
        raise fault

    done = a_round(tick)
    assert words in done.words
    assert "\x1b" not in done.words
    assert done.wait_s == 30.0


@pytest.mark.parametrize(("network", "listens_s", "pays_s"), [("devnet", 1.0, 1.0), ("mainnet", 3.0, 15.0)])
def test_both_look_as_often_as_their_chain_goes_and_a_rehearsal_need_not_wait(
    tmp_path: Path, network: str, listens_s: float, pays_s: float
) -> None:
    world = World(tmp_path)
    for locked in (True, False):
        app = SimpleNamespace(
            settings=world.settings.model_copy(update={"bitshares_network": network}),
            engine=world.engine,
            custodian=world.custodian,
            payer=lambda: world.payer,
            locked=locked,
            announced=True,
            trusts_one_node=False,
            look_at=0.0,
            keep_up=lambda: "",
        )
        assert payments.tick(app).wait_s == pays_s  # type: ignore[arg-type]
        assert agreements.tick(app).wait_s == listens_s  # type: ignore[arg-type]
    world.close()


def test_a_node_that_is_away_is_left_to_the_loop() -> None:
    def tick() -> loop.Tick:
        raise ChainUnreachable("away")

    with pytest.raises(ChainUnreachable):
        a_round(tick)
