"""The wallet: its lock, what it builds and signs, what it knows of a transaction's fate."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.devnet.qtum.conftest import COIN, REST, Wire, make, signed
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server


def test_unlocked_for_staking_only_it_signs_nothing(wire: Wire, addresses: dict[str, str]) -> None:
    raw = wire("createrawtransaction", [], [{addresses["alice"]: "1"}])
    funded = wire("fundrawtransaction", raw)  # works while locked
    assert wire.refused("signrawtransactionwithwallet", funded["hex"])[1] == -13
    wire("walletpassphrase", qtum.PASSPHRASE, 60)
    assert wire("signrawtransactionwithwallet", funded["hex"])["complete"]
    wire("walletpassphrase", qtum.PASSPHRASE, 99_999_999, True)  # takes the place of the one before
    assert (
        wire.refused("signrawtransactionwithwallet", funded["hex"])[2] == "Error: Wallet is unlocked for staking only."
    )
    assert wire.refused("sendmany", "", {addresses["alice"]: "1"})[1] == -13
    assert wire("getwalletinfo")["unlocked_until"] > 0
    wire("walletlock")
    assert wire("getwalletinfo")["unlocked_until"] == 0
    assert wire.refused("signrawtransactionwithwallet", funded["hex"])[2].startswith("Error: Please enter")


def test_the_unlocking_ends_by_the_nodes_clock(wire: Wire, node: Path) -> None:
    qtum.set_clock(node, 2_000_000_000)
    wire("walletpassphrase", qtum.PASSPHRASE, 60)
    assert wire("getwalletinfo")["unlocked_until"] == 2_000_000_060
    qtum.set_clock(node, 2_000_000_060)
    assert wire("getwalletinfo")["unlocked_until"] == 0
    wire("walletpassphrase", qtum.PASSPHRASE, 10**12)
    assert wire("getwalletinfo")["unlocked_until"] == 2_000_000_060 + 100_000_000


def test_a_wrong_passphrase_leaves_it_as_it_was(wire: Wire) -> None:
    wire("walletpassphrase", qtum.PASSPHRASE, 60)
    assert wire.refused("walletpassphrase", "wrong", 60, True)[1] == -14
    assert wire("signrawtransactionwithwallet", "0200000000" + "00" * 5)["complete"]


def test_funding_puts_the_change_where_it_is_told(unlocked: Wire, addresses: dict[str, str]) -> None:
    pays = [{addresses["alice"]: "1"}, {addresses["dave"]: "2"}]
    raw = unlocked("createrawtransaction", [], pays)
    for place in (0, 1, 2):
        made = unlocked("fundrawtransaction", raw, {"changePosition": place, "changeAddress": addresses["pool"]})
        outs = unlocked("decoderawtransaction", made["hex"])["vout"]
        assert made["changepos"] == place and outs[place]["scriptPubKey"]["address"] == addresses["pool"]
        assert sum(out["value"] for out in outs) + made["fee"] == 1000
    assert unlocked.refused("fundrawtransaction", raw, {"changePosition": 3})[1] == -8
    assert unlocked.refused("fundrawtransaction", raw, {"changeAddress": "x"})[1] == -5
    assert unlocked.refused("fundrawtransaction", raw, {"changeadress": "x"})[2] == "Unexpected key changeadress"
    high = unlocked("fundrawtransaction", raw, {"feeRate": "0.04"})["fee"]
    assert 9 < high / made["fee"] < 11
    less = unlocked("fundrawtransaction", raw, {"subtractFeeFromOutputs": [0], "changePosition": 2})
    outs = unlocked("decoderawtransaction", less["hex"])["vout"]
    assert outs[0]["value"] + less["fee"] == 1 and outs[2]["value"] == 997


def test_the_id_of_the_signed_one_is_another(unlocked: Wire, addresses: dict[str, str]) -> None:
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "1"}])
    funded = unlocked("fundrawtransaction", raw)["hex"]
    made = unlocked("signrawtransactionwithwallet", funded)["hex"]
    assert unlocked("decoderawtransaction", funded)["txid"] != unlocked("decoderawtransaction", made)["txid"]
    assert unlocked("signrawtransactionwithwallet", funded)["hex"] == made  # signing again gives the same bytes


def test_locks_last_or_do_not(node: Path, addresses: dict[str, str]) -> None:
    with Server(node) as server:
        wire = Wire(node, server.port)
        first, second = ({"txid": coin["txid"], "vout": coin["vout"]} for coin in wire("listunspent")[:2])
        assert wire("lockunspent", False, [first], True) and wire("lockunspent", False, [second])
        assert len(wire("listlockunspent")) == 2 and len(wire("listunspent")) == 38
        assert wire.refused("lockunspent", False, [first])[2] == "Invalid parameter, output already locked"
    with Server(node) as server:
        wire = Wire(node, server.port)
        assert wire("listlockunspent") == [first]
        assert wire.refused("lockunspent", True, [second])[2] == "Invalid parameter, expected locked output"
        assert wire("lockunspent", True)
        assert wire("listlockunspent") == []


def test_locked_coins_are_neither_spent_nor_staked(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    coins = [{"txid": coin["txid"], "vout": coin["vout"]} for coin in unlocked("listunspent")]
    unlocked("lockunspent", False, coins[:39])
    raw = unlocked("createrawtransaction", [], [{addresses["alice"]: "1"}])
    made = unlocked("decoderawtransaction", unlocked("fundrawtransaction", raw, {"lockUnspents": True})["hex"])
    assert [(one["txid"], one["vout"]) for one in made["vin"]] == [(coins[39]["txid"], coins[39]["vout"])]
    assert len(unlocked("listlockunspent")) == 40
    assert unlocked.refused("fundrawtransaction", raw)[2] == "Insufficient funds"
    assert unlocked.refused("devnet_produce", {"by": "pool"})[1] == -1
    assert unlocked.refused("devnet_produce", {"by": "pool", "delegate": "alice"})[1] == -1
    unlocked("lockunspent", True, coins[:1])
    unlocked("devnet_produce", {"by": "pool", "delegate": "alice"})
    stake = unlocked("getblock", unlocked("getbestblockhash"), 3)["tx"][1]["vin"][0]
    assert (stake["txid"], stake["vout"]) == (coins[0]["txid"], coins[0]["vout"])


def test_rewards_rest_before_they_can_be_spent(wire: Wire, node: Path) -> None:
    qtum.produce(node, 1, by="pool", delegate="alice")
    sums = wire("getbalances")["mine"]
    assert (sums["trusted"], sums["stake"]) == (39_000, Decimal("1000.5"))
    qtum.produce(node, REST, by="network")
    assert wire("getbalances")["mine"]["stake"] == 0
    assert wire("getbalances")["mine"]["trusted"] == Decimal("40000.5")


def test_list_unspent_filters(wire: Wire, node: Path, addresses: dict[str, str]) -> None:
    qtum.pay(node, "erin", {"pool": 5 * COIN})
    assert len(wire("listunspent")) == 40 and len(wire("listunspent", 0)) == 41
    assert len(wire("listunspent", 0, 9999, [], False)) == 40  # what others sent is not safe before it is in a block
    assert [coin["safe"] for coin in wire("listunspent", 0, 0)] == [False]
    assert wire("listunspent", 1, 9999, [], True, {"minimumAmount": 1001}) == []
    assert len(wire("listunspent", 1, 9999, [], True, {"maximumCount": 3})) == 3
    assert len(wire("listunspent", REST + 2)) == 40 and wire("listunspent", REST + 3) == []
    assert wire("listunspent", 1, 9999, [addresses["alice"]]) == []
    assert wire.refused("listunspent", 1, 9, [], True, {"minimum": 1})[1] == -3


def test_a_payment_is_followed_into_its_block(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1.25"})
    assert unlocked.refused("gettransaction", txid)[1] == -5  # signed is not sent
    unlocked("sendrawtransaction", hexed)
    told = unlocked("gettransaction", txid)
    assert (told["confirmations"], told["trusted"], told["amount"]) == (0, True, Decimal("-1.25"))
    assert told["fee"] < 0 and "blockhash" not in told and told["hex"] == hexed
    assert [line["category"] for line in told["details"]] == ["send"]
    height = qtum.produce(node, 3)
    told = unlocked("gettransaction", txid)
    assert (told["confirmations"], told["blockheight"]) == (3, height - 2)
    assert told["blockhash"] == unlocked("getblockhash", height - 2) and told["walletconflicts"] == []


def test_a_rival_in_a_block_makes_it_conflicted(unlocked: Wire, node: Path, addresses: dict[str, str]) -> None:
    hexed, txid = signed(unlocked, {addresses["alice"]: "1"})
    unlocked("sendrawtransaction", hexed)
    rival = qtum.double_spend(node, txid, to="erin")
    told = unlocked("gettransaction", txid)
    assert (told["confirmations"], told["walletconflicts"], told["trusted"]) == (-1, [rival], False)
    assert unlocked("getrawmempool") == []
    assert unlocked.refused("sendrawtransaction", hexed) == (500, -25, "bad-txns-inputs-missingorspent")
    qtum.produce(node, 4)
    assert unlocked("gettransaction", txid)["confirmations"] == -5
    assert unlocked("gettransaction", rival)["confirmations"] == 5


def test_what_the_pool_refuses_sendmany_tells_all_the_same(
    unlocked: Wire, node: Path, addresses: dict[str, str]
) -> None:
    qtum.misbehave(node, full_pool=True)
    before = unlocked("getbalances")["mine"]["trusted"]
    txid = unlocked("sendmany", "", {addresses["alice"]: "1"})
    assert unlocked("getrawmempool") == []
    assert unlocked("gettransaction", txid)["trusted"] is False
    assert unlocked("getbalances")["mine"]["trusted"] == before - 1000  # the wallet counts its coin as spent
    unlocked("abandontransaction", txid)
    assert unlocked("getbalances")["mine"]["trusted"] == before
    assert unlocked("gettransaction", txid)["details"][0]["abandoned"] is True
    qtum.clear(node)
    again = unlocked("sendmany", "", {addresses["alice"]: "1"}, 1, "", [], None, None, None, None, True)
    assert unlocked("getrawmempool") == [again["txid"]]
    assert unlocked.refused("abandontransaction", again["txid"])[2] == "Transaction not eligible for abandonment"


def test_what_waits_is_replaced_by_what_pays_more(unlocked: Wire, addresses: dict[str, str]) -> None:
    coin = unlocked("listunspent")[0]
    ins = [{"txid": coin["txid"], "vout": coin["vout"]}]

    def made(amount: str, replaceable: bool = True) -> str:
        raw = unlocked("createrawtransaction", ins, [{addresses["alice"]: amount}], 0, replaceable)
        signed: str = unlocked("signrawtransactionwithwallet", raw)["hex"]
        return signed

    first = unlocked("sendrawtransaction", made("999.998"))
    assert "insufficient fee" in unlocked.refused("sendrawtransaction", made("999.9979"))[2]
    second = unlocked("sendrawtransaction", made("999.98"))
    assert unlocked("getrawmempool") == [second] and unlocked("gettransaction", first)["confirmations"] == 0
    assert unlocked("gettransaction", first)["walletconflicts"] == [second]
    last = unlocked("sendrawtransaction", made("999.95", False))
    assert unlocked.refused("sendrawtransaction", made("999.9")) == (500, -26, "txn-mempool-conflict")
    assert unlocked("getrawmempool") == [last]


def test_a_chain_of_unconfirmed_ones_has_an_end(tmp_path: Path) -> None:
    node = make(tmp_path / "n", people=(Person("pool", 100 * COIN, wallet=""),))
    with Server(node) as server:
        wire = Wire(node, server.port)
        wire("walletpassphrase", qtum.PASSPHRASE, 100)
        for count in range(25):
            wire("sendmany", "", {qtum.dev_address("x"): "1"})
            assert len(wire("getrawmempool")) == count + 1
        late = wire("sendmany", "", {qtum.dev_address("x"): "1"})
        assert len(wire("getrawmempool")) == 25 and late not in wire("getrawmempool")
        assert "too-long-mempool-chain" in wire.refused("sendrawtransaction", wire("gettransaction", late)["hex"])[2]
        qtum.produce(node)
        assert wire("getrawmempool") == []


def test_many_payees_fit_one_transaction_until_it_is_too_large(unlocked: Wire) -> None:
    from valtrac.devnet.qtum.rules import NETWORKS

    payees = [NETWORKS["regtest"].address(number.to_bytes(20, "big")) for number in range(3000)]
    many = dict.fromkeys(payees[:500], "0.001")
    hexed, txid = signed(unlocked, many)
    assert 17_000 < len(hexed) // 2 < 17_400
    assert unlocked("sendrawtransaction", hexed) == txid
    raw = unlocked("createrawtransaction", [], [{to: "0.001"} for to in payees])
    assert unlocked.refused("fundrawtransaction", raw) == (500, -4, "Transaction too large")
