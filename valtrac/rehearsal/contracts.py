"""A BitShares chain of one's own, to try contracts on: made, sent to as a client would, and moved on in time."""

from __future__ import annotations

from valtrac.contracts.model.contracts import WHOLE
from valtrac.core.errors import BadInput
from valtrac.core.money import BTS, parse_units
from valtrac.core.text import plain
from valtrac.settings import Settings

CLIENTS = ("ann", "bob", "cid")
START = {"custodian": 200_000, "manager": 10_000, "exchange": 5_000_000}
SENDERS = (*CLIENTS, "manager", "exchange")
MOST_DAYS = 3_650
DAY_S = 86_400


def prepare(settings: Settings) -> bool:
    """Make the chain with its accounts; False where it is there already."""
    from valtrac.devnet import bitshares

    path = settings.bitshares_file
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {settings.bitshares_custodian if name == "custodian" else name: whole for name, whole in START.items()}
    held |= dict.fromkeys(CLIENTS, 1000000)
    bitshares.seed(
        path,
        accounts=[
            bitshares.dev_account(name, lifetime=name in ("manager", "exchange"), satoshi=whole * WHOLE)
            for name, whole in held.items()
        ],
    )
    bitshares.produce(path, 10)
    return True


def deposit(settings: Settings, client: str, amount: str, memo: str | None) -> str:
    """Send to the custodian as a client would; the transaction's id, irreversible. Raises BadInput."""
    from valtrac.devnet import bitshares

    path = settings.bitshares_file
    if client not in SENDERS:
        raise BadInput(f"nobody is called {client[:40]!r} there", fix=f"there are {', '.join(SENDERS)}")
    units = amount_of(amount)
    try:
        tx_id = bitshares.transfer(path, client, settings.bitshares_custodian, units, memo)
    except bitshares.NodeError as error:
        raise BadInput(f"the chain refuses the transfer: {plain(error)}", fix="send less, or another memo") from error
    bitshares.produce(path, 5)
    return str(tx_id)


def amount_of(typed: str) -> int:
    """An amount of BTS in satoshi. Raises BadInput."""
    return parse_units(typed, field="amount", decimals=BTS.decimals)


def days_of(typed: str) -> int:
    """A number of days. Raises BadInput."""
    bare = typed.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) < 6 and 1 <= int(bare) <= MOST_DAYS):
        raise BadInput(f"{typed[:20]!r} is no number of days", fix=f"type 1 to {MOST_DAYS}")
    return int(bare)


def let_pass(settings: Settings, days: int) -> None:
    """Move the chain's clock on."""
    from valtrac.devnet import bitshares

    bitshares.advance(settings.bitshares_file, days * DAY_S)
