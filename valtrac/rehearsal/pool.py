"""A Qtum node of one's own, to try a pool on: made, with delegates, and moved on in time."""

from __future__ import annotations

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.pool.settings import COIN
from valtrac.settings import Settings

POOL = "pool"
DELEGATES = {"ann": (20_000, 40), "bob": (9_000, 30), "cid": (2_500, 10), "dan": (300, 6)}  # QTUM, in so many coins
NEWCOMER = ("eve", 6_000, 20)
STAKE = (13_200, 120)
MADE = ".made"
BLOCKS_A_DAY = 2_700
MOST_BLOCKS = 100_000


def prepare(settings: Settings) -> bool:
    """Make the node's world; False where it is there already."""
    from valtrac.devnet import qtum

    folder = settings.qtum_folder
    if (folder / MADE).exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    people = [qtum.Person(POOL, STAKE[0] * COIN, STAKE[1], wallet="", stakes=True)]
    people += [qtum.Person(name, whole * COIN, coins, to=POOL) for name, (whole, coins) in DELEGATES.items()]
    people.append(qtum.Person(NEWCOMER[0], NEWCOMER[1] * COIN, NEWCOMER[2]))
    flags = {"stakingminutxovalue": settings.pool_least_coin, "stakingminfee": settings.pool_required_fee}
    qtum.seed(folder, people=people, maturity=settings.qtum_maturity, flags=flags, network_satoshi=200 * COIN)
    (folder / MADE).write_text("", encoding="ascii")
    return True


def made(settings: Settings) -> bool:
    """Whether the node's world is there."""
    return (settings.qtum_folder / MADE).exists()


def let_pass(settings: Settings, blocks: int) -> int:
    """Let so many blocks be made, by whoever wins; the new height."""
    from valtrac.devnet import qtum

    return int(qtum.produce(settings.qtum_folder, blocks))


def win(settings: Settings) -> int:
    """Let the pool win a block for one of its delegates, and bury it; its height. Raises BadInput where it cannot."""
    from valtrac.devnet import qtum

    height = qtum.produce(settings.qtum_folder, by=POOL, delegate=qtum.ANY)
    qtum.produce(settings.qtum_folder, settings.pool_confirmations, by="network")
    return int(height)


def join(settings: Settings, who: str) -> str:
    """Let somebody delegate to the pool; the transaction's id, in a block."""
    from valtrac.devnet import qtum

    tx_id = qtum.delegate(settings.qtum_folder, _known(settings, who), POOL)
    qtum.produce(settings.qtum_folder, 1, by="network")
    return str(tx_id)


def leave(settings: Settings, who: str) -> str:
    """Let a delegate take its coins back; the transaction's id, in a block."""
    from valtrac.devnet import qtum

    tx_id = qtum.undelegate(settings.qtum_folder, _known(settings, who))
    qtum.produce(settings.qtum_folder, 1, by="network")
    return str(tx_id)


def undo(settings: Settings, blocks: int) -> int:
    """Let the chain drop its newest blocks for others; the new height."""
    from valtrac.devnet import qtum

    return int(qtum.reorganise(settings.qtum_folder, blocks))


def end(settings: Settings) -> None:
    """End the node's process; whoever asks it next starts it again."""
    from valtrac.devnet import qtum

    qtum.stop(settings.qtum_folder)


def a_day(settings: Settings) -> int:
    """Let a day of blocks be made; the new height."""
    return let_pass(settings, BLOCKS_A_DAY)


def people(settings: Settings) -> dict[str, str]:
    """Who may delegate there -> address."""
    from valtrac.devnet import qtum

    known = qtum.addresses(settings.qtum_folder)
    return {name: known[name] for name in (*DELEGATES, NEWCOMER[0]) if name in known}


def blocks_of(typed: str) -> int:
    """A number of blocks. Raises BadInput."""
    bare = typed.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) < 8 and 1 <= int(bare) <= MOST_BLOCKS):
        raise BadInput(f"{plain(typed, 20)!r} is no number of blocks", fix=f"type 1 to {MOST_BLOCKS}")
    return int(bare)


def _known(settings: Settings, who: str) -> str:
    if who not in people(settings):
        raise BadInput(f"nobody is called {plain(who, 40)!r} there", fix=f"there are {', '.join(people(settings))}")
    return who
