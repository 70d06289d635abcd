"""What goes wrong on demand, seen from a socket and from within the process: there is no difference."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.devnet.bitshares.conftest import Bench, Opened, Wire
from valtrac.core.errors import BadInput
from valtrac.devnet import bitshares


@pytest.fixture(params=["over a websocket", "within the process"])
def opened(request: pytest.FixtureRequest, opened: Opened, bench: Bench) -> Opened:
    if request.param == "over a websocket":
        return opened
    return lambda: Wire(bitshares.LocalConnection(bench.path))


@pytest.fixture
def trx(bench: Bench) -> dict[str, Any]:
    return bench.client.build([("alice", "bob", 5, None)])


def misbehave(bench: Bench, **named: Any) -> None:
    bitshares.misbehave(bench.path, **named)


def test_a_lost_request_never_arrived(wire: Wire, bench: Bench, trx: dict[str, Any]) -> None:
    misbehave(bench, lose_request=1)
    assert wire.ask("get_chain_id")["result"]
    with pytest.raises(ConnectionClosed):
        wire.ask("broadcast_transaction", trx, api=3)

    assert (bench.status["pool"], bench.status["faults"]) == (0, {})


def test_a_lost_reply_hides_a_transaction_that_was_taken(
    wire: Wire, bench: Bench, trx: dict[str, Any], opened: Opened
) -> None:
    misbehave(bench, lose_reply=1)
    with pytest.raises(ConnectionClosed):
        wire.ask("broadcast_transaction", trx, api=3)

    assert (bench.status["pool"], bench.status["faults"]) == (1, {})
    assert "already in" in opened().ask("broadcast_transaction", trx, api=3)["error"]["message"]


def test_a_node_can_be_down_for_some_requests_or_until_told_otherwise(wire: Wire, bench: Bench, opened: Opened) -> None:
    misbehave(bench, down=2)
    for _ in range(2):
        with pytest.raises(ConnectionClosed):
            opened().ask("get_chain_id")
    assert wire.ask("get_chain_id")["result"]

    misbehave(bench, down=True)
    for _ in range(3):
        with pytest.raises(ConnectionClosed):
            opened().ask("get_chain_id")
    bitshares.clear(bench.path)
    assert wire.ask("get_chain_id")["result"]


def test_an_error_can_be_told_for_any_request_or_for_one_method(wire: Wire, bench: Bench, trx: dict[str, Any]) -> None:
    misbehave(bench, error={"get_block": 1})
    assert wire.ask("get_chain_id")["result"]
    assert wire.ask("get_block", 1)["error"]["code"] == 10
    assert wire.ask("get_block", 1)["result"]

    misbehave(bench, error=1)
    assert wire.ask("broadcast_transaction", trx, api=3)["error"]
    assert (bench.status["pool"], bench.status["faults"]) == (0, {})


def test_a_hanging_request_is_carried_out_and_never_answered(wire: Wire, bench: Bench, trx: dict[str, Any]) -> None:
    misbehave(bench, hang=1)
    wire.put("broadcast_transaction", trx, api=3)
    with pytest.raises(TimeoutError):
        wire.get(timeout=0.3)

    assert bench.status["pool"] == 1
    assert wire.ask("get_chain_id")["id"] == 2


def test_a_slow_node_takes_its_time(wire: Wire, bench: Bench) -> None:
    misbehave(bench, slow=0.2)
    start = time.monotonic()
    wire.ask("get_chain_id")
    assert time.monotonic() - start >= 0.2


def test_what_reached_a_slow_node_is_carried_out_though_nobody_waits(
    wire: Wire, bench: Bench, trx: dict[str, Any]
) -> None:
    misbehave(bench, slow=0.05)
    wire.put("broadcast_transaction", trx, api=3)
    with pytest.raises(TimeoutError):
        wire.get(timeout=0.01)
    wire.hang_up()
    until = time.monotonic() + 10
    while not bench.status["pool"] and time.monotonic() < until:
        time.sleep(0.01)
    assert bench.status["pool"] == 1


def test_requests_sent_ahead_of_a_slow_one_are_answered_in_their_order(wire: Wire, bench: Bench) -> None:
    misbehave(bench, slow=0.02)
    numbers = [wire.put("get_chain_id") for _ in range(3)]
    bitshares.clear(bench.path)
    numbers.append(wire.put("get_chain_id"))
    assert [wire.get()["id"] for _ in numbers] == numbers


def test_a_message_too_long_for_the_node_ends_the_connection(wire: Wire) -> None:
    with pytest.raises(ConnectionClosed):
        wire.put("get_objects", ["1" * (1 << 22)])
        wire.get()


def test_once_it_is_closed_nothing_is_sent_or_received(wire: Wire) -> None:
    wire.hang_up()
    wire.hang_up()
    with pytest.raises((ConnectionClosed, OSError)):
        wire.put("get_chain_id")
    with pytest.raises((ConnectionClosed, OSError)):
        wire.get()


def test_a_held_pool_keeps_everything_waiting_until_it_expires(bench: Bench) -> None:
    misbehave(bench, hold_pool=True)
    tx_id = bench.send("alice", "bob", 5, expires_in_s=60)
    bench.produce(20)
    assert (bench.status["pool"], bench.where(tx_id)) == (1, None)
    bench.produce(1)
    assert bench.status["pool"] == 0
    assert bench.holds("alice", pending=True) == bench.holds("alice")


def test_held_irreversibility_stands_still_and_catches_up(bench: Bench) -> None:
    misbehave(bench, hold_lib=True)
    bench.produce(10)
    assert (bench.status["head"], bench.status["lib"]) == (13, 1)
    bitshares.fork(bench.path, 9)
    misbehave(bench, hold_lib=False)
    bench.produce()
    assert bench.status["lib"] == 12


def test_a_dropped_pool_forgets_what_waited(bench: Bench, trx: dict[str, Any]) -> None:
    bench.push(trx)
    misbehave(bench, drop_pool=True)
    assert bench.status["pool"] == 0
    bench.push(trx)
    bench.produce()
    assert bench.block()["transactions"]


def test_another_chain_has_another_id(wire: Wire, bench: Bench) -> None:
    misbehave(bench, wrong_chain_id=True)
    assert wire.ask("get_chain_properties")["result"]["chain_id"] != bench.status["chain_id"]
    assert wire.ask("get_chain_id")["result"] != bench.status["chain_id"]


def test_garbage_is_no_json_or_of_another_shape(wire: Wire, bench: Bench) -> None:
    misbehave(bench, garbage=2)
    wire.put("get_dynamic_global_properties")
    assert wire.get()["result"] == {"unexpected": [1, None, "shape"]}
    wire.put("get_dynamic_global_properties")
    with pytest.raises(json.JSONDecodeError):
        wire.get()
    assert wire.ask("get_chain_id")["result"]


def test_a_node_behind_answers_as_if_its_newest_blocks_were_not_there(wire: Wire, bench: Bench) -> None:
    bench.produce(10)
    tx_id = bench.send("alice", "bob", 5)
    bench.produce()
    misbehave(bench, behind=4)
    told = wire.ask("get_dynamic_global_properties")["result"]

    assert (told["head_block_number"], told["last_irreversible_block_num"]) == (10, 8)
    assert told["time"] == bench.block(10)["timestamp"]
    assert wire.ask("get_block", 11)["result"] is None
    assert wire.ask("get_block", 10)["result"]
    assert wire.ask("get_recent_transaction_by_id", tx_id)["result"] is None
    assert wire.ask("get_account_history", "bob", "1.11.0", 9, "1.11.0", api=4)["result"] == []


def test_a_reply_may_carry_the_id_of_another_request(wire: Wire, bench: Bench) -> None:
    misbehave(bench, wrong_id=1)
    number = wire.put("get_chain_id")
    assert wire.get()["id"] != number
    assert wire.get() == {"id": number, "jsonrpc": "2.0", "result": bench.status["chain_id"]}


def test_in_process_clients_are_spared(bench: Bench) -> None:
    misbehave(bench, down=True, error=True)
    assert bench.client.call("get_chain_id") == bench.status["chain_id"]


@pytest.mark.parametrize(
    "fault",
    [
        *({"lie": 1}, {"down": -1}, {"down": "yes"}, {"slow": True}, {"slow": -1}, {"behind": True}),
        *({"error": {"a": "b"}}, {"hold_pool": 3}, {"lose_reply": 1.5}, {"error": {1: 1}}),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(bench: Bench, fault: dict[Any, Any]) -> None:
    misbehave(bench, hang=3)
    with pytest.raises(BadInput):
        misbehave(bench, down=1, **fault) if "down" not in fault else misbehave(bench, **fault)
    assert bench.status["faults"] == {"hang": 3}


@pytest.mark.parametrize("end", [0, False])
def test_a_fault_set_to_nothing_ends(bench: Bench, end: int) -> None:
    misbehave(bench, down=3, slow=1.5)
    misbehave(bench, down=end)
    assert bench.status["faults"] == {"slow": 1.5}


def test_a_request_that_never_arrived_uses_up_no_other_fault(wire: Wire, bench: Bench, trx: dict[str, Any]) -> None:
    misbehave(bench, lose_request=1, lose_reply=1, hang={"broadcast_transaction": 1})
    with pytest.raises(ConnectionClosed):
        wire.ask("broadcast_transaction", trx, api=3)

    assert bench.status["faults"] == {"lose_reply": 1, "hang": {"broadcast_transaction": 1}}


def test_two_nodes_over_one_file_share_their_faults(wire: Wire, bench: Bench) -> None:
    misbehave(bench, down=1)
    with bitshares.serve(bench.path) as other, connect(other.url, compression=None) as connection:
        with pytest.raises(ConnectionClosed):
            Wire(connection).ask("get_chain_id")
        assert wire.ask("get_chain_id")["result"]
