"""One point: die there, start again, reconcile, and compare what arrived with what was owed."""

from __future__ import annotations

import atexit
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash import contract_worlds, keeps_worlds, pool_worlds, worlds
from tests.crash.worlds import ASIDE, HEADS, Play
from tests.payout_world import HOTKEY, address
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.devnet import qtum
from valtrac.payments import accounts
from valtrac.payments.store import attempts, batches, ledger
from valtrac.settings import Settings
from valtrac.wiring.payouts import App

ROOT = Path(__file__).parent.parent.parent
TRIES = 6


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a point came to. step: where it died; twice, lost, unexplained: people, or rows, that are wrong."""

    play: str
    number: int
    step: str
    reached: bool
    twice: int
    lost: int
    unexplained: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Everyone paid once, everything explained."""
        return not (self.twice or self.lost or self.unexplained)


def side_of(play: Play) -> Any:
    """The business that a play is of: how its home is made, and what is to be there in the end."""
    if play.keeps:
        return keeps_worlds
    return pool_worlds if play.pool else contract_worlds if play.contracts else worlds


def command_of(play: Play, batch_id: int, total: str) -> list[str]:
    """The words of the command that dies."""
    if play.contracts or play.pool or play.keeps:
        return list[str](side_of(play).command_of(play, batch_id, total))
    if play.command == "approve":
        return ["payout", "approve", str(batch_id), "--total", total]
    if play.command == "set-aside":
        return ["payout", "set-aside", str(batch_id), ASIDE, "--reason", "asked to wait"]
    if play.command == "release":
        return ["payout", "release", ASIDE]
    return ["payout", "reconcile"] if play.command == "reconcile" else ["payout", play.command, str(batch_id)]


class Launcher:
    """The process that forks the ones that die; see `tests.crash.launcher`. One for each thread that uses it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.launcher"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._process.communicate)

    def run(self, *calls: dict[str, object]) -> list[int]:
        """Their exit codes, once all have ended; they run at the same time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()
        codes: list[int] = json.loads(self._process.stdout.readline())
        assert -signal.SIGALRM not in codes, f"it does not end: {calls}"
        return codes


_launchers = threading.local()


def launcher() -> Launcher:
    """The one of this thread."""
    if not hasattr(_launchers, "mine"):
        _launchers.mine = Launcher()
    mine: Launcher = _launchers.mine
    return mine


def run(home: Path, arguments: list[str], *, steps: Path | None = None, kill_at: int | str = 0) -> int:
    """A command in a process of its own, counted and killed where asked; its exit code."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "VALTRAC_HOME": str(home),
        "VALTRAC_CHUNK_SIZE": "3",
        "VALTRAC_BACKUP_HOURS": "0",  # else its writes would be steps to die at, and it is no part of a payment
        "VALTRAC_HOTKEYS": HOTKEY,
        "PYTHONPATH": str(ROOT),
        "VALTRAC_ENV_FILE": str(home / "no.env"),
        **contract_worlds.SETTINGS,
        **pool_worlds.SETTINGS,
        **keeps_worlds.SETTINGS,
    }
    where = {"folder": str(home), "environment": environment}
    (code,) = launcher().run(
        {**where, "arguments": arguments, "steps": str(steps or ""), "kill_at": kill_at, "said": ""}
    )
    return code


def steps_of(template: Path, scratch: Path, play: Play, arguments: list[str]) -> list[str]:
    """The steps that a command goes through when nobody kills it."""
    home = copied(template, scratch / "count")
    if play.keeps:
        keeps_worlds.before_dying(home)
    run(home, arguments, steps=scratch / "steps")
    if play.keeps:
        keeps_worlds.after_counting(home)
    qtum.stop(home / "data" / "qtum-devnet")
    names = (scratch / "steps").read_text(encoding="utf-8").splitlines()
    (scratch / "steps").unlink()
    shutil.rmtree(home)
    return names


def play_point(template: Path, scratch: Path, play: Play, batch_id: int, total: str, wanted: int | str) -> Verdict:
    """Die at that step of the play's command, recover by the real commands, and judge.

    wanted: the step's number, or a name for the first of that name.
    """
    home, steps = copied(template, scratch / f"p{wanted}"), scratch / f"s{wanted}"
    if play.keeps:
        keeps_worlds.before_dying(home)
    code = run(home, command_of(play, batch_id, total), steps=steps, kill_at=wanted)
    names = steps.read_text(encoding="utf-8").splitlines()
    number = len(names)
    reached = code == -signal.SIGKILL and wanted in (number, names[-1])
    step = names[-1] if reached else "not reached"
    if play.contracts or play.pool or play.keeps:
        twice, lost, wrong = side_of(play).recovered(home, play, batch_id, total, run)
        verdict = Verdict(play.name, number, step, reached, twice, lost, tuple(wrong))
    else:
        devnet.misbehave(home / "data" / "devnet.sqlite", clear=True)
        recover(home, play, batch_id, total)
        verdict = judged(home, batch_id, play, number, step, reached)
    if verdict.good:
        shutil.rmtree(home)
        steps.unlink()
    return verdict


def recover(home: Path, play: Play, batch_id: int, total: str) -> None:
    """What an owner would do: approve if it is still a draft, then send until nothing is owed; time passes."""
    if state(home, batch_id) == "draft":
        run(home, ["payout", "approve", str(batch_id), "--total", total])
    if play.command == "set-aside":
        run(home, command_of(play, batch_id, total))  # refused where it was done
    sent(home, batch_id)
    if play.command in ("set-aside", "release"):
        for _ in range(TRIES):
            if not held(home):
                break
            run(home, ["payout", "release", ASIDE])
            newest, units = draft(home)
            run(home, ["payout", "approve", str(newest), "--total", units])
            sent(home, newest)
    run(home, ["payout", "reconcile"])


def sent(home: Path, batch_id: int) -> None:
    """Send until the batch is settled, as often as anyone would try."""
    for _ in range(TRIES):
        if state(home, batch_id) == "settled":
            break
        run(home, ["payout", "send", str(batch_id)])


def held(home: Path) -> bool:
    app = opened(home)
    try:
        with reading(app.engine) as conn:
            return bool(ledger.held(conn))
    finally:
        app.close()


def draft(home: Path) -> tuple[int, str]:
    """The newest batch and its total."""
    app = opened(home)
    try:
        with reading(app.engine) as conn:
            newest = batches.listed(conn)[0]
            return newest.id, decimal_text(newest.total)
    finally:
        app.close()


def opened(home: Path) -> App:
    return App(Settings(home=home, hotkeys=(HOTKEY,), chunk_size=3))


def state(home: Path, batch_id: int) -> str:
    app = opened(home)
    try:
        with reading(app.engine) as conn:
            return batches.get(conn, batch_id).state
    finally:
        app.close()


def judged(home: Path, batch_id: int, play: Play, number: int, step: str, reached: bool) -> Verdict:
    """Chain, ledger, receipts and log, for every address, to the unit."""
    app, wrong = opened(home), []
    try:
        with reading(app.engine) as conn:
            batch, lines = batches.get(conn, batch_id), batches.lines_of(conn, batch_id)
            receipts = ledger.receipts(conn)
            paid = {r["body"]["address"]: r["body"]["amount_rao"] for r in receipts}
            entries = {person: kinds["paid"] for person, kinds in ledger.totals(conn).items() if "paid" in kinds}
            fees = sum(attempts.fees_of_batch(conn, one.id) or 0 for one in batches.listed(conn))
            broken, unresolved = ledger.broken_receipt(conn), attempts.unresolved(conn)
        unbalanced = accounts.unbalanced(app.engine)
        chain, wallet = app.chain, app.wallet_address
        head = chain.finalized()
        got = {line.address: chain.balance(line.address, head) for line in lines}
        spent = 1000 * 10**9 - chain.balance(wallet, head)
        log = home / "logs" / "payout_log.csv"
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        logged = [(row["Address"], row["Amount Paid"]) for row in csv.DictReader(text.splitlines())]
    finally:
        app.close()
    owed = {line.address: line.amount for line in lines}
    if batch.state != "settled":
        wrong.append(f"the batch is {batch.state}")
    if paid != owed or len(receipts) != len(owed):
        wrong.append("the receipts differ from what was owed")
    if entries != {line.person: line.amount for line in lines}:
        wrong.append("the ledger differs from what was owed")
    if sorted(logged) != sorted((line.address, decimal_text(line.amount)) for line in lines):
        wrong.append("the log differs from what was owed")
    if spent != sum(owed.values()) + fees:
        wrong.append(f"the wallet spent {spent}")
    if broken or unresolved:
        wrong.append("a receipt is broken or an attempt is open")
    wrong += [f"the account of {one.person} does not add up" for one in unbalanced]
    assert set(owed) == {address(n) for n in range(1, HEADS + 1)}
    return Verdict(
        play.name,
        number,
        step,
        reached,
        sum(got[a] > owed[a] for a in owed),
        sum(got[a] < owed[a] for a in owed),
        tuple(wrong),
    )


def copied(template: Path, home: Path) -> Path:
    shutil.copytree(template, home)
    return home
