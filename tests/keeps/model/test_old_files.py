"""The old bot's cache and its settings, taken over with their quirks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valtrac.keeps.model import old_cache, old_settings
from valtrac.keeps.model.states import DepositState

ME, OTHER = "0x" + "Aa" * 20, "0x" + "bb" * 20


def entry(block: int, state: str | None = None, *, signer: str = ME, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "block": block,
        "deposit": f"0x{abs(block):040x}",
        "lot": "0.01",
        "signers": [signer, OTHER, OTHER],
        "tdt": f"0x{abs(block):040x}",
    }
    return made | ({"state": state} if state else {}) | more


def cache(**keeps: dict[str, Any]) -> str:
    return json.dumps({f"0x{ord(name):040x}": keep for name, keep in keeps.items()})


def test_who_is_watched_in_any_case_and_as_long_as_it_is_not_over() -> None:
    text = cache(
        a=entry(100),
        b=entry(205, "REDEEMED"),
        c=entry(150, "ACTIVE"),
        d=entry(160, "COURTESY_CALL"),
        e=entry(170, "ACTIVE", signer=ME.lower()),
        f=entry(180, "LIQUIDATION_IN_PROGRESS"),
        g=entry(190, "FAILED_SETUP"),
        h=entry(191, "AWAITING_BTC_FUNDING_PROOF"),
    )
    keeps = {chr(int(keep.keep, 16)): keep for keep in old_cache.read(text)}
    assert "".join(name for name, keep in sorted(keeps.items()) if keep.watched_for([ME])) == "acdefh"
    redeemable = [name for name, keep in sorted(keeps.items()) if keep.state and keep.state.redeemable]
    assert "".join(redeemable) == "cde"
    assert not any(keep.watched_for(["0x" + "cc" * 20]) for keep in keeps.values())


def test_big_numbers_and_lots_are_read_as_the_old_library_wrote_them() -> None:
    text = cache(
        a=entry(1, "ACTIVE", collateralization={"type": "BigNumber", "hex": "0x80"}, lot="10.0"),
        b=entry(2, "ACTIVE", collateralization=150, lot="0.5"),
    )
    keeps = old_cache.read(text)
    assert [(keep.percent, keep.lot, keep.state) for keep in keeps] == [
        (128, 1_000_000_000, DepositState.ACTIVE),
        (150, 50_000_000, DepositState.ACTIVE),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "not a list of keeps"),
        ("[" * 100_000, "not JSON"),
        (cache(a=entry(-1)), "block is a whole number"),
        (cache(a=entry(1, "SOMEWHERE")), "state is unknown"),
        (cache(a=entry(1, lot=0.01)), "lot is BTC"),
        (cache(a=entry(1, lot="1e2")), "lot is BTC"),
        (cache(a=entry(1, signers=[])), "signers are a list"),
        (cache(a=entry(1, signers=["me"])), "a signer is no address"),
        (cache(a=entry(1, deposit="0x1")), "deposit is no address"),
        (cache(a=entry(1, collateralization={"type": "BigNumber", "hex": "80"})), "collateralization is no number"),
        (cache(a=entry(1, collateralization=True)), "collateralization is no number"),
        ('{"0x1": 5}', "has no fields"),
    ],
)
def test_what_is_no_cache_is_told_whole_and_nothing_is_half_taken(text: str, problem: str) -> None:
    with pytest.raises(old_cache.NotACache) as told:
        old_cache.read(text)
    assert any(problem in each for each in told.value.problems)


OLD = f"""\
# comment
INFURA_PROJECT_ID=abcdef0123
INFURA_NETWORK=mainnet
OPERATORS={ME}, {OTHER}
MINBLOCK=10880657
COOLDOWN=5000
ETH_WALLET_PUBLIC_KEY="{ME}"
ETH_WALLET_PRIVATE_KEY=0xdeadbeef
BTC_NETWORK=testnet
BTC_ELECTRUM_SERVER=electrumx-server.test.tbtc.network
BTC_ELECTRUM_PORT=8443
BTC_ELECTRUM_PROTOCOL=wss
BTC_WALLET_PUBLIC_KEY=tb1qexample
COLLATERALISATION_THRESHOLD=130
SOMETHING_ELSE=1
"""


def test_each_old_name_is_said_to_become_something() -> None:
    rows = {row.name: row for row in old_settings.read(OLD)}
    assert rows["INFURA_NETWORK"].value == "mainnet" and rows["INFURA_NETWORK"].becomes == "VALTRAC_KEEPS_NETWORK"
    assert rows["OPERATORS"].value == f"{ME},{OTHER}"
    assert rows["MINBLOCK"].value == "10880657" and rows["COLLATERALISATION_THRESHOLD"].value == "130"
    assert rows["BTC_ELECTRUM_PORT"].value == "wss://electrumx-server.test.tbtc.network:8443"
    assert rows["BTC_NETWORK"].value == "test"
    assert "SOMETHING_ELSE" not in rows and not any(row.ask for row in rows.values())
    assert rows["ETH_WALLET_PUBLIC_KEY"].value == ME and rows["ETH_WALLET_PUBLIC_KEY"].line == 7


def test_no_secret_of_it_is_shown_or_taken() -> None:
    rows = old_settings.read(OLD)
    said = repr(rows)
    assert "deadbeef" not in said and "abcdef0123" not in said
    assert [row.written for row in rows if "PRIVATE" in row.name] == ["********"]


def test_what_the_old_bot_took_for_never_and_for_no_block_is_asked_for() -> None:
    rows = {row.name: row for row in old_settings.read("OPERATORS=me\nMINBLOCK=\nINFURA_NETWORK=kovan\n")}
    assert "never redeems" in rows["COLLATERALISATION_THRESHOLD"].ask
    assert "no block" in rows["MINBLOCK"].ask
    assert rows["OPERATORS"].value == "" and "say it anew" in rows["OPERATORS"].ask
    assert rows["INFURA_NETWORK"].value == "ropsten"
