"""Network and wallet: where this is connected, who pays, and the rehearsal chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels, pick
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.addresses import shortened
from valtrac.core.endpoints import shown
from valtrac.core.errors import ValtracError
from valtrac.core.money import rao

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Network and wallet"
ORDER = 110
GROUP = groups.MACHINE
HOUR = 300  # blocks
SEED, ADVANCE, TAKE = "Begin the rehearsal chain", "Let an hour pass on it (300 blocks)", "Take a snapshot now"


def run(app: App, ui: Ui) -> None:
    _show(app, ui)

    def actions() -> list[str]:
        if app.settings.network != "devnet":
            return [TAKE]
        return [ADVANCE, TAKE] if app.settings.devnet_file.exists() else [SEED]

    levels.repeat(ui, "What?", actions, lambda chosen: _act(app, ui, chosen))


def _show(app: App, ui: Ui) -> None:
    settings = app.settings
    facts: list[tuple[str, object]] = [
        ("network", "devnet: the rehearsal chain" if settings.network == "devnet" else shown(settings.network)),
        ("node", shown(settings.endpoint) or f"embedded, in {settings.devnet_file}"),
        ("database", settings.url),
        ("wallet", settings.wallet_name),
        ("hotkeys", ", ".join(app.known_hotkeys()) or "none set"),
        ("snapshot every", count(settings.snapshot_interval, "block")),
    ]
    try:
        with ui.working("Asking the node"):
            chain = app.chain
            identity, head = chain.identity(), chain.finalized()
            address = app.wallet_address
            free = chain.balance(address, head)
        facts += [
            ("genesis", shortened(identity.genesis_hash)),
            ("runtime", identity.spec_version),
            ("finalized block", f"{head.number}, {head.at:%Y-%m-%d %H:%M} UTC"),
            ("wallet address", address),
            ("wallet holds", rao(free)),
        ]
    except ValtracError as error:
        facts.append(("the node says", "; ".join(words for words in (error.what, error.fix) if words)))
    ui.facts(facts)
    ui.hint("These are settings: change them in .env (see .env.example).")


def _act(app: App, ui: Ui, chosen: str) -> None:
    from menus import same
    from valtrac.devnet import bittensor as devnet

    if chosen == SEED:
        from valtrac.rehearsal import payouts
        from valtrac.rehearsal.payouts import EXAMPLE

        payouts.begin(app.settings, EXAMPLE.read_text(encoding="utf-8"))
        ui.done("It begins. Let an hour pass on it, then take a snapshot.")
        same.tell(ui, "devnet seed")
    elif chosen == ADVANCE:
        ui.done(f"It is at block {devnet.advance(app.settings.devnet_file, HOUR)}.")
        same.tell(ui, "devnet advance", blocks=HOUR)
    else:
        from valtrac.loggers.recording import record

        hotkey = pick.hotkey(app, ui)
        with ui.working("Reading the stakes"):
            recorded = record(app, hotkey)
        done = recorded.taken
        readings = count(sum(len(snapshot.stakes) for snapshot, _ in done.stored), "reading")
        ui.done(
            f"Block {done.stored[0][0].block}: {readings} on {count(len(done.stored), 'subnet')}"
            + ("." if any(new for _, new in done.stored) else ", known already.")
        )
        for why in done.refused:
            ui.warn(f"Not stored: {why}")
        for words in filter(None, (recorded.price, recorded.unproven)):
            ui.hint(words)
        same.tell(ui, "snapshot take", hotkey=pick.if_several(app, hotkey))
