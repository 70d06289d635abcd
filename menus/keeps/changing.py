"""The settings of keeps: shown as they are written, and changed one at a time; what it was and what it is are said."""

from __future__ import annotations

from menus import same
from menus.frame.ui import Ui
from menus.jobs import together
from menus.keeps.acts import START
from valtrac import settings as config
from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput
from valtrac.core.money import TBTC, decimal_text
from valtrac.keeps.settings import NO_END
from valtrac.settings import Settings

NONE = "none"
# What an owner changes from day to day: the rest is set once, in .env.
CHANGED: dict[str, str] = {
    "Redeem below this collateral, in percent": "VALTRAC_KEEPS_THRESHOLD",
    "Other percentages by operator": "VALTRAC_KEEPS_THRESHOLDS",
    "Redeem at all": "VALTRAC_KEEPS_REDEEM",
    "Make courtesy calls": "VALTRAC_KEEPS_COURTESY_CALLS",
    "Most for one redemption, in TBTC": "VALTRAC_KEEPS_CAP_PAYMENT",
    "Most in 24 hours, in TBTC": "VALTRAC_KEEPS_CAP_DAY",
    "Highest price of gas, in gwei": "VALTRAC_KEEPS_GAS_CAP",
    "Sign anew after this many blocks": "VALTRAC_KEEPS_STUCK_BLOCKS",
    "Redemptions at once": "VALTRAC_KEEPS_PARALLEL",
    "Operators watched": "VALTRAC_KEEPS_OPERATORS",
    "Bitcoin address that is paid": "VALTRAC_KEEPS_BITCOIN_ADDRESS",
    "Mint TBTC": "VALTRAC_KEEPS_MINT",
}
SWITCHES = ("VALTRAC_KEEPS_REDEEM", "VALTRAC_KEEPS_COURTESY_CALLS", "VALTRAC_KEEPS_MINT")


def value_of(held: Settings, name: str) -> str:
    """A setting of keeps as it is written in .env; "none" where nothing is set."""
    value = getattr(held, name.removeprefix(config.PREFIX).lower())
    if name in SWITCHES:
        return "yes" if value else "no"
    if name in ("VALTRAC_KEEPS_CAP_PAYMENT", "VALTRAC_KEEPS_CAP_DAY"):
        return NONE if value == NO_END else _short(value, TBTC.decimals)
    if name == "VALTRAC_KEEPS_GAS_CAP":
        return _short(value, 9)
    if isinstance(value, dict):
        return ", ".join(f"{operator}={percent}" for operator, percent in value.items()) or NONE
    if isinstance(value, tuple):
        return ", ".join(value) or NONE
    return str(value) or NONE


def _short(units: int, decimals: int) -> str:
    """As an owner writes it: without the zeros at its end."""
    return decimal_text(units, decimals).rstrip("0").rstrip(".")


def show(ui: Ui) -> None:
    """The settings in force, those that may be changed here by the name to change them by."""
    held = config.load()
    if ui.as_json:
        ui.records({name: value_of(held, name) for name in CHANGED.values()})
        return
    ui.table(
        "Settings of keeps",
        ["what", "value", "name"],
        [[words, value_of(held, name), name] for words, name in CHANGED.items()],
        optional=["name"],
    )
    ui.facts(
        [
            ("network", held.keeps_network),
            ("providers", ", ".join(map(shown, held.keeps_nodes)) or NONE),
            ("Electrum servers", ", ".join(map(shown, held.keeps_electrum)) or NONE),
            ("wallet's file", held.keeps_wallet_file or NONE),
        ]
    )
    ui.hint("Change one: run.py keeps settings NAME VALUE. Everything else is in .env; .env.example explains each.")


def change(ui: Ui, name: str, value: str) -> None:
    """Set one of them, and say what it was. Raises BadInput for a name or a value that is none; nothing is changed."""
    name = name.upper() if name.upper().startswith(config.PREFIX) else f"{config.PREFIX}KEEPS_{name.upper()}"
    if name not in CHANGED.values():
        raise BadInput(
            f"{name[:80]} is not changed here", fix="run.py keeps settings lists what is; the rest stands in .env"
        )
    before = value_of(config.load(), name)
    path = config.write(name, "" if value.strip().lower() == NONE else value.strip())
    ui.done(f"{name}: was {before}, is {value_of(config.load(), name)} now, in {path}.")
    _of_the_job(ui)


def _of_the_job(ui: Ui) -> None:
    """A job that runs has the settings of its start."""
    try:
        together.see_that_one_runs(config.load(), START)
    except BadInput:
        return
    ui.warn("The background job goes on with what it was started with: keeps stop, keeps start, keeps unlock.")


def asked(ui: Ui) -> None:
    """Ask which one, and what it becomes."""
    held = config.load()
    words = ui.choose("Change which one?", list(CHANGED), label=lambda each: f"{each}: {value_of(held, CHANGED[each])}")
    if words is None:
        return
    name = CHANGED[words]
    if name in SWITCHES:
        value = ui.choose(f"{words}?", ["yes", "no"]) or ""
    else:
        value = ui.text(
            f"{words} ({NONE}: as if it were not set; empty to go back):",
            check=lambda typed: config.try_value(name, "" if typed.strip().lower() == NONE else typed.strip()),
        )
    if value:
        change(ui, name, value)
        same.tell(ui, "keeps settings", name=name.removeprefix(f"{config.PREFIX}KEEPS_"), value=value)
