"""Backups as tables and words; what menu and commands do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.settings import Settings

ENDS_AS = "what was paid since it was made is not in it: nobody is paid before run.py backup compare has been run"


def make(ui: Ui, settings: Settings) -> None:
    """Make a backup now, and say where it is."""
    from valtrac.wiring import backups

    with ui.working("Making a backup"):
        made = backups.make(settings)
    for words in backups.home_of(settings).elsewhere:
        ui.warn(f"Not in it: {words}.")
    sealed = "" if settings.backup_key else "; it is not sealed: run.py backup new-key"
    ui.done(f"{made.path}: {count(made.files, 'file')}, {_size(made.size_bytes)}{sealed}.")
    if made.dropped:
        ui.hint(f"{count(len(made.dropped), 'older one')} deleted: the newest, and one a day, week and month stay.")
    if ui.as_json:
        ui.records({"path": str(made.path), "bytes": made.size_bytes, "files": made.files, "dropped": made.dropped})


def before_paying(ui: Ui, settings: Settings, *, age_s: float | None = None) -> None:
    """Make a backup where the newest is some minutes old, or older than `age_s`; what goes wrong is said and stops no
    payment."""
    from valtrac.wiring import backups

    words = backups.make_if_due(settings, age_s=backups.FRESH_S if age_s is None else age_s)
    if words.startswith("no backup"):
        ui.warn(f"{words[0].upper()}{words[1:]}.")


def show(ui: Ui, settings: Settings) -> None:
    """The backups, the newest first, as a table or JSON."""
    from valtrac.backups.making import listed

    here = listed(settings.backups)
    if ui.as_json:
        ui.records(
            [
                {"name": str(name), "at": name.at.isoformat(), "bytes": path.stat().st_size, "sealed": name.sealed}
                for name, path in here
            ]
        )
        return
    ui.table(
        f"Backups in {plain(settings.backups)}",
        ["at UTC", "name", "size", "sealed"],
        [
            [f"{name.at:%Y-%m-%d %H:%M}", str(name), _size(path.stat().st_size), "yes" if name.sealed else "no"]
            for name, path in here
        ],
        optional=["at UTC"],
        empty="No backups yet. Make one: run.py backup now",
    )


def chosen(settings: Settings, name: str | None) -> Path:
    """The backup of a name or at a path; the newest where none is given. Raises BadInput."""
    from valtrac.backups.making import listed

    if name:
        try:
            elsewhere = Path(name).expanduser()
        except RuntimeError as error:  # ~ of somebody who is not here
            raise BadInput(f"{plain(name)} is no path", fix="see which there are: run.py backup list") from error
        return next((path for path in (settings.backups / name, elsewhere) if path.is_file()), Path(name))
    newest = next((path for _, path in listed(settings.backups)), None)
    if newest is None:
        raise BadInput("there is no backup", fix="make one: run.py backup now")
    return newest


def verify(ui: Ui, path: Path, secret: str) -> bool:
    """Read a backup back, and say what its databases stand up to; whether to everything."""
    from valtrac.backups import restoring
    from valtrac.wiring import backups

    with ui.working("Reading it back"):
        whole = restoring.verify(path, secret=secret, audit=backups.audit)
    for words in whole.problems:
        ui.warn(words)
    if not whole.problems:
        ui.done(f"{path.name}: {count(len(whole.sizes), 'file')} as they were written; receipts and accounts hold.")
    if ui.as_json:
        ui.records({"made_at": whole.made_at.isoformat(), "files": whole.sizes, "problems": whole.problems})
    return not whole.problems


def restore(ui: Ui, settings: Settings, path: Path, secret: str) -> None:
    """Put a backup in the place of what is here. Raises Refused while a job runs, BadInput where it is not sound."""
    from valtrac.backups import restoring
    from valtrac.loggers import pm2
    from valtrac.wiring import backups

    running = [job.name for job in pm2.jobs(settings) if job.state in ("running", "restarting")]
    if running:
        raise Refused(
            f"{', '.join(running)} {'is' if len(running) == 1 else 'are'} running",
            why="a job goes on writing into what is moved aside",
            fix="stop it first: run.py logger stop, contracts stop, pool stop, keeps stop",
        )
    with ui.working("Restoring"):
        done = restoring.restore(
            backups.home_of(settings),
            path,
            secret=secret,
            audit=backups.audit,
            mark=backups.mark,
            now=datetime.now(UTC),
        )
    ui.done(f"As it was on {done.made_at:%Y-%m-%d %H:%M} UTC: {', '.join(done.databases) or 'no database'}.")
    for aside in done.asides:
        ui.say(f"What was here before is in {plain(aside)}.")
    if done.kept:
        ui.say(f"Left as they are: {', '.join(done.kept)}.")
    ui.warn(f"{ENDS_AS[0].upper()}{ENDS_AS[1:]}.")
    if ui.as_json:
        ui.records(
            {
                "made_at": done.made_at.isoformat(),
                "databases": done.databases,
                "asides": [str(aside) for aside in done.asides],
            }
        )


def compare(ui: Ui, settings: Settings, *, accept_history: bool = False) -> None:
    """Let restored databases pay again, once each was compared with its chain. Raises Refused, ChainUnreachable."""
    from valtrac.wiring import backups

    with ui.working("Comparing with the chain"):
        done = backups.compare(settings, accept_history=accept_history)
    if done:
        ui.done(f"Compared with the chain and the list of payments: {', '.join(done)}. Payments go on.")
        if "payouts" in done and accept_history:
            ui.hint(
                "Where one of those transactions was a payout after all, say up to which block it paid before the next "
                "plan: run.py payout begin-after BLOCK."
            )
    else:
        ui.done("Nothing here waits for it: no database came out of a backup since it was last compared.")
    if ui.as_json:
        ui.records({"compared": done})


def new_key(ui: Ui) -> None:
    """Make the two keys of sealed backups, and show them once."""
    from valtrac.backups.sealing import new_keys

    public, secret = new_keys()
    ui.say("Write this line into .env; with it backups are sealed, and nobody opens them:")
    ui.line(f"VALTRAC_BACKUP_KEY={public}")
    ui.warn("Keep this one away from this machine, on paper or in a safe. It opens them, and is shown only now:")
    ui.line(secret)


def _size(size: int) -> str:
    return f"{size / 10**6:,.1f} MB" if size >= 10**5 else f"{size / 1000:,.1f} kB"
