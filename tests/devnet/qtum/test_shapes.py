"""The shapes of answers: keys, kinds and units as a real node gives them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from tests.devnet.qtum.conftest import COIN, FIRST, REST, Wire, signed
from valtrac.devnet import qtum
from valtrac.devnet.qtum import codec, contract, shapes


def test_money_is_a_number_with_eight_decimals_and_never_a_float(wire: Wire) -> None:
    frame = json.dumps(wire.frame("getbalances")).encode()
    assert b'"trusted":40000.00000000,"untrusted_pending":0.00000000' in wire.post(frame)[1]
    text = shapes.written({"a": shapes.Money(-1), "b": shapes.Money(10**17 + 1), "c": shapes.Money(-150_000_000)})
    assert text == '{"a":-0.00000001,"b":1000000000.00000001,"c":-1.50000000}'


def test_the_chain(wire: Wire, node: Path) -> None:
    told = wire("getblockchaininfo")
    assert told["chain"] == "regtest" and told["blocks"] == told["headers"] == FIRST + REST + 1
    assert told["bestblockhash"] == wire("getbestblockhash") == wire("getblockhash", told["blocks"])
    assert wire("getblockhash", 0) == "665ed5b402ac0b44efc37d8926332994363e8a7278b7ee9a58fb972efadae943"
    assert told["initialblockdownload"] is False and told["warnings"] == ""
    assert told["mediantime"] == told["time"] - 5 * 32
    network = wire("getnetworkinfo")
    assert (network["connections"], network["connections_in"], network["connections_out"]) == (12, 2, 10)
    assert network["version"] == 270100 and network["relayfee"] == Decimal("0.004")
    qtum.set_connections(node, 3)
    assert wire("getconnectioncount") == wire("getnetworkinfo")["connections"] == 3


def test_a_header_in_words(wire: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    qtum.produce(node, 1, by="mined")
    top = wire("getblockheader", wire("getbestblockhash"))
    assert top["flags"] == "proof-of-work" and top["confirmations"] == 1
    assert not {"prevoutStakeHash", "signature", "proofOfDelegation", "nextblockhash"} & set(top)
    below = wire("getblockheader", top["previousblockhash"])
    assert below["flags"] == "proof-of-stake" and below["confirmations"] == 2
    assert below["nextblockhash"] == top["hash"] and below["versionHex"] == "20000000"
    assert len(below["proofOfDelegation"]) == len(below["signature"]) == 130
    assert list(top)[:8] == [
        "hash",
        "confirmations",
        "height",
        "version",
        "versionHex",
        "merkleroot",
        "time",
        "mediantime",
    ]


def test_verbosity_says_how_much_of_the_transactions_is_told(wire: Wire, node: Path) -> None:
    qtum.pay(node, "erin", {"dave": COIN})
    qtum.produce(node)
    best = wire("getbestblockhash")
    ids, whole, spent = (wire("getblock", best, verbosity)["tx"] for verbosity in (1, 2, 3))
    assert wire("getblock", best)["tx"] == wire("getblock", best, True)["tx"] == ids
    assert [tx["txid"] for tx in whole] == ids
    assert "prevout" not in whole[2]["vin"][0] and "fee" in whole[2] and "fee" not in whole[1]
    prevout = spent[2]["vin"][0]["prevout"]
    assert prevout["generated"] is True and prevout["height"] == FIRST and prevout["value"] == 1000
    assert set(prevout["scriptPubKey"]) == {"asm", "desc", "hex", "address", "type"}
    assert spent[0]["vin"][0]["coinbase"] and "prevout" not in spent[0]["vin"][0]


def test_descriptors_bear_the_checksum_of_the_real_one() -> None:
    assert codec.described("raw(deadbeef)") == "raw(deadbeef)#89f8spxm"


def test_a_transaction_with_its_indexes(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    txid = qtum.pay(node, "erin", {"dave": COIN})
    assert wire("getrawtransaction", txid) == wire("getrawtransaction", txid, 1)["hex"]
    assert "blockhash" not in wire("getrawtransaction", txid, True)
    qtum.produce(node)
    told = wire("getrawtransaction", txid, True)
    assert (told["confirmations"], told["height"], told["blockhash"]) == (1, FIRST + REST + 2, wire("getbestblockhash"))
    assert told["vin"][0]["address"] == addresses["erin"] and told["vin"][0]["valueSat"] == 1000 * COIN
    assert "spentTxId" not in told["vout"][1] and told["vout"][1]["valueSat"] > 0
    later = qtum.pay(node, "dave", {"erin": 50 * COIN})
    qtum.produce(node)
    told = wire("getrawtransaction", txid, True)
    assert (told["vout"][0]["spentTxId"], told["vout"][0]["spentHeight"]) == (later, FIRST + REST + 3)
    assert wire("getrawtransaction", txid, 2)["vin"][0]["prevout"]["value"] == 1000


def test_coins_of_an_address(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    asked = {"addresses": [addresses["carol"]], "chainInfo": True}
    told = wire("getaddressutxos", asked)
    assert (told["hash"], told["height"]) == (wire("getbestblockhash"), FIRST + REST + 1)
    one = told["utxos"][0]
    assert list(one) == ["address", "txid", "outputIndex", "script", "satoshis", "height", "isStake"]
    assert (one["satoshis"], one["height"], one["isStake"]) == (250 * COIN, FIRST, False)
    assert wire("getaddressutxos", {"addresses": [addresses["carol"]]}) == told["utxos"]
    qtum.produce(node, 1, by="pool", delegate="carol")
    newest = wire("getaddressutxos", asked)["utxos"][-1]
    assert (newest["isStake"], newest["satoshis"], newest["height"]) == (True, 20_000_000, FIRST + REST + 2)


def test_p2pk_and_p2pkh_share_one_index(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    coins = wire("getaddressutxos", {"addresses": [addresses["pool"]]})
    assert {coin["script"][:2] for coin in coins} == {"76", "21"}


def test_deltas_let_one_go_back_to_any_height(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    def worth(height: int) -> int:
        return sum(one["satoshis"] for one in wire("getaddressdeltas", asked) if one["height"] <= height)

    asked = {"addresses": [addresses["erin"]]}
    known = {}
    for turn in range(6):
        if turn % 2:
            qtum.pay(node, "erin", {"dave": (turn + 1) * COIN})
        qtum.produce(node, 1, by="erin" if turn % 3 == 0 else "network")
        coins = wire("getaddressutxos", {**asked, "chainInfo": True})
        known[coins["height"]] = sum(coin["satoshis"] for coin in coins["utxos"])
    assert known == {height: worth(height) for height in known}
    assert wire("getaddressbalance", asked)["balance"] == known[max(known)]
    low, high = min(known), min(known) + 2
    part = wire("getaddressdeltas", {**asked, "start": low, "end": high, "chainInfo": True})
    assert part["start"] == {"hash": wire("getblockhash", low), "height": low}
    assert {one["height"] for one in part["deltas"]} <= set(range(low, high + 1))
    assert wire.refused("getaddressdeltas", {**asked, "start": 0, "end": high})[1] == -5
    assert wire.refused("getaddressdeltas", {**asked, "start": low, "end": 9_999_999, "chainInfo": True})[1] == -5


def test_delegations(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    told = wire("getdelegationsforstaker", addresses["pool"])
    assert {one["delegate"] for one in told} == {addresses[name] for name in ("alice", "bob", "carol")}
    one = next(one for one in told if one["delegate"] == addresses["carol"])
    assert list(one) == ["delegate", "staker", "fee", "blockHeight", "weight", "PoD"]
    assert (one["fee"], one["blockHeight"], one["weight"]) == (60, FIRST + REST + 1, 500 * COIN)
    info = wire("getdelegationinfoforaddress", addresses["carol"])
    assert info == {
        "staker": addresses["pool"],
        "fee": 60,
        "blockHeight": FIRST + REST + 1,
        "PoD": one["PoD"],
        "verified": True,
    }
    assert wire("getdelegationinfoforaddress", addresses["dave"])["staker"] == ""


def test_delegations_come_change_and_go_with_their_events(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.delegate(node, "dave", "pool", fee=90)
    assert wire("getdelegationinfoforaddress", addresses["dave"])["staker"] == ""  # it waits
    qtum.produce(node)
    assert wire("getdelegationinfoforaddress", addresses["dave"])["fee"] == 90
    qtum.delegate(node, "dave", "erin", fee=5)
    qtum.produce(node)
    assert addresses["dave"] not in {one["delegate"] for one in wire("getdelegationsforstaker", addresses["pool"])}
    qtum.undelegate(node, "dave")
    height = qtum.produce(node)
    assert wire("getdelegationsforstaker", addresses["erin"]) == []

    found = wire("searchlogs", height - 2, -1, {"addresses": ["0" * 38 + "86"]})
    kinds = [[log["topics"][0] for log in receipt["log"]] for receipt in found]
    assert kinds == [[contract.ADD_TOPIC], [contract.REMOVE_TOPIC, contract.ADD_TOPIC], [contract.REMOVE_TOPIC]]
    receipt = found[0]
    assert receipt["blockNumber"] == height - 2 and receipt["transactionIndex"] == 2 and receipt["outputIndex"] == 0
    assert receipt["contractAddress"] == receipt["to"] == "0" * 38 + "86" and receipt["excepted"] == "None"
    staker, delegate = (topic[24:] for topic in receipt["log"][0]["topics"][1:])
    assert (staker, delegate) == (wire("gethexaddress", addresses["pool"]), wire("gethexaddress", addresses["dave"]))
    data = bytes.fromhex(receipt["log"][0]["data"])
    assert [int.from_bytes(data[at : at + 32], "big") for at in (0, 32, 64, 96)] == [90, height - 2, 96, 65]
    assert len(data) == 224 and found[2]["log"][0]["data"] == ""

    topics = {"topics": [contract.REMOVE_TOPIC]}
    assert len(wire("searchlogs", height - 2, height, {}, topics)) == 2
    assert wire("searchlogs", height - 2, height, {"addresses": ["00" * 20]}) == []
    assert len(wire("searchlogs", height - 2, height, None, None, 2)) == 1


def test_a_forged_proof_is_listed_and_wins_nothing(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.fund(node, "dave", 500 * COIN)
    qtum.delegate(node, "dave", "pool", forged=True)
    qtum.produce(node, REST + 2)
    assert wire("getdelegationinfoforaddress", addresses["dave"])["verified"] is False
    assert addresses["dave"] in {one["delegate"] for one in wire("getdelegationsforstaker", addresses["pool"])}
    assert "proof bears out" in wire.refused("devnet_produce", {"by": "pool", "delegate": "dave"})[2]


def test_staking(wire: Wire, node: Path) -> None:
    assert wire("getstakinginfo")["staking"] is False  # the wallet is locked
    wire("walletpassphrase", qtum.PASSPHRASE, 99_999_999, True)
    told = wire("getstakinginfo")
    assert told["staking"] is True and told["search-interval"] > 0
    assert (told["weight"], told["delegateweight"]) == (40_000 * COIN, 1_700 * COIN)
    assert told["netstakeweight"] > told["weight"] + told["delegateweight"]
    assert told["expectedtime"] == 32 * told["netstakeweight"] // (41_700 * COIN)
    qtum.set_staking(node, False)
    assert wire("getstakinginfo")["staking"] is False


def test_what_a_super_staker_asks(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    pool = addresses["pool"]
    assert wire("listsuperstakervaluesforaddress", pool) == {"address": pool, "customconfig": False}
    asked = {"address": pool, "stakingminutxovalue": "25", "stakingminfee": 100, "exclude": [addresses["bob"]]}
    told = wire("setsuperstakervaluesforaddress", asked)
    assert told == {
        "address": pool,
        "customconfig": True,
        "stakingminfee": 100,
        "stakingminutxovalue": "25.00",
        "exclude": [addresses["bob"]],
    }
    assert wire("listsuperstakervaluesforaddress", pool) == told
    wire("walletpassphrase", qtum.PASSPHRASE, 100)
    assert wire("getstakinginfo")["delegateweight"] == 900 * COIN  # bob is shut out, carol gives too little
    assert wire.refused("setsuperstakervaluesforaddress", {**asked, "allow": []})[1] == -3
    assert wire.refused("listsuperstakervaluesforaddress", addresses["erin"])[1] == -3


def test_addresses(wire: Wire, addresses: dict[str, str]) -> None:
    told = wire("validateaddress", addresses["alice"])
    assert told["isvalid"] is True and told["isscript"] is False and told["iswitness"] is False
    assert told["scriptPubKey"] == "76a914" + wire("gethexaddress", addresses["alice"]) + "88ac"
    wrong = wire("validateaddress", addresses["alice"][:-1] + "1")
    assert wrong["isvalid"] is False and "checksum" in wrong["error"]
    assert wire("validateaddress", qtum.dev_address("alice", "main"))["isvalid"] is False


def test_the_wallets_own_delegation(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    fresh = unlocked("getnewaddress")
    assert unlocked.refused("setdelegateforaddress", addresses["erin"], 10, fresh)[1] == -3
    qtum.pay(node, "erin", {fresh: 50 * COIN})
    qtum.produce(node)
    told = unlocked("setdelegateforaddress", addresses["erin"], 10, fresh)
    assert told["sender"] == fresh and told["hash160"] == unlocked("gethexaddress", fresh)
    qtum.produce(node)
    assert unlocked("getdelegationinfoforaddress", fresh)["fee"] == 10
    unlocked("removedelegationforaddress", fresh)
    qtum.produce(node)
    assert unlocked("getdelegationinfoforaddress", fresh)["staker"] == ""
    assert unlocked.refused("setdelegateforaddress", addresses["erin"], 101, fresh)[1] == -32700
    assert unlocked.refused("setdelegateforaddress", addresses["erin"], 1, addresses["bob"])[1] == -4


def test_what_waits(unlocked: Wire, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1", addresses["dave"]: "0.001"})
    told = unlocked("testmempoolaccept", [hexed])[0]
    assert told["allowed"] is True and told["vsize"] == len(hexed) // 2
    unlocked("sendrawtransaction", hexed)
    assert unlocked("getrawmempool") == [txid]
    entry = unlocked("getmempoolentry", txid)
    assert entry == unlocked("getrawmempool", True)[txid]
    assert entry["fees"]["base"] == told["fees"]["base"] and entry["depends"] == []
    assert unlocked("decoderawtransaction", hexed)["txid"] == txid


def test_fees_are_not_guessed(wire: Wire) -> None:
    assert wire("estimatesmartfee", 6) == {"errors": ["Insufficient data or no feerate found"], "blocks": 6}


def test_the_reserve(wire: Wire) -> None:
    assert wire("reservebalance") == {"reserve": False, "amount": 0}
    assert wire("reservebalance", True, 1500) == {"reserve": True, "amount": 1500}
    assert wire("reservebalance", False)["reserve"] is False
    assert wire.refused("reservebalance", True)[1] == -1
