"""Many questions by the contract that asks them all, where there is one: Multicall3's own bytecode (MIT licence)."""

from __future__ import annotations

from pathlib import Path

from tests.keeps.places import Place, Places
from valtrac.chains.ethereum.reading import MULTICALL
from valtrac.devnet.tbtc import market

CODE = (Path(__file__).parent / "data" / "multicall3.hex").read_text(encoding="ascii").strip()
SMALL = 10**6


def deployed(places: Places) -> None:
    """Put it where every network has it."""
    node = places.chains.ethereum
    made = node.call("eth_sendTransaction", {"from": node.accounts()[0], "data": CODE, "gas": hex(5_000_000)})
    node.mine(1)
    receipt = node.call("eth_getTransactionReceipt", made)
    node.call("anvil_setCode", MULTICALL, node.call("eth_getCode", receipt["contractAddress"], "latest"))


def answers(place: Place, deposits: list[str], keeps: dict[str, str]) -> tuple[object, ...]:
    contracts, head = place.watching.first.contracts, place.watching.agreed_head()
    return (
        contracts.states(deposits, head),
        contracts.readings(keeps, head),
        contracts.costs(deposits, place.key.address, head),
    )


def test_the_contract_that_asks_many_is_told_the_same_in_fewer_questions(places: Places) -> None:
    one_by_one = places.new()
    made = one_by_one.deposit(*[SMALL] * 60)
    deposits = [each.deposit.lower() for each in made]
    keeps = {each.deposit.lower(): each.keep.lower() for each in made}
    one_by_one.percent(118)
    one_by_one.settle()
    before = one_by_one.watching.first.chain.failover.requests  # type: ignore[attr-defined]
    told = answers(one_by_one, deposits, keeps)
    asked = one_by_one.watching.first.chain.failover.requests - before  # type: ignore[attr-defined]
    deployed(places)
    at_once = places.new()
    at_once.settle()
    failover = at_once.watching.first.chain.failover  # type: ignore[attr-defined]
    before = failover.requests
    states, _, costs = answers(at_once, deposits, keeps)
    assert (states, costs) == (told[0], told[2])
    assert failover.requests - before < asked
    market.set_feed(places.chains, 0)
    at_once.settle()
    head = at_once.watching.agreed_head()
    offline = at_once.watching.first.contracts.states(deposits, head)
    assert {percent for _, percent in offline.values()} == {None}  # unknown, and not 0
