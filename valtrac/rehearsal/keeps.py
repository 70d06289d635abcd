"""tBTC on this machine, to try the watch over keeps on: the real contracts, deposits, a price that one moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.core.text import plain
from valtrac.keeps.settings import KeepsSettings
from valtrac.settings import Settings

LOTS = (10**8, 5 * 10**8, 10**7, 10**8)  # satoshi: 1, 5, 0.1 and 1 BTC
THIRD_PARTYS = (10**7,)  # whose token is somebody else's
TBTC, ETHER = 3 * 10**18, 10 * 10**18
START_PERCENT, START_PRICE = 150, 50  # a new deposit has a bond of 150 % at 50 ETH per BTC
MOST_HOURS = 24 * 400
MADE = ".made"
CALLS = {
    "call": "notifyCourtesyCall",
    "expire": "notifyCourtesyCallExpired",
    "liquidate": "notifyUndercollateralizedLiquidation",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a rehearsal begins with. made: whether it is new; started: whether it did not run before; deposits: how many
    there are now by this."""

    made: bool
    started: bool
    deposits: int
    operator: str


def running(settings: KeepsSettings) -> dict[str, Any] | None:
    """The note of the rehearsal of this home; None while it does not run."""
    from valtrac.devnet.tbtc import world

    return world.where(settings.keeps_folder)


def prepare(settings: Settings) -> Prepared:
    """Start the rehearsal; a new one gets deposits, and its wallet TBTC and ether. Raises BadInput where it cannot."""
    from valtrac.devnet.tbtc import owner, process

    fresh, made = not (settings.keeps_folder / MADE).exists(), 0
    started = running(settings) is None
    note = process.start(settings.keeps_folder)
    if fresh:
        made += len(_ask(note, "deposits", lots=list(LOTS)))
        made += len(_ask(note, "deposits", lots=list(THIRD_PARTYS), holder="third"))
        _ask(note, "fund", to=owner.ADDRESS, tbtc=TBTC, ether=ETHER)
        _ask(note, "blocks", ethereum=3)
        (settings.keeps_folder / MADE).write_text("", encoding="ascii")
    return Prepared(fresh, started, made, note["operators"][0])


def deposits(settings: KeepsSettings, lots: Sequence[int], *, third: bool = False) -> list[dict[str, Any]]:
    """Make deposits of these lots in satoshi; third: whose token somebody else has."""
    made: list[dict[str, Any]] = _ask(_note(settings), "deposits", lots=list(lots), holder="third" if third else "")
    _ask(_note(settings), "blocks", ethereum=3)
    return made


def set_price(settings: KeepsSettings, eth_per_btc: Decimal) -> None:
    """Let a bitcoin be worth so much ether; 0: the price feed is offline."""
    _ask(_note(settings), "price", eth_per_btc=str(eth_per_btc))
    _ask(_note(settings), "blocks", ethereum=3)


def set_percent(settings: KeepsSettings, percent: int) -> None:
    """Let a deposit that began at 150 % be at this percentage."""
    if not 1 <= percent <= 1_000:
        raise BadInput(f"{percent} is no percentage of collateral", fix="write 1 to 1000")
    set_price(settings, Decimal(START_PRICE * START_PERCENT) / percent)


def let_pass(
    settings: KeepsSettings, hours: Decimal, *, tell: Callable[[int, int, str], None] = lambda done, total, words: None
) -> None:
    """Let time go by: Bitcoin blocks are mined every ten minutes of it, members sign what is asked of them."""
    if not 0 < hours <= MOST_HOURS:
        raise BadInput(f"{hours} hours cannot go by", fix=f"up to {MOST_HOURS}")
    note, seconds = _note(settings), int(hours * 3600)
    whole = -(-seconds // 3600)
    _ask(note, "tick")
    while seconds > 0:
        piece = min(seconds, 3600)
        _ask(note, "time", seconds=piece, bitcoin_blocks=-(-piece // 600))
        _ask(note, "tick")
        seconds -= piece
        tell(whole - (-(-seconds // 3600)), whole, "hours")
    _ask(note, "blocks", ethereum=3)


def fund(settings: KeepsSettings, *, tbtc: int, ether: int) -> None:
    """Give the wallet of the rehearsal TBTC and ether, in wei."""
    from valtrac.devnet.tbtc import owner

    _ask(_note(settings), "fund", to=owner.ADDRESS, tbtc=tbtc, ether=ether)
    _ask(_note(settings), "blocks", ethereum=3)


def members(settings: KeepsSettings, *, silent: bool) -> None:
    """Let the members of all keeps fall silent, or speak again."""
    _ask(_note(settings), "members", silent=silent)


def by_anybody(settings: KeepsSettings, what: str, deposit: str) -> int:
    """Let somebody make a call that anybody may make; the deposit's state then."""
    if what not in CALLS:
        raise BadInput(f"{plain(what, 40)!r} is no call of anybody's", fix=f"one of {', '.join(CALLS)}")
    state = int(_ask(_note(settings), "call", deposit=deposit, call=CALLS[what]))
    _ask(_note(settings), "blocks", ethereum=3)
    return state


def make_key(settings: KeepsSettings, deposit: str) -> None:
    """Let the members of a deposit that was asked for make their key."""
    _ask(_note(settings), "keys", deposit=deposit)
    _ask(_note(settings), "blocks", ethereum=3)


def pay_lot(settings: KeepsSettings, deposit: str) -> int:
    """Let somebody pay the lot of a deposit on Bitcoin; the satoshi. Mined with the next hours that go by."""
    return int(_ask(_note(settings), "pay", deposit=deposit)["satoshi"])


def end(settings: KeepsSettings) -> bool:
    """End the rehearsal's process; whether it ran. It goes on from where it was when it is started again."""
    from valtrac.devnet.tbtc import process

    return process.stop(settings.keeps_folder)


def amount(text: str, *, field: str) -> Decimal:
    """A plain number that was typed. Raises BadInput."""
    try:
        value = Decimal(text.strip().rstrip("%"))
        if not value.is_finite() or value < 0 or value > 10**9:
            raise ValueError
    except (InvalidOperation, ValueError) as error:
        raise BadInput(f"{field}: {plain(text, 40)!r} is no number", fix="write it like 58.5") from error
    return value


def _note(settings: KeepsSettings) -> dict[str, Any]:
    note = running(settings)
    if note is None:
        raise ChainUnreachable("the rehearsal chain of keeps does not run", fix="start it: run.py keeps rehearse")
    return note


def _ask(note: dict[str, Any], do: str, **what: Any) -> Any:
    from valtrac.devnet.tbtc import control

    return control.ask(note, do, **what)
