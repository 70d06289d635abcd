"""What the node tells of its wallet's past, of its options, and a second node of the same chain."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.qtum.conftest import COIN, FIRST, NOON, REST, Wire, make, signed
from valtrac.core.errors import BadInput
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server


def lines(told: dict[str, Any], kind: str) -> list[tuple[str, Any, int]]:
    return [(one["category"], one["amount"], one["confirmations"]) for one in told[kind]]


def test_what_concerns_the_wallet_since_a_block(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    start = unlocked("getbestblockhash")
    assert unlocked("listsinceblock", start)["transactions"] == []
    hexed, txid = signed(unlocked, {addresses["alice"]: "2"})
    unlocked("sendrawtransaction", hexed)
    qtum.pay(node, "erin", {"pool": 3 * COIN})
    assert lines(unlocked("listsinceblock", start), "transactions") == [("send", -2, 0), ("receive", 3, 0)]
    qtum.produce(node, 1, by="network")
    qtum.produce(node, 1, by="pool", delegate="alice")
    told = unlocked("listsinceblock", start)
    assert sorted(lines(told, "transactions")) == [("immature", Decimal("0.5"), 1), ("receive", 3, 2), ("send", -2, 2)]
    assert told["lastblock"] == unlocked("getbestblockhash") and told["removed"] == []
    assert unlocked("listsinceblock", start, 2)["lastblock"] == unlocked("getblockhash", FIRST + REST + 2)
    assert [one["txid"] for one in unlocked("listtransactions", "*", 1)] == [told["transactions"][-1]["txid"]]
    assert len(unlocked("listtransactions", "*", 2, 1)) == 2

    orphan = unlocked("getbestblockhash")
    qtum.reorganise(node, 2, rivals=[txid])
    told = unlocked("listsinceblock", orphan)
    assert {one["category"] for one in told["removed"]} == {"orphan", "send", "receive"}
    assert ("send", -2, -3) in lines(unlocked("listsinceblock", start), "transactions")
    assert unlocked.refused("listsinceblock", "ab" * 32)[1] == -5
    assert unlocked.refused("listsinceblock", start, 0)[1] == -8


def test_a_reward_ripens_in_the_list(unlocked: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    stake = unlocked("getblock", unlocked("getbestblockhash"))["tx"][1]
    (line,) = unlocked("gettransaction", stake)["details"]
    assert (line["category"], line["amount"], line["vout"]) == ("immature", Decimal("0.5"), 1)
    qtum.produce(node, REST, by="network")
    assert unlocked("gettransaction", stake)["details"][0]["category"] == "generate"


def test_what_the_node_was_started_with(node: Path) -> None:
    qtum.configure(
        node, stakingminutxovalue=25 * COIN, stakingminfee=100, reservebalance=1500 * COIN, rpcuser="x", rpcpassword="y"
    )
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("listconf") == {
            "superstaking": "1",
            "txindex": "1",
            "stakingminutxovalue": "25.00",
            "stakingminfee": "100",
            "reservebalance": "1500.00",
            "rpcuser": "****",
            "rpcpassword": "****",
        }
        assert wire("getindexinfo") == {"txindex": {"synced": True, "best_block_height": FIRST + REST + 1}}
    with pytest.raises(BadInput):
        qtum.configure(node, nosuch=1)


def test_the_uptime_is_by_the_nodes_clock(node: Path) -> None:
    qtum.set_clock(node, int(NOON.timestamp()))
    with Server(node) as server:
        wire = Wire(node, server.port)
        qtum.set_clock(node, int(NOON.timestamp()) + 1800)
        assert wire("uptime") == 1800


def test_the_smallest_coin_and_fee_decide_who_weighs(tmp_path: Path) -> None:
    people = (
        Person("pool", 1_000 * COIN, 5, wallet=""),
        Person("a", 90 * COIN, 3, to="pool"),
        Person("b", 96 * COIN, 4, to="pool"),
        Person("c", 300 * COIN, 1, to="pool", fee=99),
    )
    flags = {"stakingminutxovalue": 25 * COIN, "stakingminfee": 100}
    node = make(tmp_path / "n", people=people, passphrase=None, flags=flags)
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("getstakinginfo")["delegateweight"] == 90 * COIN
        listed = wire("getdelegationsforstaker", qtum.dev_address("pool"))
        assert sum(one["weight"] for one in listed) == 486 * COIN  # this list knows no minimum


def test_the_reserve_does_not_stake(tmp_path: Path) -> None:
    people = (Person("pool", 1_000 * COIN, 5, wallet=""), Person("a", 900 * COIN, 3, to="pool"))
    node = make(tmp_path / "n", people=people, passphrase=None, flags={"reservebalance": 900 * COIN})
    with pytest.raises(BadInput):
        qtum.produce(node, 1, by="pool")
    qtum.produce(node, 1, by="pool", delegate="a")  # for others it does


def test_a_second_node_has_no_wallet_and_lies_on_its_own(node: Path, tmp_path: Path) -> None:
    qtum.second(tmp_path / "other", node)
    with Server(node) as one, Server(tmp_path / "other") as two:
        first, other = Wire(node, one.port), Wire(tmp_path / "other", two.port)
        assert one.cookie != two.cookie
        qtum.produce(node, 3)
        assert first("getbestblockhash") == other("getbestblockhash")
        assert other.refused("getbalances")[1] == -18 and first("getbalances")
        qtum.misbehave(tmp_path / "other", stale_tip=2)
        assert other("getblockcount") == first("getblockcount") - 2
        other("devnet_clear")
        other("devnet_misbehave", {"no_addrindex": 1})
        asked = {"addresses": [qtum.dev_address("alice")]}
        assert first("getaddressutxos", asked) and other.refused("getaddressutxos", asked)[1] == -5
        assert other("devnet_produce", {"n": 1}) == first("getblockcount")


def test_a_fresh_address_is_somebodys_too(unlocked: Wire, node: Path) -> None:
    fresh, change = unlocked("getnewaddress"), unlocked("getrawchangeaddress")
    assert fresh != change and unlocked("validateaddress", fresh)["isvalid"]
    qtum.pay(node, "erin", {fresh: COIN})
    qtum.produce(node, 1, by="network")
    assert [coin["address"] for coin in unlocked("listunspent", 1, 1)] == [fresh]
    assert unlocked("getmempoolinfo")["size"] == 0
