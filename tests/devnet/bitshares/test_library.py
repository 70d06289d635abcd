"""The public client library, unchanged, on the rehearsal node: connect, pay, read memos."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.bitshares.conftest import BOB, BTS, Bench
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import RawMemo, Server, dev_wif

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
pytest.importorskip("bitshares")

Wallet = Callable[[str], Any]


@pytest.fixture
def started() -> None:
    """The library counts expirations from its own clock."""


@pytest.fixture
def wallet(bench: Bench, server: Server, tmp_path: Path) -> Iterator[Wallet]:
    """A wallet of one account, on this node only."""
    import graphenebase.ecdsa
    from bitshares import BitShares
    from bitshares.account import Account
    from bitshares.asset import Asset
    from bitsharesbase.chains import known_chains

    if graphenebase.ecdsa.SECP256K1_MODULE == "cryptography":
        graphenebase.ecdsa.SECP256K1_MODULE = "ecdsa"
    known_chains["VALTRAC-TEST"] = {"chain_id": bench.status["chain_id"], "core_symbol": "BTS", "prefix": "BTS"}
    Account.clear_cache()
    Asset.clear_cache()
    opened, count = [], itertools.count()

    def open_(name: str) -> Any:
        keys = [dev_wif(name, "active"), dev_wif(name, "memo")]
        made = BitShares(node=[server.url], keys=keys, data_dir=str(tmp_path / f"wallet{next(count)}"), expiration=3600)
        opened.append(made)
        return made

    yield open_
    Account.clear_cache()
    Asset.clear_cache()
    del known_chains["VALTRAC-TEST"]
    for made in opened:
        made.rpc.connection.disconnect()


def memo_of(chain: Any, bench: Bench, who: str) -> str:
    from bitshares.memo import Memo

    for trx in bench.block()["transactions"]:
        for kind, operation in trx["operations"]:
            if kind == 0 and "memo" in operation:
                words: str = Memo(blockchain_instance=chain).decrypt(operation["memo"])
                return words
    raise AssertionError(f"no memo to {who}")


def test_it_pays_and_the_receiver_reads_the_memo(wallet: Wallet, bench: Bench) -> None:
    wallet("alice").transfer("bob", 7, "BTS", "tres_ñandú 🦤", account="alice")
    bench.produce()

    assert bench.holds("bob") == BOB + 7 * BTS
    assert memo_of(wallet("bob"), bench, "bob") == "tres_ñandú 🦤"


@pytest.mark.parametrize("text", ["three_months", "", "x" * 15, "x" * 200, '{"type":"stop"}', "🦤"])
def test_it_reads_what_our_people_write(wallet: Wallet, bench: Bench, text: str) -> None:
    bench.send("alice", "custodian", 25_000 * BTS, text)
    bench.produce()

    assert memo_of(wallet("custodian"), bench, "custodian") == text
    assert memo_of(wallet("alice"), bench, "alice") == text


@pytest.mark.parametrize(
    "memo",
    [
        RawMemo(b"\x01\x02"),
        RawMemo("ab" * 32),
        RawMemo(b""),
        RawMemo("text", to_key=bitshares.dev_public("bob", "memo")),
        RawMemo(b"\xff\xfe\x00", to_key=bitshares.dev_public("custodian", "memo")),
    ],
)
def test_it_cannot_read_what_is_no_memo_for_it(wallet: Wallet, bench: Bench, memo: RawMemo) -> None:
    bench.send("alice", "custodian", 5, memo)
    bench.produce()

    with pytest.raises(Exception):  # noqa: B017 - each kind of garbage raises something else
        memo_of(wallet("custodian"), bench, "custodian")


def test_it_derives_our_keys_and_ids_and_bytes(bench: Bench) -> None:
    from bitsharesbase.account import PrivateKey
    from bitsharesbase.signedtransactions import Signed_Transaction

    from valtrac.devnet.bitshares import packing

    for name, role in itertools.product(("alice", "bob", "x" * 40), ("active", "memo", "owner")):
        key = PrivateKey(dev_wif(name, role), prefix="BTS")
        assert str(key.pubkey) == bitshares.dev_public(name, role)
    trx = bench.client.build([("alice", "bob", 1 << 40, "stop"), ("alice", "custodian", 5, None)])
    theirs = Signed_Transaction(**json.loads(json.dumps(trx)))
    assert theirs.id == packing.transaction_id(packing.packed(packing.tidy(trx)))
    assert bytes(theirs).hex() == bench.client.call("get_transaction_hex", trx)


def test_it_knows_lifetime_members_balances_and_blocks(wallet: Wallet, bench: Bench) -> None:
    from bitshares.account import Account
    from bitshares.block import Block

    chain = wallet("bob")
    assert Account("custodian", blockchain_instance=chain).is_ltm
    assert not Account("bob", blockchain_instance=chain).is_ltm
    assert str(Account("bob", blockchain_instance=chain).balance("BTS")) == "50.00000 BTS"
    assert Block(2, blockchain_instance=chain)["transactions"] == []
    assert chain.info()["head_block_number"] == 3


def test_it_reads_a_history_back(wallet: Wallet, bench: Bench) -> None:
    from bitshares.account import Account

    bench.send("alice", "bob", 5)
    bench.produce()
    lines = list(Account("bob", blockchain_instance=wallet("bob")).history())

    assert [(line["block_num"], line["op"][1]["amount"]["amount"]) for line in lines] == [(4, 5)]


def test_it_takes_the_blocks_number_from_a_synchronous_transfer(wallet: Wallet, tmp_path: Path, bench: Bench) -> None:
    import threading

    chain = wallet("alice")
    chain.set_blocking(True)
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.05):
            bench.produce()

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        answer = chain.transfer("bob", 1, "BTS", "again", account="alice")
    finally:
        stop.set()
        ticker.join()

    assert bench.where(answer["id"]) == answer["block_num"]


def test_a_lost_reply_becomes_an_exception_although_it_was_paid(wallet: Wallet, bench: Bench) -> None:
    bitshares.misbehave(bench.path, lose_reply=1)
    with pytest.raises(Exception, match="already in the database"):
        wallet("alice").transfer("bob", 7, "BTS", "", account="alice")
    bench.produce()

    assert bench.holds("bob") == BOB + 7 * BTS
