"""Users as tables."""

from __future__ import annotations

from collections import Counter

from menus.frame.layout import count
from menus.frame.plainly import short
from menus.frame.ui import Ui
from menus.frame.values import values
from valtrac.core.addresses import shortened
from valtrac.core.money import bps_text
from valtrac.people import user_import, users
from valtrac.people.register import Ending

MOST_PREVIEWED = 20


SHOWN = ("name", "addresses", "payout", "since", "until", "referrer", "rate_bps", "referees")


def show_preview(ui: Ui, preview: user_import.ImportPreview) -> None:
    """What an import would change, a line for each user, the first of them where there are many."""
    changes: dict[str, list[str]] = {}
    added, paid = Counter(change.user for change in preview.added), {change.user for change in preview.payouts}
    new = {user.name for user in preview.new_users}
    for user in preview.new_users:
        words = f"{'returns' if user.returns else 'new'} from block {user.block}, {count(added[user.name], 'address')}"
        changes.setdefault(user.name, []).append(words + ("" if user.name in paid else ": what it earns is held"))
    ended = {ending.name: _ends(ending) for ending in preview.ended_users}
    for name in added.keys() - new:
        changes.setdefault(name, []).append(f"{count(added[name], 'address')} more")
    for name, number in Counter(change.user for change in preview.ended).items():
        changes.setdefault(name, []).append(f"{count(number, 'address')} less")
    for change in preview.payouts:
        where = shortened(change.new) if change.new else "no address"
        instead = f" instead of {shortened(change.old)}" if change.old else ""
        changes.setdefault(change.user, []).append(f"paid at {where}{instead}")
    for name, _ in preview.orders:
        changes.setdefault(name, []).append("addresses in another order")
    if ended:  # all of them, however many there are: nobody is left out of a payout unseen
        ui.warn(f"{count(len(ended), 'user')} that the file does not name would end:")
        for name, words in ended.items():
            ui.say(f"  {name}: {words}")
    for name in list(changes)[:MOST_PREVIEWED]:
        ui.say(f"  {name}: {', '.join(changes[name])}")
    if len(changes) > MOST_PREVIEWED:
        ui.say(f"  and {len(changes) - MOST_PREVIEWED:,} more")
    ui.say(
        f"{count(len(new), 'new user')}, {len(preview.ended_users)} ended, "
        f"{len(changes.keys() - new)} changed, {preview.unchanged} unchanged."
    )
    for kept in preview.kept_payouts[:MOST_PREVIEWED]:
        ui.warn(str(kept))
    if len(preview.kept_payouts) > MOST_PREVIEWED:
        ui.warn(f"and {len(preview.kept_payouts) - MOST_PREVIEWED:,} more who are paid elsewhere than the file begins")


def _ends(ending: Ending) -> str:
    without = f"; {', '.join(ending.referees)} then without referrer" if ending.referees else ""
    return f"ends from block {ending.block}{without}"


def show(ui: Ui, rows: list[users.UserView]) -> None:
    """The users as a table, or as JSON."""
    if ui.as_json:
        ui.records(values(rows, *SHOWN))
        return
    ui.table(
        "Users",
        ["name", "paid at", "addresses", "referrer", "takes", "from block", "until"],
        [
            [
                view.name,
                short(view.payout) if view.payout else "no address",
                len(view.addresses),
                view.referrer or "",
                "" if view.rate_bps is None else bps_text(view.rate_bps),
                view.since,
                "" if view.until is None else view.until,
            ]
            for view in rows
        ],
        optional=["from block", "takes", "referrer", "until"],
        empty="No users yet. Load some under Add users, or: run.py users import FILE",
    )
