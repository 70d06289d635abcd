"""Blocks: every hash, root and signature recomputed here from the JSON alone, by another library."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import ecdsa
import pytest
from Crypto.Hash import RIPEMD160, keccak

from tests.devnet.qtum.conftest import COIN, FIRST, REST, Wire, make
from valtrac.core.errors import BadInput
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Server


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    return RIPEMD160.new(hashlib.sha256(data).digest()).digest()


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0xFD else b"\xfd" + number.to_bytes(2, "little")


def back(text: str) -> bytes:
    return bytes.fromhex(text)[::-1]


def unsigned(block: dict[str, Any]) -> bytes:
    stake = back(block.get("prevoutStakeHash", "00" * 32)) + block.get("prevoutStakeVoutN", 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    return b"".join(
        [
            block["version"].to_bytes(4, "little"),
            back(block["previousblockhash"]),
            back(block["merkleroot"]),
            block["time"].to_bytes(4, "little"),
            int(block["bits"], 16).to_bytes(4, "little"),
            block["nonce"].to_bytes(4, "little"),
            back(block["hashStateRoot"]),
            back(block["hashUTXORoot"]),
            stake,
        ]
    )


def header_bytes(block: dict[str, Any]) -> bytes:
    signature = bytes.fromhex(block.get("signature", "")) + bytes.fromhex(block.get("proofOfDelegation", ""))
    return unsigned(block) + varint(len(signature)) + signature


def merkle(ids: list[bytes]) -> bytes:
    while len(ids) > 1:
        ids += ids[-1:] if len(ids) % 2 else []
        ids = [sha256d(ids[at] + ids[at + 1]) for at in range(0, len(ids), 2)]
    return ids[0]


def recovered(signature: bytes, digest: bytes) -> set[bytes]:
    """The key hashes that may have made a compact signature."""
    keys = ecdsa.VerifyingKey.from_public_key_recovery_with_digest(
        signature[1:], digest, ecdsa.SECP256k1, sigdecode=ecdsa.util.sigdecode_string
    )
    return {hash160(key.to_string("compressed")) for key in keys}


def block_at(wire: Wire, height: int) -> Any:
    return wire("getblock", wire("getblockhash", height), 3)


def satoshi(value: Decimal) -> int:
    return int(value * COIN)


def staker_of(block: dict[str, Any]) -> bytes:
    return hash160(bytes.fromhex(block["tx"][1]["vout"][1]["scriptPubKey"]["hex"][2:-2]))


def test_every_block_fits_its_header_and_its_parent(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.pay(node, "dave", {"alice": COIN, "bob": 2 * COIN})
    qtum.produce(node, 3)
    qtum.produce(node, 2, by="pool", delegate="*")
    qtum.produce(node, 1, by="pool")
    qtum.produce(node, 1, by="mined")
    above = None
    for height in range(FIRST, FIRST + 19):
        block = block_at(wire, height)
        assert sha256d(header_bytes(block)) == back(block["hash"])
        assert merkle([sha256d(bytes.fromhex(tx["hex"])) for tx in block["tx"]]) == back(block["merkleroot"])
        assert [sha256d(bytes.fromhex(tx["hex"]))[::-1].hex() for tx in block["tx"]] == [
            tx["txid"] for tx in block["tx"]
        ]
        assert wire("getblockheader", block["hash"], False) == header_bytes(block).hex()
        assert above is None or (
            above["hash"] == block["previousblockhash"] and above["nextblockhash"] == block["hash"]
        )
        assert above is None or block["time"] - above["time"] == 32
        assert (block["height"], block["nTx"]) == (height, len(block["tx"]))
        whole = (
            header_bytes(block) + varint(len(block["tx"])) + b"".join(bytes.fromhex(tx["hex"]) for tx in block["tx"])
        )
        assert wire("getblock", block["hash"], 0) == whole.hex()
        assert block["size"] == len(whole) and min(len(tx["hex"]) for tx in block["tx"]) > 2 * 65
        above = block


def test_the_bytes_of_a_header_are_the_real_ones() -> None:
    from valtrac.devnet.qtum import headers
    from valtrac.devnet.qtum.rules import NETWORKS

    root = back("ed34050eb5909ee535fcb07af292ea55f3d2f291187617b44d3282231405b96d")
    real = {"regtest": (17, 0x207FFFFF), "main": (8026361, 0x1F00FFFF), "test": (7349697, 0x1F00FFFF)}
    for name, (nonce, bits) in real.items():
        made = headers.Header(
            bytes(32), root, 1504695029, headers.STATE_ROOT, headers.UTXO_ROOT, nonce=nonce, version=1, bits=bits
        )
        assert headers.block_hash(headers.packed(made))[::-1].hex() == NETWORKS[name].genesis
        assert headers.unpacked(headers.packed(made)) == made


def test_a_staked_block_is_signed_by_whose_coin_the_coinstake_spends(wire: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="erin")
    block = wire("getblock", wire("getbestblockhash"), 3)
    (coin,) = block["tx"][1]["vin"]
    assert "proofOfDelegation" not in block and len(block["signature"]) == 130
    assert (coin["txid"], coin["vout"]) == (block["prevoutStakeHash"], block["prevoutStakeVoutN"])
    assert staker_of(block) in recovered(bytes.fromhex(block["signature"]), sha256d(unsigned(block)))


def test_a_delegated_block_bears_the_delegates_proof_and_the_stakers_signature(
    wire: Wire, node: Path, addresses: dict[str, str]
) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    block = wire("getblock", wire("getbestblockhash"), 3)
    proof, signature = (bytes.fromhex(block[name]) for name in ("proofOfDelegation", "signature"))
    won = wire("gettxout", block["prevoutStakeHash"], block["prevoutStakeVoutN"])
    assert won["scriptPubKey"]["address"] == addresses["alice"]  # it won and is not spent

    assert staker_of(block) in recovered(signature, sha256d(unsigned(block) + varint(65) + proof))
    text = staker_of(block).hex().encode()
    message = sha256d(b"\x15Qtum Signed Message:\n" + varint(len(text)) + text)
    assert bytes.fromhex(won["scriptPubKey"]["hex"][6:46]) in recovered(proof, message)


def test_the_kernel_proof_and_the_modifier_follow_from_the_chain(wire: Wire, node: Path) -> None:
    qtum.produce(node, 2, by="pool", delegate="alice")
    block = wire("getblockheader", wire("getbestblockhash"))
    above = wire("getblockheader", block["previousblockhash"])
    kernel = back(block["prevoutStakeHash"])
    from_at = wire("getblockheader", wire("getblockhash", FIRST))["time"]
    place = kernel + block["prevoutStakeVoutN"].to_bytes(4, "little")
    hashed = sha256d(
        back(above["modifier"]) + from_at.to_bytes(4, "little") + place + block["time"].to_bytes(4, "little")
    )
    assert (hashed, sha256d(kernel + back(above["modifier"]))) == (back(block["proofhash"]), back(block["modifier"]))


def test_a_pool_of_all_the_fee_pays_the_delegate_nothing(wire: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    stake = wire("getblock", wire("getbestblockhash"), 3)["tx"][1]
    assert [satoshi(out["value"]) for out in stake["vout"]] == [0, 1_000 * COIN + COIN // 2]
    assert [out["scriptPubKey"]["type"] for out in stake["vout"]] == ["nonstandard", "pubkey"]
    assert "address" not in stake["vout"][1]["scriptPubKey"]


def odd_fee(wire: Wire, addresses: dict[str, str]) -> None:
    """A transaction waits whose fee divides by nothing."""
    for rate in range(411_111, 412_000):
        raw = wire("createrawtransaction", [], [{addresses["dave"]: "1"}])
        funded = wire("fundrawtransaction", raw, {"feeRate": f"{Decimal(rate) / COIN:f}"})
        if satoshi(funded["fee"]) % 100 not in (0, 50) and satoshi(funded["fee"]) % 5:
            wire("sendrawtransaction", wire("signrawtransactionwithwallet", funded["hex"])["hex"])
            return
    raise AssertionError


def test_a_smaller_fee_leaves_the_rest_to_the_delegates_own_script(
    unlocked: Wire, node: Path, addresses: dict[str, str]
) -> None:
    wire = unlocked
    odd_fee(wire, addresses)
    qtum.produce(node, 1, by="pool", delegate="carol")
    block = wire("getblock", wire("getbestblockhash"), 3)
    reward = COIN // 2 + satoshi(block["tx"][2]["fee"])
    assert reward * 60 % 100
    staker, delegate = (satoshi(out["value"]) for out in block["tx"][1]["vout"][1:])
    assert (staker - 1_000 * COIN, delegate) == (reward * 60 // 100, reward - reward * 60 // 100)
    assert block["tx"][1]["vout"][2]["scriptPubKey"]["address"] == addresses["carol"]


def test_gas_that_was_not_used_goes_back_behind_the_reward(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.delegate(node, "dave", "pool", fee=100)
    qtum.produce(node, 1, by="pool", delegate="carol")
    block = wire("getblock", wire("getbestblockhash"), 3)
    (call,) = block["tx"][2:]
    stake = block["tx"][1]
    back_to_dave = satoshi(stake["vout"][3]["value"])
    assert stake["vout"][3]["scriptPubKey"]["address"] == addresses["dave"]
    assert back_to_dave == (2_500_000 - 138_211) * 40
    made = sum(satoshi(out["value"]) for out in stake["vout"]) - satoshi(stake["vin"][0]["prevout"]["value"])
    assert made == COIN // 2 + satoshi(call["fee"])
    assert call["vout"][0]["scriptPubKey"]["type"] == "call"
    assert call["vout"][0]["scriptPubKey"]["asm"].startswith("4 2500000 40 4c0e968c")


def test_an_own_block_combines_small_coins_and_splits_what_it_makes(
    wire: Wire, node: Path, addresses: dict[str, str]
) -> None:
    qtum.add_person(node, qtum.Person("frank", 150 * 30 * COIN, 150, stakes=True))
    qtum.produce(node, REST + 1)
    qtum.produce(node, 1, by="frank")
    stake = wire("getblock", wire("getbestblockhash"), 3)["tx"][1]
    assert len(stake["vin"]) == 1  # all small coins are of one transaction, and the kernel's own are left alone
    qtum.produce(node, 1, by="erin")
    stake = wire("getblock", wire("getbestblockhash"), 3)["tx"][1]
    first, second = stake["vout"][1:]
    assert first["scriptPubKey"] == second["scriptPubKey"]
    assert (first["value"], second["value"]) == (Decimal("500.25"), Decimal("500.25"))


def test_the_first_half_is_rounded_to_a_hundredth(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    odd_fee(unlocked, addresses)
    qtum.produce(node, 1, by="erin")
    block = unlocked("getblock", unlocked("getbestblockhash"), 3)
    first, second = (out["value"] for out in block["tx"][1]["vout"][1:])
    assert first == Decimal("500.25") and first + second == Decimal("1000.5") + block["tx"][2]["fee"]


def test_at_most_a_hundred_small_coins_are_combined(wire: Wire, node: Path) -> None:
    qtum.add_person(node, qtum.Person("frank", stakes=True))
    for _ in range(3):
        qtum.fund(node, "frank", 30 * COIN, coins=60)
        qtum.produce(node, 1)
    qtum.produce(node, REST)
    qtum.produce(node, 1, by="frank")
    stake = wire("getblock", wire("getbestblockhash"), 3)["tx"][1]
    assert len(stake["vin"]) == 100
    assert len({coin["prevout"]["scriptPubKey"]["hex"] for coin in stake["vin"]}) == 1


def test_a_coin_that_won_rests_before_it_wins_again(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    def weight() -> int:
        listed = wire("getdelegationsforstaker", addresses["pool"])
        weights: dict[str, int] = {one["delegate"]: one["weight"] for one in listed}
        return weights[addresses["bob"]]

    assert weight() == 300 * COIN
    qtum.produce(node, 1, by="pool", delegate="bob")
    assert weight() == 0
    with pytest.raises(BadInput):
        qtum.produce(node, 1, by="pool", delegate="bob")
    qtum.produce(node, REST - 2, by="network")
    assert weight() < 5 * COIN  # what the call of the seed gave back has rested by now
    qtum.produce(node, 1, by="network")
    assert 300 * COIN <= weight() < 305 * COIN
    qtum.produce(node, 1, by="pool", delegate="bob")


def test_a_super_staker_needs_a_rested_coin_of_a_hundred(tmp_path: Path) -> None:
    people = (qtum.Person("pool", 300 * COIN, 2, wallet=""), qtum.Person("alice", 900 * COIN, 30, to="pool"))
    node = make(tmp_path / "n", people=people)
    qtum.produce(node, 2, by="pool", delegate="alice")
    with pytest.raises(BadInput, match="nobody"):
        qtum.produce(node, 1, by="pool", delegate="alice")
    qtum.produce(node, REST - 2, by="network")
    qtum.produce(node, 1, by="pool", delegate="alice")


def test_another_super_staker_wins_for_its_own_delegates(tmp_path: Path) -> None:
    people = (
        qtum.Person("pool", 1_000 * COIN, 5, wallet=""),
        qtum.Person("other", 1_000 * COIN, 5, stakes=True),
        qtum.Person("alice", 300 * COIN, 1, to="other", fee=20),
        qtum.Person("bob", 300 * COIN, 1, to="pool"),
    )
    node = make(tmp_path / "n", people=people)
    qtum.produce(node, 1, by="other", delegate="alice")
    for by, delegate in (("pool", "alice"), ("other", "bob"), ("alice", None), ("nobody", None)):
        with pytest.raises(BadInput):
            qtum.produce(node, 1, by=by, delegate=delegate)
    with Server(node) as server:
        wire = Wire(node, server.port)
        block = wire("getblock", wire("getbestblockhash"), 3)
        assert staker_of(block).hex() == wire("gethexaddress", qtum.dev_address("other"))
        assert block["tx"][1]["vout"][2]["value"] == Decimal("0.4")


def test_who_delegates_does_not_stake_itself(tmp_path: Path) -> None:
    people = (
        qtum.Person("pool", 1_000 * COIN, 5, wallet=""),
        qtum.Person("alice", 300 * COIN, 3, to="pool", stakes=True),
    )
    node = make(tmp_path / "n", people=people)
    with pytest.raises(BadInput):
        qtum.produce(node, 1, by="alice")
    qtum.undelegate(node, "alice")
    qtum.produce(node, 1, by="network")
    qtum.produce(node, 1, by="alice")


def test_who_wins_is_drawn_by_weight(tmp_path: Path) -> None:
    people = (
        qtum.Person("pool", 12_000 * COIN, 60, wallet=""),
        qtum.Person("large", 90_000 * COIN, 90, to="pool"),
        qtum.Person("small", 30_000 * COIN, 30, to="pool"),
    )
    node = make(tmp_path / "n", people=people)
    qtum.produce(node, 400, by="pool", delegate="*")
    from valtrac.devnet.qtum import state

    won = dict(
        state.connect(node)
        .execute("SELECT k.name, COUNT(*) FROM blocks b JOIN keys k ON k.hash = b.delegate GROUP BY 1")
        .fetchall()
    )
    assert 250 < won["large"] < 350 and won["large"] + won["small"] == 400


def test_the_subsidy_and_the_rest_are_the_networks(tmp_path: Path) -> None:
    from valtrac.devnet.qtum.rules import NETWORKS, subsidy

    steps = [(5000, 20_000 * COIN), (5001, 4 * COIN), (845_000, COIN), (1_427_003, COIN), (1_427_004, COIN // 2)]
    steps += [(5_369_003, COIN // 2), (5_369_004, COIN // 4), (9_311_003, COIN // 4), (9_311_004, COIN // 8)]
    assert [subsidy("main", height) for height, _ in steps] == [made for _, made in steps]
    steps = [(806_600, COIN), (1_542_203, COIN), (1_542_204, COIN // 2), (5_484_204, COIN // 4)]
    assert [subsidy("test", height) for height, _ in steps] == [made for _, made in steps]
    assert [NETWORKS["main"].maturity(height) for height in (844_999, 845_000)] == [500, 2000]
    assert qtum.dev_address("x", "main")[0] == "Q" and qtum.dev_address("x")[0] == "q"


def test_the_topics_are_the_hashes_of_the_events() -> None:
    from valtrac.devnet.qtum import contract

    for text, topic in (
        (b"AddDelegation(address,address,uint8,uint256,bytes)", contract.ADD_TOPIC),
        (b"RemoveDelegation(address,address)", contract.REMOVE_TOPIC),
    ):
        assert keccak.new(data=text, digest_bits=256).hexdigest() == topic


def test_the_time_between_blocks_can_be_long(wire: Wire, node: Path) -> None:
    before = wire("getblockchaininfo")["time"]
    qtum.produce(node, 2, gap_s=3600)
    assert wire("getblockchaininfo")["time"] == before + 3600 + 64
