"""The node in a process of its own: found again, killed, started again, two at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devnet.qtum.conftest import COIN, FIRST, REST, Wire, make, signed
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Server


@pytest.fixture
def background(node: Path) -> Iterator[str]:
    url = qtum.start(node)
    yield url
    qtum.stop(node, hard=True)


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def test_a_node_in_the_background_is_found_by_its_directory(
    node: Path, background: str, addresses: dict[str, str]
) -> None:
    assert qtum.running(node) == background == qtum.start(node)
    wire = Wire(node, port_of(background))
    wire("walletpassphrase", qtum.PASSPHRASE, 600)
    hexed, txid = signed(wire, {addresses["alice"]: "1"})
    wire("sendrawtransaction", hexed)
    coin = wire("listunspent")[0]
    wire("lockunspent", False, [{"txid": coin["txid"], "vout": coin["vout"]}], True)
    qtum.misbehave(node, lose_reply={"devnet_produce": 1})
    assert qtum.produce(node, 1) == FIRST + REST + 2  # from this process, while that one serves
    assert wire("gettransaction", txid)["confirmations"] == 1

    qtum.stop(node, hard=True)  # SIGKILL
    assert qtum.running(node) is None and (node / ".cookie").exists()
    cookie = (node / ".cookie").read_text()

    wire = Wire(node, port_of(qtum.start(node)))
    assert (node / ".cookie").read_text() != cookie
    assert wire("gettransaction", txid)["confirmations"] == 1
    assert wire("listlockunspent") == [{"txid": coin["txid"], "vout": coin["vout"]}]
    assert wire("getwalletinfo")["unlocked_until"] == 0
    assert qtum.stop(node) and not (node / ".cookie").exists() and not qtum.stop(node)


def test_after_a_kill_only_the_wallets_own_wait_again(node: Path, background: str, addresses: dict[str, str]) -> None:
    wire = Wire(node, port_of(background))
    other = qtum.pay(node, "erin", {"dave": COIN})
    wire("walletpassphrase", qtum.PASSPHRASE, 600)
    hexed, own = signed(wire, {addresses["alice"]: "1"})
    wire("sendrawtransaction", hexed)
    qtum.stop(node)
    wire = Wire(node, port_of(qtum.start(node)))
    assert wire("getrawmempool") == [other, own]
    qtum.stop(node, hard=True)
    wire = Wire(node, port_of(qtum.start(node)))
    assert wire("getrawmempool") == [own]


def test_stakes_made_by_another_process_are_followed(node: Path, background: str) -> None:
    wire = Wire(node, port_of(background))
    wire("walletpassphrase", qtum.PASSPHRASE, 600)
    for _ in range(4):
        qtum.produce(node, 5, by="pool", delegate="*")
        told = wire("getstakinginfo")
        from valtrac.devnet.qtum import blocks, stakes, state

        fresh = stakes.Stakes(state.connect(node))
        own = {name: urn.total for name, urn in fresh.urns.items()}
        kept = {name: urn.total for name, urn in blocks.stakes_of(state.connect(node)).urns.items()}
        assert own == kept and told["weight"] in own.values()
        qtum.produce(node, 5, by="network")


def test_killed_at_any_moment_it_goes_on_from_what_was_whole(node: Path) -> None:
    for turn in range(3):
        wire = Wire(node, port_of(qtum.start(node)))
        before = qtum.status(node)["height"]
        worker = threading.Thread(target=_grow, args=(wire,), daemon=True)
        worker.start()
        until = time.monotonic() + 10
        while qtum.status(node)["height"] <= before + turn and time.monotonic() < until:
            time.sleep(0.003)
        qtum.stop(node, hard=True)
        worker.join(5)
        sums = qtum.audit(node)
        assert sums["supply"] == sums["made"] and qtum.status(node)["height"] > before


def test_a_node_that_makes_blocks_by_itself(node: Path) -> None:
    with Server(node, pace_s=0.01):
        until = time.monotonic() + 10
        while qtum.status(node)["height"] < FIRST + REST + 4 and time.monotonic() < until:
            time.sleep(0.01)
    height = qtum.status(node)["height"]
    assert height >= FIRST + REST + 4
    time.sleep(0.05)
    assert qtum.status(node)["height"] == height


def _grow(wire: Wire) -> None:
    try:
        for _ in range(1000):
            wire("devnet_pay", {"sender": "treasury", "payments": {"dave": COIN}})
            wire("devnet_produce", {"n": 2})
    except OSError:
        return
    except Exception:
        return


def test_two_nodes_do_not_share_a_directory(node: Path) -> None:
    with Server(node):
        with pytest.raises(ChainUnreachable, match="lock"):
            Server(node)
        assert qtum.stop(node) is False  # this very process
    with Server(node):
        pass


def test_a_directory_without_a_node(tmp_path: Path) -> None:
    with pytest.raises(ChainUnreachable, match="no rehearsal node"):
        Server(tmp_path)
    (tmp_path / "qtum.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(ChainUnreachable, match="not a Qtum"):
        Server(tmp_path)


def test_a_seed_touches_nothing_that_is_there(node: Path) -> None:
    with pytest.raises(BadInput, match="already"):
        make(node)


def test_the_same_seed_gives_the_same_chain(tmp_path: Path) -> None:
    hashes = {qtum.status(make(tmp_path / name))["hash"] for name in ("a", "b")}
    assert len(hashes) == 1
    for name in ("a", "b"):
        qtum.produce(tmp_path / name, 50)
    assert len({qtum.status(tmp_path / name)["hash"] for name in ("a", "b")}) == 1


def test_many_clients_at_once(node: Path) -> None:
    with Server(node) as server:
        wire, seen = Wire(node, server.port), []
        workers = [threading.Thread(target=lambda: seen.append(_load(Wire(node, server.port)))) for _ in range(8)]
        for worker in workers:
            worker.start()
        qtum.produce(node, 20)
        for worker in workers:
            worker.join(10)
        assert seen == [True] * 8 and wire("getblockcount") == FIRST + REST + 21


def _load(wire: Wire) -> bool:
    for _ in range(10):
        told = wire("getaddressutxos", {"addresses": [qtum.dev_address("alice")], "chainInfo": True})
        if wire("getblockhash", told["height"]) != told["hash"]:
            return False
    return True
