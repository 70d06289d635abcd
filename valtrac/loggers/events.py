"""What background jobs have to tell: one that is silent or has failed, a node that is away or was left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.core.text import plain
from valtrac.loggers import pm2
from valtrac.loggers.loop import Beat, last_beat
from valtrac.loggers.pm2 import Job
from valtrac.settings import Settings

LOOK_EVERY_S = 60.0
AWAY_AFTER = 5  # tries in a row, about a minute
BEGINNING = ("starting",)
LEFT = ("not asked any more: ", "asked in its place")
AGAIN = timedelta(hours=6)
SILENT, AWAY, NODE_LEFT = KINDS = (
    EventKind("loggers.silent", "A background job is silent", Severity.CRITICAL, "A background job works again", AGAIN),
    EventKind("loggers.node-away", "A node does not answer", Severity.WARNING, "A node answers again", AGAIN),
    EventKind("loggers.node-left", "A node was left", Severity.WARNING),
)


def ask_pm2(settings: Settings) -> Callable[[], list[Job]]:
    """Asks for the jobs under pm2, of those settings."""
    return lambda: pm2.jobs(settings)


@dataclass(slots=True)
class LoggerEvents:
    """The events of background jobs, by their heartbeats and by what the system says. own: the name of the job that
    asks; jobs: which there are, asked once a minute."""

    logs: Path
    jobs: Callable[[], list[Job]]
    own: str = ""
    clock: Callable[[], float] = time.monotonic
    _asked: tuple[float, list[Job]] | None = field(default=None)

    name = "loggers"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """Nodes that were left, as the heartbeats say."""
        for beat in self._beats():
            for part in beat.words.split("; "):
                if beat.at >= since and any(word in part for word in LEFT):
                    key = f"{NODE_LEFT.name}:{beat.name}:{plain(part, 150)}:{beat.at:%Y-%m-%d}"
                    words = f"{beat.name}: {plain(part, 300)}."
                    yield Event(key, NODE_LEFT.name, beat.at, words, "", "run.py logger status")

    def states(self, now: datetime) -> Iterable[Event]:
        """Jobs that say nothing, have failed, or cannot reach their node. One that its owner stopped is none."""
        for job in self._jobs():
            if job.name == self.own:
                continue
            if job.state == "running" and job.beat is not None and job.beat.failures:
                if job.beat.failures >= AWAY_AFTER:
                    yield self._of(AWAY, job, job.beat.words, job.beat.at)
            elif job.state in ("failed", "restarting") or (job.words and job.words not in BEGINNING):
                yield self._of(SILENT, job, job.words or job.state, job.beat.at if job.beat else now)

    def status(self, now: datetime) -> Status | None:
        """How many jobs run."""
        jobs = self._jobs()
        running = sum(job.state == "running" for job in jobs)
        return Status(f"{running} of {len(jobs)} background jobs run", f"jobs {running}/{len(jobs)}") if jobs else None

    def _of(self, kind: EventKind, job: Job, why: str, at: datetime) -> Event:
        words = f"{job.name}: {plain(why, 300)}"
        return Event(
            f"{kind.name}:{job.name}", kind.name, min(at, datetime.now(UTC)), words, "", "run.py logger status"
        )

    def _jobs(self) -> list[Job]:
        """As asked for less than a minute ago."""
        if self._asked is None or self.clock() - self._asked[0] > LOOK_EVERY_S:
            self._asked = (self.clock(), self.jobs())
        return self._asked[1]

    def _beats(self) -> list[Beat]:
        names = [path.name.removesuffix(".heartbeat.json") for path in self.logs.glob("*.heartbeat.json")]
        return [beat for beat in (last_beat(self.logs, name) for name in sorted(names)) if beat is not None]
