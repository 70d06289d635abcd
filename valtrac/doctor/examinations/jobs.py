"""Background jobs: whether each that was started runs and has a heartbeat, and whether stakes are recorded at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.core.addresses import shortened
from valtrac.core.checks import Check, bad, good, warning
from valtrac.doctor.patient import Patient
from valtrac.loggers.pm2 import Job

ORDER = 70
STARTING = "starting"
STATUS = "see why: run.py logger status, and run.py logger tail"


@dataclass(frozen=True, slots=True)
class Facts:
    """jobs: those that pm2 knows. unrecorded: hotkeys whose stakes no job records, where they should be."""

    jobs: Sequence[Job]
    unrecorded: tuple[str, ...]


def examine(patient: Patient) -> list[Check]:
    """As pm2, the system and the heartbeats say; nothing is started."""
    from valtrac.loggers import pm2
    from valtrac.loggers.jobs.stakes import name_of

    settings = patient.settings
    jobs = pm2.jobs(settings) if (settings.data / "pm2").exists() or settings.data.exists() else []
    running = {job.name for job in jobs if job.state == "running"}
    wanted = () if settings.rehearsing else settings.hotkeys
    return judged(Facts(jobs, tuple(hotkey for hotkey in wanted if name_of(hotkey) not in running)))


def judged(facts: Facts) -> list[Check]:
    """A line for each job, and one for the record of stakes."""
    checks = [_job(job) for job in facts.jobs]
    if facts.unrecorded:
        named = ", ".join(shortened(hotkey) for hotkey in facts.unrecorded)
        words = f"Nobody records the stakes of {named}: what is not recorded cannot be paid by."
        checks.append(bad("jobs.stakes", words, "start the record: run.py logger start stakes"))
    elif not facts.jobs:
        checks.append(good("jobs", "No background job was started, and none is needed yet."))
    return checks


def _job(job: Job) -> Check:
    name = f"jobs.{job.name}"
    if job.state == "stopped":
        fix = f"start it again under Background loggers, or remove it: run.py logger remove {job.name}"
        return warning(name, f"{job.name} is stopped{': ' + job.words if job.words else ''}.", fix)
    if job.state != "running":
        return bad(name, f"{job.name} is {job.state}: {job.words or 'it says nothing'}.", STATUS)
    if job.words and job.words != STARTING:
        return bad(name, f"{job.name} runs, but: {job.words}.", STATUS)
    said = job.beat.words if job.beat is not None else STARTING
    return good(name, f"{job.name} runs: {said}.")
