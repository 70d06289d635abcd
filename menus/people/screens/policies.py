"""Policies and waiting addresses: what is decided about a person, and which addresses wait for the owner's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels, pick
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.people.model.policies import Kind
    from valtrac.people.policies import Policy
    from valtrac.wiring.payouts import App

TITLE = "Policies and waiting addresses"
ORDER = 85
GROUP = groups.PAYOUTS
SET, SET_ALL, SET_ADDRESS, END, CONFIRM = (
    "Decide something about a user",
    "Decide something about everyone",
    "Decide something about a nominator's address",
    "End a policy",
    "Confirm an address that waits",
)


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.people import policy_views as views
    from valtrac.people import destinations, policies

    def actions() -> list[str]:
        listed = policies.listed(app.engine)
        views.policies(ui, listed)
        same.once(ui, "policy list")
        waits = destinations.waiting(app.engine, app.settings.quarantine)
        if waits:
            views.waiting(ui, waits)
        return [SET, SET_ALL, SET_ADDRESS, *([END] if listed else []), *([CONFIRM] if waits else [])]

    levels.repeat(ui, "What?", actions, lambda chosen: _act(app, ui, chosen))


def _act(app: App, ui: Ui, chosen: str) -> None:
    if chosen == END:
        _end(app, ui)
    elif chosen == CONFIRM:
        _confirm(app, ui)
    elif (whom := _whom(app, ui, chosen)) is not None:
        _set(app, ui, whom)


def _whom(app: App, ui: Ui, chosen: str) -> str | None:
    from valtrac.people import policies, users

    if chosen == SET_ALL:
        return policies.ALL
    if chosen == SET_ADDRESS:
        return pick.address(ui, "The nominator's address (empty to go back):") or None
    names = [view.name for view in users.list_users(app.engine)]
    if not names:
        ui.say("There are no users yet. Next: Add users.")
        return None
    return pick.one_of(ui, "About whom?", names)


def _set(app: App, ui: Ui, whom: str) -> None:
    from menus import same
    from valtrac.people import policies
    from valtrac.people.model.policies import KINDS

    kinds = [kind for kind in KINDS.values() if whom != policies.ALL or kind.for_all]
    kind = ui.choose("What?", kinds, label=lambda kind: f"{kind.name}: {kind.what}")
    if kind is None:
        return
    before = next((policy for policy in policies.listed(app.engine) if _is(policy, whom, kind)), None)
    if before is not None:
        ui.say(f"It is {before.shown} since block {before.from_block}.")
    value = ui.text(f"{kind.what}, like {kind.example} (empty to go back):", check=kind.read)
    if not value or (policies.is_everything(kind, value) and not ui.confirm(pick.everything(value))):
        return
    words = ui.text("Why? It is kept for ever (may be empty):")
    made = policies.put(app.engine, whom, kind.name, value, words=words)
    was = f"{before.shown} before, " if before is not None else ""
    ui.done(f"{made.whom}: {made.kind.what}: {was}{made.shown} from block {made.from_block} on.")
    same.tell(ui, "policy set", whom=whom, kind=kind.name, value=value, words=words, yes=True)


def _is(policy: Policy, whom: str, kind: Kind) -> bool:
    from valtrac.people import policies
    from valtrac.people.model.policies import EVERYONE

    same_person = policy.person == EVERYONE if whom == policies.ALL else policy.whom == whom
    return same_person and policy.kind.name == kind.name and policy.until_block is None


def _end(app: App, ui: Ui) -> None:
    from menus import same
    from valtrac.people import policies

    listed = policies.listed(app.engine)
    chosen = ui.choose("Which one?", listed, label=lambda policy: f"{policy.whom}: {policy.kind.name} {policy.shown}")
    if chosen is not None:
        block = policies.end(app.engine, chosen.whom, chosen.kind.name)
        ui.done(f"It ends at block {block}.")
        same.tell(ui, "policy end", whom=chosen.whom, kind=chosen.kind.name)


def _confirm(app: App, ui: Ui) -> None:
    from menus import same
    from valtrac.people import destinations

    waits = destinations.waiting(app.engine, app.settings.quarantine)
    chosen = ui.choose("Which one?", waits, label=lambda wait: f"{wait.whom}: {wait.address}")
    if chosen is None:
        return
    ui.say("Compare the address with what its owner told you on another way than the one on which it came.")
    typed = ui.text("Its last six characters, as its owner told you (empty to go back):")
    if typed:
        address = destinations.confirm(app.engine, app.settings.quarantine, chosen.whom, typed)
        ui.done(f"{chosen.whom} is paid at {address}.")
        same.tell(ui, "users confirm", name=chosen.whom, last_six=typed)
