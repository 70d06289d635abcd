"""The proxy before the Ethereum node: it passes on what it is asked, and misbehaves and lies when told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from valtrac.devnet.tbtc import deposits, market
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.evm import ETH, Tx, send
from valtrac.devnet.tbtc.node import Node, NodeSaid
from valtrac.devnet.tbtc.proxy import Proxy

BTC = 10**8


@pytest.fixture
def proxy(chains: Chains) -> Iterator[Proxy]:
    with Proxy(chains.ethereum.url) as made:
        yield made


@pytest.fixture
def node(proxy: Proxy) -> Iterator[Node]:
    made = Node(proxy.url)
    yield made
    made.close()


def post(proxy: Proxy, body: Any, timeout: float = 2) -> httpx.Response:
    return httpx.post(proxy.url, json=body, timeout=timeout, trust_env=False)


def ask(method: str, *params: Any, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def payment(chains: Chains) -> Tx:
    return Tx(chains.system.faucet, chains.system.third, value=ETH, gas=21_000)


def test_it_passes_on_questions_batches_and_errors(chains: Chains, node: Node, proxy: Proxy) -> None:
    height = hex(chains.ethereum.height())
    assert node.call("eth_blockNumber") == height
    assert node.batch([("eth_blockNumber",), ("eth_chainId",)]) == [height, "0x7a69"]
    with pytest.raises(NodeSaid, match="Method not found"):
        node.call("eth_nothing")
    assert [method for method, _ in proxy.log] == ["eth_blockNumber", "eth_blockNumber", "eth_chainId", "eth_nothing"]
    assert proxy.posts == 3


def test_it_refuses_in_every_way_a_provider_does(proxy: Proxy) -> None:
    proxy.misbehave(too_many=1)
    said = post(proxy, ask("eth_chainId"))
    assert (said.status_code, said.headers["Retry-After"]) == (429, "1")
    proxy.misbehave(internal=1)
    assert post(proxy, ask("eth_chainId")).status_code == 500
    proxy.misbehave(unauthorized=1)
    assert post(proxy, ask("eth_chainId")).status_code == 401
    proxy.misbehave(limit={"eth_getLogs": 1})
    both = post(proxy, [ask("eth_chainId"), ask("eth_getLogs", {}, number=2)]).json()
    assert [one["error"]["code"] for one in both] == [-32005, -32005]
    proxy.misbehave(garbage=1)
    with pytest.raises(ValueError):
        post(proxy, ask("eth_chainId")).json()
    proxy.misbehave(wrong_id=1)
    assert post(proxy, ask("eth_chainId")).json()["id"] == -1
    proxy.misbehave(hang=1)
    with pytest.raises(httpx.ReadTimeout):
        post(proxy, ask("eth_chainId"), timeout=0.2)
    assert post(proxy, ask("eth_chainId")).json()["result"] == "0x7a69"


@pytest.mark.parametrize(("fault", "paid"), [("lose_reply", ETH), ("lose_request", 0)])
def test_a_lost_reply_pays_and_a_lost_request_does_not(chains: Chains, proxy: Proxy, fault: str, paid: int) -> None:
    def balance() -> int:
        return int(chains.ethereum.call("eth_getBalance", chains.system.third, "latest"), 16)

    before = balance()
    proxy.misbehave(**{fault: True})
    assert post(proxy, ask("eth_chainId")).json()["result"] == "0x7a69"  # it strikes what sends only
    with pytest.raises(httpx.RemoteProtocolError):
        post(proxy, ask("eth_sendTransaction", payment(chains).as_request()))
    assert balance() - before == paid


def test_a_provider_that_is_behind_does_not_know_the_newest_blocks(chains: Chains, node: Node, proxy: Proxy) -> None:
    market.set_price(chains, 55.0)
    receipt = send(chains.ethereum, payment(chains))
    chains.ethereum.mine(2)
    head = chains.ethereum.height()
    proxy.lie(behind=3)
    assert node.height() == head - 3
    assert int(node.call("eth_getBlockByNumber", "latest", False)["number"], 16) == head - 3
    assert node.call("eth_getBlockByNumber", hex(head), False) is None
    assert node.call("eth_getTransactionReceipt", receipt["transactionHash"]) is None
    assert node.call("eth_getTransactionByHash", receipt["transactionHash"])["blockNumber"] is None
    assert int(node.call("eth_getTransactionCount", chains.system.faucet, "latest"), 16) + 1 == int(
        chains.ethereum.call("eth_getTransactionCount", chains.system.faucet, "latest"), 16
    )
    proxy.behave()
    assert node.height() == head


def test_logs_beyond_its_head_are_not_there(chains: Chains, node: Node, proxy: Proxy) -> None:
    before = chains.ethereum.height()
    deposits.make_one(chains, BTC)
    system = chains.system.at("TBTCSystem")
    assert len(system.logs(node, "Created", first=before)) == 1
    proxy.lie(behind=chains.ethereum.height() - before)
    assert system.logs(node, "Created", first=before) == []
    assert system.logs(node, "Created", first=before + 1) == []


def test_it_hides_logs_of_all_or_of_one_contract(chains: Chains, node: Node, proxy: Proxy) -> None:
    deposits.make_one(chains, BTC)
    system, factory = chains.system.at("TBTCSystem"), chains.system.at("BondedECDSAKeepFactory")
    proxy.lie(hide_logs={system.address})
    assert system.logs(node, "Created") == []
    assert factory.logs(node, "BondedECDSAKeepCreated") != []
    proxy.lie(hide_logs=True)
    assert factory.logs(node, "BondedECDSAKeepCreated") == []


def test_it_lies_about_receipts_calls_chain_and_hashes(chains: Chains, node: Node, proxy: Proxy) -> None:
    receipt = send(chains.ethereum, payment(chains))
    sent, number = receipt["transactionHash"], int(receipt["blockNumber"], 16)
    proxy.lie(other_status={sent})
    assert node.call("eth_getTransactionReceipt", sent)["status"] == "0x0"
    proxy.lie(hide_receipts={sent}, other_status=())
    assert node.call("eth_getTransactionReceipt", sent) is None
    proxy.behave()

    truth = node.call("eth_getBlockByNumber", hex(number), False)["hash"]
    proxy.lie(other_block_hashes={number}, chain_id=1)
    false = node.call("eth_getBlockByNumber", hex(number), False)["hash"]
    assert false != truth
    assert node.call("eth_getTransactionReceipt", sent)["blockHash"] == false
    assert node.batch([("eth_chainId",), ("net_version",)]) == ["0x1", "1"]

    token = chains.system.at("TBTCToken")
    selector = token.data("balanceOf", chains.system.third)[:10]
    proxy.lie(calls={(token.address, selector): "0x" + f"{5 * ETH:064x}"})
    assert token.read(node, "balanceOf", chains.system.third) == 5 * ETH
    assert token.read(node, "totalSupply") == token.read(chains.ethereum, "totalSupply")
