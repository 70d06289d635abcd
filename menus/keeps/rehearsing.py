"""Trying keeps on this machine: the real contracts, a price that one moves, time that one lets pass, old prices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menus.frame.commands import Json, loaded, screen
from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.keeps.opened import with_app
from valtrac.core.errors import BadInput
from valtrac.core.money import ETH, TBTC, Amount, decimal_text, parse_units
from valtrac.keeps.overview import in_btc
from valtrac.settings import Settings
from valtrac.wiring.keeps import KeepsApp

if TYPE_CHECKING:
    from valtrac.rehearsal.replay import Outcome, Step

SAID = {
    "call": "Somebody has made the courtesy call of",
    "liquidate": "Somebody has asked for the liquidation of",
    "key": "The members have made the key of",
    "pay": "Somebody has paid the lot of",
}
Fund = Annotated[str, typer.Option("--fund", help="Give the wallet so much TBTC, and 10 ETH: 100")]
Lot = Annotated[list[str], typer.Option("--deposit", help="Make a deposit of so many BTC: 0.01 to 10; several times.")]


def rehearse(
    percent: Annotated[int, typer.Option("--percent", min=0, max=1_000, help="Let collateral be so high.")] = 0,
    price: Annotated[str, typer.Option("--price", help="Let a bitcoin be worth so much ETH; 0: the feed is off.")] = "",
    hours: Annotated[str, typer.Option("--hours", help="Let so many hours go by: members sign, Bitcoin mines.")] = "",
    deposit: Lot = [],  # noqa: B006 - Typer reads it, and never writes
    others: Annotated[bool, typer.Option("--third-party", help="With --deposit: its token is another's.")] = False,
    fund: Fund = "",
    call: Annotated[str, typer.Option("--call", help="Let somebody make the courtesy call of a deposit.")] = "",
    liquidate: Annotated[str, typer.Option("--liquidate", help="Let somebody have a deposit liquidated.")] = "",
    key: Annotated[str, typer.Option("--key", help="Let the members of a deposit of yours make its key.")] = "",
    pay: Annotated[str, typer.Option("--pay", help="Let somebody pay a deposit's lot on Bitcoin.")] = "",
    silent: Annotated[bool, typer.Option("--silent", help="Let the members fall silent.")] = False,
    speak: Annotated[bool, typer.Option("--speak", help="Let them speak again.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End it; started again it goes on from there.")] = False,
    as_json: Json = False,
) -> None:
    """Make tBTC on this machine where it is missing, and let things happen on it."""
    from valtrac.rehearsal import keeps

    ui, held = screen(as_json), loaded()
    if stop:
        _stop(ui, held)
        return
    if (percent and price) or (silent and speak) or (others and not deposit):
        raise BadInput(
            "these options do not go together",
            why="--percent moves the price as --price does, --silent is against --speak, --third-party is of --deposit",
            fix="name one of each",
        )
    made = ready(ui, held)
    told = _made(held, deposit, fund, third=others)
    told += _price(held, percent, price)
    told += _by_others(held, {"call": call, "liquidate": liquidate, "key": key, "pay": pay})
    if silent or speak:
        keeps.members(held, silent=silent)
        told.append(("members", silent, "The members are silent." if silent else "The members sign what is asked."))
    if hours:
        told.append(("hours", hours, let_pass(ui, held, hours, field="--hours")))
    _tell(ui, told)
    if told and not ui.as_json:
        ui.hint("Next: run.py keeps watch --once")
    elif not made and not ui.as_json:
        ui.hint("What can happen there: run.py keeps rehearse --help")


def _made(held: Settings, lots: Sequence[str], fund: str, *, third: bool) -> list[tuple[str, object, str]]:
    from valtrac.rehearsal import keeps

    told: list[tuple[str, object, str]] = []
    if lots:
        made = keeps.deposits(held, [satoshi(lot) for lot in lots], third=third)
        told += [("deposit", each["deposit"], f"Deposit {each['deposit']} is active.") for each in made]
    if fund:
        keeps.fund(held, tbtc=parse_units(fund, field="--fund", decimals=TBTC.decimals), ether=10 * 10**ETH.decimals)
        told.append(("fund", fund, f"The wallet got {fund} TBTC and 10 ETH."))
    return told


def _stop(ui: Ui, held: Settings) -> None:
    from valtrac.rehearsal import keeps

    ended = keeps.end(held)
    if ended or ui.as_json:
        _tell(ui, [("stop", ended, "The rehearsal of tBTC has ended; it goes on from there when it is started again.")])
    else:
        ui.say("The rehearsal of tBTC does not run.")


def let_pass(ui: Ui, held: Settings, hours: str, *, field: str) -> str:
    """Let hours go by; what to say of it. Raises BadInput."""
    from valtrac.rehearsal import keeps

    number = keeps.amount(hours, field=field)
    with ui.progress("Hours go by") as tell:
        keeps.let_pass(held, number, tell=tell)
    return "An hour went by." if number == 1 else f"{number} hours went by."


def _by_others(held: Settings, named: dict[str, str]) -> list[tuple[str, object, str]]:
    """What somebody else does with a deposit: what -> the deposit, "" where nothing."""
    from valtrac.rehearsal import keeps

    told: list[tuple[str, object, str]] = []
    for what, address in named.items():
        if not address:
            continue
        if what == "key":
            keeps.make_key(held, address.lower())
        elif what == "pay":
            keeps.pay_lot(held, address.lower())
        else:
            keeps.by_anybody(held, what, whole_address(address))
        told.append((what, address, f"{SAID[what]} {address}."))
    return told


def _price(held: Settings, percent: int, price: str) -> list[tuple[str, object, str]]:
    from valtrac.rehearsal import keeps

    if percent:
        keeps.set_percent(held, percent)
        return [("percent", percent, f"What began at 150 % is at {percent} % now.")]
    if price:
        keeps.set_price(held, keeps.amount(price, field="--price"))
        return [("price", price, f"A bitcoin is worth {price} ETH." if price != "0" else "The price feed is off.")]
    return []


def ready(ui: Ui, held: Settings) -> bool:
    """Make the rehearsal where it is missing, start it where it does not run; whether it is new. Raises BadInput."""
    from valtrac.rehearsal import keeps

    if not held.rehearsing_keeps:
        raise BadInput(
            "this is no rehearsal", why=f"VALTRAC_KEEPS_NETWORK={held.keeps_network}", fix="set it to devnet"
        )
    with ui.working("Starting tBTC on this machine"):
        done = keeps.prepare(held)
    if done.made and not ui.as_json:
        ui.done(f"tBTC runs here, with {count(done.deposits, 'deposit')} at 150 %; the wallet has 3 TBTC and 10 ETH.")
        ui.hint("Next: run.py keeps watch --once; then let the price move: run.py keeps rehearse --percent 128")
    elif done.started and not ui.as_json:
        ui.done("tBTC runs here again, from where it was.")
    return done.made


def _tell(ui: Ui, told: list[tuple[str, object, str]]) -> None:
    if ui.as_json:
        ui.records([{"what": what, "value": value} for what, value, _ in told])
        return
    for _, _, words in told:
        ui.done(words)


def satoshi(text: str) -> int:
    """A lot as it was typed. Raises BadInput."""
    lot = parse_units(text, field="lot", decimals=8)
    allowed = (10**6, 10**7, 2 * 10**7, 5 * 10**7, 10**8, 5 * 10**8, 10**9)
    if lot not in allowed:
        raise BadInput(f"{text} BTC is no lot", fix=f"one of {', '.join(map(in_btc, allowed))}")
    return lot


def whole_address(named: str) -> str:
    """The whole address of a deposit that is known here, out of its beginning."""
    from valtrac.keeps import overview

    return with_app(lambda own: overview.named(own.engine, named).deposit)


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table: time, ETH per BTC.")],
    as_json: Json = False,
) -> None:
    """Play old prices again over the rehearsal's keeps: what the watch would have done, and what it would have cost."""
    from valtrac.rehearsal import replay as playing

    ui, held = screen(as_json), loaded()
    ready(ui, held)
    history = playing.points(_rows(file))

    def act(own: KeepsApp) -> None:
        own.unlock()
        told: list[playing.Step] = []
        with ui.progress("Playing prices") as tell:

            def heard(step: playing.Step) -> None:
                told.append(step)
                tell(len(told), len(history), f"{step.point.at:%Y-%m-%d %H:%M}")

            done = playing.play(own.watching, own.payer(), history, heard)
        _played(ui, told, done)

    with_app(act)


def _rows(file: Path) -> list[tuple[int, str, str]]:
    """(line, time, price) of a table of any kind, with or without a header. Raises BadInput."""
    from valtrac.tables.read import records
    from valtrac.tables.records import Problem

    rows, begun = list[tuple[int, str, str]](), False
    for row in records(file):
        if isinstance(row, Problem):
            raise BadInput(str(row), fix="mend the file")
        cells = (*row.cells, "", "")
        if begun or any(letter.isdigit() for letter in cells[0]):
            rows.append((row.line, cells[0], cells[1]))
        begun = True
    return rows


def _as_json(steps: Sequence[Step], done: Outcome) -> dict[str, object]:
    return {
        "prices": done.steps,
        "redeemed": done.redeemed,
        "lost": done.lost,
        "not_redeemed": done.left,
        "tbtc": decimal_text(done.tbtc, TBTC.decimals),
        "eth": decimal_text(done.ether, ETH.decimals),
        "bitcoin_btc": decimal_text(done.bitcoin, 8),
        "bitcoin_fees_btc": decimal_text(done.bitcoin_fees, 8),
        "saved_eth": decimal_text(done.saved, ETH.decimals),
        "steps": [
            {
                "at": step.point.at.isoformat(),
                "eth_per_btc": str(step.point.eth_per_btc),
                "lowest_percent": step.lowest,
                "in_danger": step.in_danger,
                "redeemed": step.asked,
                "why_not": list(step.left),
            }
            for step in steps
        ],
    }


def _played(ui: Ui, steps: Sequence[Step], done: Outcome) -> None:
    if ui.as_json:
        ui.records(_as_json(steps, done))
        return
    moved = [step for step in steps if step.asked or step.in_danger]
    ui.table(
        "When there was something to do",
        ["at (UTC)", "ETH per BTC", "lowest %", "in danger", "redeemed", "why not"],
        [
            [
                f"{s.point.at:%Y-%m-%d %H:%M}",
                s.point.eth_per_btc,
                "" if s.lowest is None else s.lowest,
                s.in_danger,
                s.asked,
                "; ".join(s.left),
            ]
            for s in moved[:60]
        ],
        empty="No keep was in danger at any of these prices.",
    )
    ui.facts(
        [
            ("prices", count(done.steps, "price")),
            ("redeemed", f"{count(done.redeemed, 'deposit')}, {done.lost} lost, {done.left} that could not be"),
            ("spent", f"{Amount(done.tbtc, TBTC)}, and {Amount(done.ether, ETH)} for gas"),
            ("received", f"{in_btc(done.bitcoin)} BTC, after {in_btc(done.bitcoin_fees)} BTC of Bitcoin fees"),
            ("saved", f"{Amount(done.saved, ETH)} of your operators' bond"),
        ]
    )
