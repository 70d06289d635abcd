"""Keeps on the screen: the watch list by danger, one keep, what the wallet holds, what was done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.addresses import shortened
from valtrac.core.money import ETH, Amount, decimal_text
from valtrac.core.text import plain
from valtrac.keeps import overview
from valtrac.keeps.by_hand import AtPrice
from valtrac.keeps.cycle import Round
from valtrac.keeps.deciding import Plan
from valtrac.keeps.looking import Watched
from valtrac.keeps.model.collateral import auction
from valtrac.keeps.model.funds import Route
from valtrac.keeps.model.policy import Group, Holder
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.overview import Counts, Holdings, Story, in_btc, in_eth
from valtrac.keeps.store.redemptions import Acted, Redemption

MINUTE = "%Y-%m-%d %H:%M"
STATES = {
    DepositState.START: "not begun",
    DepositState.AWAITING_SIGNER_SETUP: "setup",
    DepositState.AWAITING_BTC_FUNDING_PROOF: "funding",
    DepositState.FAILED_SETUP: "failed",
    DepositState.ACTIVE: "active",
    DepositState.AWAITING_WITHDRAWAL_SIGNATURE: "signing",
    DepositState.AWAITING_WITHDRAWAL_PROOF: "on Bitcoin",
    DepositState.REDEEMED: "redeemed",
    DepositState.COURTESY_CALL: "called",
    DepositState.FRAUD_LIQUIDATION_IN_PROGRESS: "lost: fraud",
    DepositState.LIQUIDATION_IN_PROGRESS: "lost",
    DepositState.LIQUIDATED: "liquidated",
}
ROUTES = {Route.MACHINE: "through the VendingMachine", Route.DIRECT: "of the deposit itself"}
HOLDERS = {Holder.MACHINE: "the VendingMachine", Holder.OWN: "this wallet", Holder.OTHER: "somebody else"}
LONG = re.compile(r"(?:0x)?[0-9a-f]{40,}")
NOBODY = "0x" + "00" * 20
SHORT = 10  # 0x and eight digits: enough to name a keep by


def mark(each: Watched) -> str:
    """How dangerous it is, without colour: !! in danger, ! low, ~ being redeemed, x lost, ? its price is unknown."""
    if each.danger is Group.DANGER:
        return "!!"
    if each.now.state in (DepositState.LIQUIDATION_IN_PROGRESS, DepositState.FRAUD_LIQUIDATION_IN_PROGRESS):
        return "x"
    if each.now.state.being_redeemed:
        return "~"
    if each.now.state is DepositState.ACTIVE and each.now.percent is None:
        return "?"
    return "!" if each.danger is Group.LOW else ""


STYLES = {"!!": "bold red", "!": "yellow", "~": "cyan", "x": "red", "?": "magenta", "": ""}


def percent(each: Watched) -> str:
    """Its percentage, as far as it says anything."""
    if not each.now.state.redeemable:
        return ""
    return "?" if each.now.percent is None else f"{each.now.percent} %"


def watch_list(ui: Ui, watched: Sequence[Watched], *, title: str = "Keeps, the most urgent first") -> None:
    """The watch list."""
    if ui.as_json:
        ui.records([overview.as_json(each) for each in watched])
        return
    ui.table(
        title,
        ["", "deposit", "BTC", "state", "%", "below", "at risk (ETH)", "what it asks for"],
        [row(each) for each in watched],
        styles=[STYLES[mark(each)] for each in watched],
        optional=["what it asks for", "at risk (ETH)", "below"],
        empty="No keep of these operators is known: run.py keeps watch --once",
    )


def row(each: Watched) -> list[object]:
    """A keep as a line of the list."""
    return [
        mark(each),
        each.keep.deposit[:SHORT],
        in_btc(each.keep.lot) if each.keep.lot else "",
        STATES[each.now.state],
        percent(each),
        each.threshold if each.now.state.redeemable else "",
        in_eth(each.value) if each.value else "",
        asks(each),
    ]


def short(words: str) -> str:
    """Words with the middle of addresses and of transactions' names left out; --json has them whole."""
    return LONG.sub(lambda found: shortened(found[0]), words)


def asks(each: Watched) -> str:
    """What it asks for, without the percentage, which stands in a column of its own."""
    if each.now.percent is None or not each.now.state.redeemable:
        return each.wish.why
    return each.wish.why.removeprefix(f"{each.now.percent} %").removeprefix(", ")


def standing(ui: Ui, told: Counts, holdings: Holdings | None, lasting: Sequence[dict[str, object]]) -> None:
    """How it all stands in a few lines."""
    said = [f"{told.danger} in danger", f"{told.low} low", f"{told.redeeming} being redeemed"]
    said += [f"{told.liquidation} in liquidation"] if told.liquidation else []
    ui.facts([("keeps", f"{told.watched} watched of {told.known:,} known: {', '.join(said)}"), *_held(holdings)])
    for each in lasting:
        ui.warn(str(each["words"]))


def _held(holdings: Holdings | None) -> list[tuple[str, object]]:
    if holdings is None:
        return []
    if holdings.address == NOBODY:
        return [("wallet", "none is set: VALTRAC_KEEPS_WALLET_FILE; make one: run.py keeps wallet make")]
    return [
        ("wallet", holdings.address),
        ("holds", f"{overview.in_tbtc(holdings.tbtc)} and {Amount(holdings.ether, ETH)}"),
        *(
            [("allowed", f"the VendingMachine may take {overview.in_tbtc(holdings.allowed)}")]
            if holdings.allowed
            else []
        ),
    ]


def holdings(ui: Ui, told: Holdings, bitcoin: str) -> None:
    """What the wallet holds."""
    if ui.as_json:
        ui.records(
            {
                "address": told.address,
                "tbtc": decimal_text(told.tbtc, 18),
                "eth": decimal_text(told.ether, 18),
                "allowed_tbtc": decimal_text(told.allowed, 18),
                "bitcoin_address": bitcoin,
                "block": told.head.number,
            }
        )
        return
    ui.facts([*_held(told), ("redeemed to", bitcoin or "no Bitcoin address is set: VALTRAC_KEEPS_BITCOIN_ADDRESS")])


def one_round(ui: Ui, done: Round) -> None:
    """What a round saw and did."""
    redeemed = done.plan.redeem if done.plan and done.sent else ()
    left = done.plan.left if done.plan else ()
    if ui.as_json:
        ui.records(
            {
                "block": done.look.head.number,
                "new_keeps": done.discovered.new,
                "asked": done.look.asked,
                "changed": list(done.look.changed),
                "in_danger": done.in_danger,
                "redeemed": [each.watched.keep.deposit for each in redeemed],
                "left": [{"deposit": each.watched.keep.deposit, "why": each.words} for each in left],
                "transactions": [
                    {"id": each.attempt.tx_id, "outcome": each.called, "words": each.words} for each in done.sent
                ],
                "words": done.words,
                "watched": [overview.as_json(each) for each in done.look.watched],
            }
        )
        return
    found = f", {count(done.discovered.new, 'new keep')}" if done.discovered.new else ""
    ui.say(f"Block {done.look.head.number:,}: {count(done.look.asked, 'keep')} asked{found}.")
    watch_list(ui, done.look.watched)
    if done.plan is not None:
        plan(ui, done.plan, sent=bool(done.sent))
    for words in done.words:
        ui.say(words)


def plan(ui: Ui, told: Plan, *, sent: bool) -> None:
    """What is done, or would be."""
    said = "Redemption asked for" if sent else "To be redeemed"
    for each in told.redeem:
        ui.done(
            f"{said}: {each.watched.keep.deposit} of {in_btc(each.watched.keep.lot)} BTC, {ROUTES[each.asked.route]}, "
            f"for at most {overview.in_tbtc(each.asked.cost)}: {each.watched.wish.why}"
        )
    for left in told.left:
        ui.warn(f"Left: {left.watched.keep.deposit[:SHORT]}, {left.watched.wish.why}: {left.words}")
    for called in told.leave:
        ui.say(f"Its courtesy call is left: {called.keep.deposit[:SHORT]}, {called.wish.why}")


def story(ui: Ui, told: Story, *, explorer: str = "") -> None:
    """Everything of one keep. explorer: what comes before a transaction in the address of its page, "" without one."""
    each = told.watched
    if ui.as_json:
        ui.records(
            {
                **overview.as_json(each),
                "seen": [
                    {"block": s.block, "at": s.at.isoformat(), "state": s.state.name.lower(), "percent": s.percent}
                    for s in told.seen
                ],
                "log": [overview.acted_json(acted) for acted in told.acted],
                "redemptions": [overview.redemption_json(redemption) for redemption in told.redemptions],
            }
        )
        return
    ui.facts(_facts(each))
    ui.table(
        "How it was seen",
        ["at (UTC)", "block", "state", "%"],
        [
            [s.at.strftime(MINUTE), s.block, STATES[s.state], "" if s.percent is None else s.percent]
            for s in told.seen[-20:]
        ],
        empty="It was not looked at yet.",
    )
    log(ui, told.acted, title="What was done, and why")
    redemptions(ui, told.redemptions)
    for tx_id in dict.fromkeys(acted.tx_id for acted in told.acted if explorer and acted.tx_id.startswith("0x")):
        ui.hint(f"{explorer}{tx_id}")


def _facts(each: Watched) -> list[tuple[str, object]]:
    members = ", ".join(f"{member[:SHORT]}" for member in each.keep.members)
    back = auction(each.keep.bond, 0, members=max(1, len(each.keep.members))).each_signer * each.own
    loss = f"{Amount(each.value, ETH)}; a liquidation gives back {Amount(back, ETH)} at most, and nothing after a day"
    calls, own = ", ".join(call.value for call in each.open_calls), each.now.thresholds
    return [
        ("deposit", each.keep.deposit),
        ("keep", f"{each.keep.keep}, since block {each.keep.block:,}"),
        ("lot", f"{in_btc(each.keep.lot)} BTC, bond {Amount(each.keep.bond, ETH)}"),
        ("state", f"{STATES[each.now.state]} {percent(each)}".strip()),
        (
            "thresholds",
            f"yours {each.threshold}, its own {own.courtesy} and {own.severe}",
        ),
        ("members", f"{members}: {each.own} of {len(each.keep.members)} yours"),
        ("token", f"held by {HOLDERS[each.now.holder]}"),
        ("at risk", loss if each.now.state.redeemable else "nothing more"),
        ("asks for", each.wish.why),
        ("anybody may", calls or "call nothing now"),
    ]


def log(ui: Ui, acted: Sequence[Acted], *, title: str = "The audit log, the oldest first") -> None:
    """The audit log."""
    if ui.as_json:
        ui.records([overview.acted_json(each) for each in acted])
        return
    ui.table(
        title,
        ["at (UTC)", "deposit", "action", "why", "TBTC", "gas (ETH)"],
        [
            [
                each.at.strftime(MINUTE),
                each.deposit[:SHORT],
                each.action,
                short(plain(each.words.partition(": ")[2] or each.words, 300)),
                decimal_text(each.tbtc, 18).rstrip("0").rstrip(".") if each.tbtc else "",
                f"{each.ether / 10**18:.5f}" if each.ether else "",
            ]
            for each in acted
        ],
        optional=["gas (ETH)", "TBTC"],
        empty="The audit log is empty: nothing was done yet.",
    )


def redemptions(ui: Ui, listed: Sequence[Redemption]) -> None:
    """Redemptions and how far they are."""
    if ui.as_json:
        ui.records([overview.redemption_json(each) for each in listed])
        return
    ui.table(
        "Redemptions",
        ["deposit", "BTC", "state", "how far", "TBTC", "saved (ETH)"],
        [
            [
                each.deposit[:SHORT],
                in_btc(each.coin),
                each.state,
                short(each.words),
                decimal_text(each.cost if each.taken is None else each.taken, 18).rstrip("0").rstrip("."),
                in_eth(each.value),
            ]
            for each in listed
        ],
        optional=["TBTC", "saved (ETH)"],
        empty="No redemption was asked for yet.",
    )


def at_price(ui: Ui, listed: Sequence[AtPrice], price: str) -> None:
    """Keeps as they would be at a price."""
    if ui.as_json:
        ui.records(
            [
                {"deposit": each.watched.keep.deposit, "percent": each.percent, "why": each.watched.wish.why}
                for each in listed
            ]
        )
        return
    ui.table(
        f"If a bitcoin were worth {price} ETH",
        ["", "deposit", "BTC", "% now", "% then", "what it would ask for"],
        [
            [
                mark(each.watched),
                each.watched.keep.deposit[:SHORT],
                in_btc(each.watched.keep.lot) if each.watched.keep.lot else "",
                "" if each.watched.keep.percent is None else each.watched.keep.percent,
                "" if each.percent is None else each.percent,
                each.watched.wish.why,
            ]
            for each in listed
        ],
        styles=[STYLES[mark(each.watched)] for each in listed],
        empty="No keep is known with its bond yet: run.py keeps watch --once",
    )
