"""Every fault, one by one: what the client sees, and what the node really did."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.qtum.conftest import COIN, FIRST, REST, NodeSaid, Wire, signed
from tests.devnet.qtum.test_blocks import back, header_bytes, merkle, sha256d
from valtrac.core.errors import BadInput
from valtrac.devnet import qtum
from valtrac.devnet.qtum import FAULTS, Server

GONE = (http.client.HTTPException, ConnectionError)
TOP = FIRST + REST + 1
misbehave = qtum.misbehave


def faults(node: Path) -> dict[str, Any]:
    found: dict[str, Any] = qtum.status(node)["faults"]
    return found


@pytest.fixture
def hexed(unlocked: Wire, addresses: dict[str, str]) -> tuple[str, str]:
    return signed(unlocked, {addresses["alice"]: "1"})


def test_a_lost_request_did_nothing(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, lose_request=1)
    assert wire("getblockcount") == TOP  # it strikes what acts
    with pytest.raises(GONE):
        wire("sendrawtransaction", hexed[0])
    assert wire("getrawmempool") == [] and faults(node) == {}


def test_a_lost_reply_hides_what_was_done(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, lose_reply=1)
    with pytest.raises(GONE):
        wire("sendrawtransaction", hexed[0])
    assert wire("getrawmempool") == [hexed[1]] and faults(node) == {}


def test_a_lost_reply_of_one_method(wire: Wire, node: Path) -> None:
    misbehave(node, lose_reply={"walletpassphrase": 1})
    with pytest.raises(GONE):
        wire("walletpassphrase", qtum.PASSPHRASE, 60)
    assert wire("getwalletinfo")["unlocked_until"] > 0 and faults(node) == {}


def test_a_hanging_node_acts_and_never_answers(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, hang={"sendrawtransaction": 1})
    wire.timeout = 0.3
    with pytest.raises(TimeoutError):
        wire("sendrawtransaction", hexed[0])
    wire.timeout = 5
    assert wire("getrawmempool") == [hexed[1]]


def test_a_slow_node_takes_its_time(wire: Wire, node: Path) -> None:
    misbehave(node, slow=0.2)
    start = time.monotonic()
    wire("getblockcount")
    assert time.monotonic() - start >= 0.2


def test_a_busy_node_answers_503_in_plain_text(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, busy=1)
    with pytest.raises(NodeSaid) as told:
        wire("sendrawtransaction", hexed[0])
    assert (told.value.status, told.value.body) == (503, b"Work queue depth exceeded")
    assert wire.headers["Content-Type"] == "text/plain" and wire("getrawmempool") == []


def test_a_node_that_is_down_until_told_otherwise(wire: Wire, node: Path) -> None:
    misbehave(node, down=True)
    for _ in range(3):
        with pytest.raises(GONE):
            wire("getblockcount")
    assert wire("devnet_clear") is None  # the controls go through
    assert wire("getblockcount") == TOP


def test_warming_up(wire: Wire, node: Path) -> None:
    misbehave(node, warming_up=2)
    for _ in range(2):
        assert wire.refused("getblockcount") == (500, -28, "Loading block index…")
    assert wire("getblockcount") == TOP


def test_a_refused_login(wire: Wire, node: Path) -> None:
    misbehave(node, refuse_login=1)
    with pytest.raises(NodeSaid) as told:
        wire("getblockcount")
    assert (told.value.status, told.value.body) == (401, b"")


def test_garbage_of_two_kinds(wire: Wire, node: Path) -> None:
    misbehave(node, garbage=2)
    seen = [wire.post(json.dumps(wire.frame("getblockcount")).encode()) for _ in range(2)]
    assert [json.loads(seen[0][1]), seen[1][1][:6]] == [{"unexpected": [1, None, "shape"]}, b"<html>"]


def test_the_id_of_another(wire: Wire, node: Path) -> None:
    misbehave(node, wrong_id=1)
    frame = wire.frame("getblockcount")
    assert json.loads(wire.post(json.dumps(frame).encode())[1])["id"] == frame["id"] + 1000


def test_an_error_for_one_method(wire: Wire, node: Path) -> None:
    misbehave(node, error={"getblockhash": 1})
    assert wire("getblockcount") == TOP
    assert wire.refused("getblockhash", TOP)[:2] == (500, -1)
    assert wire("getblockhash", TOP)


def test_a_held_pool_keeps_everything_waiting(wire: Wire, node: Path) -> None:
    misbehave(node, hold_pool=True)
    qtum.pay(node, "erin", {"dave": COIN})
    qtum.produce(node, 3)
    assert len(wire("getrawmempool")) == 1
    misbehave(node, hold_pool=False)
    qtum.produce(node)
    assert wire("getrawmempool") == []


def test_not_staking(unlocked: Wire, node: Path) -> None:
    misbehave(node, no_staking=True)
    assert unlocked("getstakinginfo")["staking"] is False
    qtum.produce(node, 30)
    from valtrac.devnet.qtum import keys, state

    asked = "SELECT COUNT(*) FROM blocks WHERE staker = ?"
    assert state.connect(node).execute(asked, (keys.dev_key("pool").hash,)).fetchone() == (0,)
    qtum.clear(node)
    qtum.produce(node, 60)
    assert state.connect(node).execute(asked, (keys.dev_key("pool").hash,)).fetchone()[0] > 3


@pytest.fixture
def best(wire: Wire, node: Path) -> str:
    qtum.pay(node, "erin", {"dave": COIN})
    qtum.produce(node, 1, by="pool", delegate="carol")
    best: str = wire("getbestblockhash")
    return best


@pytest.mark.parametrize("fault", ["hide_transaction", "invent_transaction"])
@pytest.mark.parametrize("verbosity", [1, 2, 3])
def test_a_body_that_does_not_fit_its_root(wire: Wire, node: Path, best: str, fault: str, verbosity: int) -> None:
    def ids(block: dict[str, Any]) -> list[bytes]:
        return [back(tx if isinstance(tx, str) else tx["txid"]) for tx in block["tx"]]

    assert merkle(ids(wire("getblock", best, verbosity))) == back(wire("getblock", best)["merkleroot"])
    misbehave(node, **{fault: 1})
    block = wire("getblock", best, verbosity)
    assert merkle(ids(block)) != back(block["merkleroot"])
    assert sha256d(header_bytes(block)) == back(best) and faults(node) == {}


def test_a_coinstake_that_pays_more_than_was_hashed(wire: Wire, node: Path, best: str) -> None:
    true = wire("getblock", best, 3)
    misbehave(node, other_body=1)
    lie = wire("getblock", best, 3)
    assert lie["tx"][1]["vout"][1]["value"] == true["tx"][1]["vout"][1]["value"] + 1
    assert lie["tx"][1]["txid"] == true["tx"][1]["txid"] and lie["tx"][1]["hex"] == true["tx"][1]["hex"]


def test_a_header_that_does_not_hash(wire: Wire, node: Path, best: str) -> None:
    misbehave(node, other_header=3)
    assert sha256d(header_bytes(wire("getblockheader", best))) != back(best)
    assert sha256d(header_bytes(wire("getblock", best))) != back(best)
    assert sha256d(bytes.fromhex(wire("getblockheader", best, False))) != back(best)
    misbehave(node, unsigned_header=1)
    assert sha256d(header_bytes(wire("getblockheader", best))) != back(best)
    assert sha256d(header_bytes(wire("getblockheader", best))) == back(best)


def test_a_coin_hidden_and_a_coin_invented(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    asked = {"addresses": [addresses["alice"]], "chainInfo": True}
    true = wire("getaddressutxos", asked)["utxos"]
    misbehave(node, hide_coin=1)
    fewer = wire("getaddressutxos", asked)["utxos"]
    assert len(fewer) == len(true) - 1 and all(coin in true for coin in fewer)
    misbehave(node, invent_coin=1)
    more = wire("getaddressutxos", asked)["utxos"]
    (extra,) = [coin for coin in more if coin not in true]
    assert wire("gettxout", extra["txid"], extra["outputIndex"]) is None
    assert wire("getaddressutxos", asked)["utxos"] == true
    deltas = wire("getaddressdeltas", asked)
    misbehave(node, hide_delta=1)
    assert wire("getaddressdeltas", asked) == deltas[:-1]


def test_delegations_hidden_and_invented(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    pool = addresses["pool"]
    true, logs = wire("getdelegationsforstaker", pool), wire("searchlogs", 0, -1)
    misbehave(node, hide_delegation=2)
    assert wire("getdelegationsforstaker", pool) == true[:-1] and wire("searchlogs", 0, -1) == logs[:-1]
    misbehave(node, invent_delegation=2)
    (extra,) = [one for one in wire("getdelegationsforstaker", pool) if one not in true]
    assert wire("getdelegationinfoforaddress", extra["delegate"])["staker"] == ""
    assert len(wire("searchlogs", 0, -1)) == len(logs) + 1


def test_confirmations_that_are_not_there(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    wire("sendrawtransaction", hexed[0])
    misbehave(node, claim_confirmed=1)
    lie = wire("gettransaction", hexed[1])
    assert lie["confirmations"] == 2001 and hexed[1] not in wire("getblock", lie["blockhash"])["tx"]
    misbehave(node, claim_unknown=2)
    assert wire.refused("gettransaction", hexed[1])[1] == -5 == wire.refused("getrawtransaction", hexed[1])[1]
    misbehave(node, claim_conflicted=1)
    lie = wire("gettransaction", hexed[1])
    assert lie["confirmations"] == -5 and len(lie["walletconflicts"]) == 1
    assert wire("gettransaction", hexed[1])["confirmations"] == 0


def test_sent_in_words_only(wire: Wire, node: Path, hexed: tuple[str, str], addresses: dict[str, str]) -> None:
    misbehave(node, claim_sent=1)
    assert wire("sendrawtransaction", hexed[0]) == hexed[1]
    assert wire("getrawmempool") == [] and wire.refused("gettransaction", hexed[1])[1] == -5
    misbehave(node, claim_sent={"sendmany": 1})
    txid = wire("sendmany", "", {addresses["bob"]: "1"})
    assert wire("getrawmempool") == [] and wire("gettransaction", txid)["confirmations"] == 0


def test_another_id_for_what_was_sent(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, wrong_txid=1)
    assert wire("sendrawtransaction", hexed[0]) != hexed[1]
    assert wire("getrawmempool") == [hexed[1]]


def test_a_node_that_pays_somebody_else(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "5"}])
    misbehave(node, swap_payee={"fundrawtransaction": 1})
    lie = unlocked("decoderawtransaction", unlocked("fundrawtransaction", raw, {"changePosition": 1})["hex"])
    assert lie["vout"][0]["value"] == 5 and lie["vout"][0]["scriptPubKey"]["address"] not in addresses.values()
    true = unlocked("fundrawtransaction", raw, {"changePosition": 1})["hex"]
    misbehave(node, swap_payee={"signrawtransactionwithwallet": 1})
    made = unlocked("signrawtransactionwithwallet", true)
    assert made["complete"] and made["hex"] != unlocked("signrawtransactionwithwallet", true)["hex"]
    assert unlocked("testmempoolaccept", [made["hex"]])[0]["allowed"]  # well signed, and to the wrong one


def test_a_node_that_burns_change_in_fees(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "5"}])
    misbehave(node, high_fee=1)
    lie, true = (unlocked("fundrawtransaction", raw, {"changePosition": 1}) for _ in range(2))
    paid = [sum(out["value"] for out in unlocked("decoderawtransaction", one["hex"])["vout"]) for one in (true, lie)]
    assert lie["fee"] == true["fee"] and float(paid[0] - paid[1]) == 0.9


def test_a_node_that_reads_wrongly(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, false_decode=1)
    lie, true = wire("decoderawtransaction", hexed[0]), wire("decoderawtransaction", hexed[0])
    assert lie["txid"] != true["txid"] == hexed[1] and lie["vout"][0]["value"] * 2 == true["vout"][0]["value"]


def test_a_node_that_is_still_catching_up(wire: Wire, node: Path) -> None:
    misbehave(node, syncing=1)
    told = wire("getblockchaininfo")
    assert told["initialblockdownload"] is True and told["headers"] > told["blocks"]


def test_a_stale_tip_and_one_ahead(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    wire("sendrawtransaction", hexed[0])
    qtum.produce(node, 5)
    misbehave(node, stale_tip=5)
    assert wire("getblockcount") == wire("getblockchaininfo")["blocks"] == TOP
    assert wire.refused("getblockhash", TOP + 1)[1] == -8
    assert wire("gettransaction", hexed[1])["confirmations"] == 0
    misbehave(node, stale_tip=0)
    assert wire("getblockcount") == TOP + 5 and wire("gettransaction", hexed[1])["confirmations"] == 5
    misbehave(node, ahead_tip=9)
    assert wire("getblockcount") == wire("getblockchaininfo")["headers"] == TOP + 14
    assert wire.refused("getblockhash", TOP + 6)[1] == -8


def test_another_chain(wire: Wire, node: Path) -> None:
    true = [wire("getblockhash", height) for height in (0, FIRST, FIRST + 1)]
    misbehave(node, wrong_chain=True)
    lie = [wire("getblockhash", height) for height in (0, FIRST, FIRST + 1)]
    assert [one == other for one, other in zip(true, lie, strict=True)] == [False, False, True]
    assert wire("getblockchaininfo")["chain"] == "main"


def test_indexes_forgotten(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    alice, block = {"addresses": [addresses["alice"]]}, wire("getblock", wire("getbestblockhash"))
    misbehave(node, no_addrindex=1, no_txindex=1, no_logevents=2)
    assert wire.refused("getaddressutxos", alice)[1:] == (-5, "No information available for address")
    assert "Use -txindex" in wire.refused("getrawtransaction", block["tx"][1])[2]
    for asked in (("searchlogs", 0, -1), ("getdelegationsforstaker", addresses["pool"])):
        assert wire.refused(*asked)[1:] == (-32603, "Events indexing disabled")
    assert wire("getaddressutxos", alice) and wire("searchlogs", 0, -1) and faults(node) == {}
    misbehave(node, no_addrindex=1)
    assert "weight" not in wire("getdelegationsforstaker", addresses["pool"])[0]


def test_a_full_pool(wire: Wire, node: Path, hexed: tuple[str, str]) -> None:
    misbehave(node, full_pool=True)
    assert wire.refused("sendrawtransaction", hexed[0]) == (500, -26, "mempool full")


def test_a_start_that_forgets_what_waited(node: Path, addresses: dict[str, str]) -> None:
    with Server(node) as server:
        wire = Wire(node, server.port)
        wire("walletpassphrase", qtum.PASSPHRASE, 60)
        hexed, txid = signed(wire, {addresses["alice"]: "1"})
        wire("sendrawtransaction", hexed)
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("getrawmempool") == [txid] and wire("getwalletinfo")["unlocked_until"] == 0
    misbehave(node, forget_pool=True)
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("getrawmempool") == [] and wire("gettransaction", txid)["confirmations"] == 0
        assert wire("sendrawtransaction", hexed) == txid


def test_a_fault_strikes_one_call_of_a_batch_and_the_whole_of_its_answer(wire: Wire, node: Path) -> None:
    misbehave(node, error={"getblockhash": 1}, lose_reply={"getbestblockhash": 1})
    frames = [wire.frame("getblockhash", TOP), wire.frame("getblockcount")]
    told = json.loads(wire.post(json.dumps(frames).encode())[1])
    assert told[0]["error"]["code"] == -1 and told[1]["result"] == TOP
    with pytest.raises(GONE):
        wire.post(json.dumps([wire.frame("getbestblockhash"), wire.frame("getblockcount")]).encode())


def test_what_is_no_fault_changes_nothing(node: Path) -> None:
    for wrong in ({"nosuch": 1}, {"lose_reply": -1}, {"slow": True}, {"stale_tip": "x"}, {"hold_pool": 3}):
        with pytest.raises(BadInput):
            qtum.misbehave(node, down=True, **wrong)
    assert faults(node) == {}


def test_every_fault_is_tried_here(wire: Wire) -> None:
    text = Path(__file__).read_text()
    assert [name for name in FAULTS if f"{name}=" not in text and f'"{name}"' not in text] == []
    assert wire("devnet_faults") == FAULTS
    assert all((said and said[0].islower()) or said.startswith("HTTP") for said in FAULTS.values())
