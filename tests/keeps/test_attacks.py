"""Whoever lies, refuses or breaks off: bitcoin goes to nobody else, and one that is bad holds no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from tests.keeps.places import BTC, COIN, ETHER, Place, Places
from valtrac.chains.ethereum.payer import GAS_LIMITS
from valtrac.chains.ethereum.transactions import Envelope, opened
from valtrac.core.errors import ChainUnreachable, Refused
from valtrac.database.engine import reading, writing
from valtrac.devnet.tbtc import deposits
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.electrum import BROADCAST, Electrum, ElectrumError
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.evm import Contract
from valtrac.devnet.tbtc.proxy import Proxy
from valtrac.devnet.tbtc.signers import signing_key
from valtrac.keeps import by_hand, minting
from valtrac.keeps.carrying_out import carry_out, close_allowances
from valtrac.keeps.deciding import decide
from valtrac.keeps.looking import look
from valtrac.keeps.model.minting import MintState
from valtrac.keeps.model.old_cache import CachedKeep
from valtrac.keeps.model.progress import Action
from valtrac.keeps.steps import next_steps
from valtrac.keeps.store import keeps as store
from valtrac.keeps.store import mints
from valtrac.keeps.store.mints import Mint

LOT = BTC // 100


def word(value: int) -> str:
    return f"0x{value:064x}"


@pytest.fixture
def electrum(places: Places) -> Iterator[ElectrumServer]:
    with ElectrumServer(places.chains.bitcoin, ("tcp",)) as server:
        yield server


def two(places: Places, **named: Any) -> tuple[Place, Proxy, Proxy]:
    """A watch with a provider in each of two groups."""
    first, second = places.proxy(), places.proxy()
    return places.new(tbtc=12, urls=(first.url,), second=(second.url,), **named), first, second


# -- minting ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def minter(places: Places, electrum: ElectrumServer) -> tuple[Place, Proxy, Proxy]:
    """A watch with two groups that may mint."""
    place, first, second = two(places, electrum_urls=(electrum.url,), VALTRAC_KEEPS_MINT="yes")
    place.watching = minting_at(place)
    return place, first, second


def minting_at(place: Place) -> Any:
    factory = place.chains.system.addresses["DepositFactory"].lower()
    return place.opened(deposit_factory=factory, bitcoin_network="regtest")


def only(place: Place) -> Mint:
    with reading(place.watching.engine) as conn:
        [found] = mints.listed(conn)
    return found


def asked(place: Place) -> Mint:
    """A deposit was asked for; its members have not made a key."""
    minting.ask(place.watching, place.payer, LOT, most=ETHER)
    return only(place)


def with_key(place: Place) -> Mint:
    """Its members have made a key."""
    made = asked(place)
    with_key_of(place, made)
    return made


def with_key_of(place: Place, made: Mint) -> None:
    keep = Contract("BondedECDSAKeep", made.keep)
    members = keep.read(place.chains.ethereum, "getMembers")
    place.chains.send_all([keep.tx("submitPublicKey", key_of(made), sender=member) for member in members])
    place.settle()


def wanted(place: Place, made: Mint) -> str:
    """The address that its keep's key has."""
    keep = Contract("BondedECDSAKeep", made.keep)
    return place.watching.transactions.keeps_address(signing_key(keep.address).public_key, "regtest")


def test_a_deposit_of_ones_own_goes_from_the_wish_to_tbtc(minter: tuple[Place, Proxy, Proxy]) -> None:
    place, *_ = minter
    made, before = with_key(place), place.tbtc()
    [said] = minting.advance(place.watching, place.payer)
    assert f"pay just {LOT} satoshi to {wanted(place, made)} within" in said
    place.chains.bitcoin.fund(place.watching.transactions.keeps_script(key_of(made)), LOT)
    place.chains.bitcoin.mine(6)
    for _ in range(3):
        minting.advance(place.watching, place.payer)
    assert only(place).state is MintState.MINTED
    assert place.tbtc() - before == LOT * 10**10 * 9995 // 10000


def key_of(made: Mint) -> bytes:
    return signing_key(Contract("BondedECDSAKeep", made.keep).address).public_key


def test_no_address_is_shown_on_the_word_of_one_of_two_groups(minter: tuple[Place, Proxy, Proxy]) -> None:
    """A provider that tells another key would have the owner pay bitcoin to a stranger."""
    place, *proxies = minter
    made = with_key(place)
    keep, deposit = Contract("BondedECDSAKeep", made.keep), Contract("Deposit", made.deposit)
    stranger = signing_key("0x" + "77" * 20).public_key
    encoded = "0x" + (0x20).to_bytes(32, "big").hex() + (64).to_bytes(32, "big").hex() + stranger.hex()
    for liar, contract, name, answer in (
        (0, keep, "getPublicKey", encoded),
        (1, keep, "getPublicKey", encoded),
        (0, deposit, "keepAddress", word(int("77" * 20, 16))),
        (0, deposit, "lotSizeSatoshis", word(2 * LOT)),
        (0, deposit, "currentState", word(3)),
    ):
        proxies[1 - liar].behave()
        proxies[liar].lie(calls={(contract.address, contract.data(name)[:10]): answer})
        said = minting.advance(place.watching, place.payer)
        assert any("two providers" in words for words in said), name
        assert (only(place).pay_to, only(place).state is MintState.FAILED) == ("", False)
    for proxy in proxies:
        proxy.behave()
    assert wanted(place, made) in minting.advance(place.watching, place.payer)[-1]


def test_a_key_that_is_none_is_told_and_breaks_nothing(minter: tuple[Place, Proxy, Proxy]) -> None:
    place, *proxies = minter
    made = with_key(place)
    minting.advance(place.watching, place.payer)
    keep = Contract("BondedECDSAKeep", made.keep)
    nonsense = "0x" + (0x20).to_bytes(32, "big").hex() + (64).to_bytes(32, "big").hex() + "11" * 64
    for proxy in proxies:
        proxy.lie(calls={(keep.address, keep.data("getPublicKey")[:10]): nonsense})
    [said] = minting.advance(place.watching, place.payer)
    assert "is none" in said


@pytest.mark.parametrize("column", ["keep", "deposit"])
def test_a_keep_that_other_hands_have_written_into_the_database_is_paid_nothing(
    minter: tuple[Place, Proxy, Proxy], column: str
) -> None:
    place, *_ = minter
    with_key(place)
    other = deposits.make_one(place.chains, LOT, until="funding")
    place.settle()
    with writing(place.watching.engine) as conn:
        value = other.keep if column == "keep" else other.deposit
        conn.execute(sa.text(f"UPDATE keeps_mints SET {column} = :to"), {"to": value.lower()})
    said = minting.advance(place.watching, place.payer)
    assert any("is not the one that was asked for" in words for words in said)
    assert only(place).pay_to == ""


def test_nothing_more_is_to_be_paid_when_it_could_not_be_proven_in_time(minter: tuple[Place, Proxy, Proxy]) -> None:
    place, *_ = minter
    with_key(place)
    minting.advance(place.watching, place.payer)
    place.chains.ethereum.warp(2 * 3600)
    [said] = minting.advance(place.watching, place.payer)
    assert "pay nothing more" in said
    assert "pay nothing more" in only(place).words


def test_a_fee_that_one_provider_invents_is_not_paid(minter: tuple[Place, Proxy, Proxy]) -> None:
    place, *proxies = minter
    system = place.chains.system.at("TBTCSystem")
    lie = {(system.address, system.data("getNewDepositFeeEstimate")[:10]): word(ETHER // 2)}
    proxies[0].lie(calls=lie)
    with pytest.raises(ChainUnreachable):
        minting.ask(place.watching, place.payer, LOT, most=ETHER)
    for proxy in proxies:
        proxy.lie(calls=lie)
    with pytest.raises(Refused, match="were agreed to"):
        minting.ask(place.watching, place.payer, LOT, most=ETHER // 4)
    assert place.journal() == []


def test_blocks_that_are_exchanged_take_nothing_back_and_end_nothing(minter: tuple[Place, Proxy, Proxy]) -> None:
    """The setup is called failed, or the key is registered, in a block that is undone after it was seen."""
    place, *_ = minter
    made = asked(place)
    node, deposit = place.chains.ethereum, Contract("Deposit", made.deposit)
    mark = node.snapshot()
    node.warp(3 * 3600 + 1)
    place.chains.send_all([deposit.tx("notifySignerSetupFailed", sender=place.chains.system.third)])
    minting.advance(place.watching, None)
    assert only(place).state is MintState.SETUP
    node.revert(mark)
    mark = node.snapshot()
    with_key_of(place, made)
    place.chains.send_all([deposit.tx("retrieveSignerPubkey", sender=place.chains.system.third)])
    minting.advance(place.watching, None)
    node.revert(mark)
    minting.advance(place.watching, None)
    assert only(place).state in (MintState.SETUP, MintState.FUNDING)
    with_key_of(place, made)
    assert wanted(place, made) in minting.advance(place.watching, place.payer)[-1]


# -- redemptions --------------------------------------------------------------------------------------------------


def in_danger(place: Place) -> Place:
    place.percent(124)
    place.settle()
    return place


def signed(place: Place) -> Place:
    """The one deposit was asked back, and its members' signature is with the contract."""
    in_danger(place).round()
    place.signers.tick()
    place.round()
    return place


@dataclass
class Refusing:
    """What an Electrum server answers whose node finds the fee of every transaction too small."""

    view: Electrum

    def answer(self, method: str, params: list[Any], struck: frozenset[str]) -> Any:
        if method == BROADCAST:
            raise ElectrumError(1, "the transaction was rejected by network rules: min relay fee not met")
        return self.view.answer(method, params, struck)


def refuse_all(electrum: ElectrumServer) -> None:
    electrum.view = Refusing(electrum.view)  # type: ignore[assignment]


def test_a_fee_that_bitcoin_refuses_is_increased_when_it_may_be(places: Places, electrum: ElectrumServer) -> None:
    place = signed(places.new(tbtc=12, electrum_urls=(electrum.url,)))
    refuse_all(electrum)
    assert any("does not take" in words for words in place.round().steps.words)
    place.chains.ethereum.warp(4 * 3600)
    assert [step.action for step in place.round().steps.steps] == [Action.INCREASE]


@pytest.mark.parametrize("fault", ["refuses", "claims"])
def test_one_electrum_server_that_refuses_or_only_claims_to_send_holds_nothing_back(
    places: Places, electrum: ElectrumServer, fault: str
) -> None:
    with ElectrumServer(places.chains.bitcoin, ("tcp",)) as other:
        place = signed(places.new(tbtc=12, electrum_urls=(electrum.url, other.url)))
        if fault == "refuses":
            refuse_all(electrum)
        else:
            electrum.misbehave(claim_sent=True)
        place.round()
        assert len(place.chains.bitcoin.pool()) == 1


def test_events_of_a_redemption_that_one_group_hides_are_told_at_once(places: Places, one: LocalDeposit) -> None:
    """Who hides the request or the signature would have the members' time pass in silence."""
    place, *proxies = two(places)
    in_danger(place).round()
    place.signers.tick()
    for hidden in (place.chains.system.at("TBTCSystem").address, one.keep):
        proxies[0].lie(hide_logs={hidden})
        found = next_steps(place.watching, place.watching.agreed_head())
        assert (found.steps, one.deposit.lower() in found.late) == ([], True)
    proxies[0].behave()
    assert [step.action for step in place.round().steps.steps] == [Action.SIGN]


def test_an_allowance_that_one_group_hides_is_not_left_open(places: Places, one: LocalDeposit) -> None:
    place, *proxies = two(places)
    in_danger(place).round()
    machine = place.chains.system.addresses["VendingMachine"]
    place.chains.ethereum.set_balance(place.key.address, 1000 * ETHER)
    node = place.chains.ethereum
    node.call("anvil_impersonateAccount", place.key.address)
    token = place.chains.system.at("TBTCToken")
    place.chains.send("TBTCToken", "approve", machine, COIN, sender=place.key.address)
    node.call("anvil_stopImpersonatingAccount", place.key.address)
    place.settle()
    proxies[0].lie(calls={(token.address, token.data("allowance", machine, machine)[:10]): word(0)})
    with pytest.raises(ChainUnreachable, match="an allowance"):
        close_allowances(place.watching, place.payer)


def test_a_cache_that_names_no_contract_holds_no_other_keep(places: Places, one: LocalDeposit) -> None:
    place = in_danger(places.new(tbtc=12))
    with writing(place.watching.engine) as conn:
        store.hint(conn, [CachedKeep("0x" + "99" * 20, "0x" + "88" * 20, 1, BTC, one.members, None, None)])
    assert len(place.round().sent) == 2
    assert place.redemptions()[0].deposit == one.deposit.lower()


def test_two_processes_that_decide_the_same_ask_once(places: Places, one: LocalDeposit) -> None:
    place = in_danger(places.new(tbtc=12))
    watching = place.watching
    place.round(locked=True)
    plan = decide(watching, look(watching))
    assert len(carry_out(watching, place.payer, plan, ())) == 2
    with pytest.raises(Refused, match="asked for meanwhile"):
        carry_out(watching, place.payer, plan, ())
    assert len(place.redemptions()) == 1
    assert place.allowed() == 0


def telling(proxy: Proxy, method: str, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a provider answer a method always the same."""
    truth = proxy.answered

    def answered(requests: list[dict[str, Any]], batch: bool) -> Any:
        told = truth(requests, batch)
        changed = [
            {**each, "result": result} if asked["method"] == method else each
            for asked, each in zip(requests, told if batch else [told], strict=True)
        ]
        return changed if batch else changed[0]

    monkeypatch.setattr(proxy, "answered", answered)


def test_a_provider_that_keeps_transactions_to_itself_holds_nothing_back(
    places: Places, one: LocalDeposit, monkeypatch: Any
) -> None:
    place, first, _ = two(places)
    truth = first.answered

    def answered(requests: list[dict[str, Any]], batch: bool) -> Any:
        if requests[0]["method"] != "eth_sendRawTransaction":
            return truth(requests, batch)
        name = opened(bytes.fromhex(requests[0]["params"][0][2:])).tx_id
        return {"jsonrpc": "2.0", "id": requests[0]["id"], "result": name}

    monkeypatch.setattr(first, "answered", answered)
    assert [finding.called for finding in in_danger(place).round().sent] == ["landed", "landed"]


def test_a_tip_that_one_provider_invents_is_not_paid(places: Places, one: LocalDeposit, monkeypatch: Any) -> None:
    place, first, _ = two(places)
    telling(first, "eth_maxPriorityFeePerGas", hex(10**12), monkeypatch)
    told = place.watching.sides[1].chain.gas().tip
    in_danger(place).round()
    assert {opened(Envelope.of(each.raw).signed).tip for each in place.journal()} == {told}


def test_a_number_that_one_provider_invents_begins_no_database(
    places: Places, one: LocalDeposit, monkeypatch: Any
) -> None:
    """What is signed with a number that is too high would wait for ever."""
    place, *proxies = two(places)
    with monkeypatch.context() as for_now:
        telling(proxies[0], "eth_getTransactionCount", hex(1000), for_now)
        with pytest.raises(ChainUnreachable, match="an account's number"):
            in_danger(place).round()
    assert place.journal() == []
    assert len(place.round().sent) == 2


def test_a_provider_that_knows_nothing_or_tells_nonsense_is_left_for_the_next_of_its_group(
    places: Places, one: LocalDeposit, monkeypatch: Any
) -> None:
    bad, good = places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url, good.url)))

    def answered(requests: list[dict[str, Any]], batch: bool) -> Any:
        no = [
            {"jsonrpc": "2.0", "id": each["id"], "error": {"code": -32000, "message": "missing trie node"}}
            for each in requests
        ]
        return no if batch else no[0]

    with monkeypatch.context() as for_now:
        for_now.setattr(bad, "answered", answered)
        place.round(locked=True)
    bad.lie(calls={(one.deposit, one.contract.data("currentState")[:10]): word(99)})
    with pytest.raises(ChainUnreachable):
        place.round(locked=True)
    assert len(place.round().sent) == 2


def test_of_two_groups_that_differ_others_are_asked_next(places: Places, one: LocalDeposit) -> None:
    """One liar among three does not stop the watch for good."""
    liar, honest, other = places.proxy(), places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(liar.url, honest.url), second=(other.url,)))
    liar.lie(calls={(one.deposit, one.contract.data("currentState")[:10]): word(7)})
    with pytest.raises(ChainUnreachable, match="two providers"):
        place.round()
    assert len(place.round().sent) == 2


def test_a_redemption_that_fails_again_and_again_does_not_use_up_the_ether(
    places: Places, one: LocalDeposit, monkeypatch: Any
) -> None:
    place = in_danger(places.new(tbtc=12))
    monkeypatch.setitem(GAS_LIMITS, "tbtcToBtc", 120_000)
    for _ in range(5):
        last = place.round()
    assert [each.refused for each in place.redemptions()] == [True] * 3
    assert last.plan is not None and "failed 3 times within an hour" in last.plan.left[0].words
    assert place.allowed() == 0
    with reading(place.watching.engine) as conn:
        [keep] = store.listed(conn)
    assert not by_hand.plan_for(place.watching, keep).nothing
