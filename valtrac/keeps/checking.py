"""Is everything in its place? Providers, Bitcoin servers, wallet and settings, one by one; what was sent, once more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from valtrac.core.errors import ValtracError
from valtrac.core.money import ETH, Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.keeps.store import redemptions
from valtrac.keeps.watching import Side, Watching
from valtrac.payments import foreign
from valtrac.payments.audit import audit
from valtrac.payments.foreign import Foreign
from valtrac.payments.verify import Verified, verify
from valtrac.ports import ReplacingPayer

LEAST_ETHER = 10**17  # what a few redemptions reserve for gas
OLD_S = 300


class Grade(StrEnum):
    """good; warning: it works, and could be better; bad: something does not work."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One line. fix: what to do, "" where nothing."""

    name: str
    grade: Grade
    words: str
    fix: str = ""


def checks(watching: Watching, *, wallet_file: str, wallet_known: bool) -> list[Check]:
    """Every check, the providers first. wallet_file: where the wallet lies, in words, "" where nowhere; wallet_known:
    whether its address is known."""
    settings = watching.settings
    found = [_provider(watching, side, place) for place, side in enumerate(watching.sides, 1)]
    if settings.trusts_one_keeps_node:
        fix = "name another provider: VALTRAC_KEEPS_NODES"
        found.append(Check("second group", Grade.WARNING, "one provider is trusted for what it says", fix))
    elif watching.second is not None:
        found.append(_agreement(watching))
    found.append(_bitcoin(watching))
    found.append(_script(watching))
    found.append(_operators(watching))
    found.append(_wallet(watching, wallet_file, known=wallet_known))
    found.append(_ledger(watching))
    return found


def _provider(watching: Watching, side: Side, place: int) -> Check:
    name = f"providers, group {place}"
    try:
        identity, tip = side.chain.identity(), side.chain.tip()
    except ValtracError as error:
        return Check(name, Grade.BAD, plain(error), error.fix or "name another provider: VALTRAC_KEEPS_NODES")
    age = (watching.now() - tip.at).total_seconds()
    words = f"{identity.network}, block {tip.number:,}, {max(0, age):,.0f} s old"
    late = age > OLD_S and not watching.settings.rehearsing_keeps
    return Check(name, Grade.WARNING if late else Grade.GOOD, words, "ask another provider" if late else "")


def _agreement(watching: Watching) -> Check:
    try:
        head = watching.agreed_head()
        watching.balances(head)
    except ValtracError as error:
        return Check("agreement", Grade.BAD, plain(error), error.fix)
    return Check("agreement", Grade.GOOD, f"both groups tell block {head.number:,} and the wallet alike")


def _bitcoin(watching: Watching) -> Check:
    name = "Bitcoin"
    if watching.settings.keeps_proof == "others":
        return Check(name, Grade.GOOD, "signature and proof are left to others")
    if watching.bitcoin is None:
        return Check(name, Grade.BAD, "no Electrum server is set", "name three: VALTRAC_KEEPS_ELECTRUM")
    try:
        watching.bitcoin.fee_rate(6)
    except ValtracError as error:
        return Check(name, Grade.BAD, plain(error), "name other servers: VALTRAC_KEEPS_ELECTRUM")
    return Check(name, Grade.GOOD, f"{watching.bitcoin.network}: a server answers")


def _script(watching: Watching) -> Check:
    if watching.script:
        return Check("Bitcoin address", Grade.GOOD, "set, its checksum and network are right")
    fix = "set one of yours: VALTRAC_KEEPS_BITCOIN_ADDRESS"
    return Check("Bitcoin address", Grade.BAD, "none is set: nothing can be redeemed", fix)


def _operators(watching: Watching) -> Check:
    operators = watching.settings.keeps_operators
    if not operators:
        return Check("operators", Grade.BAD, "none is named: no keep is watched", "set VALTRAC_KEEPS_OPERATORS")
    return Check("operators", Grade.GOOD, "everybody's" if "all" in operators else f"{len(operators)} named")


def _wallet(watching: Watching, file: str, *, known: bool) -> Check:
    if not known:
        return Check("wallet", Grade.WARNING, "none is set: it is watched and told only", "run.py keeps wallet make")
    try:
        head = watching.agreed_head()
        tbtc, ether = watching.balances(head)
    except ValtracError as error:
        return Check("wallet", Grade.BAD, plain(error), error.fix)
    words = f"{watching.wallet}{f', {file}' if file else ''}"
    if not tbtc:
        return Check("wallet", Grade.WARNING, f"{words}: it holds no TBTC", f"send it some: {watching.wallet}")
    if ether < LEAST_ETHER:
        left = Amount(ether, ETH)
        return Check("wallet", Grade.WARNING, f"{words}: {left} for gas", f"send it ether: {watching.wallet}")
    return Check("wallet", Grade.GOOD, words)


def _ledger(watching: Watching) -> Check:
    receipts, broken = audit(watching.engine)
    if broken is not None:
        words = "their chain is broken: other hands changed the database"
        return Check("receipts", Grade.BAD, words, "bring a backup back")
    with reading(watching.engine) as conn:
        still_open = len(redemptions.listed(conn, still_open=True))
    return Check("receipts", Grade.GOOD, f"{receipts:,} in an unbroken chain; {still_open} redemptions under way")


def looked_up(watching: Watching, payer: ReplacingPayer | None) -> Verified:
    """Look every transaction that landed up again, on every group; the bytes of one that is gone are handed over again
    where the wallet is open. Raises ChainUnreachable."""

    return verify(watching.door(), payer.broadcast if payer else _nothing)


def _nothing(raw: bytes) -> None:
    """Hand nothing over: the wallet is locked."""


def rule_foreign(watching: Watching, words: str) -> Foreign:
    """Book the owner's word on a transaction of the wallet that is not in the journal: nobody is owed anything by a
    wallet that redeems, so that its number counts as used. Raises BadInput, Refused."""
    return foreign.rule(watching.door(), watching.wallet, words, pays_users=True)
