"""The rehearsal as one thing, and the parts that start it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.tbtc.conftest import NO_ANVIL
from tests.devnet.tbtc.redeemer import TBTC, Redeemer
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet.tbtc import anvil, contracts, deposits, market, world
from valtrac.devnet.tbtc.anvil import Anvil, Options
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import (
    AWAITING_FUNDING_PROOF,
    AWAITING_SIGNER_SETUP,
    AWAITING_WITHDRAWAL_PROOF,
    FAILED_SETUP,
    Chains,
)
from valtrac.devnet.tbtc.evm import Tx, send, send_all
from valtrac.devnet.tbtc.node import Node
from valtrac.devnet.tbtc.signers import signature
from valtrac.devnet.tbtc.system import System
from valtrac.devnet.tbtc.world import World

BTC = 10**8
needs_anvil = pytest.mark.skipif(anvil.found() is None, reason=NO_ANVIL)


def test_the_contracts_are_those_that_were_measured() -> None:
    assert len(contracts.names()) == 33
    assert contracts.version() == "03a7e92bb73d7cf8609c4ecf1b9fccd87a893eb80ece61bd1af3512f12bb2b3e"
    needed = contracts.libraries_of("DepositUtils")
    assert needed == {"TBTCConstants"}
    with pytest.raises(KeyError):
        contracts.bytecode("DepositUtils")
    linked = contracts.bytecode("DepositUtils", dict.fromkeys(needed, "0x" + "Ab" * 20))
    assert "ab" * 20 in bytes.fromhex(linked[2:]).hex()


def test_a_price_is_told_to_the_feed_as_it_was_measured_or_exactly() -> None:
    assert (market.feed(58.0), market.feed(58), market.feed(Decimal(58))) == (
        17_241_379_310_344_828,
        17_241_379_310_344_827,
        17_241_379_310_344_827,
    )
    assert market.feed(Decimal("60.00001")) == 10**23 // 6_000_001


def test_without_anvil_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert anvil.found(tmp_path) is None
    monkeypatch.setattr(anvil, "found", lambda: None)
    with pytest.raises(BadInput) as said:
        Anvil()
    assert said.value.fix == "make tools"


@needs_anvil
def test_an_anvil_that_cannot_start_says_why(tmp_path: Path) -> None:
    with Anvil() as first, pytest.raises(ChainUnreachable, match="cannot have port"):
        Anvil(Options(port=int(first.url.rpartition(":")[2])))
    (tmp_path / "state.json").write_text("no state", encoding="utf-8")
    with pytest.raises(ChainUnreachable, match="does not start"):
        Anvil(Options(load=tmp_path / "state.json"))


@needs_anvil
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_process_leaves_no_anvil_behind() -> None:
    code = (
        "import time; from valtrac.devnet.tbtc.anvil import Anvil\n"
        "made = Anvil(); print(made.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 5
    while time.monotonic() < until and _runs(child):
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@needs_anvil
def test_a_test_node_obeys_about_time_blocks_and_fees(chains: Chains) -> None:
    node = chains.ethereum
    height, now = node.height(), node.now()
    node.warp(1_000)
    assert (node.now() - now, node.height() - height) == (1_000, 1)
    node.mine(2)
    paid = send(node, Tx(chains.system.faucet, chains.system.third, value=1, gas=21_000))["transactionHash"]
    before = _hashes(node, height + 2)
    node.reorg(2)
    after = _hashes(node, height + 2)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, False]
    assert node.call("eth_getTransactionReceipt", paid) is None
    node.set_base_fee(77 * 10**9)
    node.mine()
    assert int(node.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16) == 77 * 10**9


def _hashes(node: Node, first: int) -> list[str]:
    """The hashes of the blocks from that one on."""
    numbers = range(first, node.height() + 1)
    return [node.call("eth_getBlockByNumber", hex(number), False)["hash"] for number in numbers]


class _Overtaken(Node):
    """A connection before whose first transactions somebody else's slip in, of the same sender."""

    def __init__(self, url: str, other: Tx) -> None:
        super().__init__(url)
        self.others = [other]

    def batch(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        if calls and calls[0][0] == "eth_sendTransaction" and self.others:
            self.call("eth_sendTransaction", self.others.pop().as_request())
        return super().batch(calls)


@needs_anvil
def test_who_is_overtaken_by_another_process_sends_again(chains: Chains) -> None:
    mine = [Tx(chains.system.faucet, chains.system.third, value=value, gas=21_000) for value in (1, 2, 3)]
    node = _Overtaken(chains.ethereum.url, replace(mine[0], value=10))
    before = int(node.call("eth_getBalance", chains.system.third, "latest"), 16)
    receipts = send_all(node, mine)
    assert len({one["transactionHash"] for one in receipts}) == 3
    assert int(node.call("eth_getBalance", chains.system.third, "latest"), 16) - before == 16
    node.close()


@needs_anvil
def test_fifty_deposits_take_as_many_blocks_as_one(chains: Chains) -> None:
    height = chains.ethereum.height()
    made = deposits.make(chains, [BTC] * 50)
    assert chains.ethereum.height() - height < 12
    assert {chains.state(one.deposit) for one in made} == {4}
    assert chains.tbtc(chains.system.depositor) == 50 * TBTC * 9_995 // 10_000


@needs_anvil
def test_deposits_stand_in_the_states_before(chains: Chains) -> None:
    early = deposits.make_one(chains, BTC, until="signer setup")
    unfunded = deposits.make_one(chains, BTC, until="funding")
    assert chains.state(early.deposit) == AWAITING_SIGNER_SETUP
    assert chains.state(unfunded.deposit) == AWAITING_FUNDING_PROOF
    assert chains.state(deposits.fail_setup(chains, BTC).deposit) == FAILED_SETUP
    assert chains.state(deposits.fail_setup(chains, BTC, funding=True).deposit) == FAILED_SETUP


@needs_anvil
def test_nobody_is_given_more_tbtc_than_was_minted(chains: Chains, redeemer: Redeemer) -> None:
    deposits.make_one(chains, BTC)
    with pytest.raises(Refused, match=r"has 0\.9995"):
        redeemer.filled(TBTC)
    market.give_eth(chains, redeemer.address, 5)


@needs_anvil
def test_a_stopped_world_goes_on_where_it_stood(tmp_path: Path, states: Path) -> None:
    folder = tmp_path / "world"
    with World.start(folder, states=states) as first:
        told = world.where(folder)
        assert told is not None and told["electrum_urls"]["tcp"] == first.electrum.url
        with pytest.raises(BadInput, match="runs already"):
            World.start(folder, states=states)
        deposit, _ = deposits.make(first.chains, [BTC, BTC])
        redeemer = Redeemer(first.chains, first.anvil.accounts()[13]).filled(TBTC + TBTC // 2_000)
        first.anvil.warp(86_400)
        redeemer.many_by_machine([deposit], 2 * TBTC)
        height, now = first.chains.bitcoin.height, first.anvil.now()
    assert world.where(folder) is None
    with World.start(folder) as second:
        assert second.chains.bitcoin.height == height
        assert second.tick() == 1
        for _ in range(world.QUIET_BLOCKS):
            second.tick()
        assert second.chains.bitcoin.quiet_blocks() == world.QUIET_BLOCKS  # then it rests
        assert second.anvil.now() >= now
        Redeemer(second.chains, redeemer.address).signed(deposit)
        assert second.chains.state(deposit.deposit) == AWAITING_WITHDRAWAL_PROOF


@needs_anvil
def test_in_a_process_of_its_own_members_sign_and_bitcoin_mines_until_it_is_killed(
    tmp_path: Path, states: Path
) -> None:
    states.mkdir(exist_ok=True)
    for stored in states.glob("tbtc-*"):
        shutil.copy(stored, tmp_path)
    command = [sys.executable, "-m", "valtrac.devnet.tbtc", str(tmp_path), "--interval", "0.05", "--block-time", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().startswith("Ethereum http://127.0.0.1:")
        told = world.where(tmp_path)
        assert told is not None
        outside = Node(told["ethereum_url"])
        made = System.of_json(told)
        with socket.create_connection(("127.0.0.1", int(told["electrum_urls"]["tcp"].rpartition(":")[2]))) as line:
            first = _height(line)
            until = time.monotonic() + 10
            while _height(line) < first + 3 and time.monotonic() < until:
                time.sleep(0.05)
            assert _height(line) >= first + 3
        market.set_price(Chains(outside, made, Bitcoin()), 60.0)
        blocks = outside.height()
        process.kill()
        outside.close()
    with World.start(tmp_path) as again:
        assert again.anvil.height() >= blocks
        assert again.chains.bitcoin.height >= first + 3
        assert again.chains.read("ETHBTCPriceFeedMock", "peek")[0] == market.feed(60.0)


def _height(line: socket.socket) -> int:
    line.sendall(b'{"id": 1, "method": "blockchain.headers.subscribe", "params": []}\n')
    for answer in line.makefile("rb"):
        told = json.loads(answer)
        if "result" in told:
            return int(told["result"]["height"])
    raise EOFError


@needs_anvil
def test_in_the_background_members_sign_what_is_asked(tmp_path: Path, states: Path) -> None:
    with World.start(tmp_path, states=states) as running:
        running.run_in_background(0.05)
        outside = Node(running.anvil.url)  # as another process has one: both send for the same members
        chains = Chains(outside, running.chains.system, running.chains.bitcoin)
        redeemer = Redeemer(chains, outside.accounts()[13])
        made = [deposits.make_one(chains, BTC) for _ in range(5)]
        redeemer.filled(4 * TBTC)
        for deposit in made[:3]:
            redeemer.many_by_machine([deposit], 2 * TBTC)
        until = time.monotonic() + 10
        digests = [(one, redeemer.request(one)["_digest"]) for one in made[:3]]
        while time.monotonic() < until and not all(signature(chains, one.keep, said) for one, said in digests):
            time.sleep(0.02)
        for deposit, _ in digests:
            redeemer.signed(deposit)
            assert chains.state(deposit.deposit) == AWAITING_WITHDRAWAL_PROOF
        outside.close()


def test_a_folder_whose_process_is_gone_is_free(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (tmp_path / world.NOTE).write_text(f'{{"pid": {process.pid}}}', encoding="utf-8")
    assert world.where(tmp_path) is None
