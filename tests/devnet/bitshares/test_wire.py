"""What goes over the socket: the frames of a real node, number by number."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.devnet.bitshares.conftest import ALICE, BTS, Bench, Wire
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import Server

ROOT = Path(__file__).parents[3]


def test_a_connection_starts_with_the_chain_properties(wire: Wire, bench: Bench) -> None:
    reply = wire.ask("get_chain_properties")

    assert reply["id"] == 1
    assert reply["jsonrpc"] == "2.0"
    assert reply["result"]["id"] == "2.11.0"
    assert reply["result"]["chain_id"] == bench.status["chain_id"] == wire.ask("get_chain_id")["result"]


def test_an_api_is_called_by_number_or_by_name(wire: Wire) -> None:
    assert wire.ask("login", "", "", api=1)["result"] is True
    assert [wire.ask(name, api=1)["result"] for name in ("database", "network_broadcast", "history")] == [2, 3, 4]
    assert wire.ask("get_account_history", "bob", "1.11.0", 1, "1.11.0", api="history")["result"] == []
    assert wire.ask("get_account_history", "bob", "1.11.0", 1, "1.11.0", api=4)["result"] == []


def test_requests_in_a_row_are_answered_in_their_order(wire: Wire, bench: Bench) -> None:
    bench.produce(300)
    asked = [wire.put("get_block", number) for number in range(1, 301)]
    replies = [wire.get() for _ in asked]

    assert [reply["id"] for reply in replies] == asked
    assert [int(reply["result"]["previous"][:8], 16) for reply in replies] == list(range(300))


def test_numbers_beyond_32_bits_are_text(wire: Wire, bench: Bench) -> None:
    bench.send("alice", "custodian", 50_000 * BTS, "stop")
    bench.send("alice", "custodian", 25_000 * BTS)
    number = bench.produce()
    first, second = wire.ask("get_block", number)["result"]["transactions"]

    assert first["operations"][0][1]["amount"]["amount"] == "5000000000"
    assert isinstance(first["operations"][0][1]["memo"]["nonce"], str)
    assert second["operations"][0][1]["amount"]["amount"] == 2_500_000_000
    held = wire.ask("get_account_balances", "1.2.7", ["1.3.0"])["result"]
    assert held == [{"amount": str(bench.holds("alice")), "asset_id": "1.3.0"}]


def test_a_transfer_without_a_memo_has_no_such_key(wire: Wire, bench: Bench) -> None:
    bench.send("alice", "bob", 5)
    operation = wire.ask("get_block", bench.produce())["result"]["transactions"][0]["operations"][0]

    assert operation[0] == 0
    assert list(operation[1]) == ["fee", "from", "to", "amount", "extensions"]


def test_a_block_has_neither_its_id_nor_those_of_its_transactions(wire: Wire, bench: Bench) -> None:
    bench.send("alice", "bob", 5)
    block = wire.ask("get_block", bench.produce())["result"]

    assert list(block) == [
        *("previous", "timestamp", "witness", "transaction_merkle_root", "extensions"),
        *("witness_signature", "transactions"),
    ]
    assert list(block["transactions"][0]) == [
        *("ref_block_num", "ref_block_prefix", "expiration", "operations", "extensions", "signatures"),
        "operation_results",
    ]
    assert wire.ask("get_block_header", bench.status["head"])["result"] == dict(list(block.items())[:5])


def test_there_is_nothing_above_the_head(wire: Wire, bench: Bench) -> None:
    assert wire.ask("get_block", bench.status["head"] + 1)["result"] is None
    assert wire.ask("get_block_header", 99_999_999)["result"] is None


def test_a_refused_broadcast_says_why_with_its_code(wire: Wire, bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)])
    assert wire.ask("broadcast_transaction", trx, api="network_broadcast")["result"] is None
    error = wire.ask("broadcast_transaction", trx, api="network_broadcast")["error"]

    assert error["code"] == error["data"]["code"] == 3030008
    assert error["data"]["name"] == "duplicate_transaction"
    assert error["message"].startswith("Execution error: Transaction '")


def test_an_assertion_says_so(wire: Wire, bench: Bench) -> None:
    trx = bench.client.build([("alice", "bob", 5, None)], expires_in_s=-9)
    error = wire.ask("broadcast_transaction", trx, api=3)["error"]

    assert error["code"] == 10
    assert error["message"].startswith("Execution error: Assert Exception: now <= trx.expiration")


def test_nonsense_is_answered_with_an_error_and_the_connection_lives(wire: Wire) -> None:
    assert wire.ask("no_such_method")["error"]["code"] == -32601
    assert wire.ask("get_block")["error"]["code"] == -32603
    assert wire.ask("get_block", 1 << 70)["result"] is None
    assert wire.ask("get_block", -(1 << 70))["error"]["code"] == -32603
    wire.put_raw("what?")
    assert wire.get()["error"]["code"] == -32600
    assert wire.ask("get_chain_id")["result"]


def test_a_synchronous_broadcast_waits_for_the_block(wire: Wire, bench: Bench) -> None:
    wire.put("broadcast_transaction_synchronous", bench.client.build([("alice", "bob", 5, None)]), api=3)
    while not bench.status["pool"]:
        pass
    number = bench.produce()
    reply = wire.get()["result"]

    assert (reply["block_num"], reply["trx_num"]) == (number, 0)
    assert bench.where(reply["id"]) == number
    assert wire.ask("get_transaction", number, 0)["result"] == reply["trx"]


def test_a_lifetime_member_refers_itself_for_ever(wire: Wire) -> None:
    custodian, alice, nobody = wire.ask("lookup_account_names", ["custodian", "alice", "nobody"])["result"]

    assert custodian["id"] == custodian["lifetime_referrer"] == "1.2.6"
    assert custodian["membership_expiration_date"] == "1969-12-31T23:59:59"
    assert alice["lifetime_referrer"] != alice["id"]
    assert alice["options"]["memo_key"] == bitshares.dev_public("alice", "memo")
    assert alice["active"]["key_auths"] == [[bitshares.dev_public("alice", "active"), 1]]
    assert nobody is None


def test_objects_are_found_by_their_ids(wire: Wire) -> None:
    found = wire.ask("get_objects", ["1.2.7", "1.3.0", "2.0.0", "2.1.0", "1.2.999", "1.3.5", "1.2.x", "9"])["result"]

    assert (
        found[0]
        == wire.ask("get_account_by_name", "alice")["result"]
        == wire.ask("get_accounts", ["1.2.7"])["result"][0]
    )
    assert found[1] == wire.ask("lookup_asset_symbols", ["BTS"])["result"][0]
    assert found[2]["parameters"]["block_interval"] == 3
    assert found[3]["last_irreversible_block_num"] == 1
    assert found[4:] == [None] * 4


def test_fees_are_told_before(wire: Wire) -> None:
    memo = {"from": bitshares.dev_public("a"), "to": bitshares.dev_public("b"), "nonce": 2**63, "message": "ab" * 32}
    operation = {"fee": {"amount": 0, "asset_id": "1.3.0"}, "from": "1.2.7", "to": "1.2.8", "memo": memo}
    asked = wire.ask("get_required_fees", [[0, operation], [0, {**operation, "memo": None}]], "1.3.0")["result"]

    assert [fee["amount"] for fee in asked] == [91958, 86869]


def test_history_is_told_newest_first_in_pages(wire: Wire, bench: Bench) -> None:
    for satoshi in range(1, 8):
        bench.send("alice", "bob", satoshi)
        bench.produce()

    def page(stop: str, limit: int, start: str) -> list[tuple[str, int]]:
        lines = wire.ask("get_account_history", "1.2.8", stop, limit, start, api="history")["result"]
        return [(line["id"], line["op"][1]["amount"]["amount"]) for line in lines]

    assert page("1.11.0", 3, "1.11.0") == [("1.11.6", 7), ("1.11.5", 6), ("1.11.4", 5)]
    assert page("1.11.0", 100, "1.11.3") == [("1.11.3", 4), ("1.11.2", 3), ("1.11.1", 2), ("1.11.0", 1)]
    assert page("1.11.4", 100, "1.11.0") == [("1.11.6", 7), ("1.11.5", 6)]


def test_other_peoples_transactions_are_not_only_transfers(wire: Wire, bench: Bench) -> None:
    bench.client.foreign("alice")
    bench.client.foreign("alice", "bob", 5)
    first, second = wire.ask("get_block", bench.produce())["result"]["transactions"]

    assert [kind for kind, _ in first["operations"]] == [35]
    assert [kind for kind, _ in second["operations"]] == [35, 0]
    assert first["operations"][0][1]["payer"] == "1.2.7"


def test_two_servers_over_one_file_serve_one_chain(bench: Bench, server: Server) -> None:
    with bitshares.serve(bench.path) as other, connect(other.url) as second, connect(server.url) as first:
        trx = bench.client.build([("alice", "bob", 5, None)])
        first.send(json.dumps({"id": 1, "method": "call", "params": [3, "broadcast_transaction", [trx]]}))
        assert json.loads(first.recv())["result"] is None
        second.send(json.dumps({"id": 1, "method": "call", "params": [3, "broadcast_transaction", [trx]]}))
        assert "already in the database" in json.loads(second.recv())["error"]["message"]


PAY = """
import sys
from valtrac.devnet import bitshares

for count in range(20):
    bitshares.transfer(sys.argv[1], sys.argv[2], "custodian", 1000 + count)
    if count % 5 == 4:
        bitshares.produce(sys.argv[1])
"""


def test_payers_in_several_processes_lose_and_double_nothing(bench: Bench) -> None:
    payers = [subprocess.Popen([sys.executable, "-c", PAY, str(bench.path), who], cwd=ROOT) for who in ("alice", "bob")]
    assert [payer.wait(60) for payer in payers] == [0, 0]
    bench.produce()

    assert bench.holds("alice") == ALICE - sum(range(1000, 1020)) - 20 * 86869
    assert bench.status["pool"] == 0


def test_importing_the_package_loads_no_library(bench: Bench) -> None:
    code = (
        "import sys; from valtrac.devnet import bitshares; bitshares.misbehave(sys.argv[1], down=1);"
        "bitshares.produce(sys.argv[1]); bitshares.status(sys.argv[1]); import json;"
        "print([n for n in ('bitsharesbase', 'graphenebase', 'websockets', 'bittensor') if n in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, bench.path], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
    assert bench.status["faults"] == {"down": 1}


def test_a_closed_server_is_gone(bench: Bench) -> None:
    node = bitshares.serve(bench.path)
    with connect(node.url) as line:
        line.send(json.dumps({"id": 1, "method": "call", "params": [0, "get_chain_id", []]}))
        assert json.loads(line.recv(60))["id"] == 1  # only now it is sure that the node has taken the line
        node.close()
        node.close()
        with pytest.raises(ConnectionClosedError):
            line.recv(60)


def test_the_requests_are_written_down(wire: Wire, server: Server) -> None:
    wire.ask("get_chain_id")
    assert [entry["params"][1] for entry in server.log] == ["get_chain_id"]
