"""The logger `keeps`: watches collateral, redeems what is in danger, brings redemptions to proof. Starts locked."""

from __future__ import annotations

from typing import Any

from valtrac import settings as config
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.keeps import audit_log, caps, cycle, told
from valtrac.keeps.cycle import Round
from valtrac.loggers import locked
from valtrac.loggers.loop import Tick
from valtrac.wiring.keeps import KeepsApp

WORD, STARTED_BY, NAME = "keeps", "keeps start", "valtrac-keeps"
PIECES = 20  # of events that are read in one round: the keeps that are known are looked at meanwhile
ONE_PROVIDER = "one provider is trusted: name another in VALTRAC_KEEPS_NODES"
EVERY = 100  # rounds


class Job:
    """One run of it."""

    def __init__(self, app: KeepsApp) -> None:
        self.app, self.rounds = app, 0

    def tick(self) -> Tick:
        """One round; a provider that is away is told and waited for."""
        watching = self.app.watching
        try:
            done = cycle.run(watching, self.app.payer_or_none, pieces=PIECES)
        except ChainUnreachable as error:
            told.providers_are_away(watching, error)
            raise
        finally:
            audit_log.write(watching)
        said = [*_of_keeps(done), *done.words]
        if watching.settings.trusts_one_keeps_node and self.rounds % EVERY == 0:
            said.append(ONE_PROVIDER)
        self.rounds += 1
        wait_s = 0.0 if done.discovered.behind else watching.settings.keeps_look_s
        return Tick(done.look.head.number, "; ".join(said), wait_s)


def _of_keeps(done: Round) -> list[str]:
    said = []
    if done.discovered.new:
        said.append(f"{done.discovered.new} keeps are new")
    if done.discovered.behind:
        said.append(f"{done.discovered.behind:,} blocks of events to be read")
    if done.in_danger:
        said.append(f"{done.in_danger} keeps in danger")
    return said


def run(hotkey: str | None) -> None:
    """Watch and redeem until told to stop; locked until somebody hands the password in. hotkey: of no use here."""
    app = KeepsApp(config.load())

    def unlock(given: dict[str, Any]) -> None:
        password = given.get("password", "")
        if not isinstance(password, str):
            raise BadInput("what was handed in has another shape", fix="use the same version of ValTrac for both")
        caps.refuse_without_end(app.settings)
        app.unlock(password)

    locked.run(NAME, app, Job(app).tick, unlock)
