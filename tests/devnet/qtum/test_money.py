"""Money: signatures that are really checked, coins that are neither lost nor made, branches that are taken back."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.devnet.qtum.conftest import COIN, REST, Wire, make, signed
from valtrac.core.errors import BadInput
from valtrac.devnet import qtum
from valtrac.devnet.qtum import state, transactions


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def coins(node: Path) -> set[tuple[Any, ...]]:
    return set(state.connect(node).execute("SELECT * FROM coins").fetchall())


def replayed(node: Path) -> set[tuple[Any, ...]]:
    """The coins that follow from the bytes of the branch's blocks, made anew from the first one."""
    db, found = state.connect(node), dict[tuple[bytes, int], tuple[Any, ...]]()
    for number, height in db.execute("SELECT id, height FROM blocks WHERE active ORDER BY height").fetchall():
        for position, raw in enumerate(state.bodies(db, number)):
            tx, txid = transactions.unpacked(raw), sha256d(raw)
            for one in () if tx.is_coinbase else tx.ins:
                del found[one.place]
            kind = 2 if tx.is_coinbase else 1 if tx.is_coinstake else 0
            for n, out in enumerate(tx.outs):
                if out.script and out.script[0] != 0x6A and out.script[-1] != 0xC2:
                    found[txid, n] = (out.value, out.script, height, position, kind)
    return {(*place, *rest) for place, rest in found.items()}


def same(node: Path) -> bool:
    return {row[:4] + row[5:] for row in coins(node)} == replayed(node)


@pytest.fixture
def hexed(unlocked: Wire, addresses: dict[str, str]) -> str:
    return signed(unlocked, {addresses["alice"]: "1.5", addresses["dave"]: "2"})[0]


def test_no_byte_of_a_signed_transaction_can_be_another(unlocked: Wire, hexed: str) -> None:
    raw = bytes.fromhex(hexed)
    for at in random.Random(1).sample(range(len(raw)), 60):
        changed = raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]
        assert unlocked.refused("sendrawtransaction", changed.hex(), "9")[1] in (-22, -25, -26), at
    assert unlocked("getrawmempool") == []
    assert unlocked("sendrawtransaction", hexed)


def test_a_signature_of_another_key_opens_nothing(unlocked: Wire, addresses: dict[str, str], node: Path) -> None:
    coin = unlocked("listunspent")[0]
    raw = unlocked("createrawtransaction", [{"txid": coin["txid"], "vout": coin["vout"]}], {addresses["dave"]: "999"})
    from valtrac.devnet.qtum import keys

    tx = transactions.unpacked(bytes.fromhex(raw))
    script = bytes.fromhex(coin["scriptPubKey"])
    forged = transactions.packed(transactions.signed(tx, [(script, keys.dev_key("dave"))])).hex()
    assert "mandatory-script-verify-flag-failed" in unlocked.refused("sendrawtransaction", forged, "9")[2]


def test_a_signature_with_a_high_s_is_not_relayed(unlocked: Wire, addresses: dict[str, str]) -> None:
    coin = unlocked("listunspent")[0]
    outs = {addresses["dave"]: "999.999"}
    raw = unlocked("createrawtransaction", [{"txid": coin["txid"], "vout": coin["vout"]}], outs)
    hexed = unlocked("signrawtransactionwithwallet", raw)["hex"]
    tx = transactions.unpacked(bytes.fromhex(hexed))
    from dataclasses import replace

    import ecdsa

    from valtrac.devnet.qtum import codec

    made, public = (data for _, data in codec.steps(tx.ins[0].script))
    assert made is not None
    assert public is not None
    order = ecdsa.SECP256k1.order
    r, s = ecdsa.util.sigdecode_der(made[:-1], order)
    other = ecdsa.util.sigencode_der(r, order - s, order) + b"\x01"
    changed = replace(tx, ins=(replace(tx.ins[0], script=codec.push(other) + codec.push(public)),))
    assert unlocked.refused("sendrawtransaction", transactions.packed(changed).hex())[1] == -26
    assert unlocked("sendrawtransaction", hexed)


@pytest.mark.parametrize(
    ("outs", "reason"),
    [
        ([("dave", "1000.00000001")], "bad-txns-in-belowout, value in (1000.00) < value out (1000.00000001)"),
        ([("dave", "999.99999")], "min relay fee not met, 1000 < "),
        ([("dave", "999.99"), ("erin", "0.00072799")], "dust"),
    ],
)
def test_rules_of_the_pool(unlocked: Wire, addresses: dict[str, str], outs: list[tuple[str, str]], reason: str) -> None:
    coin = unlocked("listunspent")[0]
    pays = [{addresses[name]: amount} for name, amount in outs]
    raw = unlocked("createrawtransaction", [{"txid": coin["txid"], "vout": coin["vout"]}], pays)
    made = unlocked("signrawtransactionwithwallet", raw)["hex"]
    status, code, said = unlocked.refused("sendrawtransaction", made)
    assert (status, code) == (500, -26) and said.startswith(reason)
    assert unlocked("testmempoolaccept", [made])[0]["reject-reason"] == reason.split(", ")[0]


def test_rewards_are_not_spent_before_their_time(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    stake = unlocked("getblock", unlocked("getbestblockhash"), 2)["tx"][1]
    raw = unlocked("createrawtransaction", [{"txid": stake["txid"], "vout": 1}], {addresses["dave"]: "1000"})
    made = unlocked("signrawtransactionwithwallet", raw)["hex"]
    said = "bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 1"
    assert unlocked.refused("sendrawtransaction", made)[2] == said
    qtum.produce(node, REST - 1, by="network")
    assert unlocked("sendrawtransaction", made, "9")


def test_an_input_that_nobody_made(unlocked: Wire, addresses: dict[str, str]) -> None:
    raw = unlocked("createrawtransaction", [{"txid": "ab" * 32, "vout": 1}], {addresses["dave"]: "1"})
    made = unlocked("signrawtransactionwithwallet", raw)
    assert made["complete"] is False and made["errors"][0]["error"] == "Input not found or already spent"
    assert unlocked.refused("sendrawtransaction", made["hex"]) == (500, -25, "bad-txns-inputs-missingorspent")
    assert unlocked("testmempoolaccept", [made["hex"]])[0]["reject-reason"] == "missing-inputs"


def test_a_reorganisation_puts_everything_back(wire: Wire, node: Path) -> None:
    qtum.produce(node, 3)
    before, best = coins(node), wire("getbestblockhash")
    tx = qtum.pay(node, "erin", {"dave": 7 * COIN})
    qtum.delegate(node, "dave", "pool")
    height = qtum.produce(node, 4)
    assert wire("getrawtransaction", tx, True)["confirmations"] == 4
    stale = wire("getblockhash", height - 1)

    qtum.reorganise(node, 4)

    assert wire("getblockcount") == height + 1 and same(node)
    assert wire("getblockhash", height - 4) == best
    assert sorted(wire("getrawmempool")) and tx in wire("getrawmempool")  # it waits again
    assert "blockhash" not in wire("getrawtransaction", tx, True)
    assert wire("getblockheader", stale)["confirmations"] == -1
    assert wire("getblock", stale, 3)["tx"][1]["vin"][0]["prevout"]  # who asks for it still gets it
    assert wire("getdelegationinfoforaddress", qtum.addresses(node)["dave"])["staker"] == ""
    with state.writing(state.connect(node)):
        from valtrac.devnet.qtum import blocks

        blocks.take_back(state.connect(node), 5)
    assert coins(node) == before


def test_a_chain_within_one_block_is_taken_back_whole(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    before = coins(node)
    sent = [unlocked("sendmany", "", {addresses["dave"]: "1"}) for _ in range(2)]
    for coin in unlocked("listunspent"):
        unlocked("lockunspent", False, [{"txid": coin["txid"], "vout": coin["vout"]}])
    unlocked("lockunspent", True)
    (waiting,) = [coin for coin in unlocked("listunspent", 0, 0) if coin["txid"] == sent[1]]
    ins = [{"txid": waiting["txid"], "vout": waiting["vout"]}]
    raw = unlocked("createrawtransaction", ins, {addresses["dave"]: str(waiting["amount"] - 1)})
    unlocked("sendrawtransaction", unlocked("signrawtransactionwithwallet", raw)["hex"], 0)
    qtum.produce(node, 1, by="network")
    assert unlocked("getrawmempool") == [] and same(node)
    with state.writing(state.connect(node)):
        from valtrac.devnet.qtum import blocks

        blocks.take_back(state.connect(node), 1)
    assert coins(node) == before


def test_what_makes_coins_is_never_relayed(unlocked: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    block = unlocked("getblock", unlocked("getbestblockhash"), 2)
    qtum.reorganise(node, 1, by="mined")
    for tx, reason in zip(block["tx"], ("coinbase", "coinstake"), strict=True):
        assert unlocked.refused("sendrawtransaction", tx["hex"]) == (500, -26, reason)


def test_the_address_index_follows_the_branch(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    for turn in range(3):
        qtum.pay(node, "erin", {"dave": (turn + 1) * COIN, "alice": COIN})
        qtum.produce(node, 1, by="pool", delegate="*")
        qtum.pay(node, "dave", {"erin": COIN})
        qtum.produce(node, 2, by="erin")
        qtum.reorganise(node, 3, keep=turn == 1)
    for address in addresses.values():
        held = wire("getaddressutxos", {"addresses": [address]})
        moved = wire("getaddressdeltas", {"addresses": [address]})
        assert sum(coin["satoshis"] for coin in held) == sum(one["satoshis"] for one in moved)


def test_a_shorter_or_equal_branch_is_another_one_too(wire: Wire, node: Path) -> None:
    height = qtum.produce(node, 5)
    hashes = {wire("getbestblockhash")}
    for length in (3, 3, 1):
        qtum.reorganise(node, 3, length=length)
        hashes.add(wire("getbestblockhash"))
    assert wire("getblockcount") == height - 2 and len(hashes) == 4
    with pytest.raises(BadInput):
        qtum.reorganise(node, 1000)


def test_a_payment_can_be_ruled_out_by_another_branch(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1"})
    unlocked("sendrawtransaction", hexed)
    qtum.produce(node, 6)
    assert unlocked("gettransaction", txid)["confirmations"] == 6
    qtum.reorganise(node, 6, rivals=[txid])
    assert unlocked("gettransaction", txid)["confirmations"] == -7
    assert unlocked.refused("sendrawtransaction", hexed)[1] == -25


def test_a_payment_can_be_forgotten_by_another_branch(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1"})
    unlocked("sendrawtransaction", hexed)
    qtum.produce(node, 2)
    qtum.reorganise(node, 2, keep=False)
    assert unlocked("getrawmempool") == [] and unlocked("gettransaction", txid)["confirmations"] == 0
    assert unlocked("sendrawtransaction", hexed) == txid


def test_a_lost_reward_is_told(unlocked: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    stake = unlocked("getblock", unlocked("getbestblockhash"))["tx"][1]
    assert unlocked("gettransaction", stake)["generated"] is True
    qtum.reorganise(node, 1)
    assert unlocked("gettransaction", stake)["confirmations"] <= 0
    assert unlocked("getbalances")["mine"]["stake"] == 0


NAMES = ("pool", "alice", "bob", "carol", "dave", "erin")
MOVES = st.one_of(
    st.tuples(st.just("produce"), st.integers(1, 4), st.sampled_from([None, "pool", "erin", "network", "mined"])),
    st.tuples(st.just("delegated"), st.sampled_from(["alice", "bob", "carol", "*"])),
    st.tuples(st.just("pay"), st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 60)),
    st.tuples(st.just("delegate"), st.sampled_from(NAMES), st.sampled_from(["pool", "erin"]), st.integers(0, 100)),
    st.tuples(st.just("undelegate"), st.sampled_from(NAMES)),
    st.tuples(st.just("reorganise"), st.integers(1, 6), st.integers(1, 7), st.booleans()),
    st.tuples(
        st.just("rival"),
    ),
)


def play(node: Path, move: tuple[Any, ...]) -> None:
    name, *args = move
    if name == "produce":
        qtum.produce(node, args[0], by=args[1])
    elif name == "delegated":
        qtum.produce(node, 1, by="pool", delegate=args[0])
    elif name == "pay":
        qtum.pay(node, args[0], {args[1]: args[2] * COIN})
    elif name == "delegate":
        qtum.delegate(node, args[0], args[1], fee=args[2])
    elif name == "undelegate":
        qtum.undelegate(node, args[0])
    elif name == "reorganise":
        qtum.reorganise(node, args[0], length=args[1], keep=args[2])
    else:
        row = state.connect(node).execute("SELECT id FROM pool ORDER BY arrival LIMIT 1").fetchone()
        qtum.double_spend(node, row[0][::-1].hex() if row else "ab" * 32)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(MOVES, min_size=5, max_size=25))
def test_no_play_loses_or_makes_a_satoshi(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[Any, ...]]
) -> None:
    node = make(tmp_path_factory.mktemp("play") / "n")
    for move in moves:
        try:
            play(node, move)
        except (BadInput, qtum.NodeError):
            continue
    sums = qtum.audit(node)
    assert sums["supply"] == sums["made"]
    assert same(node)
    from valtrac.devnet.qtum import blocks, stakes

    db = state.connect(node)
    kept, fresh = blocks.stakes_of(db), stakes.Stakes(db)
    assert {owner: dict(urn) for owner, urn in kept.urns.items()} == {
        owner: dict(urn) for owner, urn in fresh.urns.items()
    }
    assert {owner: dict(urn.small) for owner, urn in kept.urns.items()} == {
        o: dict(u.small) for o, u in fresh.urns.items()
    }
