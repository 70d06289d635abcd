"""What the node says no to: HTTP status, code and words as a real one has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.qtum.conftest import COIN, FIRST, REST, NodeSaid, Wire, make, signed
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server


def test_a_wrong_login_gets_nothing(server: Server) -> None:
    wire = Wire(server.directory, server.port, login="__cookie__:wrong")
    assert wire.post(b"{}") == (401, b"")
    assert wire.headers["WWW-Authenticate"] == 'Basic realm="jsonrpc"'


def test_the_cookie_is_new_at_each_start_and_gone_at_the_end(node: Path) -> None:
    with Server(node) as first:
        cookie = (node / ".cookie").read_text()
        assert cookie == first.cookie and cookie.startswith("__cookie__:")
        assert (node / ".cookie").stat().st_mode & 0o777 == 0o600
    assert not (node / ".cookie").exists()
    with Server(node) as second:
        assert second.cookie != cookie


def test_user_and_password_are_a_second_login(node: Path) -> None:
    qtum.configure(node, rpcuser="ppm", rpcpassword="p:w")
    with Server(node) as server:
        assert Wire(node, server.port, login="ppm:p:w")("getblockcount") == FIRST + REST + 1
        assert Wire(node, server.port)("getblockcount")


def test_the_envelope(wire: Wire) -> None:
    status, body = wire.post(b"{nonsense")
    assert (status, json.loads(body)["error"]["code"]) == (500, -32700)
    status, body = wire.post(b'{"id":7,"method":"nosuch"}')
    assert (status, json.loads(body)) == (
        404,
        {"result": None, "error": {"code": -32601, "message": "Method not found"}, "id": 7},
    )
    status, body = wire.post(b'{"id":7}')
    assert (status, json.loads(body)["error"]["message"]) == (400, "Missing method")
    status, body = wire.post(json.dumps(wire.frame("getblockcount")).encode())
    assert json.loads(body) == {"result": FIRST + REST + 1, "error": None, "id": wire.number}
    assert wire.post(b'{"id":1,"method":"getblockhash","params":{"height":%d}}' % FIRST)[0] == 200
    assert b"Unknown named parameter" in wire.post(b'{"id":1,"method":"getblockhash","params":{"hight":1}}')[1]


def test_a_batch_is_always_200_and_keeps_its_order(wire: Wire) -> None:
    frames = [wire.frame("getblockcount"), wire.frame("getblockhash", -1), wire.frame("nosuch")]
    status, body = wire.post(json.dumps([*frames, 7]).encode())
    told = json.loads(body)
    assert status == 200
    assert [one["error"] and one["error"]["code"] for one in told] == [None, -8, -32601, -32600]
    assert [one["id"] for one in told[:3]] == [frame["id"] for frame in frames]


UNKNOWN = "ab" * 32


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("getblockhash", 1), (500, -8, "Block height out of range")),
        (("getblockhash", "1"), (500, -3, "not of expected type number")),
        (("getblockhash",), (500, -1, "getblockhash")),
        (("getblock", "ab"), (500, -8, "blockhash must be of length 64 (not 2, for 'ab')")),
        (("getblock", "zz" * 32), (500, -8, "must be hexadecimal string")),
        (("getblock", UNKNOWN), (500, -5, "Block not found")),
        (("getblockheader", UNKNOWN), (500, -5, "Block not found")),
        (("getrawtransaction", UNKNOWN), (500, -5, "No such mempool or blockchain transaction")),
        (("getrawtransaction", UNKNOWN, True, UNKNOWN), (500, -5, "Block hash not found")),
        (("gettransaction", UNKNOWN), (500, -5, "Invalid or non-wallet transaction id")),
        (("abandontransaction", UNKNOWN), (500, -5, "Invalid or non-wallet transaction id")),
        (("getmempoolentry", UNKNOWN), (500, -5, "Transaction not in mempool")),
        (("decoderawtransaction", "00"), (500, -22, "TX decode failed")),
        (("sendrawtransaction", "zz"), (500, -22, "TX decode failed")),
        (("getaddressutxos", {"addresses": ["qwrong"]}), (500, -5, "Invalid address")),
        (("getaddressutxos", {}), (500, -5, "Addresses is expected to be an array")),
        (("getdelegationsforstaker", "qwrong"), (500, -3, "Invalid address")),
        (("getdelegationinfoforaddress", "qwrong"), (500, -3, "Invalid address")),
        (("searchlogs", 5, 4), (500, -8, "Incorrect params")),
        (("searchlogs", "newest", 4), (500, -32602, "invalid block number")),
        (("searchlogs", 0, -1, {"addresses": ["86"]}), (500, -32602, "Invalid hex 160 string")),
        (("listsuperstakervaluesforaddress", "qwrong"), (500, -3, "Invalid address for staker")),
        (("walletpassphrase", "wrong", 5), (500, -14, "incorrect")),
        (("walletpassphrase", "", 5), (500, -8, "cannot be empty")),
        (("walletpassphrase", "x", -5), (500, -8, "negative")),
        (("signrawtransactionwithwallet", "02000000000100000000000000000000000000"), (500, -13, "Please enter")),
        (("loadwallet", ""), (500, -35, "already loaded")),
        (("loadwallet", "other"), (500, -18, "does not exist")),
        (("lockunspent", False, [{"txid": UNKNOWN, "vout": 0}]), (500, -8, "unknown transaction")),
        (("listunspent", 0, 9, ["qwrong"]), (500, -5, "Invalid Qtum address: qwrong")),
        (("createrawtransaction", [], {"qwrong": 1}), (500, -5, "Invalid Qtum address: qwrong")),
        (("createrawtransaction", [], [{"a": 1, "b": 2}]), (500, -8, "exactly one key")),
        (("createrawtransaction", [{"txid": UNKNOWN}], {}), (500, -8, "missing vout key")),
        (("sendmany", "", {"qwrong": 1}), (500, -5, "Invalid Qtum address: qwrong")),
        (("estimatesmartfee", 0), (500, -8, "Invalid conf_target")),
        (("setsuperstakervaluesforaddress", {}), (500, -3, "The super staker address doesn't exist")),
        (("devnet_produce", {"by": "nobody"}), (500, -1, "nobody called nobody")),
        (("devnet_produce", {"wrong": 1}), (500, -1, "do not take that")),
    ],
)
def test_each_refusal(wire: Wire, asked: tuple[Any, ...], said: tuple[int, int, str]) -> None:
    status, code, message = wire.refused(*asked)
    assert (status, code) == said[:2] and said[2] in message


@pytest.mark.parametrize(
    ("amount", "code", "words"),
    [
        ("0.123456789", -3, "Invalid amount"),
        ("-1", -3, "out of range"),
        ("1e8x", -3, "Invalid amount"),
        (True, -3, "not a number or string"),
        (0.30000000000000004, -3, "Invalid amount"),
    ],
)
def test_amounts_have_eight_decimals(
    wire: Wire, addresses: dict[str, str], amount: bool | float | str, code: int, words: str
) -> None:
    status, told, message = wire.refused("createrawtransaction", [], [{addresses["alice"]: amount}])
    assert (status, told) == (500, code) and words in message


def test_an_address_may_come_once(wire: Wire, addresses: dict[str, str]) -> None:
    alice = addresses["alice"]
    assert wire.refused("createrawtransaction", [], [{alice: 1}, {alice: 2}])[1:] == (
        -8,
        f"Invalid parameter, duplicated address: {alice}",
    )


def test_money_that_is_not_there(unlocked: Wire, addresses: dict[str, str]) -> None:
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "50000"}])
    assert unlocked.refused("fundrawtransaction", raw) == (500, -4, "Insufficient funds")
    assert unlocked.refused("sendmany", "", {addresses["alice"]: "50000"}) == (500, -6, "Insufficient funds")
    assert unlocked.refused("sendmany", "", {addresses["alice"]: "0.00000100"})[1] == -6
    assert unlocked.refused("sendmany", "", {})[1] == -6


def test_a_node_without_indexes_says_so(node: Path, addresses: dict[str, str]) -> None:
    qtum.configure(node, addrindex=False, txindex=False, logevents=False)
    with Server(node) as server:
        wire = Wire(node, server.port)
        alice = {"addresses": [addresses["alice"]]}
        for method in ("getaddressutxos", "getaddressdeltas", "getaddressbalance"):
            assert wire.refused(method, alice)[1:] == (-5, "No information available for address")
        assert wire.refused("searchlogs", 0, -1)[1:] == (-32603, "Events indexing disabled")
        assert wire.refused("getdelegationsforstaker", addresses["pool"])[1:] == (-32603, "Events indexing disabled")
        block = wire("getblock", wire("getbestblockhash"), 1)
        assert wire.refused("getrawtransaction", block["tx"][1])[1] == -5
        assert wire("getrawtransaction", block["tx"][1], True, block["hash"])["in_active_chain"] is True


def test_wallets_by_path(tmp_path: Path) -> None:
    people = (Person("pool", 500 * COIN, wallet=""), Person("cold", 700 * COIN, wallet="cold"))
    node = make(tmp_path / "n", people=people)
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("listwallets") == ["", "cold"]
        assert wire.refused("getbalances")[1] == -19
        assert wire("getblockcount")  # what needs no wallet needs no name
        cold = Wire(node, server.port, path="/wallet/cold")
        assert cold("getwalletinfo")["walletname"] == "cold" and cold("getbalances")["mine"]["trusted"] == 700
        assert Wire(node, server.port, path="/wallet/")("getbalances")["mine"]["trusted"] == 500
        assert Wire(node, server.port, path="/wallet/none").refused("getbalances")[1] == -18
        cold("unloadwallet")
        assert wire("getbalances")["mine"]["trusted"] == 500
        wire("unloadwallet")
        assert wire.refused("getbalances")[1] == -18
        wire("loadwallet", "cold")
        assert wire("getwalletinfo")["walletname"] == "cold"


def test_a_wallet_without_passphrase_cannot_be_unlocked(tmp_path: Path) -> None:
    node = make(tmp_path / "n", passphrase=None)
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire.refused("walletpassphrase", "x", 5)[1] == -15
        assert wire.refused("walletlock")[1] == -15
        assert "unlocked_until" not in wire("getwalletinfo")


def test_sent_again_and_again(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1"})
    assert unlocked("sendrawtransaction", hexed) == txid == unlocked("sendrawtransaction", hexed)
    assert unlocked("testmempoolaccept", [hexed])[0]["reject-reason"] == "txn-already-in-mempool"
    qtum.produce(node)
    assert unlocked.refused("sendrawtransaction", hexed) == (500, -27, "Transaction already in block chain")


def test_a_fee_beyond_the_limit_is_refused(unlocked: Wire, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1"}, feeRate="1.5")
    assert unlocked.refused("sendrawtransaction", hexed)[1] == -25
    assert unlocked("testmempoolaccept", [hexed])[0]["reject-reason"] == "max-fee-exceeded"
    assert unlocked("sendrawtransaction", hexed, "2") == txid
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "1"}])
    assert unlocked.refused("fundrawtransaction", raw, {"feeRate": "9"})[1] == -4
    assert unlocked.refused("fundrawtransaction", raw, {"feeRate": "0.001"})[1] == -4
    assert unlocked.refused("sendrawtransaction", hexed, "10")[1] == -8


def test_the_client_error_prints_what_was_said(wire: Wire) -> None:
    with pytest.raises(NodeSaid, match="Block height out of range"):
        wire("getblockhash", -1)
