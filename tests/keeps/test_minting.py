"""TBTC minted with bitcoin of one's own, on the real contracts: the whole way, and the ways in which it comes to
nothing."""

from __future__ import annotations

import pytest

from tests.keeps.places import COIN, ETHER, Place, Places
from valtrac.core.errors import Refused
from valtrac.database.engine import reading
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.evm import Contract
from valtrac.devnet.tbtc.signers import signing_key
from valtrac.keeps import minting
from valtrac.keeps.model.minting import MintState
from valtrac.keeps.store import mints
from valtrac.keeps.store.mints import Mint

LOT = 10**6
HOUR = 3_600


@pytest.fixture
def place(places: Places) -> Place:
    """A watch that may mint."""
    electrum = ElectrumServer(places.chains.bitcoin, ("tcp",))
    made = places.new(electrum_urls=(electrum.url,), VALTRAC_KEEPS_MINT="yes")
    made.watching = made.opened(
        deposit_factory=places.chains.system.addresses["DepositFactory"].lower(), bitcoin_network="regtest"
    )
    return made


def listed(place: Place) -> list[Mint]:
    with reading(place.watching.engine) as conn:
        return mints.listed(conn)


def key_is_made(place: Place, mint: Mint) -> None:
    """The members tell the key of the keep."""
    keep, node = Contract("BondedECDSAKeep", mint.keep), place.chains.ethereum
    key = signing_key(keep.address)
    members = keep.read(node, "getMembers")
    place.chains.send_all([keep.tx("submitPublicKey", key.public_key, sender=member) for member in members])
    place.settle()


def lot_is_paid(place: Place, mint: Mint, satoshi: int = LOT) -> None:
    """Somebody pays to the deposit's address on Bitcoin."""
    place.chains.bitcoin.fund(signing_key(Contract("BondedECDSAKeep", mint.keep).address).script, satoshi)
    place.chains.bitcoin.mine(7)


def test_from_the_wish_to_the_tbtc_and_no_bitcoin_key_is_held(place: Place) -> None:
    asked = minting.ask(place.watching, place.payer, LOT, most=ETHER)
    assert asked.state is MintState.SETUP and asked.deposit
    key_is_made(place, asked)
    minting.advance(place.watching, place.payer)
    said = minting.advance(place.watching, place.payer)
    [funding] = listed(place)
    assert funding.state is MintState.FUNDING and funding.pay_to.startswith("bcrt1q")
    assert any(f"pay just {LOT} satoshi to {funding.pay_to}" in words for words in said)
    lot_is_paid(place, funding)
    for _ in range(3):
        minting.advance(place.watching, place.payer)
    [minted] = listed(place)
    assert minted.state is MintState.MINTED and minted.confirmations >= 6
    assert place.tbtc() == LOT * 10**10 * 1_999 // 2_000  # the lot less what is kept for the signers
    assert [each.tbtc for each in place.actions()] == [0] * len(place.actions())


def test_a_payment_that_is_too_small_is_no_payment_of_the_lot(place: Place) -> None:
    asked = minting.ask(place.watching, place.payer, LOT, most=ETHER)
    key_is_made(place, asked)
    minting.advance(place.watching, place.payer)
    lot_is_paid(place, asked, LOT - 1)
    said = minting.advance(place.watching, place.payer)
    assert listed(place)[0].state is MintState.FUNDING
    assert any("pay just" in words for words in said)


def test_members_who_make_no_key_have_failed_after_three_hours(place: Place) -> None:
    minting.ask(place.watching, place.payer, LOT, most=ETHER)
    minting.advance(place.watching, place.payer)
    assert listed(place)[0].state is MintState.SETUP
    place.chains.ethereum.warp(3 * HOUR + 60)
    place.settle()
    minting.advance(place.watching, place.payer)
    said = minting.advance(place.watching, place.payer)
    [failed] = listed(place)
    assert failed.state is MintState.FAILED and "failed" in failed.words, said


def test_a_deposit_that_is_closed_before_its_confirmations_is_asked_for_the_bitcoin_back(place: Place) -> None:
    asked = minting.ask(place.watching, place.payer, LOT, most=ETHER)
    key_is_made(place, asked)
    minting.advance(place.watching, place.payer)
    place.chains.ethereum.warp(3 * HOUR + 60)
    place.settle()
    contract = Contract("Deposit", asked.deposit)
    place.chains.send_all([contract.tx("notifyFundingTimedOut", sender=place.chains.system.third)])
    place.settle()
    said = minting.advance(place.watching, place.payer)
    [failed] = listed(place)
    assert failed.state is MintState.FAILED
    assert any("keeps mint abort" in words for words in said)
    minting.abort(place.watching, place.payer, failed.id)
    system, node = place.chains.system.at("TBTCSystem"), place.chains.ethereum
    [told] = system.events("FunderAbortRequested", system.logs(node, "FunderAbortRequested"))
    assert told["_abortOutputScript"] == place.watching.script


def test_too_little_ether_is_told_for_each_lot_and_nothing_is_asked_for(place: Place) -> None:
    place.fund(0, ETHER // 100)
    place.settle()
    lots = minting.possible(place.watching)
    assert len(lots) == 7 and all("ETH are missing" in each.words for each in lots)
    with pytest.raises(Refused, match="no deposit"):
        minting.ask(place.watching, place.payer, LOT, most=ETHER)
    assert listed(place) == []


def test_what_is_switched_off_is_not_begun(places: Places) -> None:
    place = places.new(tbtc=1)
    place.watching = place.opened(deposit_factory=places.chains.system.addresses["DepositFactory"].lower())
    with pytest.raises(Refused, match="switched off"):
        minting.ask(place.watching, place.payer, LOT, most=ETHER)
    assert place.tbtc() == COIN and listed(place) == []
