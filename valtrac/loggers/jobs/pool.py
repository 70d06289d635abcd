"""The logger `pool`: looks at every block, shares what was won, pays when it is payday. Starts locked."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from valtrac import settings as config
from valtrac.core.errors import BadInput, ChainUnreachable, Refused, ValtracError
from valtrac.core.money import qtum
from valtrac.core.staking import NodeState
from valtrac.loggers import locked
from valtrac.loggers.loop import Tick
from valtrac.pool import caps, day_log, monitor, payday, share_files, watch
from valtrac.pool.monitor import Progress
from valtrac.pool.overview import waits_to_be_sent
from valtrac.pool.pool import Pool
from valtrac.wiring.pool import PoolApp

WORD, STARTED_BY, NAME = "pool", "pool start", "valtrac-pool"
PATIENCE_S = 300.0
POLICY_EVERY = 50  # looks: what the node asks of delegates changes seldom
ONE_NODE = "one node is trusted: name another in VALTRAC_QTUM_SECOND_NODE"


class Job:
    """One run of it. started_at: by this machine's clock, for what is not an alarm right after a start."""

    def __init__(self, app: PoolApp) -> None:
        self.app, self.started_at, self.looks = app, datetime.now(UTC), 0

    def tick(self) -> Tick:
        """One look; what goes wrong is said and tried again, and nothing that is owed is ever dropped."""
        try:
            pool = self.app.pool
            state = pool.chain.state()
        except ChainUnreachable as error:
            watch.node_is_away(self.app.engine, error, datetime.now(UTC))
            raise
        if self.looks == 0:
            day_log.note_start(pool)
        policy = watch.policy_of(pool) if self.looks % POLICY_EVERY == 0 else None
        self.looks += 1
        self._stake_again(state)
        said = watch.watch(pool, state, policy, started_at=self.started_at)
        done = monitor.look(pool, state)
        said += _of_blocks(done)
        try:
            said += [] if done.behind else self._pay(pool, state, done)
        finally:  # whatever became of a payment, the blocks were looked at
            if done.looked_at or said or self.looks == 1:
                share_files.write(pool)
                day_log.write(pool)
        if pool.settings.trusts_one_qtum_node and self.looks % POLICY_EVERY == 1:
            said.append(ONE_NODE)
        return Tick(done.block, "; ".join(said), 0.0 if done.behind else pool.settings.pool_look_s)

    def _stake_again(self, state: NodeState) -> None:
        """Open a wallet for staking that was locked, as it is by each start of the node, where its password is here."""
        if state.locked and not self.app.locked:
            with suppress(Refused):  # another password by now: that it is locked is told
                self.app.payer().try_password()

    def _pay(self, pool: Pool, state: NodeState, done: Progress) -> list[str]:
        """Pay what waits, where anything does; words about it."""
        moment = payday.moment(pool, state)
        if moment is None and not waits_to_be_sent(pool):
            return self._listed(pool) if self.looks == 1 else []
        if not pool.settings.pool_payments:
            return _waits(pool, "payments are switched off: VALTRAC_POOL_PAYMENTS=no")
        if self.app.locked:
            owed = payday.preview(pool, moment or pool.now()).payday.paid
            return _waits(pool, f"locked: {qtum(owed)} to be paid; unlock it: run.py pool unlock")
        try:
            made = payday.pay(pool, self.app.payer(), state, behind=done.behind, patience_s=PATIENCE_S)
        except ChainUnreachable:
            raise
        except ValtracError as error:
            return _waits(pool, str(error))
        if made.words:
            return _waits(pool, "; ".join(made.words))
        watch.over(pool.engine, watch.WAITS, pool.now())
        return [payday.in_words(made.kept)] if made.kept else []

    def _listed(self, pool: Pool) -> list[str]:
        try:
            payday.list_what_landed(pool)
        except Refused as error:
            return [str(error)]
        return []


def _waits(pool: Pool, words: str) -> list[str]:
    """Note that a payday waits; the words where that is news."""
    return [words] if watch.note(pool.engine, watch.WAITS, words, pool.now()) else []


def _of_blocks(done: Progress) -> list[str]:
    said = [f"block {height} won for the delegates" for height in done.rewards[-5:]]
    said += [f"block {height} was undone" for height in done.undone]
    if done.behind:
        said.append(f"{done.behind:,} blocks to be made up")
    return said


def run(hotkey: str | None) -> None:
    """Watch and pay until told to stop; locked until somebody hands the password in. hotkey: of no use here."""
    app = PoolApp(config.load())

    def unlock(given: dict[str, Any]) -> None:
        password = given.get("password", "")
        if not isinstance(password, str):
            raise BadInput("what was handed in has another shape", fix="use the same version of ValTrac for both")
        caps.refuse_without_end(app.engine, app.settings)
        app.unlock(password)

    locked.run(NAME, app, Job(app).tick, unlock)
