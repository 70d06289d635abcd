"""A watch whose one deposit is in danger, and whether it was redeemed just once."""

from __future__ import annotations

from tests.keeps.places import COIN, Place
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.devnet.tbtc import chains as on_chain
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps import told
from valtrac.keeps.model.progress import RedemptionState

COST = 1_000_500_000_000_000_000
SEND = "eth_sendRawTransaction"


def in_danger(place: Place) -> Place:
    """The one deposit has fallen to 124 %."""
    place.percent(124)
    place.settle()
    return place


def redeemed_once(place: Place, one: LocalDeposit) -> bool:
    """Whether the deposit was asked for by one transaction that took its cost, the ledger says so, and no allowance is
    left."""
    asked = [each for each in place.redemptions() if each.state is RedemptionState.REQUESTED]
    taken = 12 * COIN - place.tbtc()
    return (
        place.chains.state(one.deposit) == on_chain.AWAITING_SIGNATURE
        and len(asked) == 1
        and taken == COST == place.booked()
        and place.allowed() == 0
    )


def again(place: Place, rounds: int = 4) -> None:
    """Rounds, of which some may fail, as the job does them."""
    for _ in range(rounds):
        try:
            place.round()
        except ChainUnreachable as error:
            told.providers_are_away(place.watching, error)
        except ValtracError:
            continue
