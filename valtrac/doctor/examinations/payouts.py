"""Payouts on Bittensor: nodes, how far back they remember, hotkeys, wallet, caps, what is held and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from valtrac.core.addresses import shortened
from valtrac.core.checks import Check, bad, good, warning
from valtrac.core.errors import ValtracError
from valtrac.core.money import rao
from valtrac.doctor import holding, nodes
from valtrac.doctor.patient import Patient

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

ORDER = 30
NAME = "payouts"
LATE_AFTER_S = 180.0
FIRST, SECOND = "VALTRAC_NETWORK", "VALTRAC_SECOND_ENDPOINT"


@dataclass(frozen=True, slots=True)
class Means:
    """hotkeys: address -> whether the chain knows it as a validator's. holds, least: in rao, what the payout wallet
    holds and what the chain wants an account to keep. too_deep: why the node does not tell the state of block `back`
    any more, or "". held: rao kept back, for so many people."""

    hotkeys: Mapping[str, bool]
    holds: int
    least: int
    back: int
    too_deep: str
    held: int
    people: int
    wallet: str


def examine(patient: Patient) -> list[Check]:
    """None where payouts were never begun here."""
    settings = patient.settings
    if settings.rehearsing and not patient.condition(settings.database).exists:
        return []
    from valtrac.payments.store.counts import open_transactions
    from valtrac.payouts.producer import WORDS, caps_of
    from valtrac.wiring.payouts import App

    app, limits = App(settings), caps_of(settings)
    given = {cap.setting: cap.units for cap in (limits.payment, limits.batch, limits.day)}
    checks = [
        holding.caps(NAME, given, rehearsing=settings.rehearsing),
        *holding.wallet(
            NAME, _wallet(app), f"name the wallet that pays: VALTRAC_WALLET_NAME, in {settings.wallet_path}"
        ),
        holding.unreconciled(NAME, open_transactions(settings.database), WORDS.reconcile),
    ]
    try:
        seen = nodes.look(
            lambda: app.chain,
            lambda: app.witnesses,
            patient.now,
            own_time=settings.rehearsing,
            late_after_s=LATE_AFTER_S,
        )
        checks += nodes.judged(NAME, seen, FIRST, SECOND)
        if not seen.first.error:
            checks += judged(gathered(app, readable=patient.usable(settings.database)))
    finally:
        app.close()
    return checks


def gathered(app: App, *, readable: bool) -> Means:
    """Ask the node. readable: whether the database may be opened. Raises ChainUnreachable, BadInput."""
    from valtrac.database.engine import reading
    from valtrac.payments.store import ledger
    from valtrac.snapshots.store import snapshots

    chain, settings = app.chain, app.settings
    head = chain.finalized()
    hotkeys = {hotkey: chain.delegate(hotkey, head) is not None for hotkey in app.known_hotkeys()}
    held: list[int] = []
    last: int | None = None
    if readable:
        with reading(app.engine) as conn:
            held = [units for units in ledger.held(conn).values() if units > 0]
            lasts = [snapshots.last_block(conn, hotkey, None) for hotkey in hotkeys]
        last = min((block for block in lasts if block is not None), default=None)
    wanted = head.number - settings.snapshot_interval if last is None else min(last, head.number)
    back = max(1, min(wanted, head.number))
    too_deep = ""
    try:
        chain.balance(app.wallet_address, chain.block(back).head)
    except ValtracError as error:
        too_deep = str(error)
    holds, least = chain.balance(app.wallet_address, head), chain.limits().existential_units
    return Means(hotkeys, holds, least, back, too_deep, sum(held), len(held), app.wallet_address)


def judged(means: Means) -> list[Check]:
    """What is to be said of them."""
    return [_hotkeys(means), _depth(means), _balance(means), _held(means)]


def _hotkeys(means: Means) -> Check:
    unknown = [shortened(hotkey) for hotkey, known in means.hotkeys.items() if not known]
    if not means.hotkeys:
        return bad("payouts.hotkeys", "No hotkey is set: nothing is recorded.", "write VALTRAC_HOTKEYS=5... into .env")
    if unknown:
        fix = "compare VALTRAC_HOTKEYS with your validator's address, and VALTRAC_NETWORK with its network"
        return bad("payouts.hotkeys", f"The chain knows no validator at {', '.join(unknown)}.", fix)
    return good("payouts.hotkeys", "The chain knows the validator of every hotkey.")


def _depth(means: Means) -> Check:
    if means.too_deep:
        words = f"The node has forgotten block {means.back}, from which on stakes are to be read: {means.too_deep}."
        return warning("payouts.archive", words, "name a node that keeps old blocks: VALTRAC_ARCHIVE_ENDPOINTS")
    return good("payouts.archive", f"The node remembers as far back as is needed, to block {means.back}.")


def _balance(means: Means) -> Check:
    words = f"The payout wallet holds {rao(means.holds)}."
    if means.holds < means.least:
        fix = f"send what is to be paid, and at least {rao(means.least)} more, to {means.wallet}"
        return bad("payouts.balance", f"{words} The chain removes accounts with less than {rao(means.least)}.", fix)
    return good("payouts.balance", words)


def _held(means: Means) -> Check:
    if not means.held:
        return good("payouts.held", "Nothing is held back for anybody.")
    words = f"{rao(means.held)} are held back for {means.people} people."
    if means.held > means.holds - means.least:
        fix = f"send what is missing to {means.wallet}; see: run.py payout liquidity"
        return warning("payouts.held", f"{words} The wallet could not pay that now.", fix)
    return good("payouts.held", f"{words} The wallet can pay it.")


def _wallet(app: App) -> holding.WalletFile | None:
    settings = app.settings
    if settings.wallet_name.startswith("//"):
        return None
    return holding.look(Path(settings.wallet_path).expanduser() / settings.wallet_name / "coldkey")
