"""What the owner sees first: where this is, what there is, and what to do next."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.contracts.store import counts as of_contracts
from valtrac.core.addresses import shortened
from valtrac.core.endpoints import shown
from valtrac.core.money import short_text
from valtrac.core.text import plain
from valtrac.database.counts import SQLITE
from valtrac.payments.model.states import BatchState
from valtrac.payouts.store import counts as of_payouts

if TYPE_CHECKING:
    from valtrac.core.errors import ValtracError
    from valtrac.settings import Settings
    from valtrac.wiring.payouts import App

T = TypeVar("T")
LOOK_EVERY_S = 4.0
IDLE = 30  # times as long as a look took, keys alone are waited for: a large database is read for seconds
LAST_BLOCKS = 50_400  # a week


def greet(app: App, ui: Ui) -> None:
    """The heading: where this is, and what there is."""
    settings = app.settings
    said = ["rehearsal chain" if settings.network == "devnet" else plain(shown(settings.network))]
    if settings.hotkeys or settings.network != "devnet":
        said.append(", ".join(shortened(hotkey) for hotkey in settings.hotkeys[:3]) or "no hotkey set")
    seen = of_payouts.counts(settings.database) or of_payouts.Counts()
    if settings.url.startswith(SQLITE):
        said.append(count(seen.users, "user"))
        said.append("no snapshots yet" if seen.last_block is None else f"last snapshot at block {seen.last_block}")
    ui.title("ValTrac", " · ".join(said))
    for words in settings.warnings:
        ui.warn(words)


class Standing:
    """How things stand, in a few lines that are looked at again every few seconds; no node is asked for them."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._next_look, self._rows = -math.inf, list[tuple[str, str]]()

    def rows(self) -> list[tuple[str, str]]:
        """(name, words) of each line; a line that has nothing to say is left out."""
        began = self._clock()
        if began >= self._next_look:
            self._rows = self._look(datetime.now(UTC))
            ended = self._clock()
            self._next_look = ended + max(LOOK_EVERY_S, IDLE * (ended - began))
        return self._rows

    def _look(self, now: datetime) -> list[tuple[str, str]]:
        settings = self._settings
        contracts = of_contracts.counts(settings.bitshares_database)
        lines = [("Contracts", "" if contracts is None else _of_contracts(contracts))]
        lines += [("Due", _told(_due, settings, now)), ("Jobs", _told(_jobs, settings, now))]
        if settings.url.startswith(SQLITE):
            seen = of_payouts.counts(settings.database) or of_payouts.Counts()
            record = of_payouts.recorded(settings.database, interval=settings.snapshot_interval, blocks=LAST_BLOCKS)
            payouts = [
                ("Next", advice(settings, seen, record)),
                ("Record", _told(_record, record, now)),
                ("Wallet", _told(_wallet, settings, now)),
            ]
            lines = [*payouts, *lines]
        return [(name, words) for name, words in lines if words]


def _told(line: Callable[[T, datetime], str], about: T, now: datetime) -> str:
    """The words of a line; none where what it tells is in a shape that nobody knows: the menu stands all the same."""
    try:
        return line(about, now)
    except (ValueError, TypeError, OverflowError):
        return ""


def _record(known: of_payouts.Recorded | None, now: datetime) -> str:
    """How whole the record of stakes is, and what of it is not paid for yet."""
    if known is None:
        return ""
    said = [f"last snapshot {_ago(known.newest, now)}"] if datetime.fromisoformat(known.newest) <= now else []
    if known.missing:
        said.append(f"{count(known.missing, 'snapshot')} missing in the last week")
    if known.unpaid is not None:
        said.append(f"{count(known.unpaid, 'snapshot')} not paid for yet" if known.unpaid else "all of it is paid for")
    return " · ".join(said)


def _wallet(settings: Settings, now: datetime) -> str:
    """What the payout wallet held when it was looked at last."""
    from valtrac.payouts import wallet_seen

    seen = wallet_seen.last(settings.data)
    if seen is None:
        return ""
    said = [f"{short_text(seen.holds)} TAO"]
    if seen.missing:
        said.append(f"{short_text(seen.missing)} TAO missing")
    elif seen.lasts is not None:
        said.append(f"lasts {count(seen.lasts, 'payout')}")
    return " · ".join([*said, f"seen {_ago(seen.at.isoformat(), now)}"])


def _due(settings: Settings, now: datetime) -> str:
    """The next payments of contracts."""
    coming = of_contracts.coming(settings.bitshares_database)
    if coming is None:
        return ""
    at = datetime.fromisoformat(coming.at)
    when = "now" if at <= now else f"{at:%d %b %H:%M} UTC"
    return f"{count(coming.payments, 'contract payment')} {when}"


def _jobs(settings: Settings, now: datetime) -> str:
    """The background jobs and when each said something last; those that do not run first."""
    from valtrac.loggers.loop import last_beat
    from valtrac.loggers.pm2_home import alive

    said = list[tuple[bool, str]]()
    for path in sorted(settings.logs.glob("*.heartbeat.json")):
        name = path.name.removesuffix(".heartbeat.json")
        beat = last_beat(settings.logs, name)
        if beat is None:
            continue
        called, runs = plain(name.removeprefix("valtrac-"), 30), alive(beat.pid)
        trouble = " with trouble" if runs and beat.failures else ""
        said.append((runs, f"{called} {'runs' if runs else 'stopped'}{trouble}, {_ago(beat.at.isoformat(), now)}"))
    return " · ".join(words for _, words in sorted(said))


def _ago(moment: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(moment)).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (unit == "min" and seconds >= size):
            return f"{seconds // size:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def _of_contracts(seen: of_contracts.Counts) -> str:
    said = [f"{count(seen.running, 'contract')} open" if seen.running else "no contract open"]
    said += [f"{count(seen.waiting, 'transfer')} for your word"] if seen.waiting else []
    said += [f"{count(seen.delinquent, 'payment')} to make by hand"] if seen.delinquent else []
    return " · ".join(said)


def advice(settings: Settings, seen: of_payouts.Counts, record: of_payouts.Recorded | None) -> str:
    """The one thing that is worth doing now."""
    if settings.network != "devnet" and not settings.hotkeys:
        return "write your validator's hotkey into .env: VALTRAC_HOTKEYS=5..."
    if settings.network == "devnet" and not settings.devnet_file.exists():
        return "begin the rehearsal chain under Network and wallet."
    if seen.count(BatchState.SENDING):
        return "a batch stopped half-way; go on with it under Payout history and batches."
    if seen.count(BatchState.APPROVED):
        return "a batch is approved and not sent; send it under Payout history and batches."
    if not seen.users:
        return "load your users from a CSV file under Add users."
    if seen.last_block is None:
        return "start the record of stakes under Begin logging."
    if record is not None and record.unpaid == 0:
        return "all that is recorded is paid for; the next payout waits for a snapshot."
    if seen.count(BatchState.DRAFT):
        return "a draft waits for your approval under Payout history and batches, or make a new one."
    return "see what everyone is owed under Send payout by referral structure."


def unforeseen(error: Exception) -> ValtracError:
    """An error nobody thought of: the details go to a file of the owner's, never to the screen."""
    from valtrac.core.errors import ValtracError

    where = keep_details(error)
    return ValtracError(
        f"something unforeseen: {type(error).__name__}: {plain(error)}",
        why="this is a fault of ValTrac's",
        fix=f"the details are in {where}; please report them" if where else "please report it",
    )


def keep_details(error: BaseException) -> str:
    """Write an error with its traceback into a file of the owner's; the file, or "" where that cannot be done."""
    import traceback

    from valtrac.core.errors import ValtracError
    from valtrac.settings import load

    try:
        path = load().logs / "errors.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write("".join(plain(shown(line), 2000) + "\n" for line in traceback.format_exception(error)) + "\n")
        return str(path)
    except (OSError, ValtracError):
        return ""
